//! HTTP/2 by hand (RFC 9113), for what no client would send. Headers are written
//! without Huffman codes or dynamic table, and answers' headers are not read.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::http::within;
use crate::wire::{self, Door, Wire};

/// What a client sends first.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Types of frames.
pub mod kind {
    /// A body's bytes.
    pub const DATA: u8 = 0;
    /// A head or trailers.
    pub const HEADERS: u8 = 1;
    /// Deprecated.
    pub const PRIORITY: u8 = 2;
    /// The end of a stream.
    pub const RST_STREAM: u8 = 3;
    /// Settings, or their acknowledgement.
    pub const SETTINGS: u8 = 4;
    /// A question whether one is there.
    pub const PING: u8 = 6;
    /// The end of a connection.
    pub const GOAWAY: u8 = 7;
    /// More of a head.
    pub const CONTINUATION: u8 = 9;
    /// Leave to send.
    pub const WINDOW_UPDATE: u8 = 8;
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// See [`kind`].
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its stream; 0 is the connection.
    pub stream: u32,
    /// What is in it.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A frame.
    pub fn new(kind: u8, flags: u8, stream: u32, payload: impl Into<Vec<u8>>) -> Self {
        Self { kind, flags, stream, payload: payload.into() }
    }

    /// As it goes over the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).expect("a frame's length");
        let mut bytes = length.to_be_bytes()[1..].to_vec();
        bytes.extend([self.kind, self.flags]);
        bytes.extend(self.stream.to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    /// Whether its stream has no more of this side.
    pub fn ends_stream(&self) -> bool {
        matches!(self.kind, kind::DATA | kind::HEADERS) && self.flags & END_STREAM != 0
    }
}

/// A connection of a client that does as it is told.
#[derive(Debug)]
pub struct Connection {
    stream: Box<dyn Wire>,
    authority: String,
}

impl Connection {
    /// Connects and sends the preface with these settings.
    pub async fn open(authority: &str, settings: &[(u16, u32)]) -> Self {
        let mut connection = Self::at(&Door::plain(authority)).await;
        let payload: Vec<u8> =
            settings.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()).collect();
        let settings = Frame::new(kind::SETTINGS, 0, 0, payload);
        connection.send(&[PREFACE, &settings.bytes()].concat()).await;
        connection
    }

    /// Connects, by TLS where the door has it, and sends nothing.
    pub async fn at(door: &Door) -> Self {
        Self { stream: door.connect("h2").await, authority: door.authority.clone() }
    }

