//! The state of all workers as one file: how many there were (4 bytes, little-endian), then their
//! snapshots, one behind the other.
//!
//! It may be read by another number of workers: each takes the servers that it will get packets of.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::worker::{Worker, clock};
use crate::access::SnapshotError;
use crate::capture::Host;
use crate::capture::udp::shard;

/// Names of users and their files are nobody else's business.
const OWNER_ONLY: u32 = 0o600;

/// Why nothing was restored.
#[derive(Debug)]
pub enum RestoreError {
    /// The file could not be opened.
    Io(io::Error),
    Snapshot(SnapshotError),
}

/// Writes the file anew: it is the old one or the new one, whatever happens meanwhile.
///
/// # Errors
///
/// Those of the file system.
pub fn save(workers: &[Arc<Worker>], path: &Path) -> io::Result<()> {
    let new = beside(path);
    let written = write(workers, &new).and_then(|()| std::fs::rename(&new, path));
    if written.is_err() {
        // It may not even be there.
        let _ = std::fs::remove_file(&new);
        return written;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

/// Each worker's state is copied first: a slow disk must not hold up a worker.
fn write(workers: &[Arc<Worker>], path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(OWNER_ONLY).open(path)?;
    let mut copy = Vec::new();
    file.write_all(&(workers.len() as u32).to_le_bytes())?;
    for worker in workers {
        copy.clear();
        worker.state().correlator.save(&mut copy)?;
        file.write_all(&copy)?;
    }
    file.sync_all()
}

/// The worker that gets the packets of a server.
pub fn worker_of(host: Option<&Host>, workers: usize) -> usize {
    match host {
        Some(Host::Ip(address)) => shard::of(*address, workers),
        // Names come only from relays, and without a sender there is one sender.
        Some(Host::Name(_)) | None => 0,
    }
}

/// Takes in what the file says. Answers how many servers, logins and files that were.
///
/// # Errors
///
/// The file cannot be read, or is damaged; then nothing of it stays.
pub fn restore(workers: &[Arc<Worker>], path: &Path) -> Result<usize, RestoreError> {
    let mut rows = 0;
    let outcome = workers.iter().enumerate().try_for_each(|(number, worker)| {
        let mut file = BufReader::new(File::open(path).map_err(RestoreError::Io)?);
        let keep = |host: Option<&Host>| worker_of(host, workers.len()) == number;
        for _ in 0..parts(&mut file)? {
            let mut state = worker.state();
            let restored = state.load(&mut file, keep, clock()).map_err(RestoreError::Snapshot)?;
            rows += restored.servers + restored.sessions + restored.files;
            // The counters of the whole, once.
            if number == 0 {
                state.correlator.add_stats(&restored.stats);
            }
        }
        match file.fill_buf() {
            Ok([]) => Ok(()),
            Ok(_) => Err(RestoreError::Snapshot(SnapshotError::Damaged("it goes on"))),
            Err(error) => Err(RestoreError::Io(error)),
        }
    });
    if outcome.is_err() {
        workers.iter().for_each(|worker| worker.state().forget());
    }
    outcome.map(|()| rows)
}

/// How many snapshots follow.
fn parts(file: &mut impl Read) -> Result<u32, RestoreError> {
    let mut count = [0; 4];
    file.read_exact(&mut count).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => RestoreError::Snapshot(SnapshotError::Truncated),
        _ => RestoreError::Io(error),
    })?;
    Ok(u32::from_le_bytes(count))
}
