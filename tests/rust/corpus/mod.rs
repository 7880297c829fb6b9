//! The real captures, and one way to read any source to its end.

// Every test program uses its own part of this.
#![allow(dead_code)]

pub mod exercise;

use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use gridtap::capture::{self, Peer, SourceFault};

/// A datagram that outlives its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    pub payload: Vec<u8>,
    pub peer: Option<Peer>,
    pub destination_port: Option<u16>,
    pub received_at: Option<u64>,
    pub number: u64,
    pub offset: u64,
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/xrootd")
}

/// Files of the corpus with one of these endings.
pub fn own_files(endings: &[&str]) -> Vec<PathBuf> {
    let found = files_in(&folder(), endings);
    assert!(!found.is_empty(), "captures are missing");
    found
}

/// The same, and those of the larger corpus that `GRIDTAP_CORPUS` names, if it does.
pub fn files(endings: &[&str]) -> Vec<PathBuf> {
    let larger = std::env::var_os("GRIDTAP_CORPUS").map(PathBuf::from);
    let larger = larger.map_or(vec![], |folder| files_in(&folder, endings));
    [own_files(endings), larger].concat()
}

fn files_in(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("folder of captures") {
        let path = entry.expect("entry").path();
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

pub fn stem(path: &Path) -> String {
    path.file_stem().expect("name").to_string_lossy().into_owned()
}

pub fn read_from(reader: Box<dyn Read + Send>, ports: &[u16]) -> (Vec<Datagram>, Vec<SourceFault>) {
    let (mut seen, mut faults) = (Vec::new(), Vec::new());
    let mut source = capture::open(reader, ports).expect("readable");
    while let Some(datagram) = source.next(&mut |fault| faults.push(fault)).expect("readable") {
        seen.push(Datagram {
            payload: datagram.payload.to_vec(),
            peer: datagram.peer,
            destination_port: datagram.destination_port,
            received_at: datagram.received_at,
            number: datagram.number,
            offset: datagram.offset,
        });
    }
    (seen, faults)
}

pub fn read_bytes(bytes: &[u8], ports: &[u16]) -> (Vec<Datagram>, Vec<SourceFault>) {
    read_from(Box::new(Cursor::new(bytes.to_vec())), ports)
}

pub fn read_file(path: &Path, ports: &[u16]) -> (Vec<Datagram>, Vec<SourceFault>) {
    read_from(Box::new(fs::File::open(path).expect("a file")), ports)
}

/// The payloads of a capture, with its name.
pub fn payloads(path: &Path) -> (String, Vec<Vec<u8>>) {
    let (datagrams, _) = read_file(path, &[]);
    (stem(path), datagrams.into_iter().map(|datagram| datagram.payload).collect())
}
