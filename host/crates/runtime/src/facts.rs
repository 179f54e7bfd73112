//! Time, randomness and the environment, answered without the engine's WASI context: an
//! instance often asks for nothing else, and making that context costs more than they do.

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::clocks::WasiClocksView as _;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::cli::environment;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::bindings::random::{insecure_seed, random};
use wasmtime_wasi::random::WasiRandomView as _;

use crate::ctx::Ctx;
use crate::mounts::TASK_ROOT;

struct Facts<'a>(&'a mut Ctx);

struct HasFacts;

impl HasData for HasFacts {
    type Data<'a> = Facts<'a>;
}

impl monotonic_clock::Host for Facts<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.0.sources().monotonic_nanos())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        monotonic_clock::Host::resolution(&mut self.0.clocks())
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.0.clocks().subscribe_instant(when)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.0.clocks().subscribe_duration(duration)
    }
}

impl random::Host for Facts<'_> {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.0.random().get_random_bytes(len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        match self.0.sources().random_u64() {
            Some(number) => Ok(number),
            None => self.0.random().get_random_u64(),
        }
    }
}

impl insecure_seed::Host for Facts<'_> {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        match (self.0.sources().random_u64(), self.0.sources().random_u64()) {
            (Some(one), Some(two)) => Ok((one, two)),
            _ => self.0.random().insecure_seed(),
        }
    }
}

impl environment::Host for Facts<'_> {
    fn get_environment(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        Ok(self.0.environment())
    }

    fn get_arguments(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(vec!["bootstrap".to_owned()])
    }

    fn initial_cwd(&mut self) -> wasmtime::Result<Option<String>> {
        Ok(Some(TASK_ROOT.to_owned()))
    }
}

/// Links ours in place of those of the engine's context.
pub(crate) fn add_to_linker(linker: &mut Linker<Ctx>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<Ctx, HasFacts>(linker, |ctx| Facts(ctx))?;
    random::add_to_linker::<Ctx, HasFacts>(linker, |ctx| Facts(ctx))?;
    insecure_seed::add_to_linker::<Ctx, HasFacts>(linker, |ctx| Facts(ctx))?;
    environment::add_to_linker::<Ctx, HasFacts>(linker, |ctx| Facts(ctx))?;
    linker.allow_shadowing(false);
    Ok(())
}
