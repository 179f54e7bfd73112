//! What the child does, step by step, and what must be there afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use lamina_kv::Table;
use lamina_types::Digest;
use serde::{Deserialize, Serialize};

use crate::log::{Change, Record as Logged};

/// A record: whose step wrote it, what code it refers to, and some weight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) step: usize,
    pub(crate) code: Option<String>,
    filler: String,
}

/// Two tables that are sealed and one that is not, as the platform has.
pub(crate) static TABLES: [Table<Record>; 3] =
    [Table::sealed("function"), Table::sealed("version"), Table::new("tags")];
const FUNCTION: usize = 0;
const VERSION: usize = 1;
const TAGS: usize = 2;

/// A table's place in [`TABLES`], and a key.
pub(crate) type Key = (usize, String);

/// All records.
pub(crate) type Records = BTreeMap<Key, Record>;

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Puts an artifact, and commits a function that refers to it.
    Deploy,
    /// Commits tags.
    Tag,
    /// Commits a version with the function's code.
    Publish,
    /// Commits that nothing of the name is there any more.
    Delete,
    /// Appends so many entries to the audit log.
    Audit(usize),
    /// Signs the audit log's head.
    Sign,
    /// Removes artifacts that nobody refers to.
    Collect,
    /// Asks for a checkpoint.
    Checkpoint,
    /// Adds a key, and seals everything with it.
    Rekey,
    /// Closes everything and opens it again.
    Reopen,
}

/// See [`Work`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) id: usize,
    pub(crate) work: Work,
    /// The function it is about; empty for what is about none.
    pub(crate) name: &'static str,
}

