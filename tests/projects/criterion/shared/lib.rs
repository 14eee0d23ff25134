//! The code under test.

/// A sum that the compiler does not see through.
pub fn sum(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0, |sum, number| sum ^ number.wrapping_mul(31))
}
