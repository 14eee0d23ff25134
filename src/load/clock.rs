//! The generator's clock.
//!
//! Everything that the generator times, it times by this one, so that a test can run the whole of it, pacer, lanes, hyper and
//! recorder, by a clock that it simulates.

use std::time::Instant;

/// Now.
pub(crate) fn now() -> Instant {
    #[cfg(test)]
    if let Some(now) = simulated::now() {
        return now;
    }
    Instant::now()
}

/// A clock that stands still while any task of its thread has something to do, and leaps to the next alarm when none has.
#[cfg(test)]
pub(crate) mod simulated {
    use std::{
        cell::{Cell, RefCell},
        collections::{BTreeMap, btree_map::OccupiedEntry},
        future::poll_fn,
        io,
        rc::Rc,
        task::{Poll, Waker},
        time::{Duration, Instant},
    };

    thread_local! {
        static TIME: RefCell<Option<Time>> = const { RefCell::new(None) };
    }

    struct Time {
        start: Instant,
        /// Nanoseconds since then.
        passed: u64,
        /// What goes off when; the second number tells alarms apart that go off together.
        alarms: BTreeMap<(u64, u64), Rc<Bell>>,
        alarms_made: u64,
    }

    /// Runs `work` on a runtime of this thread, by a simulated clock.
    pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
        let time = Time { start: Instant::now(), passed: 0, alarms: BTreeMap::new(), alarms_made: 0 };
        TIME.set(Some(time));
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.on_thread_park(leap).build_local(tokio::runtime::LocalOptions::default());
        let result = runtime.unwrap().block_on(work);
        TIME.set(None);
        result
    }

    /// The thread is about to sleep: no task has anything to do until the next alarm.
    fn leap() {
        let due: Vec<Rc<Bell>> = with(|time| {
            let Some(((at, _), _)) = time.alarms.first_key_value() else { return Vec::new() };
            time.passed = time.passed.max(*at);
            let passed = time.passed;
            let due = |time: &mut Time| {
                time.alarms.first_entry().filter(|first| first.key().0 <= passed).map(OccupiedEntry::remove)
            };
            std::iter::from_fn(|| due(time)).collect()
        });
        for bell in due {
            bell.rings.set(None);
            if let Some(waker) = bell.waker.take() {
                waker.wake();
            }
        }
    }

    fn with<T>(work: impl FnOnce(&mut Time) -> T) -> T {
        TIME.with_borrow_mut(|time| work(time.as_mut().expect("only within `run`")))
    }

    /// Now, where the clock is simulated.
    pub(super) fn now() -> Option<Instant> {
        TIME.with_borrow(|time| time.as_ref().map(|time| time.start + Duration::from_nanos(time.passed)))
    }

    /// Lets so many nanoseconds go by in which no task of this thread runs, as where others have its processor.
    pub(crate) fn pass(length: u64) {
        with(|time| time.passed += length);
    }

    /// Waits so many nanoseconds.
    pub(crate) async fn sleep(length: u64) {
        let alarm = Alarm::new().unwrap();
        alarm.set(length, 0);
        alarm.wait().await;
    }

    #[derive(Debug, Default)]
    struct Bell {
        number: u64,
        rings: Cell<Option<u64>>,
        waker: RefCell<Option<Waker>>,
    }

    /// What `alarm::Alarm` is by a real clock.
    #[derive(Debug)]
    pub(crate) struct Alarm(Rc<Bell>);

    impl Alarm {
        /// A silent alarm.
        pub(crate) fn new() -> io::Result<Self> {
            let number = with(|time| {
                time.alarms_made += 1;
                time.alarms_made
            });
            Ok(Self(Rc::new(Bell { number, ..Bell::default() })))
        }

        /// Sets it to `at`, unless it goes off earlier; `now` and `at` in nanoseconds.
        pub(crate) fn set(&self, at: u64, now: u64) {
            let bell = &self.0;
            with(|time| {
                let at = time.passed.saturating_add(at.saturating_sub(now).max(1));
                if bell.rings.get().is_some_and(|rings| rings <= at) {
                    return;
                }
                if let Some(rings) = bell.rings.replace(Some(at)) {
                    time.alarms.remove(&(rings, bell.number));
                }
                time.alarms.insert((at, bell.number), Rc::clone(bell));
            });
        }

        /// Waits until it goes off.
        pub(crate) async fn wait(&self) {
            poll_fn(|context| {
                if self.0.rings.get().is_none() {
                    return Poll::Ready(());
                }
                *self.0.waker.borrow_mut() = Some(context.waker().clone());
                Poll::Pending
            })
            .await;
        }
    }
}
