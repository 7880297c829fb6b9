//! A whole source: every datagram in it is decoded.

#![no_main]

use gridtap::capture;
use gridtap::error::Ignore;
use gridtap::xrootd::Message;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let reader = Box::new(std::io::Cursor::new(bytes.to_vec()));
    let mut source = capture::open(reader, &[]).expect("memory has no I/O errors");
    let end = bytes.len() as u64;
    let mut faults = 0;
    let mut last = 0;
    while let Some(datagram) = source
        .next(&mut |fault| {
            assert!(fault.offset <= end);
            faults += 1;
        })
        .expect("memory has no I/O errors")
    {
        assert!(datagram.number > last && datagram.offset < end);
        last = datagram.number;
        if let Some(message) = Message::decode(datagram.payload, &mut Ignore) {
            message.check(&mut Ignore);
        }
    }
    assert!(source.position() <= end && faults <= bytes.len());
});
