//! Where an instance gets its clock and randomness: one place, so that an
//! instance can be made deterministic.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use lamina_kit::{Clock, Ids, RandomIds, SeededIds};
use lamina_types::ResolvedFunction;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtxBuilder};

/// The time a deterministic instance sees: 2026-01-01T00:00:00Z, standing still.
const FIXED_EPOCH_MICROS: u64 = 1_767_225_600_000_000;

/// An instance's sources.
#[derive(Clone)]
pub(crate) enum Sources {
    /// The host's clock and randomness.
    Live(Arc<dyn Clock>),
    /// A clock that stands still and randomness from this seed.
    Fixed(u64),
}

impl Sources {
    /// Those of a function's instances.
    pub(crate) fn of(function: &ResolvedFunction, clock: &Arc<dyn Clock>) -> Self {
        match function.settings.seed {
            Some(seed) => Self::Fixed(seed),
            None => Self::Live(clock.clone()),
        }
    }

    /// Milliseconds since the Unix epoch, as the guest would see them.
    pub(crate) fn epoch_millis(&self) -> u64 {
        match self {
            Self::Live(clock) => clock.epoch_micros() / 1_000,
            Self::Fixed(_) => FIXED_EPOCH_MICROS / 1_000,
        }
    }

    /// Nanoseconds of the monotonic clock, as the guest sees them.
    pub(crate) fn monotonic_nanos(&self) -> u64 {
        match self {
            Self::Live(clock) => nanos(clock.as_ref()),
            Self::Fixed(_) => HostMonotonicClock::now(&Standing),
        }
    }

    /// A random number, where they come from no seed: one of a seed is the next of its
    /// sequence, which the WASI context keeps.
    pub(crate) fn random_u64(&self) -> Option<u64> {
        match self {
            Self::Live(_) => {
                let mut bytes = [0; 8];
                RandomIds.fill(&mut bytes);
                Some(u64::from_ne_bytes(bytes))
            }
            Self::Fixed(_) => None,
        }
    }

    /// Gives the WASI context these sources instead of its own.
    pub(crate) fn install(&self, wasi: &mut WasiCtxBuilder) {
        match self {
            Self::Live(clock) => {
                wasi.wall_clock(WallClock(clock.clone())).monotonic_clock(Monotonic(clock.clone()));
            }
            Self::Fixed(seed) => {
                wasi.wall_clock(Standing)
                    .monotonic_clock(Standing)
                    .secure_random(Seeded(SeededIds::new(*seed)))
                    .insecure_random(Seeded(SeededIds::new(seed.wrapping_add(1))))
                    .insecure_random_seed(u128::from(seed.wrapping_add(2)));
            }
        }
    }
}

struct WallClock(Arc<dyn Clock>);

impl HostWallClock for WallClock {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        Duration::from_micros(self.0.epoch_micros())
    }
}

struct Monotonic(Arc<dyn Clock>);

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        nanos(self.0.as_ref())
    }
}

fn nanos(clock: &dyn Clock) -> u64 {
    u64::try_from(clock.monotonic().as_nanos()).unwrap_or(u64::MAX)
}

struct Standing;

impl HostWallClock for Standing {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        Duration::from_micros(FIXED_EPOCH_MICROS)
    }
}

impl HostMonotonicClock for Standing {
    fn resolution(&self) -> u64 {
        1_000
    }

    fn now(&self) -> u64 {
        0
    }
}

struct Seeded(SeededIds);

impl rand::TryRng for Seeded {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        // The upper half: SplitMix64's better bits.
        Ok((self.0.next() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}
