//! Numbers as people read them. The only place that rounds: what is stored and compared is never rounded.
//!
//! Values have three significant digits, changes one decimal of a per cent (two below 1 %, none from 100 % on). A number
//! that is not finite shows as `?`.

/// What stands for a number that does not exist.
pub const NONE: &str = "?";

/// A value in the unit of its metric: `17.2 µs` for 17203 `ns`, `1.20 MiB`, `1,234 instructions`, `12.5 req/s`.
#[must_use]
pub fn value(value: f64, unit: &str) -> String {
    match unit {
        _ if !value.is_finite() => NONE.to_owned(),
        "ns" => scaled(value, &[("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1.0), ("ps", 1e-3)]),
        "bytes" | "B" => bytes(value),
        "ratio" | "1" => percent(value),
        // The unit often repeats the metric's name; whole counts are exact, so every digit is shown.
        "" => number(value),
        unit => format!("{} {unit}", number(value)),
    }
}

/// A round value beside an axis: [`value`] without zeros at its end, `2 ms`, `1.5 KiB`, `250`.
#[must_use]
pub fn tick(value: f64, unit: &str) -> String {
    let text = self::value(value, unit);
    let (number, unit) = text.split_once(' ').map_or((text.as_str(), ""), |(number, unit)| (number, unit));
    let number = if number.contains('.') && !number.contains('e') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    };
    if unit.is_empty() { number.to_owned() } else { format!("{number} {unit}") }
}

/// Bytes in binary units: `512 B`, `1.20 MiB`.
#[must_use]
pub fn bytes(bytes: f64) -> String {
    const KIB: f64 = 1024.0;
    if bytes.is_finite() && bytes.abs() < KIB {
        return format!("{} B", number(bytes));
    }
    let units = [("TiB", KIB.powi(4)), ("GiB", KIB.powi(3)), ("MiB", KIB.powi(2)), ("KiB", KIB), ("B", 1.0)];
    scaled(bytes, &units)
}

/// A whole number with separators: `1,234,567`.
#[must_use]
pub fn count(count: u64) -> String {
    separated(&count.to_string())
}

/// A relative change with its sign: `+5.0 %`, `-0.41 %`, `+167 %`, `×12.5` (from eleven times on), `0.0 %`.
#[must_use]
pub fn change(change: f64) -> String {
    if change.is_finite() && change >= 10.0 {
        return format!("×{}", significant(1.0 + change));
    }
    match signed(change, decimals(change)) {
        Some(number) => format!("{number} %"),
        None => NONE.to_owned(),
    }
}

/// The interval of a change: `+4.3 to +5.7 %`, `up to +5.7 %`, `at least +4.3 %`, `?`.
#[must_use]
pub fn interval(lower: Option<f64>, upper: Option<f64>) -> String {
    let finite = |end: Option<f64>| end.filter(|end| end.is_finite());
    match (finite(lower), finite(upper)) {
        (Some(lower), Some(upper)) if lower.abs().max(upper.abs()) < 10.0 => {
            // Both ends with the decimals of the larger one, so that they line up.
            let places = decimals(lower.abs().max(upper.abs()));
            let end = |end| signed(end, places).unwrap_or_else(|| NONE.to_owned());
            format!("{} to {} %", end(lower), end(upper))
        }
        (Some(lower), Some(upper)) => format!("{} to {}", change(lower), change(upper)),
        (None, Some(upper)) => format!("up to {}", change(upper)),
        (Some(lower), None) => format!("at least {}", change(lower)),
        (None, None) => NONE.to_owned(),
    }
}

/// A share or margin without sign, as short as it is exact: `2 %`, `0.5 %`, `12.5 %`; at most two decimals.
#[must_use]
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return NONE.to_owned();
    }
    let text = format!("{:.2}", share * 100.0);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{} %", if text == "-0" { "0" } else { text })
}

/// A p-value: `0.41`, `0.012`, `1.2e-6`, `1`. Never 0.
#[must_use]
pub fn p_value(p: f64) -> String {
    match p {
        _ if !p.is_finite() => NONE.to_owned(),
        _ if p >= 0.995 => "1".to_owned(),
        _ if p >= 0.1 => format!("{p:.2}"),
        _ if p >= 0.01 => format!("{p:.3}"),
        _ if p >= 0.001 => format!("{p:.4}"),
        _ => format!("{p:.1e}"),
    }
}

