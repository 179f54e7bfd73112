//! The whole log checked, from its first line on.

use lamina_disk::Folder;

use crate::chain::Chain;
use crate::end;
use crate::entry::LINE_BYTES_MAX;
use crate::error::Broken;
use crate::files::{HEADS, Lines, file_name, log_files, shown};
use crate::head::{HEAD_BYTES_MAX, Head};

/// How messages name the head that the caller brought.
const EXPECTED: &str = "the head kept elsewhere";

/// A log that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many entries it has.
    pub entries: u64,
    /// The number and the hash of the last one; 0 and zeros when there is none.
    pub last: (u64, String),
    /// How many heads were signed and kept with it.
    pub heads: usize,
}

/// Checks the log in this folder: every line's form, number and hash, the files'
/// names, that every head in `heads` was signed by this key and lies on the chain,
/// and so with `expect`, a head that was kept elsewhere. Changes nothing; reads
/// every file once, a line at a time.
pub fn verify(folder: &Folder, public_key: &[u8; 32], expect: Option<&Head>) -> Result<Verified, Broken> {
    if let Some(expect) = expect {
        expect.verify(public_key).map_err(|error| Broken::new(EXPECTED, 0, error.to_string()))?;
    }
    let mut heads = Heads::open(folder, public_key)?;
    let mut chain = Chain::new();
    let mut torn = None;
    let files = log_files(folder)?;
    for (index, first) in files.iter().enumerate() {
        let name = shown(&file_name(*first));
        if *first != chain.following() {
            let next = chain.following();
            return Err(Broken::new(&name, 0, format!("entry {next} is the next one, and no file begins with it")));
        }
        torn = walk(folder, *first, &mut chain, |chain| {
            heads.pass(chain)?;
            expect.filter(|expect| expect.n == chain.n()).map_or(Ok(()), |expect| meets(EXPECTED, 0, expect, chain))
        })?;
        let is_last = index.saturating_add(1) == files.len();
        if let Some(torn) = torn.take_if(|_| !is_last) {
            return Err(Broken { torn: false, ..torn });
        }
        if !is_last && chain.following() == *first {
            return Err(Broken::new(&name, 0, "it is empty, and not the last file"));
        }
    }
    let (count, heads_torn) = heads.end(&chain)?;
    if let Some(expect) = expect.filter(|expect| expect.n > chain.n() || expect.n == 0) {
        return Err(beyond(EXPECTED, 0, expect, &chain));
    }
    match torn.or(heads_torn) {
        Some(torn) => Err(torn),
        None => Ok(Verified { entries: chain.n(), last: chain.last(), heads: count }),
    }
}

/// Takes the lines of one file, and tells of each. What is torn at the end is given.
fn walk(
    folder: &Folder,
    first: u64,
    chain: &mut Chain,
    mut took: impl FnMut(&Chain) -> Result<(), Broken>,
) -> Result<Option<Broken>, Broken> {
    let (name, path) = (file_name(first), shown(&file_name(first)));
    let lines = Lines::open(folder, &name, LINE_BYTES_MAX).map_err(|error| Broken::read(&path, &error))?;
    let mut lines = lines.ok_or_else(|| Broken::new(&path, 0, "it is gone"))?;
    loop {
        let broken = match lines.next() {
            Ok(None) => return Ok(None),
            Ok(Some(line)) => match chain.take(line) {
                Ok(()) => {
                    took(chain)?;
                    continue;
                }
                Err(error) => Broken::new(&path, lines.number(), error.fault.to_string()),
            },
            Err(stop) => stop.broken(&path, lines.number()),
        };
        let is_torn = broken.torn || end::is_torn_at(folder, &name, LINE_BYTES_MAX, lines.number());
        return if is_torn { Ok(Some(Broken::torn(&path, lines.number()))) } else { Err(broken) };
    }
}

/// Whether a head is of the entry that the chain is at.
fn meets(file: &str, line: u64, head: &Head, chain: &Chain) -> Result<(), Broken> {
    if head.hash == chain.hash() {
        return Ok(());
    }
    Err(Broken::new(file, line, format!("it signs another entry {} than the log has", head.n)))
}

fn beyond(file: &str, line: u64, head: &Head, chain: &Chain) -> Broken {
    Broken::new(file, line, format!("it signs entry {}, and the log ends with {}", head.n, chain.n()))
}

/// The heads beside the log, read along with it.
struct Heads<'a> {
    folder: &'a Folder,
    lines: Option<Lines>,
    public_key: &'a [u8; 32],
    /// The next one that the chain has not reached.
    next: Option<Head>,
    count: usize,
    torn: Option<Broken>,
}

impl<'a> Heads<'a> {
    fn open(folder: &'a Folder, public_key: &'a [u8; 32]) -> Result<Self, Broken> {
        let lines = Lines::open(folder, HEADS, HEAD_BYTES_MAX).map_err(|error| Broken::read(&shown(HEADS), &error))?;
        let mut heads = Self { folder, lines, public_key, next: None, count: 0, torn: None };
        heads.advance(0)?;
        Ok(heads)
    }

    /// Reads the next head, which must not be of an entry before `n`.
    fn advance(&mut self, n: u64) -> Result<(), Broken> {
        self.next = None;
        let Some(lines) = &mut self.lines else { return Ok(()) };
        let parsed = match lines.next() {
            Ok(None) => return Ok(()),
            Ok(Some(line)) => {
                Head::parse(line).map_err(|error| Broken::new(&shown(HEADS), lines.number(), error.to_string()))
            }
            Err(stop) => Err(stop.broken(&shown(HEADS), lines.number())),
        };
        let head = match parsed {
            Ok(head) => head,
            Err(broken) if broken.torn || end::is_torn_at(self.folder, HEADS, HEAD_BYTES_MAX, lines.number()) => {
                self.torn = Some(Broken::torn(&shown(HEADS), lines.number()));
                return Ok(());
            }
            Err(broken) => return Err(broken),
        };
        let broken = |reason| Broken::new(&shown(HEADS), lines.number(), reason);
        head.verify(self.public_key).map_err(|error| broken(error.to_string()))?;
        if head.n < n.max(1) {
            return Err(broken(format!("it signs entry {} after one of entry {n}", head.n)));
        }
        self.count = self.count.saturating_add(1);
        self.next = Some(head);
        Ok(())
    }

    fn line(&self) -> u64 {
        self.lines.as_ref().map_or(0, Lines::number)
    }

    /// Compares the heads of the entry that the chain is at.
    fn pass(&mut self, chain: &Chain) -> Result<(), Broken> {
        while let Some(head) = self.next.take_if(|head| head.n == chain.n()) {
            meets(&shown(HEADS), self.line(), &head, chain)?;
            self.advance(head.n)?;
        }
        Ok(())
    }

    /// How many there were, and what is torn after them, if the log reaches all.
    fn end(self, chain: &Chain) -> Result<(usize, Option<Broken>), Broken> {
        match &self.next {
            Some(head) => Err(beyond(&shown(HEADS), self.line(), head, chain)),
            None => Ok((self.count, self.torn)),
        }
    }
}
