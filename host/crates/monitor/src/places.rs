//! Places for connections. When all are taken, the one that has asked for nothing for
//! the longest time makes room: who only connects keeps nobody from asking.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How often it is looked whether somebody can make room.
const LOOK: Duration = Duration::from_millis(50);

/// So many and no more. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    permits: Arc<Semaphore>,
    /// At most as many as places.
    seats: Arc<Mutex<Vec<Arc<Seat>>>>,
    turns: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Seat {
    /// Whether it is being answered.
    busy: AtomicBool,
    /// Greater than those of all who asked before.
    turn: AtomicU64,
    leave: Notify,
}

/// One place; given back by drop.
#[derive(Debug)]
pub(crate) struct Place {
    seat: Arc<Seat>,
    places: Places,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub(crate) fn new(most: usize) -> Self {
        let permits = Arc::new(Semaphore::new(most));
        Self { permits, seats: Arc::default(), turns: Arc::default() }
    }

    /// A place, once somebody has left. Cancel-safe. `None` never comes while there are
    /// places at all.
    pub(crate) async fn take(&self) -> Option<Place> {
        let permit = loop {
            if let Ok(permit) = self.permits.clone().try_acquire_owned() {
                break permit;
            }
            self.make_room();
            if let Ok(permit) = tokio::time::timeout(LOOK, self.permits.clone().acquire_owned()).await {
                break permit.ok()?;
            }
        };
        let seat = Arc::new(Seat { busy: AtomicBool::new(false), turn: self.turn(), leave: Notify::new() });
        self.seats.lock().unwrap_or_else(PoisonError::into_inner).push(seat.clone());
        Some(Place { seat, places: self.clone(), _permit: permit })
    }

    fn turn(&self) -> AtomicU64 {
        AtomicU64::new(self.turns.fetch_add(1, Ordering::Relaxed))
    }

    fn make_room(&self) {
        let seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = seats.iter().filter(|seat| !seat.busy.load(Ordering::Relaxed));
        if let Some(seat) = idle.min_by_key(|seat| seat.turn.load(Ordering::Relaxed)) {
            seat.leave.notify_one();
        }
    }
}

impl Place {
    /// Somebody asks: they keep their place until they are answered.
    pub(crate) fn asked(&self) {
        self.seat.busy.store(true, Ordering::Relaxed);
    }

    /// They were answered, later than all before.
    pub(crate) fn answered(&self) {
        self.seat.turn.store(self.places.turns.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        self.seat.busy.store(false, Ordering::Relaxed);
    }

    /// Completes when another needs the place more.
    pub(crate) async fn leave(&self) {
        self.seat.leave.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut seats = self.places.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.retain(|seat| !Arc::ptr_eq(seat, &self.seat));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_asked_last_stays_longest() {
        let places = Places::new(2);
        let (first, second) = (places.take().await.unwrap(), places.take().await.unwrap());
        first.asked();
        first.answered();
        let third = tokio::join!(places.take(), async {
            second.leave().await;
            drop(second);
        });
        let third = third.0.unwrap();
        // Nobody who is being answered has to go.
        first.asked();
        third.asked();
        assert!(tokio::time::timeout(3 * LOOK, places.take()).await.is_err());
        drop(first);
        assert!(places.take().await.is_some());
    }
}
