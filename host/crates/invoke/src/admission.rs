//! Who may run now: a bound on calls under way, counted by permits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::Throttle;

/// The account's bound. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    running: Arc<AtomicU32>,
    max: u32,
}

/// Leave to run one call; given back by drop.
#[derive(Debug)]
pub(crate) struct Permit(Arc<AtomicU32>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Admission {
    pub(crate) fn new(max: u32) -> Self {
        Self { running: Arc::default(), max }
    }

    /// A permit, or at once the limit that was hit.
    pub(crate) fn permit(&self) -> Result<Permit, Throttle> {
        let permit = Permit(self.running.clone());
        // Counted before it is compared, so that two callers never share the last.
        if self.running.fetch_add(1, Ordering::SeqCst) >= self.max {
            return Err(Throttle::Account);
        }
        Ok(permit)
    }

    /// Calls under way.
    pub(crate) fn running(&self) -> u32 {
        self.running.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_bounded_and_given_back() {
        let admission = Admission::new(2);
        let first = admission.permit().unwrap();
        let second = admission.permit().unwrap();
        assert_eq!(admission.permit().unwrap_err(), Throttle::Account);
        assert_eq!(admission.running(), 2);
        drop(first);
        let third = admission.permit().unwrap();
        drop((second, third));
        assert_eq!(admission.running(), 0);
    }
}
