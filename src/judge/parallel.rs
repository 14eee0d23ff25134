//! The same function over many rows on the threads there are; the answer does not depend on how many.

use std::{num::NonZero, panic, thread};

/// Fewer items than this are not worth a thread.
const LEAST_PER_THREAD: usize = 16;

/// Applies a function to every item, in order.
pub(super) fn map<T: Sync, R: Send>(items: &[T], apply: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(items.len() / LEAST_PER_THREAD);
    if threads < 2 {
        return items.iter().map(apply).collect();
    }
    let chunk = |part: &[T]| part.iter().map(&apply).collect::<Vec<R>>();
    thread::scope(|scope| {
        let parts = items.chunks(items.len().div_ceil(threads));
        let workers: Vec<_> = parts.map(|part| scope.spawn(|| chunk(part))).collect();
        let join = |worker: thread::ScopedJoinHandle<'_, Vec<R>>| {
            worker.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
        };
        workers.into_iter().flat_map(join).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::map;

    #[test]
    fn the_order_is_kept_whatever_the_number_of_items() {
        for count in [0, 1, 15, 16, 31, 32, 33, 1000] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(map(&items, |i| i * 2), items.iter().map(|i| i * 2).collect::<Vec<_>>());
        }
    }
}