/// A share that was estimated or counted, with two significant digits: `31 %`, `4.7 %`, `0.12 %`; `0 %` and `100 %` only where exact
/// to a hundredth of a per cent.
#[must_use]
pub fn share(share: f64) -> String {
    if !share.is_finite() {
        return NONE.to_owned();
    }
    let per_cent = share * 100.0;
    let places = match per_cent.abs() {
        size if size >= 99.5 => 2,
        size if size >= 9.95 => 0,
        size if size >= 0.995 => 1,
        _ => 2,
    };
    percent(format!("{per_cent:.places$}").parse::<f64>().map_or(share, |rounded| rounded / 100.0))
}

/// Points of a score with one decimal, rounded down: what shows as 9.0 has reached the mark at 9.
#[must_use]
pub fn points(points: f64) -> String {
    if !points.is_finite() {
        return NONE.to_owned();
    }
    // 8.3 is a little less than 83 tenths.
    format!("{:.1}", (points * 10.0 + 1e-9).floor() / 10.0)
}

/// A span of time given in seconds: `320 ms`, `3.2 s`, `71 s`, `2 min 5 s`, `3 h 20 min`.
#[must_use]
pub fn seconds(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return NONE.to_owned();
    }
    if seconds < 0.9995 {
        return scaled(seconds * 1e9, &[("ms", 1e6), ("µs", 1e3), ("ns", 1.0)]);
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round();
    let (minutes, rest) = ((whole / 60.0).floor(), whole % 60.0);
    match minutes {
        _ if whole < 100.0 => format!("{whole} s"),
        _ if minutes < 60.0 => format!("{minutes} min {rest} s"),
        _ => format!("{} h {} min", (minutes / 60.0).floor(), minutes % 60.0),
    }
}

/// A value in the first unit that it reaches, with three significant digits.
fn scaled(value: f64, units: &[(&str, f64)]) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    if value == 0.0 {
        // Zero has no scale; the unit of size one is the one to name.
        let base = units.iter().find(|(_, size)| size.total_cmp(&1.0).is_eq());
        return format!("0 {}", base.or(units.last()).map_or("", |(unit, _)| unit));
    }
    // 999.6 would be rounded to 1000: it belongs to the next unit.
    let reaches = |size: f64| (value / size).abs() >= 0.9995;
    let (unit, size) =
        units.iter().find(|(_, size)| reaches(*size)).or(units.last()).copied().unwrap_or(("", 1.0));
    format!("{} {unit}", significant(value / size))
}

/// Three significant digits; more where the whole part has more, then with separators.
fn significant(value: f64) -> String {
    let places = match value.abs() {
        size if size < 9.995 => 2,
        size if size < 99.95 => 1,
        _ => 0,
    };
    let tiny = value != 0.0 && value.abs() < 0.01;
    if tiny || value.abs() >= 1e15 { format!("{value:.2e}") } else { separated(&format!("{value:.places$}")) }
}

/// A plain number: whole ones with all their digits, others with three that count.
fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return separated(&format!("{value:.0}"));
    }
    significant(value)
}

/// Decimals that a change of this size gets.
fn decimals(change: f64) -> usize {
    match change.abs() {
        size if size < 0.009_95 => 2,
        size if size < 0.999_5 => 1,
        _ => 0,
    }
}

/// A change in per cent with its sign; one that rounds to zero has none.
fn signed(change: f64, places: usize) -> Option<String> {
    let text = format!("{:+.places$}", change * 100.0);
    let zero = text.bytes().all(|byte| matches!(byte, b'+' | b'-' | b'0' | b'.'));
    match (change.is_finite(), zero) {
        (false, _) => None,
        (true, true) => Some("0.0".to_owned()),
        (true, false) => Some(text),
    }
}

