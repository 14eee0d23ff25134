//! Midranks: the place of each value among all, ties sharing the mean of their places.

/// Values that are not further apart than this are ties. In ln units it is a relative 10⁻¹², far below any timer's step and
/// far above the rounding of a logarithm.
pub const TIE: f64 = 1e-12;

/// Twice the midrank of every value, in the order given: integers, because a midrank is a multiple of one half.
///
/// Neighbours in sorted order that lie within `tie` of each other share their midrank. Ranks start at 1, so the smallest
/// doubled rank without ties is 2. Values must be finite and fewer than 2³¹.
#[must_use]
pub fn doubled_midranks(values: &[f64], tie: f64) -> Vec<u32> {
    let mut order: Vec<(f64, usize)> = values.iter().copied().zip(0..).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranks = vec![0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let mut end = start + 1;
        while end < order.len() && order[end].0 - order[end - 1].0 <= tie {
            end += 1;
        }
        // Places start+1 ..= end: twice their mean is start + 1 + end.
        let shared = u32::try_from(start + end + 1).unwrap_or(u32::MAX);
        for &(_, place) in &order[start..end] {
            ranks[place] = shared;
        }
        start = end;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_values_get_twice_their_place() {
        assert_eq!(doubled_midranks(&[3.0, 1.0, 2.0], TIE), [6, 2, 4]);
    }

    #[test]
    fn ties_share_the_mean_of_their_places() {
        assert_eq!(doubled_midranks(&[1.0, 2.0, 2.0, 3.0], TIE), [2, 5, 5, 8]);
        assert_eq!(doubled_midranks(&[5.0, 5.0, 5.0], TIE), [4, 4, 4]);
    }

    #[test]
    fn rounding_noise_is_a_tie_and_a_real_difference_is_not() {
        assert_eq!(doubled_midranks(&[1.0, 1.0 + 1e-13, 1.0 + 1e-9], TIE), [3, 3, 6]);
    }
}
