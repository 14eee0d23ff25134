//! The kernels: integer sort, hashing, pointer chase, allocation; 2 to 20 microseconds an iteration in a release build.
//!
//! An iteration does so many units of inner work: [`UNITS`] of them, or more where a slowdown is injected.
//! Their data are the same in every process, so only the machine differs between two slots.

use std::hint::black_box;

/// Units of inner work in one iteration; one more of them is one per cent more work.
pub const UNITS: u32 = 100;

/// Arrays to sort, so that no unit repeats the one before it, and the numbers in each.
const ARRAYS: usize = 128;
const ARRAY_LENGTH: usize = 24;
/// Words to hash, and those of them that a unit takes.
const HASH_WORDS: usize = 4096;
const HASH_UNIT: usize = 32;
/// Places of the cycle to chase (128 KiB: beyond the first cache, within the second), and the steps of a unit.
const CHASE_PLACES: usize = 1 << 15;
const CHASE_STEPS: usize = 16;
/// Allocations alive at any time, and the sizes of a unit's.
const ALLOC_ALIVE: usize = 64;
const ALLOC_LEAST: u64 = 16;
const ALLOC_SPREAD: u64 = 496;

/// One of the embedded benchmarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kernel {
    /// Sorts small arrays of integers: branches.
    Sort,
    /// Hashes words one after the other: arithmetic.
    Hash,
    /// Follows pointers in random order: the caches.
    Chase,
    /// Allocates and frees memory of random sizes: the allocator.
    Alloc,
}

impl Kernel {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 4] = [Self::Sort, Self::Hash, Self::Chase, Self::Alloc];

    /// Its name in the report and in the protocol.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sort => "sort",
            Self::Hash => "hash",
            Self::Chase => "chase",
            Self::Alloc => "alloc",
        }
    }

    /// The kernel of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kernel| kernel.name() == name)
    }

    /// Its routine: one call is one iteration of so many units. What it returns must be used, or it is optimised away.
    #[must_use]
    pub fn routine(self) -> Box<dyn FnMut(u32) -> u64> {
        match self {
            Self::Sort => Box::new(sort()),
            Self::Hash => Box::new(hash()),
            Self::Chase => Box::new(chase()),
            Self::Alloc => Box::new(alloc()),
        }
    }
}

fn sort() -> impl FnMut(u32) -> u64 {
    let mut numbers = Numbers(1);
    let arrays: Vec<[u64; ARRAY_LENGTH]> =
        (0..ARRAYS).map(|_| std::array::from_fn(|_| numbers.next())).collect();
    move |units| {
        let mut sum = 0_u64;
        for array in arrays.iter().cycle().take(units as usize) {
            let mut array = black_box(*array);
            array.sort_unstable();
            sum = sum.wrapping_add(array[ARRAY_LENGTH / 2]);
        }
        sum
    }
}

fn hash() -> impl FnMut(u32) -> u64 {
    let mut numbers = Numbers(2);
    let words: Vec<u64> = (0..HASH_WORDS).map(|_| numbers.next()).collect();
    move |units| {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for unit in black_box(&words).chunks_exact(HASH_UNIT).cycle().take(units as usize) {
            for word in unit {
                hash = (hash ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
            }
        }
        hash
    }
}

fn chase() -> impl FnMut(u32) -> u64 {
    let next = cycle();
    let mut place = 0_usize;
    move |units| {
        let next = black_box(&next);
        for _ in 0..units as usize * CHASE_STEPS {
            place = next[place] as usize;
        }
        place as u64
    }
}

/// One cycle through all places in random order (Sattolo's shuffle).
fn cycle() -> Vec<u32> {
    let mut numbers = Numbers(3);
    let mut next: Vec<u32> = (0_u32..).take(CHASE_PLACES).collect();
    for last in (1..next.len()).rev() {
        next.swap(last, numbers.below(last));
    }
    next
}

fn alloc() -> impl FnMut(u32) -> u64 {
    let mut numbers = Numbers(4);
    let mut alive: Vec<Vec<u8>> = (0..ALLOC_ALIVE).map(|_| Vec::new()).collect();
    move |units| {
        let mut sum = 0_u64;
        for _ in 0..units {
            let drawn = numbers.next();
            let size = ALLOC_LEAST + drawn % ALLOC_SPREAD;
            let mut fresh = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
            fresh.push(drawn.to_le_bytes()[0]);
            let slot = numbers.below(ALLOC_ALIVE);
            // What was there is freed here
            let old = std::mem::replace(&mut alive[slot], black_box(fresh));
            sum = sum.wrapping_add(old.len() as u64);
        }
        sum
    }
}

/// Numbers that are good enough for test data (a 64-bit xorshift with a multiplied output) and cost next to nothing.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        let drawn = self.next() >> 32;
        usize::try_from((drawn * bound as u64) >> 32).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_is_found_by_its_name() {
        for kernel in Kernel::ALL {
            assert_eq!(Kernel::named(kernel.name()), Some(kernel));
        }
        assert_eq!(Kernel::named("sieve"), None);
    }

    #[test]
    fn the_places_to_chase_form_one_cycle() {
        let next = cycle();
        let mut place = 0;
        for step in 1..=CHASE_PLACES {
            place = next[place] as usize;
            assert_eq!(place == 0, step == CHASE_PLACES, "after {step} steps");
        }
    }

    #[test]
    fn more_units_are_more_work_and_the_same_units_are_the_same_work() {
        for kernel in Kernel::ALL {
            let run = |units: u32| {
                let mut routine = kernel.routine();
                (0..20).map(|_| routine(units)).collect::<Vec<_>>()
            };
            assert_eq!(run(UNITS), run(UNITS), "{kernel:?}");
            assert_ne!(run(UNITS), run(UNITS + 5), "{kernel:?}");
        }
    }
}
