//! HTTP/1.1 as bytes: what is sent is what the test says, and an answer is read by
//! rules of its own, so that neither side's library can hide what went over the wire.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::http::DEADLINE;
use crate::wire::{self, Door, Wire};

/// Longest head that is read.
const HEAD_BYTES_MAX: usize = 1 << 20;

/// A whole answer, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `1.1` or `1.0`.
    pub version: String,
    /// Its status.
    pub status: u16,
    /// Names in lower case and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body, without its chunks' frames.
    pub body: Vec<u8>,
    /// Trailers after the last chunk, as headers.
    pub trailers: Vec<(String, String)>,
}

impl Answer {
    /// The values of a header, in order, joined by a comma and a space.
    pub fn header(&self, name: &str) -> String {
        let values = self.headers.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str());
        values.collect::<Vec<_>>().join(", ")
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// How reading ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// An answer.
    Answer(Answer),
    /// The server closed the connection between two answers.
    Closed,
    /// The connection was reset, or closed within an answer.
    Broken(String),
    /// Nothing came, and the connection is open.
    Silent,
}

/// A connection whose bytes the test writes.
#[derive(Debug)]
pub struct Connection {
    stream: Box<dyn Wire>,
    buffer: Vec<u8>,
}

/// Why an answer cannot be read further.
enum Short {
    End,
    Failed(String),
}

impl Connection {
    /// Connects to `HOST:PORT`.
    pub async fn open(authority: &str) -> Self {
        Self::at(&Door::plain(authority)).await
    }

    /// Connects, by TLS where the door has it.
    pub async fn at(door: &Door) -> Self {
        Self { stream: door.connect("http/1.1").await, buffer: Vec::new() }
    }

    /// Writes all bytes; a server that answered and closed already is no error.
    pub async fn send(&mut self, bytes: &[u8]) {
        let sent = tokio::time::timeout(DEADLINE, wire::send(&mut self.stream, bytes)).await;
        let _ = sent.unwrap_or_else(|_| panic!("{} bytes could not be sent in {DEADLINE:?}", bytes.len()));
    }

    /// Says that nothing more will be sent; answers can still be read.
    pub async fn finish(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Reads the next answer that is no interim one; `method` is its request's, as an
    /// answer to HEAD has no body. Waits so long for its first byte.
    pub async fn answer(&mut self, method: &str, patience: Duration) -> Read {
        loop {
            match self.one(method, patience).await {
                Read::Answer(answer) if answer.status < 200 => {}
                other => return other,
            }
        }
    }

    /// Reads the next answer, an interim one too.
    pub async fn one(&mut self, method: &str, patience: Duration) -> Read {
        if self.buffer.is_empty() {
            match tokio::time::timeout(patience, self.more()).await {
                Err(_) => return Read::Silent,
                Ok(Err(Short::End)) => return Read::Closed,
                Ok(Err(Short::Failed(error))) => return Read::Broken(error),
                Ok(Ok(())) => {}
            }
        }
        match tokio::time::timeout(DEADLINE, self.whole(method)).await {
            Ok(Ok(answer)) => Read::Answer(answer),
            Ok(Err(Short::End)) => Read::Broken("closed within an answer".to_owned()),
            Ok(Err(Short::Failed(error))) => Read::Broken(error),
            Err(_) => panic!("an answer began and did not end in {DEADLINE:?}"),
        }
    }

    async fn more(&mut self) -> Result<(), Short> {
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) => Err(Short::End),
            Ok(_) => Ok(()),
            Err(error) => Err(Short::Failed(error.kind().to_string())),
        }
    }

    /// The bytes up to and with `end`, taken from the buffer.
    async fn until(&mut self, end: &[u8]) -> Result<Vec<u8>, Short> {
        loop {
            if let Some(at) = self.buffer.windows(end.len()).position(|window| window == end) {
                return Ok(self.buffer.drain(..at + end.len()).collect());
            }
            if self.buffer.len() > HEAD_BYTES_MAX {
                return Err(Short::Failed("the head has no end".to_owned()));
            }
            self.more().await?;
        }
    }

    async fn exactly(&mut self, length: usize) -> Result<Vec<u8>, Short> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    async fn whole(&mut self, method: &str) -> Result<Answer, Short> {
        let head = self.until(b"\r\n\r\n").await?;
        let mut answer = head_of(&head).map_err(Short::Failed)?;
        let has_body = method != "HEAD" && answer.status >= 200 && !matches!(answer.status, 204 | 304);
        let (length, chunked) = (answer.header("content-length"), answer.header("transfer-encoding"));
        if !has_body {
            return Ok(answer);
        }
        match (length.as_str(), chunked.as_str()) {
            ("", "chunked") => self.chunks(&mut answer).await?,
            (length, "") if !length.is_empty() => {
                let length = length.parse().map_err(|_| Short::Failed(format!("content-length: {length}")))?;
                answer.body = self.exactly(length).await?;
            }
            ("", "") => {
                loop {
                    match self.more().await {
                        Ok(()) => {}
                        Err(Short::End) => break,
                        Err(failed) => return Err(failed),
                    }
                }
                answer.body = std::mem::take(&mut self.buffer);
            }
            other => return Err(Short::Failed(format!("an answer with both lengths: {other:?}"))),
        }
        Ok(answer)
    }

    async fn chunks(&mut self, answer: &mut Answer) -> Result<(), Short> {
        loop {
            let line = self.until(b"\r\n").await?;
            let text = String::from_utf8_lossy(&line).trim().to_owned();
            let length =
                usize::from_str_radix(&text, 16).map_err(|_| Short::Failed(format!("a chunk of `{text}` bytes")))?;
            if length == 0 {
                loop {
                    let line = self.until(b"\r\n").await?;
                    match pair(String::from_utf8_lossy(&line).trim_end()) {
                        Some(pair) => answer.trailers.push(pair),
                        None => return Ok(()),
                    }
                }
            }
            answer.body.extend(self.exactly(length).await?);
            if self.exactly(2).await? != b"\r\n" {
                return Err(Short::Failed("a chunk without an end".to_owned()));
            }
        }
    }
}

