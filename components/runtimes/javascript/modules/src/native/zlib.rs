//! Compression: deflate in its three wrappings.

use std::{cell::RefCell, io::Write};

use flate2::{Compression, GzBuilder, write};
use rquickjs::{Ctx, Exception, Function, Object, Result, Value};

use super::bytes::{self, Bytes};

pub fn fill(group: &Object<'_>) -> Result<()> {
    super::functions!(group,
        "create" => create,
        "crc32" => |data: Bytes<'_>, start: u32| f64::from(bytes::with(&data, |data| crc32(data, start))),
    )
}

/// The system's number in gzip's header (RFC 1952).
const UNIX: u8 = 3;

enum Coder {
    Gzip(write::GzEncoder<Vec<u8>>),
    Gunzip(write::MultiGzDecoder<Vec<u8>>),
    Deflate(write::ZlibEncoder<Vec<u8>>),
    Inflate(write::ZlibDecoder<Vec<u8>>),
    DeflateRaw(write::DeflateEncoder<Vec<u8>>),
    InflateRaw(write::DeflateDecoder<Vec<u8>>),
}

impl Coder {
    fn new(mode: &str, level: Compression) -> Option<Self> {
        Some(match mode {
            "gzip" => Self::Gzip(GzBuilder::new().operating_system(UNIX).write(Vec::new(), level)),
            "gunzip" => Self::Gunzip(write::MultiGzDecoder::new(Vec::new())),
            "deflate" => Self::Deflate(write::ZlibEncoder::new(Vec::new(), level)),
            "inflate" => Self::Inflate(write::ZlibDecoder::new(Vec::new())),
            "deflateRaw" => Self::DeflateRaw(write::DeflateEncoder::new(Vec::new(), level)),
            "inflateRaw" => Self::InflateRaw(write::DeflateDecoder::new(Vec::new())),
            _ => return None,
        })
    }

    /// Takes data, and answers what came of it. `then`: 0 more comes, 1 all so far must
    /// come out, 2 there is no more.
    fn step(&mut self, data: &[u8], then: i32) -> std::io::Result<Vec<u8>> {
        macro_rules! step {
            ($coder:expr) => {{
                $coder.write_all(data)?;
                match then {
                    0 => {}
                    1 => $coder.flush()?,
                    _ => $coder.try_finish()?,
                }
                std::mem::take($coder.get_mut())
            }};
        }
        Ok(match self {
            Self::Gzip(coder) => step!(coder),
            Self::Gunzip(coder) => step!(coder),
            Self::Deflate(coder) => step!(coder),
            Self::Inflate(coder) => step!(coder),
            Self::DeflateRaw(coder) => step!(coder),
            Self::InflateRaw(coder) => step!(coder),
        })
    }
}

/// A function of one stream: `step(bytes, then)` answers bytes, or the error's text.
fn create<'js>(ctx: Ctx<'js>, mode: String, level: i32) -> Result<Function<'js>> {
    let level = u32::try_from(level).map_or_else(|_| Compression::default(), Compression::new);
    let Some(coder) = Coder::new(&mode, level) else {
        return Err(Exception::throw_message(&ctx, &format!("this runtime has no {mode}")));
    };
    let coder = RefCell::new(coder);
    let call = move |ctx: Ctx<'js>, data: Bytes<'js>, then: i32| -> Result<Value<'js>> {
        match bytes::with(&data, |data| coder.borrow_mut().step(data, then)) {
            Ok(out) => Ok(bytes::new(&ctx, out)?.into_value()),
            Err(error) => Ok(rquickjs::String::from_str(ctx, &error.to_string())?.into_value()),
        }
    };
    Function::new(ctx, call)
}

fn crc32(data: &[u8], start: u32) -> u32 {
    let mut crc = !start;
    for &byte in data {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}
