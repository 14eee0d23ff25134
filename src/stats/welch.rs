//! Welch's t test of two means with unequal variances (Welch 1947): for summaries of other tools, which give a mean and a standard deviation and
//! nothing else.
//!
//! It assumes independent values and means that are close to normal; samples of one process are not independent of each other.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::stats::{location::mean, spread::variance};

/// A list of numbers as other tools summarise it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// The mean.
    pub mean: f64,
    /// The sample variance (divisor n - 1).
    pub variance: f64,
    /// How many values.
    pub count: u64,
}

impl Summary {
    /// The summary of a list; `None` for fewer than two values.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        Some(Self { mean: mean(values)?, variance: variance(values)?, count: values.len() as u64 })
    }
}

/// The outcome of Welch's test of head against base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Welch {
    /// Head's mean less base's, in standard errors.
    pub t: f64,
    /// Satterthwaite's degrees of freedom.
    pub degrees_of_freedom: f64,
    /// Small when head's mean is larger.
    pub greater: f64,
    /// Small when head's mean is smaller.
    pub less: f64,
    /// Twice the smaller of the two.
    pub two_sided: f64,
    difference: f64,
    standard_error: f64,
}

impl Welch {
    /// The interval of the difference of the means whose ends are each exceeded with probability `alpha`; `None` unless 0 < alpha < 1/2.
    #[must_use]
    pub fn interval(&self, alpha: f64) -> Option<(f64, f64)> {
        if !(alpha > 0.0 && alpha < 0.5) {
            return None;
        }
        let reach = student(self.degrees_of_freedom)?.inverse_cdf(1.0 - alpha) * self.standard_error;
        Some((self.difference - reach, self.difference + reach))
    }
}

/// Tests head's mean against base's. `None` where a side has fewer than two values, neither varies, or a number is not finite.
#[must_use]
pub fn welch(base: Summary, head: Summary) -> Option<Welch> {
    let (of_base, of_head) = (squared_error(base)?, squared_error(head)?);
    let squared = of_base + of_head;
    if squared <= 0.0 {
        return None;
    }
    let freedom = |squared: f64, count: u64| squared * squared / (count - 1) as f64;
    let degrees_of_freedom =
        squared * squared / (freedom(of_base, base.count) + freedom(of_head, head.count));
    let (difference, standard_error) = (head.mean - base.mean, squared.sqrt());
    let t = difference / standard_error;
    let distribution = student(degrees_of_freedom)?;
    let (greater, less) = (distribution.sf(t), distribution.cdf(t));
    let two_sided = (2.0 * greater.min(less)).min(1.0);
    Some(Welch { t, degrees_of_freedom, greater, less, two_sided, difference, standard_error })
}

fn squared_error(summary: Summary) -> Option<f64> {
    let sensible = summary.mean.is_finite() && summary.variance.is_finite() && summary.variance >= 0.0;
    (sensible && summary.count >= 2).then(|| summary.variance / summary.count as f64)
}

fn student(degrees_of_freedom: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, degrees_of_freedom).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_s_sleep_data_is_reproduced() {
        // Student (1908), hours of extra sleep under two drugs; R: t = -1.8608, df = 17.776, p = 0.07939, 95 % interval -3.3654832 to 0.2054832.
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let test = welch(Summary::of(&second).unwrap(), Summary::of(&first).unwrap()).unwrap();
        assert!(
            (test.t + 1.8608).abs() < 5e-5 && (test.degrees_of_freedom - 17.776).abs() < 5e-4,
            "{test:?}"
        );
        assert!((test.two_sided - 0.079_39).abs() < 5e-6, "{test:?}");
        let (low, high) = test.interval(0.025).unwrap();
        assert!((low + 3.365_483_2).abs() < 5e-7 && (high - 0.205_483_2).abs() < 5e-7, "{low} {high}");
    }

    #[test]
    fn the_tails_swap_with_the_sides() {
        let (a, b) =
            (Summary { mean: 1.0, variance: 2.0, count: 5 }, Summary { mean: 3.0, variance: 1.0, count: 9 });
        let (forth, back) = (welch(a, b).unwrap(), welch(b, a).unwrap());
        assert!((forth.greater - back.less).abs() < 1e-12 && forth.greater < 0.05 && forth.less > 0.95);
    }

    #[test]
    fn one_value_or_no_variance_is_not_tested() {
        let fixed = Summary { mean: 1.0, variance: 0.0, count: 5 };
        assert_eq!(welch(fixed, fixed), None);
        assert_eq!(Summary::of(&[1.0]), None);
        assert_eq!(welch(Summary { count: 1, ..fixed }, Summary { variance: 1.0, ..fixed }), None);
    }
}
