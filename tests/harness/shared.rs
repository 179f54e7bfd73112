//! One platform for many tests, for as long as any of them runs.

use std::sync::{Arc, Weak};

use tokio::sync::Mutex;

/// A value made by the first test that wants it and dropped by the last that has
/// it, so that no server outlives the tests (a plain static never drops).
#[derive(Debug)]
pub struct Shared<T>(Mutex<Weak<T>>);

impl<T> Shared<T> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(Mutex::const_new(Weak::new()))
    }

    /// The value; made now if nobody has it.
    pub async fn get(&self, make: impl AsyncFnOnce() -> T) -> Arc<T> {
        let mut held = self.0.lock().await;
        match held.upgrade() {
            Some(value) => value,
            None => {
                let value = Arc::new(make().await);
                *held = Arc::downgrade(&value);
                value
            }
        }
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self::new()
    }
}
