//! Waking at a moment, to some microseconds: tokio's own timer knows whole milliseconds only.
//!
//! On Linux a timer descriptor in the runtime's own epoll set: the thread sleeps until it is time, and hears answers meanwhile.
//! Elsewhere tokio's timer wakes early and the rest is spent yielding to the other tasks. Unit tests have a simulated one
//! ([`clock`](super::clock)); these two are tested by `tests/it/load_generator.rs`.

#[cfg(test)]
pub(crate) use super::clock::simulated::Alarm;
#[cfg(all(target_os = "linux", not(test)))]
pub(crate) use linux::Alarm;
#[cfg(not(any(target_os = "linux", test)))]
pub(crate) use portable::Alarm;

#[cfg(all(target_os = "linux", not(test)))]
mod linux {
    use std::{cell::Cell, future::poll_fn, io, os::fd::OwnedFd, task::ready};

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::{Interest, unix::AsyncFd};

    /// One alarm of one task; others may set it earlier.
    #[derive(Debug)]
    pub(crate) struct Alarm {
        timer: AsyncFd<OwnedFd>,
        /// When it goes off; the largest number when it is not set.
        at: Cell<u64>,
    }

    impl Alarm {
        /// A silent alarm. Must be made within a runtime.
        pub(crate) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            #[allow(
                deprecated,
                reason = "its successor is unsafe because of types that lend a descriptor; an OwnedFd owns its own"
            )]
            let timer = AsyncFd::with_interest(timer, Interest::READABLE)?;
            Ok(Self { timer, at: Cell::new(u64::MAX) })
        }

        /// Sets it to `at`, unless it goes off earlier; `now` and `at` in nanoseconds.
        pub(crate) fn set(&self, at: u64, now: u64) {
            if at >= self.at.get() {
                return;
            }
            self.at.set(at);
            let wait = at.saturating_sub(now).max(1);
            let value = Timespec {
                tv_sec: i64::try_from(wait / 1_000_000_000).unwrap_or(i64::MAX),
                tv_nsec: i64::try_from(wait % 1_000_000_000).unwrap_or(0) as _,
            };
            let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
            // Fails for a wrong descriptor or value only.
            let _ = timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::empty(), &once);
        }

        /// Waits until it goes off.
        pub(crate) async fn wait(&self) {
            poll_fn(|context| {
                if let Ok(mut guard) = ready!(self.timer.poll_read_ready(context)) {
                    // Not read: setting it again takes the expiry back.
                    guard.clear_ready();
                }
                std::task::Poll::Ready(())
            })
            .await;
            self.at.set(u64::MAX);
        }
    }
}

#[cfg(not(any(target_os = "linux", test)))]
mod portable {
    use std::{
        cell::Cell,
        future::Future,
        io,
        pin::pin,
        task::Poll,
        time::{Duration, Instant},
    };

    /// How much earlier than wanted tokio is asked to wake.
    const EARLY: Duration = Duration::from_millis(1);

    /// One alarm of one task; others may set it earlier.
    #[derive(Debug)]
    pub(crate) struct Alarm {
        at: Cell<Option<Instant>>,
        changed: tokio::sync::Notify,
    }

    impl Alarm {
        /// A silent alarm. Must be made within a runtime.
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self { at: Cell::new(None), changed: tokio::sync::Notify::new() })
        }

        /// Sets it to `at`, unless it goes off earlier; `now` and `at` in nanoseconds.
        pub(crate) fn set(&self, at: u64, now: u64) {
            let at = Instant::now() + Duration::from_nanos(at.saturating_sub(now).min(1 << 50));
            if self.at.get().is_none_or(|set| at < set) {
                self.at.set(Some(at));
                self.changed.notify_one();
            }
        }

        /// Waits until it goes off.
        pub(crate) async fn wait(&self) {
            loop {
                match self.at.get() {
                    Some(at) if at <= Instant::now() => break,
                    Some(at) => match at.checked_sub(EARLY).filter(|early| *early > Instant::now()) {
                        Some(early) => {
                            let mut sleep = pin!(tokio::time::sleep_until(early.into()));
                            let mut changed = pin!(self.changed.notified());
                            std::future::poll_fn(|context| {
                                let woken = sleep.as_mut().poll(context).is_ready();
                                if woken || changed.as_mut().poll(context).is_ready() {
                                    Poll::Ready(())
                                } else {
                                    Poll::Pending
                                }
                            })
                            .await;
                        }
                        None => tokio::task::yield_now().await,
                    },
                    None => self.changed.notified().await,
                }
            }
            self.at.set(None);
        }
    }
}
