//! Single flight: identical requests at the same time are worked out once, and all of them get the result.
//!
//! The first one to come leads. When it is dropped half-way (its client hung up), the next one that waits takes over. A failure
//! is shared like an answer: if every waiter tried for itself, one after the other, the last of them would wait for all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OnceCell;

type Open<T> = HashMap<String, Arc<OnceCell<T>>>;

/// The work that is going on, by key.
#[derive(Debug)]
pub struct Flights<T> {
    open: Mutex<Open<T>>,
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self { open: Mutex::default() }
    }
}

/// A result, and whether this caller worked it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landed<T> {
    /// The result.
    pub value: T,
    /// Whether it was worked out by this caller; else it was shared.
    pub led: bool,
}

impl<T: Clone> Flights<T> {
    /// Runs `work`, or waits for the same work that goes on already.
    pub async fn run<F, Fut>(&self, key: &str, work: F) -> Landed<T>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let seat = self.board(key);
        let mut led = false;
        let value = seat
            .cell
            .get_or_init(|| {
                led = true;
                work()
            })
            .await
            .clone();
        Landed { value, led }
    }

    fn board<'a>(&'a self, key: &'a str) -> Seat<'a, T> {
        let mut open = self.lock();
        if let Some(cell) = open.get(key) {
            return Seat { flights: self, key, cell: Arc::clone(cell) };
        }
        let cell = Arc::new(OnceCell::new());
        open.insert(key.to_owned(), Arc::clone(&cell));
        Seat { flights: self, key, cell }
    }
}

impl<T> Flights<T> {
    /// How many different results are being worked out.
    #[must_use]
    pub fn open(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Open<T>> {
        // Nothing panics while it holds the lock; if it did, the map would still be whole.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One caller's place. Leaving it closes the flight when there is a result, or when nobody is left to make one.
struct Seat<'a, T> {
    flights: &'a Flights<T>,
    key: &'a str,
    cell: Arc<OnceCell<T>>,
}

impl<T> Drop for Seat<'_, T> {
    fn drop(&mut self) {
        let mut open = self.flights.lock();
        let Some(cell) = open.get(self.key) else { return };
        // A newer flight of the same key is none of ours. Two owners: the map and this seat.
        if Arc::ptr_eq(cell, &self.cell) && (cell.initialized() || Arc::strong_count(cell) <= 2) {
            open.remove(self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use tokio::sync::Semaphore;

    use super::Flights;

    #[tokio::test]
    async fn identical_work_at_the_same_time_is_done_once() {
        let (flights, gate, runs) =
            (Arc::new(Flights::default()), Arc::new(Semaphore::new(0)), Arc::new(AtomicU32::new(0)));
        let callers: Vec<_> = (0..50)
            .map(|_| {
                let (flights, gate, runs) = (Arc::clone(&flights), Arc::clone(&gate), Arc::clone(&runs));
                tokio::spawn(async move {
                    let work = || async {
                        runs.fetch_add(1, Ordering::SeqCst);
                        gate.acquire().await.unwrap().forget();
                        "answer"
                    };
                    flights.run("key", work).await
                })
            })
            .collect();
        // One thread: after this every caller has boarded.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(1);
        let mut led = 0;
        for caller in callers {
            let landed = caller.await.unwrap();
            assert_eq!(landed.value, "answer");
            led += u32::from(landed.led);
        }
        assert_eq!((runs.load(Ordering::SeqCst), led, flights.open()), (1, 1, 0));
    }

    #[tokio::test]
    async fn another_key_does_not_wait() {
        let flights = Arc::new(Flights::default());
        let stuck = tokio::spawn({
            let flights = Arc::clone(&flights);
            async move { flights.run("stuck", std::future::pending::<u8>).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(flights.run("other", || async { 1 }).await.value, 1);
        assert_eq!(flights.open(), 1);
        stuck.abort();
        assert!(stuck.await.unwrap_err().is_cancelled());
        assert_eq!(flights.open(), 0, "whoever leaves last closes the flight");
    }

    #[tokio::test]
    async fn when_the_leader_hangs_up_the_next_one_takes_over() {
        let flights = Arc::new(Flights::default());
        let leader = tokio::spawn({
            let flights = Arc::clone(&flights);
            async move { flights.run("key", std::future::pending::<u8>).await }
        });
        tokio::task::yield_now().await;
        let next = tokio::spawn({
            let flights = Arc::clone(&flights);
            async move { flights.run("key", || async { 2 }).await }
        });
        tokio::task::yield_now().await;
        leader.abort();
        let landed = next.await.unwrap();
        assert!(landed.led && landed.value == 2);
        assert_eq!(flights.open(), 0);
    }
}
