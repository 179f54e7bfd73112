//! A bounded map whose values are made once: of many who ask for the same key
//! at the same time one makes the value and the others wait for it.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::OnceCell;

/// See the module. A value that could not be made is not kept: the next caller
/// tries again. When the map is full, the values used longest ago go first; of those
/// used since one was last added, any.
#[derive(Debug)]
pub struct OnceMap<K, V> {
    inner: RwLock<Inner<K, V>>,
    capacity: usize,
}

#[derive(Debug)]
struct Inner<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// Rises by two with every key that is added.
    tick: u64,
}

#[derive(Debug)]
struct Entry<V> {
    cell: Arc<OnceCell<V>>,
    /// The tick of its last use.
    used: AtomicU64,
}

impl<V> Entry<V> {
    fn is_used(&self, tick: u64) {
        // Most often it was used since the last one was added: then nothing is written,
        // which another processor would have to fetch.
        if self.used.load(Ordering::Relaxed) != tick {
            self.used.store(tick, Ordering::Relaxed);
        }
    }

    fn last_used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

impl<K: Clone + Eq + Hash, V: Clone> OnceMap<K, V> {
    /// A map that holds at most `capacity` values (at least one).
    pub fn new(capacity: usize) -> Self {
        let inner = Inner { entries: HashMap::new(), tick: 0 };
        Self { inner: RwLock::new(inner), capacity: capacity.max(1) }
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner<K, V>> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner<K, V>> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value, if it is there and made.
    pub fn get(&self, key: &K) -> Option<V> {
        let inner = self.read();
        let entry = inner.entries.get(key)?;
        entry.is_used(inner.tick);
        entry.cell.get().cloned()
    }

    /// The value, made by `make` if it is not there. Cancel-safe: when the
    /// caller that makes it is dropped, one of those waiting makes it instead.
    pub async fn get_or_make<E, F>(&self, key: &K, make: impl FnOnce() -> F) -> Result<V, E>
    where
        F: Future<Output = Result<V, E>>,
    {
        let cell = self.cell(key);
        cell.get_or_try_init(make).await.cloned()
    }

    fn cell(&self, key: &K) -> Arc<OnceCell<V>> {
        let known = |inner: &Inner<K, V>| {
            let entry = inner.entries.get(key)?;
            entry.is_used(inner.tick);
            Some(entry.cell.clone())
        };
        if let Some(cell) = known(&self.read()) {
            return cell;
        }
        let mut inner = self.write();
        if let Some(cell) = known(&inner) {
            return cell;
        }
        if inner.entries.len() >= self.capacity {
            let oldest = inner.entries.iter().min_by_key(|(_, entry)| entry.last_used()).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                inner.entries.remove(&oldest);
            }
        }
        // Later than what was used before, and earlier than what will be.
        let (cell, used) = (Arc::new(OnceCell::new()), AtomicU64::new(inner.tick + 1));
        inner.tick += 2;
        inner.entries.insert(key.clone(), Entry { cell: cell.clone(), used });
        cell
    }

    /// Puts another value in the place of one that is made, where `is_it` says of that
    /// one yes; whether it did.
    pub fn replace(&self, key: &K, is_it: impl FnOnce(&V) -> bool, value: V) -> bool {
        let mut inner = self.write();
        let Some(entry) = inner.entries.get_mut(key) else { return false };
        let is_it = entry.cell.get().is_some_and(is_it);
        if is_it {
            entry.cell = Arc::new(OnceCell::new_with(Some(value)));
        }
        is_it
    }

    /// Forgets the values for which `keep` says no. Values being made go too:
    /// those waiting still get them, later callers make them anew.
    pub fn retain(&self, mut keep: impl FnMut(&K) -> bool) {
        self.write().entries.retain(|key, _| keep(key));
    }

    /// Forgets the value used longest ago; whether there was one that is made.
    pub fn forget_oldest(&self) -> bool {
        let mut inner = self.write();
        let made = inner.entries.iter().filter(|(_, entry)| entry.cell.initialized());
        let oldest = made.min_by_key(|(_, entry)| entry.last_used()).map(|(key, _)| key.clone());
        oldest.is_some_and(|oldest| inner.entries.remove(&oldest).is_some())
    }

    /// How many values are held or being made.
    pub fn len(&self) -> usize {
        self.read().entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn makes_once_and_bounds() {
        let map: OnceMap<u32, u32> = OnceMap::new(2);
        let made = std::sync::atomic::AtomicU32::new(0);
        let make = |key: u32| {
            made.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            async move { Ok::<_, ()>(key * 10) }
        };
        assert_eq!(map.get_or_make(&1, || make(1)).await, Ok(10));
        assert_eq!(map.get_or_make(&1, || make(1)).await, Ok(10));
        assert_eq!(map.get_or_make(&2, || make(2)).await, Ok(20));
        assert!(!map.replace(&1, |value| *value != 10, 11) && !map.replace(&7, |_| true, 70));
        assert!(map.replace(&1, |value| *value == 10, 11));
        assert_eq!((map.get(&1), map.replace(&1, |value| *value == 11, 10)), (Some(11), true));
        assert_eq!(map.get(&1), Some(10));
        assert_eq!(map.get_or_make(&3, || make(3)).await, Ok(30));
        assert_eq!((map.len(), map.get(&2)), (2, None));
        assert!(map.forget_oldest());
        assert_eq!((map.len(), map.get(&1), map.get(&3)), (1, None, Some(30)));
        assert!(map.forget_oldest());
        assert!(!map.forget_oldest());
        assert_eq!(made.into_inner(), 3);
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let map: OnceMap<u32, u32> = OnceMap::new(2);
        assert_eq!(map.get_or_make(&1, || async { Err::<u32, _>("no") }).await, Err("no"));
        assert_eq!(map.get_or_make(&1, || async { Ok::<_, &str>(1) }).await, Ok(1));
    }
}
