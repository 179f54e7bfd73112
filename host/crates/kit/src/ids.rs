//! The one source of random bytes for ids, so that a test can fix them.

use std::sync::atomic::{AtomicU64, Ordering};

/// A source of random bytes.
pub trait Ids: Send + Sync + 'static {
    /// Fills the buffer.
    fn fill(&self, bytes: &mut [u8]);

    /// 16 bytes: a UUID's worth.
    fn random16(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        bytes
    }

    /// 32 bytes.
    fn random32(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        bytes
    }
}

/// The operating system's randomness, read in blocks of 4 KiB a thread, so that
/// an id costs no system call. Bytes are overwritten when given out.
#[derive(Debug, Default)]
pub struct RandomIds;

const BLOCK: usize = 4096;

struct Block {
    bytes: [u8; BLOCK],
    used: usize,
}

thread_local! {
    static BLOCKS: std::cell::RefCell<Block> = const { std::cell::RefCell::new(Block { bytes: [0; BLOCK], used: BLOCK }) };
}

impl Ids for RandomIds {
    #[expect(clippy::expect_used, reason = "without the system's randomness no id or key is safe to give out")]
    fn fill(&self, bytes: &mut [u8]) {
        const UNAVAILABLE: &str = "the operating system's randomness is available";
        if bytes.len() > BLOCK / 2 {
            return getrandom::fill(bytes).expect(UNAVAILABLE);
        }
        BLOCKS.with_borrow_mut(|block| {
            if block.used + bytes.len() > BLOCK {
                getrandom::fill(&mut block.bytes).expect(UNAVAILABLE);
                block.used = 0;
            }
            let taken = &mut block.bytes[block.used..block.used + bytes.len()];
            bytes.copy_from_slice(taken);
            taken.fill(0);
            block.used += bytes.len();
        });
    }
}

/// The same bytes in every run (SplitMix64 over a seed). For tests and for
/// deterministic instances; no secrecy.
#[derive(Debug)]
pub struct SeededIds {
    state: AtomicU64,
}

impl SeededIds {
    /// A source that starts from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }

    /// The next 64 bits.
    pub fn next(&self) -> u64 {
        let mut z = self.state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Ids for SeededIds {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bytes_do_not_repeat() {
        let ids = RandomIds;
        let mut seen: Vec<[u8; 16]> = (0..1000).map(|_| ids.random16()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 1000);
    }

    #[test]
    fn seeded_bytes_do() {
        assert_eq!(SeededIds::new(7).random32(), SeededIds::new(7).random32());
        assert_ne!(SeededIds::new(7).random32(), SeededIds::new(8).random32());
    }
}
