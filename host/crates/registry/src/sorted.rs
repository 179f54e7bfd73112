//! An ordered map whose copies share what they have in common: a changed copy
//! costs one chunk and the list of chunks, not the whole map.

use std::borrow::Borrow;
use std::sync::Arc;

/// Entries in one chunk at most; a full one is halved.
const CHUNK_MAX: usize = 256;

/// See the module. Chunks are never empty and lie in order.
#[derive(Debug, Clone)]
pub(crate) struct SortedMap<K, V> {
    chunks: Vec<Arc<Vec<(K, V)>>>,
    len: usize,
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }
}

impl<K: Ord + Clone, V: Clone> SortedMap<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The chunk that holds the key, or would.
    fn chunk<Q: Ord + ?Sized>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
    {
        let is_before = |chunk: &Arc<Vec<(K, V)>>| chunk.first().is_some_and(|(first, _)| first.borrow() <= key);
        self.chunks.partition_point(is_before).saturating_sub(1)
    }

    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let chunk = self.chunks.get(self.chunk(key))?;
        let at = chunk.binary_search_by(|(other, _)| other.borrow().cmp(key)).ok()?;
        chunk.get(at).map(|(_, value)| value)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        let at = self.chunk(&key);
        let Some(shared) = self.chunks.get_mut(at) else {
            self.chunks.push(Arc::new(vec![(key, value)]));
            self.len += 1;
            return;
        };
        let chunk = Arc::make_mut(shared);
        match chunk.binary_search_by(|(other, _)| other.cmp(&key)) {
            Ok(found) => chunk[found].1 = value,
            Err(place) => {
                chunk.insert(place, (key, value));
                self.len += 1;
            }
        }
        if chunk.len() > CHUNK_MAX {
            let upper = chunk.split_off(CHUNK_MAX / 2);
            self.chunks.insert(at + 1, Arc::new(upper));
        }
    }

    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        let at = self.chunk(key);
        let Some(shared) = self.chunks.get_mut(at) else { return };
        let Ok(found) = shared.binary_search_by(|(other, _)| other.borrow().cmp(key)) else { return };
        let chunk = Arc::make_mut(shared);
        chunk.remove(found);
        self.len -= 1;
        if chunk.is_empty() {
            self.chunks.remove(at);
        }
    }

    /// In order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.chunks.iter().flat_map(|chunk| chunk.iter().map(|(_, value)| value))
    }

    /// Those whose key is greater, in order.
    pub(crate) fn values_after<Q: Ord + ?Sized>(&self, key: &Q) -> impl Iterator<Item = &V>
    where
        K: Borrow<Q>,
    {
        let at = self.chunk(key);
        let chunk = self.chunks.get(at).map_or(&[][..], |chunk| chunk.as_slice());
        let first = chunk.partition_point(|(other, _)| other.borrow() <= key);
        let rest = self.chunks.iter().skip(at + 1).flat_map(|chunk| chunk.iter());
        chunk.iter().skip(first).chain(rest).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use lamina_kit::SeededIds;

    use super::*;

    /// Against the plain map, by a long random history.
    #[test]
    fn behaves_as_a_plain_map() {
        let ids = SeededIds::new(3);
        let (mut map, mut model) = (SortedMap::default(), BTreeMap::new());
        for step in 0..30_000_u64 {
            let key = ids.next() % 2_000;
            // First it grows, then it shrinks to nothing.
            if ids.next() % 30_000 > step {
                map.insert(key, step);
                model.insert(key, step);
            } else {
                map.remove(&key);
                model.remove(&key);
            }
            let probe = ids.next() % 2_000;
            assert_eq!(map.get(&probe), model.get(&probe));
            assert_eq!(map.len(), model.len());
            if step % 500 == 0 {
                assert!(map.values().eq(model.values()));
                assert!(map.values_after(&probe).eq(model.range(probe + 1..).map(|(_, value)| value)));
            }
        }
        for key in 0..2_000 {
            map.remove(&key);
        }
        assert!(map.values().next().is_none() && map.values_after(&0).next().is_none() && map.chunks.is_empty());
    }

    #[test]
    fn copies_share_their_chunks() {
        let mut map = SortedMap::default();
        (0..10_000).for_each(|key| map.insert(key, key));
        let mut copy = map.clone();
        copy.insert(5_000, 0);
        let shared = copy.chunks.iter().filter(|chunk| map.chunks.iter().any(|other| Arc::ptr_eq(chunk, other)));
        assert_eq!(shared.count(), copy.chunks.len() - 1);
        assert_eq!((map.get(&5_000), copy.get(&5_000)), (Some(&5_000), Some(&0)));
    }
}
