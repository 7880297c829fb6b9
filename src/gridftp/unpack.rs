//! Compressed logs, found out by their first bytes.
//!
//! | first bytes         | form                                                     |
//! |---------------------|----------------------------------------------------------|
//! | `1f 8b`             | gzip, also several members                               |
//! | `fd 37 7a 58 5a 00` | xz, also several streams                                 |
//! | `28 b5 2f fd`       | zstd, also several frames; `5x 2a 4d 18` is skipped      |
//! | anything else       | plain                                                    |
//!
//! A file that claims to need more than [`MAX_DICTIONARY_KIB`] to be unpacked is refused: it would be
//! its word against our memory.

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{self, BufRead, BufReader, Cursor, Read};

use crate::limits::MAX_DICTIONARY_KIB;

const BUFFER: usize = 256 * 1024;

type Source = BufReader<io::Chain<Cursor<Vec<u8>>, Box<dyn Read + Send>>>;

/// The bytes of a log, unpacked.
pub enum Unpacked {
    Plain(Source),
    Gzip(Box<MultiGzDecoder<Source>>),
    Xz(Box<XzReader<Source>>),
    Zstd(Box<Frames>),
}

/// Looks at the first bytes and reads on from there.
pub fn unpack(mut source: Box<dyn Read + Send>) -> io::Result<Unpacked> {
    let mut magic = Vec::new();
    source.by_ref().take(6).read_to_end(&mut magic)?;
    let is = |first: &[u8]| magic.starts_with(first);
    let (gzip, xz) = (is(&[0x1f, 0x8b]), is(b"\xfd7zXZ\0"));
    let zstd =
        is(&[0x28, 0xb5, 0x2f, 0xfd]) || matches!(*magic, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]);
    let source = BufReader::with_capacity(BUFFER, Cursor::new(magic).chain(source));
    Ok(if gzip {
        Unpacked::Gzip(Box::new(MultiGzDecoder::new(source)))
    } else if xz {
        Unpacked::Xz(Box::new(XzReader::new_mem_limit(source, true, MAX_DICTIONARY_KIB)))
    } else if zstd {
        Unpacked::Zstd(Box::new(Frames::new(source)))
    } else {
        Unpacked::Plain(source)
    })
}

impl Unpacked {
    pub fn is_packed(&self) -> bool {
        !matches!(self, Self::Plain(_))
    }
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(source) => source.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Xz(decoder) => decoder.read(buffer),
            Self::Zstd(frames) => frames.read(buffer),
        }
    }
}

/// The frames of a zstd file, one after the other.
pub struct Frames {
    source: Source,
    decoder: FrameDecoder,
    is_open: bool,
}

impl Frames {
    fn new(source: Source) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(u64::from(MAX_DICTIONARY_KIB) * 1024);
        Self { source, decoder, is_open: false }
    }

    /// Begins the next frame; `false` at the end.
    fn open(&mut self) -> io::Result<bool> {
        use FrameDecoderError::ReadFrameHeaderError as Header;
        while !self.is_open {
            if self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.source) {
                Ok(()) => self.is_open = true,
                Err(Header(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let mut frame = self.source.by_ref().take(u64::from(length));
                    io::copy(&mut frame, &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(true)
    }

    fn close(&mut self) -> io::Result<()> {
        self.is_open = false;
        let told = self.decoder.get_checksum_from_data();
        if told.is_some() && told != self.decoder.get_calculated_checksum() {
            return Err(io::Error::other("a checksum is wrong"));
        }
        Ok(())
    }
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.open()? {
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let some = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.source, some).map_err(io::Error::other)?;
            }
            let read = self.decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.close()?;
        }
        Ok(0)
    }
}
