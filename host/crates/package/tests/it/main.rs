//! The crate's contract, from outside: hostile zips byte by byte, zips of other tools,
//! and the table of what becomes of signed packages.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helpers")]

mod build;
mod cases;
mod hostile;
mod made;
mod sound;
