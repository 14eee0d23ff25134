//! Seeded streams of randomness, one for each purpose, so that every draw can be replayed and none depends on another's count.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use sha2::{Digest, Sha256};

/// A stream of random numbers that depends on its key only: ChaCha8 keyed by SHA-256 of the seed, the purpose, its parts and an
/// index. The integers are the same on every platform and in every version.
#[derive(Debug, Clone)]
pub struct Stream {
    generator: ChaCha8Rng,
    spare: Option<f64>,
}

impl Stream {
    /// The stream of `purpose` (a fixed word such as `deal`), told apart further by `parts` (a benchmark's name, say) and by
    /// `index` (a block's number).
    #[must_use]
    pub fn new(seed: u64, purpose: &str, parts: &[&str], index: u64) -> Self {
        let mut digest = Sha256::new();
        digest.update(seed.to_le_bytes());
        digest.update(index.to_le_bytes());
        // Every text is preceded by its length, so no two lists of parts run together.
        for text in std::iter::once(&purpose).chain(parts) {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text.as_bytes());
        }
        Self { generator: ChaCha8Rng::from_seed(digest.finalize().into()), spare: None }
    }

    /// A whole number below `n`, each equally likely (rejection, no modulo bias). 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        // Lemire's method: the high half of a product, drawn again where the low half falls into the uneven rest.
        let uneven = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.generator.next_u64()) * u128::from(n);
            #[allow(clippy::cast_possible_truncation, reason = "the low half is wanted")]
            let low = product as u64;
            if low >= uneven {
                #[allow(clippy::cast_possible_truncation, reason = "the high half of 128 bits fits")]
                return (product >> 64) as u64;
            }
        }
    }

    /// A place in a list of `length` entries, each equally likely. 0 when the list is empty.
    pub fn place(&mut self, length: usize) -> usize {
        #[allow(clippy::cast_possible_truncation, reason = "the number is below a usize")]
        let place = self.below(length as u64) as usize;
        place
    }

    /// Puts the list into an order drawn uniformly from all orders (Fisher and Yates).
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let other = self.place(last + 1);
            list.swap(last, other);
        }
    }

    /// A number in [0, 1), a multiple of 2⁻⁵³.
    pub fn unit(&mut self) -> f64 {
        (self.generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A draw from the standard normal distribution (Marsaglia's polar method). Unlike the integers its last bit may depend
    /// on the platform's logarithm: for simulations, not for what is stored.
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.spare = Some(y * factor);
                return x * factor;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_replays_bit_for_bit() {
        let draw = || {
            let mut stream = Stream::new(7, "deal", &["num/sieve"], 3);
            (0..6).map(|_| stream.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(), draw());
    }

    #[test]
    fn streams_differ_by_seed_purpose_parts_and_index() {
        let first =
            |seed, purpose, parts: &[&str], index| Stream::new(seed, purpose, parts, index).below(u64::MAX);
        let base = first(7, "deal", &["ab", "c"], 0);
        for other in [
            first(8, "deal", &["ab", "c"], 0),
            first(7, "dealt", &["ab", "c"], 0),
            first(7, "deal", &["a", "bc"], 0),
            first(7, "deal", &["abc"], 0),
            first(7, "deal", &["ab", "c"], 1),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn every_order_of_three_is_equally_likely() {
        let mut stream = Stream::new(1, "test", &[], 0);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..60_000 {
            let mut list = [0, 1, 2];
            stream.shuffle(&mut list);
            *counts.entry(list).or_insert(0_u32) += 1;
        }
        assert_eq!(counts.len(), 6);
        // Standard deviation of a count is 91; five of them.
        assert!(counts.values().all(|&count| count.abs_diff(10_000) < 456), "{counts:?}");
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let mut stream = Stream::new(2, "test", &[], 0);
        assert_eq!(stream.below(0), 0);
        assert_eq!(stream.below(1), 0);
        for _ in 0..1000 {
            assert!(stream.below(3) < 3);
            assert!((0.0..1.0).contains(&stream.unit()));
        }
        assert!(stream.below(u64::MAX) < u64::MAX);
    }

    #[test]
    fn normal_draws_have_mean_zero_and_variance_one() {
        let mut stream = Stream::new(3, "test", &[], 0);
        let draws: Vec<f64> = (0..40_000).map(|_| stream.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 40_000.0;
        let variance = draws.iter().map(|x| x * x).sum::<f64>() / 40_000.0;
        assert!(mean.abs() < 0.025, "{mean}");
        assert!((variance - 1.0).abs() < 0.036, "{variance}");
    }
}
