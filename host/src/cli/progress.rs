//! Bars and spinners: on standard error, and only where that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const TICK: Duration = Duration::from_millis(100);

/// A bar or a spinner; gone from the screen when dropped. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Shows nothing.
    pub(crate) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// A bar over this many bytes.
    pub(crate) fn bytes(what: &'static str, length: usize) -> Self {
        let bar = ProgressBar::new(u64::try_from(length).unwrap_or(u64::MAX)).with_message(what);
        Self(styled(bar, "{msg:>10} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec}"))
    }

    /// A spinner for a wait whose end is not known.
    pub(crate) fn wait(what: &'static str) -> Self {
        let bar = styled(ProgressBar::new_spinner().with_message(what), "{msg:>10} {spinner} {elapsed}");
        // Its thread has nothing to draw where there is no terminal.
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self(bar)
    }

    /// Moves a bar on by this many bytes.
    pub(crate) fn advance(&self, bytes: usize) {
        self.0.inc(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Takes it off the screen.
    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    // A template that cannot be read leaves the default look.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
