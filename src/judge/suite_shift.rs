//! Everything moved alike: the machine, the toolchain or a shared dependency, rather than the code of each benchmark.

use crate::{model::run::Warning, stats::location::median, text::quantity};

/// Fewer benchmarks than this may move alike by chance.
const LEAST_BENCHMARKS: usize = 5;

/// The smallest common movement worth a word, ln units.
const LEAST_SHIFT: f64 = 0.01;

/// The share of the benchmarks that must have moved alike.
const NEARLY_ALL: f64 = 0.9;

/// A warning when nearly all of these changes (relative, head against base) lie within half of their median around it.
pub(super) fn warning(changes: &[f64]) -> Option<Warning> {
    let moved: Vec<f64> = changes.iter().map(|change| change.ln_1p()).collect();
    let centre = median(&moved)?;
    if moved.len() < LEAST_BENCHMARKS || centre.abs() < LEAST_SHIFT {
        return None;
    }
    let alike = moved.iter().filter(|ln| (**ln - centre).abs() <= centre.abs() / 2.0).count();
    let nearly_all = alike as f64 >= NEARLY_ALL * moved.len() as f64;
    nearly_all.then(|| {
        let message = format!(
            "{alike} of {} benchmarks moved alike, by about {}: look for a cause that they share (toolchain, flags, a \
             dependency) before their own code",
            moved.len(),
            quantity::change(centre.exp_m1()),
        );
        Warning::new("suite_shift", message)
    })
}

/// The warning of a comparison with stored runs, whose common movement was taken off every row.
pub(super) fn stored_warning(shift: f64) -> Option<Warning> {
    (shift.abs() >= LEAST_SHIFT).then(|| {
        let message = format!(
            "the suite as a whole moved by {} against its stored runs; that was taken off every row, so a slowdown of \
             everything at once is not seen here: confirm it with `--mode paired`",
            quantity::change(shift.exp_m1()),
        );
        Warning::new("suite_shift", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_movement_is_told_with_its_size() {
        let warning = warning(&[0.030, 0.031, 0.029, 0.033, 0.028, 0.030]).unwrap();
        assert_eq!(warning.code, "suite_shift");
        assert!(
            warning.message.starts_with("6 of 6 benchmarks moved alike, by about +3.0 %"),
            "{}",
            warning.message
        );
    }

    #[test]
    fn single_changes_and_small_ones_are_no_common_movement() {
        assert_eq!(warning(&[0.0, 0.001, 0.2, -0.002, 0.0, 0.3]), None);
        assert_eq!(warning(&[0.004; 20]), None);
        assert_eq!(warning(&[0.03; 4]), None);
        assert_eq!(warning(&[0.03, 0.03, 0.03, 0.03, 0.03, -0.01]), None);
        assert_eq!(warning(&[]), None);
    }

    #[test]
    fn the_stored_shift_says_what_it_hides() {
        assert!(stored_warning(-0.05).unwrap().message.contains("moved by -4.9 %"));
        assert_eq!(stored_warning(0.005), None);
    }
}
