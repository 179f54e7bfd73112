//! What may be on a disk after the power went: the synced, and of the rest
//! whatever chance has brought there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use crate::model::{Content, Disk, Edit, Naming, Node};

/// The kernel's pages.
const PAGE: usize = 4_096;
/// What a drive writes whole.
const SECTOR: usize = 512;

/// SplitMix64: the same numbers in every run.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn is(&mut self, percent: u8) -> bool {
        self.below(100) < usize::from(percent)
    }
}

/// What becomes of changes that are not synced, each for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Lost,
    Kept,
    /// All up to some moment.
    Prefix,
    /// So many in a hundred are there.
    Chance(u8),
    /// All but one; of a file, all but one sector, its last one more often than others.
    Hole,
}

/// The fates of names and of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fates {
    pub(crate) names: Fate,
    pub(crate) content: Fate,
}

/// The states in which every disk may be.
pub(crate) const EXTREMES: [Fates; 4] = [
    Fates { names: Fate::Lost, content: Fate::Lost },
    Fates { names: Fate::Kept, content: Fate::Lost },
    Fates { names: Fate::Lost, content: Fate::Kept },
    Fates { names: Fate::Kept, content: Fate::Kept },
];

impl Fates {
    pub(crate) fn random(chance: &mut Chance) -> Self {
        let all = [
            Fate::Lost,
            Fate::Kept,
            Fate::Prefix,
            Fate::Prefix,
            Fate::Chance(10),
            Fate::Chance(50),
            Fate::Chance(50),
            Fate::Chance(90),
            Fate::Hole,
            Fate::Hole,
        ];
        Self { names: all[chance.below(all.len())], content: all[chance.below(all.len())] }
    }
}

/// What is found: directories are `None`.
pub(crate) type State = BTreeMap<String, Option<Vec<u8>>>;

/// One state that the disk may be in when it is cut off now.
pub(crate) fn after(disk: &Disk, fates: Fates, chance: &mut Chance) -> State {
    let names = named(&disk.namings, fates.names, chance);
    let mut made: HashMap<Node, Vec<u8>> = HashMap::new();
    let mut state = State::new();
    for (path, node) in Disk::files(&names) {
        // A file with two names has one content.
        let content = disk.contents[node]
            .as_ref()
            .map(|content| made.entry(node).or_insert_with(|| written(content, fates.content, chance)).clone());
        state.insert(path, content);
    }
    state
}

/// The names that are there, by directory.
fn named(namings: &[Naming], fate: Fate, chance: &mut Chance) -> HashMap<Node, BTreeMap<String, Node>> {
    let pending = namings.iter().filter(|naming| !naming.is_synced).count();
    let mut left = if matches!(fate, Fate::Prefix | Fate::Hole) { chance.below(pending + 1) } else { 0 };
    let mut names: HashMap<Node, BTreeMap<String, Node>> = HashMap::new();
    for naming in namings {
        let is_there = naming.is_synced
            || match fate {
                Fate::Lost => false,
                Fate::Kept => true,
                Fate::Chance(percent) => chance.is(percent),
                Fate::Prefix if left == 0 => false,
                Fate::Prefix => {
                    left -= 1;
                    true
                }
                Fate::Hole => {
                    let is_hole = left == 0;
                    left = left.checked_sub(1).unwrap_or(usize::MAX);
                    !is_hole
                }
            };
        if !is_there {
            continue;
        }
        if let Some((folder, name)) = &naming.gone {
            names.entry(*folder).or_default().remove(name);
        }
        if let Some((folder, name, node)) = &naming.come {
            names.entry(*folder).or_default().insert(name.clone(), *node);
        }
    }
    names
}

/// A file's content on the disk.
fn written(content: &Content, fate: Fate, chance: &mut Chance) -> Vec<u8> {
    let edits = &content.pending;
    match fate {
        _ if edits.is_empty() => content.synced.to_vec(),
        Fate::Lost => content.synced.to_vec(),
        Fate::Kept => content.live.clone(),
        Fate::Prefix => version(content, chance.below(edits.len() + 1)),
        Fate::Chance(percent) => paged(content, percent, chance),
        Fate::Hole => holed(content, chance),
    }
}

