//! Brings groups to the disk: appends one to the journal, syncs it, has it seen, and
//! has its callers woken.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use lamina_disk::Folder;

use crate::answer::Ending;
use crate::checkpoint::{Job, Reply};
use crate::error::Error;
use crate::feed::{Committed, Feed};
use crate::frame::{GroupWriter, MacKey};
use crate::gather::{Gathered, Gathering, Returning};
use crate::journal::{Failed, Tail};
use crate::pending::{Pending, Written};
use crate::position::Position;
use crate::spare::Spare;

/// How long the caller that was woken has to wake the others.
const WAKE: Duration = Duration::from_millis(1);
/// Room that a group should have without the file growing.
const ROOM_BYTES: u64 = 256 << 10;
/// Bytes at which the journal goes on in another file, should no checkpoint have
/// come before.
const FILE_BYTES: u64 = 256 << 20;

/// See the module.
pub(crate) struct Writer {
    pub(crate) key: MacKey,
    pub(crate) folder: Folder,
    pub(crate) position: Arc<Position>,
    pub(crate) feed: Feed,
    pub(crate) pending: Pending,
    pub(crate) gathering: Gathering,
}

/// The journal's end.
pub(crate) struct Journal {
    pub(crate) tail: Tail,
    /// A file made ready to go on in.
    pub(crate) spare: Spare,
    /// A group's buffer, to be used again.
    pub(crate) buffer: GroupWriter,
}

impl Journal {
    /// Whether the next group may make the file grow, and there is another where it
    /// would not.
    fn must_go_on(&self) -> bool {
        let left = self.tail.room();
        left < ROOM_BYTES.min(self.spare.bytes / 4) && self.spare.is_ready()
    }

    /// Whether the journal grows so fast that the next file is to be made ready: at
    /// once when this one was, so that it is there in time.
    fn wants_spare(&self) -> bool {
        self.tail.through.is_some() || self.tail.at >= self.spare.after
    }
}

impl Writer {
    /// Writes what is gathered until nothing comes any more, and ends the journal. Should
    /// it panic, no more is taken.
    pub(crate) fn run(&self, journal: Journal) {
        if catch_unwind(AssertUnwindSafe(|| self.write_all(journal))).is_err() {
            self.gathering.undone(&Error::storage("writing records", "the thread that writes panicked"));
            drop(self.gathering.asked());
        }
    }

    fn write_all(&self, mut journal: Journal) {
        let mut returning = Returning::default();
        while self.gathering.wait() {
            self.gathering.gather(&mut returning);
            // Taken before the group is: a checkpoint holds all that came before it.
            let asked = self.gathering.asked();
            let others = self.write(&mut journal, &mut returning);
            asked.into_iter().for_each(|reply| self.checkpoint(&mut journal, reply));
            if let Some(others) = others {
                self.gathering.wait_for(WAKE);
                others.wake();
            }
        }
        // The end of this file is not the end of the journal then: damage there will
        // not look like a write that was cut off.
        if self.gathering.broken().is_none() && !journal.tail.is_empty() {
            let _ = self.rotate(&mut journal);
        }
        journal.spare.end(&self.folder);
    }

    /// Writes the group that is gathered, if there is one. Its end, if there are callers
    /// to be woken.
    fn write(&self, journal: &mut Journal, returning: &mut Returning) -> Option<Arc<Ending>> {
        let (gathered, written) = self.gathering.take(&mut journal.buffer)?;
        let Gathered { mut group, ending, count, .. } = gathered;
        let synced = match self.gathering.broken() {
            Some(error) => Err(error),
            None if group.count() == 0 => Ok(()),
            None => self.append(journal, &mut group, written),
        };
        match &synced {
            Ok(()) => {
                self.gathering.done();
                // A watcher that came meanwhile must not miss them.
                if group.count() > 0 && self.feed.is_followed() {
                    self.follow(&group, journal.tail.sequence);
                }
            }
            Err(error) => self.gathering.undone(error),
        }
        group.begin();
        journal.buffer = group;
        let is_ok = synced.is_ok();
        returning.told(count, self.gathering.count());
        let others = ending.end(synced);
        if is_ok {
            self.look_ahead(journal);
        }
        others
    }

    fn append(&self, journal: &mut Journal, group: &mut GroupWriter, written: Arc<Written>) -> Result<(), Error> {
        let tail = &mut journal.tail;
        let sequence = tail.sequence + u64::from(group.count());
        let (bytes, mac) = group.finish(&self.key, tail.sequence + 1, &tail.mac);
        self.pending.sort_soon();
        match tail.append(bytes, sequence, mac) {
            Ok(()) => {}
            Err(Failed::Clean(error)) => return Err(Error::Full { reason: error.to_string() }),
            Err(Failed::Unknown(error)) => return Err(Error::storage("writing records", error)),
        }
        // The index is brought up to it by its own thread; until then readers find it
        // with what is pending.
        self.pending.add(sequence, written);
        self.position.appended(tail.first, tail.at, sequence, bytes.len() as u64);
        Ok(())
    }

    fn follow(&self, group: &GroupWriter, last: u64) {
        let first = last + 1 - u64::from(group.count());
        if let Err(broken) = group.each(first, |number, writes| self.feed.send(Committed::new(number, writes))) {
            // Watchers miss the rest, which their numbers show.
            tracing::error!(reason = broken.0, "a group that was written does not read back");
        }
    }

    /// A checkpoint, when one is due; another file, when this one has no more room.
    fn look_ahead(&self, journal: &mut Journal) {
        if self.position.is_due() {
            self.begin_checkpoint(journal, None);
        } else if journal.tail.at >= FILE_BYTES || journal.must_go_on() {
            let _ = self.rotate(journal);
        }
        if journal.wants_spare() {
            journal.spare.prepare(&self.folder);
        }
    }

    /// Begins a new file. One of which it is not known whether it is there breaks the
    /// store: the journal must not go on in two.
    fn rotate(&self, journal: &mut Journal) -> Result<(), Error> {
        let Journal { tail, spare, .. } = journal;
        match Tail::create(&self.folder, spare.take().as_ref(), tail.sequence, tail.mac) {
            Ok(next) => std::mem::replace(tail, next).leave(),
            Err(failed) => {
                let is_unknown = matches!(failed, Failed::Unknown(_));
                let error = Error::storage("beginning a journal file", failed.into_error());
                if is_unknown {
                    self.gathering.break_off(error.clone());
                }
                return Err(error);
            }
        }
        self.position.rotated(tail.first, tail.at);
        Ok(())
    }

    /// A checkpoint of all that was written so far.
    fn checkpoint(&self, journal: &mut Journal, reply: Reply) {
        match self.gathering.broken().or_else(|| self.pending.broken()) {
            None => self.begin_checkpoint(journal, Some(reply)),
            Some(error) => drop(reply.send(Err(error))),
        }
    }

    /// Begins a new file, and has the export made beside the transactions.
    fn begin_checkpoint(&self, journal: &mut Journal, reply: Option<Reply>) {
        let rotated = if journal.tail.is_empty() { Ok(()) } else { self.rotate(journal) };
        let job = Job { sequence: journal.tail.sequence, chain: journal.tail.mac, reply };
        if let Err(error) = rotated {
            self.position.put_off();
            return job.fail(error);
        }
        self.position.begun();
        // Behind all that the index has not got yet.
        if let Err((error, job)) = self.pending.checkpoint(job) {
            self.position.put_off();
            job.fail(error);
        }
    }
}