/// The whole history. The steps of a round run at once, and are about different names.
pub(crate) fn rounds() -> Vec<Vec<Step>> {
    use Work::{Audit, Checkpoint, Collect, Delete, Deploy, Publish, Rekey, Reopen, Sign, Tag};
    let rounds: &[&[(Work, &'static str)]] = &[
        &[(Audit(4), "")],
        &[(Deploy, "a")],
        &[(Deploy, "b")],
        &[(Deploy, "c"), (Deploy, "a"), (Tag, "b")],
        &[(Publish, "a")],
        &[(Checkpoint, "")],
        &[(Deploy, "a")],
        &[(Delete, "b")],
        &[(Collect, "")],
        &[(Sign, "")],
        &[(Deploy, "b"), (Tag, "a"), (Deploy, "d"), (Publish, "c")],
        &[(Audit(7), "")],
        &[(Reopen, "")],
        &[(Deploy, "a"), (Deploy, "b"), (Deploy, "c"), (Deploy, "d")],
        &[(Rekey, "")],
        &[(Publish, "b")],
        &[(Checkpoint, "")],
        &[(Delete, "c"), (Delete, "a")],
        &[(Deploy, "a")],
        &[(Collect, "")],
        &[(Reopen, "")],
        &[(Audit(1), "")],
        &[(Tag, "d"), (Deploy, "c"), (Publish, "a")],
        &[(Sign, "")],
        &[(Deploy, "d")],
    ];
    // Many small groups of all sizes, so that each part of one comes to lie across sectors.
    let small: Vec<[(Work, &'static str); 1]> =
        ["e", "f", "g", "h", "i", "j", "k", "l"].repeat(10).into_iter().map(|name| [(Tag, name)]).collect();
    let small = small.iter().map(|round| round.as_slice());
    let passes = if crate::is_long() { 3 } else { 1 };
    let mut id = 0;
    let mut step = |&(work, name): &(Work, &'static str)| {
        id += 1;
        Step { id, work, name }
    };
    let all = std::iter::repeat_n(rounds, passes).flatten().copied().chain(small);
    all.map(|round| round.iter().map(&mut step).collect()).collect()
}

/// All steps in their order.
pub(crate) fn steps() -> &'static [Step] {
    static STEPS: OnceLock<Vec<Step>> = OnceLock::new();
    STEPS.get_or_init(|| rounds().concat())
}

impl Step {
    /// The bytes that a deployment puts: as many as make several pages, and not
    /// always the same number.
    pub(crate) fn artifact(&self) -> Vec<u8> {
        let line = format!("{} of step {}\n", self.name, self.id);
        line.repeat(300 + 211 * (self.id % 5)).into_bytes()
    }

    /// The digest of those bytes, as records have it.
    fn code(&self) -> String {
        static CODES: OnceLock<Vec<String>> = OnceLock::new();
        let all = || steps().iter().map(|step| Digest::of(&step.artifact()).to_string()).collect();
        let codes: &Vec<String> = CODES.get_or_init(all);
        match steps().get(self.id - 1) {
            Some(step) if step.name == self.name => codes[self.id - 1].clone(),
            _ => Digest::of(&self.artifact()).to_string(),
        }
    }

    /// The weight of its records. Some fill pages, and some are so large that the
    /// index keeps them apart.
    fn filler(&self) -> String {
        let bytes = match self.work {
            Work::Tag => 40 + 12 * (self.id % 41),
            _ => [40, 3_000, 40, 20_000, 700, 48_000][self.id % 6],
        };
        format!("{:04}", self.id).repeat(bytes / 4)
    }

    /// Whether it commits a transaction.
    pub(crate) fn commits(&self) -> bool {
        matches!(self.work, Work::Deploy | Work::Tag | Work::Publish | Work::Delete)
    }

    /// What it writes, given what is there; `None` when it cannot.
    pub(crate) fn writes(&self, function: Option<Record>) -> Option<Vec<(Key, Option<Record>)>> {
        let name = self.name.to_owned();
        let record = |code| Some(Record { step: self.id, code, filler: self.filler() });
        let version = |id: usize| (VERSION, format!("{name}:{id:020}"));
        match self.work {
            Work::Deploy => {
                let code = Some(self.code());
                Some(vec![((FUNCTION, name.clone()), record(code)), ((TAGS, name), record(None))])
            }
            Work::Tag => Some(vec![((TAGS, name), record(None))]),
            Work::Publish => {
                let function = function?;
                let published = Record { step: self.id, ..function.clone() };
                Some(vec![(version(self.id), record(function.code)), ((FUNCTION, name.clone()), Some(published))])
            }
            Work::Delete => {
                let published = steps().iter().filter(|step| step.name == self.name && step.work == Work::Publish);
                let versions = published.map(|step| version(step.id));
                let keys = versions.chain([(FUNCTION, name.clone()), (TAGS, name.clone())]);
                Some(keys.map(|key| (key, None)).collect())
            }
            _ => None,
        }
    }

    /// The key of its function's record.
    pub(crate) fn function(&self) -> Key {
        (FUNCTION, self.name.to_owned())
    }

    fn apply(&self, records: &mut Records) {
        for (key, record) in self.writes(records.get(&self.function()).cloned()).into_iter().flatten() {
            match record {
                Some(record) => records.insert(key, record),
                None => records.remove(&key),
            };
        }
    }
}

/// What the child has said of its steps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Acks {
    pub(crate) begun: BTreeSet<usize>,
    /// With what was answered: a signed head.
    pub(crate) done: BTreeMap<usize, String>,
    /// Whether [`LATER`] was deployed after everything.
    pub(crate) is_later: bool,
}

/// The function that is deployed on what was left of a history.
pub(crate) const LATER: &str = "later";

/// Its deployment.
pub(crate) fn later() -> Step {
    Step { id: 1, work: Work::Deploy, name: LATER }
}

impl Acks {
    /// Takes a mark in.
    pub(crate) fn take(&mut self, record: &Logged) {
        let Change::Mark(text) = &record.change else { return };
        let mut words = text.split('\t');
        match (words.next(), words.next().and_then(|id| id.parse().ok()), words.next()) {
            (Some("begin"), Some(id), _) => _ = self.begun.insert(id),
            (Some(LATER), ..) => self.is_later = true,
            (Some("done"), Some(id), note) => _ = self.done.insert(id, note.unwrap_or_default().to_owned()),
            _ => {}
        }
    }

    /// The marks that say the same.
    pub(crate) fn marks(&self) -> Vec<String> {
        let begun = self.begun.iter().map(|id| format!("begin\t{id}"));
        begun.chain(self.done.iter().map(|(id, note)| format!("done\t{id}\t{note}"))).collect()
    }

    /// Those of a whole log.
    pub(crate) fn of(records: &[Logged]) -> Self {
        let mut acks = Self::default();
        records.iter().for_each(|record| acks.take(record));
        acks
    }

    /// Steps that committed for sure.
    pub(crate) fn committed(&self) -> usize {
        steps().iter().filter(|step| step.commits() && self.done.contains_key(&step.id)).count()
    }
}

/// Whether these records can be what the acknowledged steps, and each of the others
/// that were begun or not, have left of this name; the text says what is wrong.
pub(crate) fn judge(name: &str, found: &Records, acks: &Acks) -> Result<(), String> {
    let is_its = |step: &&Step| step.name == name && step.commits() && acks.begun.contains(&step.id);
    let steps: Vec<&Step> = steps().iter().filter(is_its).collect();
    let open: Vec<usize> = steps.iter().map(|step| step.id).filter(|id| !acks.done.contains_key(id)).collect();
    assert!(open.len() < 16, "too many steps of {name} without an answer: {open:?}");
    let possible = |chosen: usize| {
        let mut records = Records::new();
        for step in &steps {
            let place = open.iter().position(|id| *id == step.id);
            if place.is_none_or(|place| chosen >> place & 1 == 1) {
                step.apply(&mut records);
            }
        }
        records
    };
    if (0..1 << open.len()).any(|chosen| possible(chosen) == *found) {
        return Ok(());
    }
    let brief = |records: &Records| -> Vec<String> {
        let line = |(key, record): (&Key, &Record)| format!("{}:{} of step {}", key.0, key.1, record.step);
        records.iter().map(line).collect()
    };
    let (expect, found) = (brief(&possible(0)), brief(found));
    Err(format!("{name} is {found:?}; acknowledged is {expect:?}; steps without an answer: {open:?}"))
}

/// The names of all functions.
pub(crate) fn names() -> BTreeSet<&'static str> {
    steps().iter().map(|step| step.name).filter(|name| !name.is_empty()).collect()
}

/// The function that a key is about.
pub(crate) fn name_of(key: &Key) -> &str {
    key.1.split(':').next().unwrap_or_default()
}
