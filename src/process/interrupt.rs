//! Ctrl-C and its relatives: the first asks everybody to stop in good order, the second kills every child at once, the
//! third ends us as if we had never listened.

use super::registry::Registry;
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU32, Ordering},
};

/// Whether the user wants us to stop. Clones share the answer.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    inner: Arc<Inner>,
    registry: Registry,
}

#[derive(Debug, Default)]
struct Inner {
    first: OnceLock<&'static str>,
    count: AtomicU32,
}

impl Interrupt {
    /// One that no signal is connected to: for clean-up after an interrupt, for libraries, for tests.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One that hears SIGINT, SIGTERM and SIGHUP from now on. Call it once.
    ///
    /// # Errors
    /// When the handlers or their thread cannot be installed.
    #[cfg(unix)]
    pub fn install() -> std::io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let interrupt = Self::new();
        let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let heard = interrupt.clone();
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            for signal in signals.forever() {
                if heard.request(name(signal)) > 2 {
                    let _ = signal_hook::low_level::emulate_default_handler(signal);
                }
            }
        })?;
        Ok(interrupt)
    }

    /// One that hears nothing: here Ctrl-C reaches the children too, and ends us all.
    ///
    /// # Errors
    /// Never on this platform.
    #[cfg(not(unix))]
    pub fn install() -> std::io::Result<Self> {
        Ok(Self::new())
    }

    /// The name of the first signal (`SIGINT`), once one came.
    #[must_use]
    pub fn requested(&self) -> Option<&'static str> {
        self.inner.first.get().copied()
    }

    /// Whether the user asked twice: nobody gets time to clean up any more.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.inner.count.load(Ordering::SeqCst) > 1
    }

    /// Acts as if a signal had come; returns how many have by now.
    pub fn request(&self, name: &'static str) -> u32 {
        self.inner.first.get_or_init(|| name);
        let count = self.inner.count.fetch_add(1, Ordering::SeqCst) + 1;
        if count > 1 {
            self.registry.kill_all();
        }
        count
    }

    /// The groups that were started under this interrupt and are alive.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }
}

#[cfg(unix)]
fn name(signal: i32) -> &'static str {
    match signal {
        signal_hook::consts::SIGTERM => "SIGTERM",
        signal_hook::consts::SIGHUP => "SIGHUP",
        _ => "SIGINT",
    }
}

#[cfg(test)]
mod tests {
    use super::Interrupt;

    #[test]
    fn clones_share_the_first_signal_and_the_second_is_urgent() {
        let interrupt = Interrupt::new();
        let clone = interrupt.clone();
        assert_eq!(clone.requested(), None);
        interrupt.request("SIGTERM");
        assert_eq!((clone.requested(), clone.is_urgent()), (Some("SIGTERM"), false));
        interrupt.request("SIGINT");
        assert_eq!((clone.requested(), clone.is_urgent()), (Some("SIGTERM"), true));
    }
}