/// Digits in groups of three.
fn separated(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (whole, fraction) = digits.find('.').map_or((digits, ""), |dot| digits.split_at(dot));
    let mut text = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

#[cfg(test)]
mod tests {
    use super::{bytes, change, count, interval, p_value, percent, points, seconds, share, value};

    #[test]
    fn ticks_have_no_zeros_at_their_end() {
        assert_eq!(super::tick(2e6, "ns"), "2 ms");
        assert_eq!(super::tick(0.0, "ns"), "0 ns");
        assert_eq!(super::tick(250.0, ""), "250");
        assert_eq!(super::tick(1_536.0, "bytes"), "1.5 KiB");
        assert_eq!(super::tick(0.5, "ratio"), "50 %");
    }

    #[test]
    fn times_take_the_unit_that_they_reach() {
        for (ns, text) in [
            (17_203.1, "17.2 µs"),
            (812.44, "812 ns"),
            (1_204_000.0, "1.20 ms"),
            (999.4, "999 ns"),
            (999.7, "1.00 µs"),
            (9.996, "10.0 ns"),
            (0.25, "250 ps"),
            (0.0, "0 ns"),
            (5.0e9, "5.00 s"),
            (7.2e12, "7,200 s"),
            (f64::NAN, "?"),
        ] {
            assert_eq!(value(ns, "ns"), text);
        }
    }

    #[test]
    fn counts_keep_every_digit() {
        assert_eq!(value(1_234_567.0, "instructions"), "1,234,567 instructions");
        assert_eq!(value(12.345, "req/s"), "12.3 req/s");
        assert_eq!(value(0.0125, "ratio"), "1.25 %");
        assert_eq!(value(-1234.0, ""), "-1,234");
        assert_eq!(value(0.000_012, "x"), "1.20e-5 x");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
    }

    #[test]
    fn bytes_are_binary() {
        assert_eq!(bytes(512.0), "512 B");
        assert_eq!(bytes(1024.0), "1.00 KiB");
        assert_eq!(bytes(1_258_291.0), "1.20 MiB");
        assert_eq!(value(0.0, "bytes"), "0 B");
    }

    #[test]
    fn changes_carry_their_sign_and_never_a_signed_zero() {
        for (relative, text) in [
            (0.0501, "+5.0 %"),
            (-0.0041, "-0.41 %"),
            (0.0, "0.0 %"),
            (-0.000_01, "0.0 %"),
            (0.009_96, "+1.0 %"),
            (0.999, "+99.9 %"),
            (0.999_6, "+100 %"),
            (1.67, "+167 %"),
            (11.5, "×12.5"),
            (-0.999, "-99.9 %"),
            (f64::INFINITY, "?"),
        ] {
            assert_eq!(change(relative), text);
        }
    }

    #[test]
    fn both_ends_of_an_interval_have_the_same_decimals() {
        assert_eq!(interval(Some(0.0432), Some(0.057)), "+4.3 to +5.7 %");
        assert_eq!(interval(Some(-0.0041), Some(0.0087)), "-0.41 to +0.87 %");
        assert_eq!(interval(Some(-0.0041), Some(0.0287)), "-0.4 to +2.9 %");
        assert_eq!(interval(None, Some(0.057)), "up to +5.7 %");
        assert_eq!(interval(Some(0.057), None), "at least +5.7 %");
        assert_eq!(interval(Some(f64::NEG_INFINITY), None), "?");
        assert_eq!(interval(Some(1.5), Some(20.0)), "+150 % to ×21.0");
    }

    #[test]
    fn shares_are_as_short_as_they_are_exact() {
        assert_eq!(percent(0.02), "2 %");
        assert_eq!(percent(0.005), "0.5 %");
        assert_eq!(percent(0.125), "12.5 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(share(0.0047), "0.47 %");
        assert_eq!(share(0.0123), "1.2 %");
        assert_eq!(share(0.312), "31 %");
        assert_eq!(share(1.2), "120 %");
    }

    #[test]
    fn points_never_show_a_mark_that_was_not_reached() {
        for (score, text) in
            [(8.999, "8.9"), (9.0, "9.0"), (8.3, "8.3"), (0.0, "0.0"), (10.0, "10.0"), (f64::NAN, "?")]
        {
            assert_eq!(points(score), text);
        }
    }

    #[test]
    fn p_values_are_never_zero() {
        assert_eq!(p_value(1.2e-6), "1.2e-6");
        assert_eq!(p_value(0.41), "0.41");
        assert_eq!(p_value(0.0123), "0.012");
        assert_eq!(p_value(1.0), "1");
        assert_eq!(p_value(1e-300), "1.0e-300");
    }

    #[test]
    fn spans_of_time_read_as_spoken() {
        for (span, text) in [
            (0.32, "320 ms"),
            (3.21, "3.2 s"),
            (71.3, "71 s"),
            (125.0, "2 min 5 s"),
            (119.7, "2 min 0 s"),
            (12_000.0, "3 h 20 min"),
            (0.0, "0 ns"),
            (-1.0, "?"),
        ] {
            assert_eq!(seconds(span), text);
        }
    }
}
