//! Small tools every layer may use: the clock, the source of ids and
//! randomness, tasks that are joined at drain, work that is done once.
//!
//! Knows nothing of functions; `types` and `kit` do not know each other.

pub mod clock;
pub mod ids;
pub mod once_map;
pub mod tasks;

pub use clock::{Clock, FixedClock, SystemClock};
pub use ids::{Ids, RandomIds, SeededIds};
pub use once_map::OnceMap;
pub use tasks::{DetachOnDrop, Tasks};