    /// Says that nothing more will be sent.
    pub async fn finish(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// The frame that begins a request.
    pub fn headers(&self, stream: u32, method: &str, path: &str, more: &[(&str, &str)], ends: bool) -> Vec<u8> {
        let pseudo = [(":method", method), (":scheme", "http"), (":path", path), (":authority", &self.authority)];
        let fields = pseudo.iter().chain(more);
        let block = block(fields.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        let flags = END_HEADERS | if ends { END_STREAM } else { 0 };
        Frame::new(kind::HEADERS, flags, stream, block).bytes()
    }

    /// Sends a request without body.
    pub async fn request(&mut self, stream: u32, method: &str, path: &str, more: &[(&str, &str)]) {
        let frame = self.headers(stream, method, path, more, true);
        self.send(&frame).await;
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: &[u8]) {
        // A server that has closed is seen by the one who reads.
        let _ = within("a write", wire::send(&mut self.stream, bytes)).await;
    }

    /// Sends bytes while what comes is read and thrown away, until the server takes
    /// no more of them.
    pub async fn send_as_long_as_it_is_read(&mut self, bytes: &[u8]) {
        let (mut reading, mut writing) = tokio::io::split(&mut self.stream);
        let discard = async {
            let mut buffer = vec![0; 64 << 10];
            while let Ok(1..) = reading.read(&mut buffer).await {}
        };
        let write = async {
            tokio::select! {
                _ = wire::send(&mut writing, bytes) => {}
                () = discard => {}
            }
        };
        within("a flood's end", write).await;
    }

    /// The next frame; `None` when the connection has ended.
    pub async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        let read = async {
            self.stream.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & (u32::MAX >> 1);
            let mut frame = Frame::new(head[3], head[4], stream, vec![0; length as usize]);
            self.stream.read_exact(&mut frame.payload).await.ok()?;
            Some(frame)
        };
        within("a frame", read).await
    }

    /// Frames up to the one that is looked for.
    pub async fn until(&mut self, is_it: impl Fn(&Frame) -> bool) -> Vec<Frame> {
        let mut frames = Vec::new();
        loop {
            let Some(frame) = self.next().await else { panic!("the connection ended after {frames:?}") };
            frames.push(frame);
            if frames.last().is_some_and(&is_it) {
                return frames;
            }
        }
    }

    /// Whether an answer begins on this stream before the connection ends.
    pub async fn has_answer(&mut self, stream: u32) -> bool {
        while let Some(frame) = self.next().await {
            if frame.kind == kind::HEADERS && frame.stream == stream {
                return true;
            }
        }
        false
    }

    /// The server's settings.
    pub async fn server_settings(&mut self) -> Vec<(u16, u32)> {
        let frame = self.until(|frame| frame.kind == kind::SETTINGS && frame.flags == 0).await.pop();
        let payload = frame.map(|frame| frame.payload).unwrap_or_default();
        let setting =
            |six: &[u8]| (u16::from_be_bytes([six[0], six[1]]), u32::from_be_bytes([six[2], six[3], six[4], six[5]]));
        payload.chunks_exact(6).map(setting).collect()
    }

    /// Waits until the server has ended the connection.
    pub async fn ended(&mut self) {
        while self.next().await.is_some() {}
    }
}

/// Fields as HPACK writes them, without its tables and codes.
pub fn block<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        // A literal that is not indexed, its name written out.
        block.push(0);
        for text in [name, value] {
            length(&mut block, text.len());
            block.extend(text);
        }
    }
    block
}

/// The status that begins a block, of a server whose table of headers was forbidden:
/// one of the static table's, or three digits.
pub fn status(block: &[u8]) -> Option<u16> {
    const INDEXED: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    // A change of the table's size may precede it.
    let at = block.iter().position(|byte| byte >> 5 != 1)?;
    let block = &block[at..];
    match *block {
        [byte @ 0x88..=0x8e, ..] => Some(INDEXED[usize::from(byte - 0x88)]),
        // `:status` of the static table, and a value of its own.
        [0x08 | 0x18 | 0x48, length, ref rest @ ..] if length & 0x80 != 0 => digits(rest),
        [0x08 | 0x18 | 0x48, 3, ref rest @ ..] => std::str::from_utf8(rest.get(..3)?).ok()?.parse().ok(),
        _ => None,
    }
}

/// Three digits in Huffman's code (RFC 7541, appendix B).
fn digits(bytes: &[u8]) -> Option<u16> {
    let mut bits = bytes.iter().take(3).flat_map(|byte| (0..8).rev().map(move |bit| u16::from(byte >> bit & 1)));
    let mut number = 0;
    for _ in 0..3 {
        let five = (0..5).try_fold(0, |code, _| Some(code << 1 | bits.next()?))?;
        // 0 to 2 have five bits, 3 to 9 have six.
        let digit = if five <= 2 { five } else { (five << 1 | bits.next()?).checked_sub(0x19 - 3)? };
        number = number * 10 + digit;
    }
    Some(number)
}

/// A length of HPACK, with a prefix of seven bits.
fn length(block: &mut Vec<u8>, length: usize) {
    if length < 127 {
        block.push(length as u8);
        return;
    }
    block.push(127);
    let mut rest = length - 127;
    while rest >= 128 {
        block.push(rest as u8 | 128);
        rest >>= 7;
    }
    block.push(rest as u8);
}