/// The file after so many of its edits.
fn version(content: &Content, edits: usize) -> Vec<u8> {
    let mut bytes = content.synced.to_vec();
    for edit in &content.pending[..edits] {
        edit.apply(&mut bytes);
    }
    bytes
}

/// Everything but one of the sectors that were written to.
fn holed(content: &Content, chance: &mut Chance) -> Vec<u8> {
    let mut sectors = BTreeSet::new();
    for edit in &content.pending {
        if let Edit::Write { offset, bytes } = edit {
            sectors.extend(offset / SECTOR..(offset + bytes.len()).div_ceil(SECTOR));
        }
    }
    let mut bytes = content.live.clone();
    let place = match chance.below(2) {
        0 => sectors.len().saturating_sub(1),
        _ => chance.below(sectors.len().max(1)),
    };
    let start = sectors.into_iter().nth(place).unwrap_or_default() * SECTOR;
    for at in start..(start + SECTOR).min(bytes.len()) {
        bytes[at] = content.synced.get(at).copied().unwrap_or_default();
    }
    bytes
}

/// Each page as it was after some edit that touched it, perhaps torn between two
/// of those moments; and the length of some moment.
fn paged(content: &Content, percent: u8, chance: &mut Chance) -> Vec<u8> {
    let mut lengths = vec![content.synced.len()];
    let mut touched: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, edit) in content.pending.iter().enumerate() {
        let length = lengths[number];
        let (pages, length) = match edit {
            Edit::Write { offset, bytes } => {
                let end = offset + bytes.len();
                (offset / PAGE..end.div_ceil(PAGE), length.max(end))
            }
            Edit::SetLen(len) => (len / PAGE..length.div_ceil(PAGE), *len),
        };
        lengths.push(length);
        for page in pages {
            touched.entry(page).or_default().push(number);
        }
    }
    let most = lengths.iter().max().copied().unwrap_or_default();
    let mut bytes = content.synced.to_vec();
    bytes.resize(most.div_ceil(PAGE) * PAGE, 0);
    for (page, edits) in touched {
        if !chance.is(percent) {
            continue;
        }
        let new = moment(content, page, &edits, 1 + chance.below(edits.len()));
        let start = page * PAGE;
        if chance.is(20) {
            let torn = SECTOR * chance.below(PAGE / SECTOR);
            let old = moment(content, page, &edits, chance.below(edits.len()));
            bytes[start..start + torn].copy_from_slice(&new[..torn]);
            bytes[start + torn..start + PAGE].copy_from_slice(&old[torn..]);
        } else {
            bytes[start..start + PAGE].copy_from_slice(&new);
        }
    }
    let length = match chance.below(4) {
        0 => content.synced.len(),
        1 => lengths[chance.below(lengths.len())],
        _ => content.live.len(),
    };
    bytes.resize(length, 0);
    bytes
}

/// One page after so many of the edits that touched it.
fn moment(content: &Content, page: usize, edits: &[usize], count: usize) -> Vec<u8> {
    let start = page * PAGE;
    let mut bytes = vec![0; PAGE];
    let synced = content.synced.get(start..).unwrap_or_default();
    let there = synced.len().min(PAGE);
    bytes[..there].copy_from_slice(&synced[..there]);
    for &edit in &edits[..count] {
        match &content.pending[edit] {
            Edit::Write { offset, bytes: new } => {
                let (from, to) = ((*offset).max(start), (offset + new.len()).min(start + PAGE));
                if from < to {
                    bytes[from - start..to - start].copy_from_slice(&new[from - offset..to - offset]);
                }
            }
            Edit::SetLen(len) => bytes[len.saturating_sub(start).min(PAGE)..].fill(0),
        }
    }
    bytes
}

/// Makes the state in an empty directory.
pub(crate) fn materialise(state: &State, root: &Path) -> std::io::Result<()> {
    // A directory is before what is in it.
    for (path, content) in state {
        match content {
            None => std::fs::create_dir(root.join(path))?,
            Some(bytes) => std::fs::write(root.join(path), bytes)?,
        }
    }
    Ok(())
}

/// What a directory holds.
pub(crate) fn found(root: &Path) -> State {
    let mut state = State::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let content = if path.is_dir() { None } else { Some(std::fs::read(&path).unwrap()) };
            if content.is_none() {
                open.push(path);
            }
            state.insert(name, content);
        }
    }
    state
}