fn pair(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    Some((name.to_ascii_lowercase(), value.trim().to_owned()))
}

fn head_of(bytes: &[u8]) -> Result<Answer, String> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut lines = text.trim_end().split("\r\n");
    let first = lines.next().unwrap_or_default();
    let parsed = first.strip_prefix("HTTP/").and_then(|rest| rest.split_once(' '));
    let status = parsed.and_then(|(_, rest)| rest.get(..3)).and_then(|digits| digits.parse().ok());
    let (Some((version, _)), Some(status)) = (parsed, status) else { return Err(format!("no answer: {first}")) };
    let version = version.to_owned();
    let headers = lines.map(|line| pair(line).ok_or_else(|| format!("no header: {line}")));
    let headers = headers.collect::<Result<Vec<_>, String>>()?;
    // A line break that a guest smuggled in would be here.
    match headers.iter().find(|(name, value)| (name.clone() + value).contains(['\r', '\n', '\0'])) {
        Some((name, _)) => Err(format!("a control character in {name}")),
        None => Ok(Answer { version, status, headers, body: Vec::new(), trailers: Vec::new() }),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// What is read from a server that says `bytes` and closes.
    async fn read(bytes: &'static [u8], method: &str, times: usize) -> Vec<Read> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(async move { listener.accept().await.unwrap().0.write_all(bytes).await });
        let mut connection = Connection::open(&authority).await;
        let mut found = Vec::new();
        for _ in 0..times {
            found.push(connection.answer(method, DEADLINE).await);
        }
        server.await.unwrap().unwrap();
        found
    }

    #[tokio::test]
    async fn what_a_stream_keeps_back_is_sent_as_well() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut far = listener.accept().await.unwrap().0;
        let mut connection = Connection { stream: Box::new(tokio::io::BufStream::new(near)), buffer: Vec::new() };
        connection.send(b"hello").await;
        let mut arrived = [0; 5];
        let read = tokio::time::timeout(DEADLINE, far.read_exact(&mut arrived)).await;
        read.expect("it arrives").unwrap();
        assert_eq!(&arrived, b"hello");
    }

    #[tokio::test]
    async fn answers_are_read_by_their_lengths() {
        let two = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 204 No\r\n\r\n";
        let found = read(two, "GET", 3).await;
        let [Read::Answer(first), Read::Answer(second), Read::Closed] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((first.status, first.text().as_str(), second.status), (200, "hi", 204));
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 1\r\n\r\n";
        let found = read(chunked, "GET", 2).await;
        let [Read::Answer(answer), Read::Closed] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((answer.text().as_str(), &answer.trailers), ("hi", &vec![("x-sum".to_owned(), "1".to_owned())]));
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        assert!(matches!(read(head, "HEAD", 2).await.as_slice(), [Read::Answer(_), Read::Closed]));
        assert!(matches!(read(head, "GET", 1).await.as_slice(), [Read::Broken(_)]));
        let both = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n";
        assert!(matches!(read(both, "GET", 1).await.as_slice(), [Read::Broken(_)]));
    }
}
