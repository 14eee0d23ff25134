//! Axes: where a value stands between the ends of a chart, and which round values are written beside it.

use crate::text::quantity;

/// Positions on an axis run from 0 to this, so that they are short whole numbers.
pub(super) const LENGTH: f64 = 1_000.0;
/// The finest step between two changes on an axis: what two decimals of a per cent can tell apart.
const FINEST: f64 = 0.000_1;

/// A linear axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// An axis over these ends. Equal, swapped or odd ends give an axis around the first.
    pub(super) fn new(low: f64, high: f64) -> Self {
        if low.is_finite() && high.is_finite() && high > low {
            return Self { low, high };
        }
        let middle = if low.is_finite() { low } else { 0.0 };
        let half = (middle.abs() * 0.01).max(f64::MIN_POSITIVE.sqrt());
        Self { low: middle - half, high: middle + half }
    }

    /// The same with a little room at both ends.
    pub(super) fn padded(self, share: f64) -> Self {
        let room = (self.high - self.low) * share;
        Self { low: self.low - room, high: self.high + room }
    }

    /// Where a value stands, 0 to [`LENGTH`]; what lies beyond stands at the end.
    pub(super) fn at(self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low) * LENGTH).clamp(0.0, LENGTH)
    }

    /// The same as a whole number.
    #[expect(clippy::cast_possible_truncation, reason = "it lies between 0 and 1,000")]
    pub(super) fn place(self, value: f64) -> i32 {
        self.at(value).round() as i32
    }

    /// Whether a value lies between the ends.
    pub(super) fn holds(self, value: f64) -> bool {
        value >= self.low && value <= self.high
    }

    /// Round values between the ends, about `wanted` of them, with a step of at least `finest`.
    pub(super) fn round_values(self, wanted: f64, finest: f64) -> Vec<f64> {
        let step = round_step((self.high - self.low) / wanted).max(finest);
        let first = (self.low / step).ceil();
        let last = (self.high / step).floor();
        if !step.is_finite() || step <= 0.0 || last - first > 50.0 {
            return Vec::new();
        }
        let mut values = Vec::new();
        let mut at = first;
        while at <= last {
            values.push(at * step);
            at += 1.0;
        }
        values
    }

    /// Ticks of relative changes: position and label.
    pub(super) fn changes(self) -> Vec<(i32, String)> {
        let values = self.round_values(4.0, FINEST);
        values.into_iter().map(|value| (self.place(value), signed(value))).collect()
    }

    /// Ticks of values of a unit.
    pub(super) fn values(self, unit: &str) -> Vec<(f64, String)> {
        // Bytes are shown in binary units, so what is round must be round in these.
        let values = match unit {
            "bytes" | "B" => binary(self),
            _ => self.round_values(4.0, 0.0),
        };
        let label = |value: f64| {
            if value.abs() < f64::MIN_POSITIVE { "0".to_owned() } else { quantity::tick(value, unit) }
        };
        values.into_iter().map(|value| (self.at(value), label(value))).collect()
    }
}

/// Round values of bytes: a round number of the largest binary unit that the upper end holds.
fn binary(scale: Scale) -> Vec<f64> {
    let unit = [30, 20, 10].map(|power| f64::from(1_u32 << power)).into_iter();
    let unit = unit.filter(|unit| scale.high >= *unit).max_by(f64::total_cmp).unwrap_or(1.0);
    let scaled = Scale { low: scale.low / unit, high: scale.high / unit };
    scaled.round_values(4.0, 0.0).into_iter().map(|value| value * unit).collect()
}

/// `+2 %`, `0 %`, `-0.5 %`.
fn signed(change: f64) -> String {
    let text = quantity::percent(change);
    if change > 0.0 && text != "0 %" { format!("+{text}") } else { text }
}

/// The smallest of 1, 2, 2.5 and 5 times a power of ten that is at least so much.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.abs().log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|step| step * power);
    // A step that is missed by the last bit is meant.
    steps.into_iter().find(|step| *step >= least * (1.0 - 1e-9)).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::Scale;

    #[test]
    fn ticks_are_round_and_within_the_ends() {
        let ticks = Scale::new(-0.012, 0.071).changes();
        let labels: Vec<&str> = ticks.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, ["0 %", "+2.5 %", "+5 %"]);
        assert!(ticks.iter().all(|(at, _)| (0..=1_000).contains(at)));
        let labels: Vec<String> =
            Scale::new(0.0, 4.1e6).values("ns").into_iter().map(|tick| tick.1).collect();
        assert_eq!(labels, ["0", "2 ms", "4 ms"]);
    }

    #[test]
    fn ends_that_make_no_sense_still_give_an_axis() {
        for (low, high) in [(1.0, 1.0), (2.0, 1.0), (f64::NAN, 1.0), (0.0, 0.0), (0.0, f64::INFINITY)] {
            let scale = Scale::new(low, high);
            assert!((0.0..=1_000.0).contains(&scale.at(1.0)), "{low} {high}");
            assert!(scale.changes().len() < 60);
        }
    }

    #[test]
    fn ticks_of_bytes_are_round_in_binary_units() {
        let labels =
            |high: f64| Scale::new(0.0, high).values("B").into_iter().map(|tick| tick.1).collect::<Vec<_>>();
        assert_eq!(labels(7.6e6), ["0", "2 MiB", "4 MiB", "6 MiB"]);
        assert_eq!(labels(3e9), ["0", "1 GiB", "2 GiB"]);
        assert_eq!(labels(700.0), ["0", "200 B", "400 B", "600 B"]);
    }

    #[test]
    fn no_two_ticks_have_the_same_label() {
        for width in [1e-6, 1e-4, 0.003, 0.02, 0.7, 3.0, 90.0] {
            let mut labels: Vec<String> =
                Scale::new(-width / 3.0, width).changes().into_iter().map(|(_, label)| label).collect();
            let all = labels.len();
            labels.dedup();
            assert_eq!(labels.len(), all, "{width}");
        }
    }
}
