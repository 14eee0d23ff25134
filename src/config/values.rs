//! Values with units as people write them: `2%`, `5m`, `50us`. One spelling for the command line and the file.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use std::{fmt, str::FromStr, time::Duration};

/// A text that is no such value; the message says what is accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidValue(String);

/// A share or a relative change: `2%` or `0.02`. At least 0 and at most 1000 %.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Percent(pub f64);

/// A stretch of time: `250ms`, `60s`, `5m`, `1h`; a bare number is seconds. Positive and at most 30 days.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Span(pub f64);

/// A stretch of time that may be nothing: `0`, `0s` or whatever a [`Span`] may be.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Wait(pub f64);

/// An amount of a metric: `50us`, `2ns`, `1.5ms` (nanoseconds inside), `64KiB` (bytes inside), or a bare number in the
/// metric's own unit. Positive.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Quantity(pub f64);

/// An amount of memory: `64KiB`, `4MiB`, `1.5GiB`; a bare number is bytes. It may be nothing.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Size(pub f64);

impl Span {
    /// As a standard duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs_f64(self.0)
    }
}

impl Wait {
    /// As a standard duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs_f64(self.0)
    }
}

/// More memory than anybody has, bytes.
const MOST_BYTES: f64 = 1e15;

impl FromStr for Percent {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let trimmed = text.trim();
        let (number, scale) = match trimmed.strip_suffix('%') {
            Some(number) => (number.trim_end(), 0.01),
            None => (trimmed, 1.0),
        };
        let value = parse_number(number)
            .ok_or_else(|| InvalidValue(format!("`{text}` is not a share: write `2%` or `0.02`")))?
            * scale;
        if scale > 0.5 && value >= 1.0 {
            return Err(InvalidValue(format!(
                "`{text}` without a `%` means {} %: write `{text}%`",
                value * 100.0
            )));
        }
        if (0.0..=10.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(InvalidValue(format!("`{text}` is out of range: a share is from `0%` to `1000%`")))
        }
    }
}

impl FromStr for Span {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let units = [
            ("ms", 1e-3),
            ("us", 1e-6),
            ("µs", 1e-6),
            ("s", 1.0),
            ("m", 60.0),
            ("h", 3600.0),
            ("d", 86_400.0),
        ];
        let (number, scale) = split_unit(text.trim(), &units, 1.0);
        let seconds = parse_number(number)
            .ok_or_else(|| InvalidValue(format!("`{text}` is not a duration: write `60s`, `5m` or `1h`")))?
            * scale;
        if seconds > 0.0 && seconds <= 30.0 * 86_400.0 {
            Ok(Self(seconds))
        } else {
            Err(InvalidValue(format!("`{text}` is out of range: a duration is positive and at most `30d`")))
        }
    }
}

impl FromStr for Wait {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let number = text.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == 'µ').trim_end();
        let is_none = parse_number(number).is_some_and(|number| number == 0.0);
        // The unit of nothing must be one that there is.
        if is_none && text.trim().replacen(number, "1", 1).parse::<Span>().is_ok() {
            return Ok(Self(0.0));
        }
        text.parse::<Span>().map(|span| Self(span.0))
    }
}

impl FromStr for Quantity {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let units = [
            ("ns", 1.0),
            ("us", 1e3),
            ("µs", 1e3),
            ("ms", 1e6),
            ("s", 1e9),
            ("KiB", 1024.0),
            ("MiB", 1_048_576.0),
            ("GiB", 1_073_741_824.0),
            ("B", 1.0),
        ];
        let (number, scale) = split_unit(text.trim(), &units, 1.0);
        let value = parse_number(number).ok_or_else(|| {
            InvalidValue(format!("`{text}` is not an amount: write `50us`, `2ns`, `64KiB` or a number"))
        })? * scale;
        if value > 0.0 && value.is_finite() {
            Ok(Self(value))
        } else {
            Err(InvalidValue(format!("`{text}` is out of range: an amount is positive")))
        }
    }
}

impl FromStr for Size {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let units = [
            ("KiB", 1024.0),
            ("MiB", 1_048_576.0),
            ("GiB", 1_073_741_824.0),
            ("kB", 1e3),
            ("KB", 1e3),
            ("MB", 1e6),
            ("GB", 1e9),
            ("B", 1.0),
        ];
        let (number, scale) = split_unit(text.trim(), &units, 1.0);
        let bytes = parse_number(number).ok_or_else(|| {
            InvalidValue(format!("`{text}` is no amount of memory: write `64KiB`, `4MiB` or `1GiB`"))
        })? * scale;
        if (0.0..=MOST_BYTES).contains(&bytes) {
            Ok(Self(bytes))
        } else {
            Err(InvalidValue(format!("`{text}` is out of range: an amount of memory is from `0` to `1e15`")))
        }
    }
}

/// Splits a number from the longest unit that ends the text.
fn split_unit<'text>(text: &'text str, units: &[(&str, f64)], bare: f64) -> (&'text str, f64) {
    units
        .iter()
        .filter_map(|(unit, scale)| text.strip_suffix(unit).map(|number| (number.trim_end(), *scale)))
        .min_by_key(|(number, _)| number.len())
        .unwrap_or((text, bare))
}

/// A plain finite decimal number: no `inf`, no `nan`, no sign tricks.
fn parse_number(text: &str) -> Option<f64> {
    let plain = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+' | b'_'));
    let value: f64 = text.replace('_', "").parse().ok().filter(|_| plain)?;
    value.is_finite().then_some(value)
}

impl fmt::Display for Percent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded to a millionth of a percent, so that 0.07 * 100 does not print as 7.000000000000001.
        write!(formatter, "{}%", (self.0 * 1e8).round() / 1e6)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            seconds if seconds < 1.0 => write!(formatter, "{}ms", seconds * 1e3),
            seconds if seconds < 120.0 => write!(formatter, "{seconds}s"),
            seconds if seconds < 7200.0 => write!(formatter, "{}m", seconds / 60.0),
            seconds => write!(formatter, "{}h", seconds / 3600.0),
        }
    }
}

/// Either a number or a text with a unit, as TOML has it.
struct NumberOrText<T>(std::marker::PhantomData<T>);

impl<T: FromStr<Err = InvalidValue>> de::Visitor<'_> for NumberOrText<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number or a text with a unit")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }
}

macro_rules! number_or_text {
    ($type:ident, $name:literal, $description:literal, $pattern:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(NumberOrText(std::marker::PhantomData))
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": $description,
                    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": $pattern}]
                })
            }
        }
    };
}

number_or_text!(Percent, "Percent", "a share: \"2%\" or 0.02", r"^\s*[0-9.eE_+-]+\s*%?\s*$");
number_or_text!(
    Span,
    "Span",
    "a duration: \"60s\", \"5m\", \"1h\", or seconds as a number",
    r"^\s*[0-9.eE_+-]+\s*(ms|us|µs|s|m|h|d)?\s*$"
);
number_or_text!(
    Wait,
    "Wait",
    "a duration that may be \"0s\": \"500ms\", \"2s\", or seconds as a number",
    r"^\s*[0-9.eE_+-]+\s*(ms|us|µs|s|m|h|d)?\s*$"
);
number_or_text!(
    Quantity,
    "Quantity",
    "an amount: \"50us\", \"64KiB\", or a number in the metric's unit",
    r"^\s*[0-9.eE_+-]+\s*(ns|us|µs|ms|s|B|KiB|MiB|GiB)?\s*$"
);
number_or_text!(
    Size,
    "Size",
    "an amount of memory: \"64KiB\", \"4MiB\", or a number of bytes",
    r"^\s*[0-9.eE_+-]+\s*(B|kB|KB|MB|GB|KiB|MiB|GiB)?\s*$"
);

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "values that are read, not computed")]
mod tests {
    use super::{Percent, Quantity, Size, Span};

    fn percent(text: &str) -> Option<f64> {
        text.parse::<Percent>().ok().map(|percent| percent.0)
    }

    #[test]
    fn a_share_is_written_as_percent_or_fraction_and_a_bare_zero_counts() {
        assert_eq!(percent("2%"), Some(0.02));
        assert_eq!(percent("0.02"), Some(0.02));
        assert_eq!(percent("0"), Some(0.0));
        assert_eq!(percent(" 12.5 % "), Some(0.125));
        for bad in ["", "%", "2", "-1%", "nan", "inf", "two", "2%%", "1e9%"] {
            assert_eq!(percent(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_bare_number_of_one_or_more_asks_for_the_percent_sign() {
        let error = "5".parse::<Percent>().unwrap_err().to_string();
        assert!(error.contains("write `5%`"), "{error}");
    }

    #[test]
    fn durations_take_units_and_bare_seconds() {
        for (text, seconds) in [("5m", 300.0), ("60s", 60.0), ("1h", 3600.0), ("250ms", 0.25), ("90", 90.0)] {
            assert_eq!(text.parse::<Span>().unwrap().0, seconds, "{text}");
        }
        for bad in ["", "m", "0s", "-5s", "5 parsecs", "1000d"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wait_may_be_nothing() {
        for (text, seconds) in [("0", 0.0), ("0s", 0.0), ("0.0 ms", 0.0), ("2s", 2.0), ("1", 1.0)] {
            assert_eq!(text.parse::<super::Wait>().unwrap().0, seconds, "{text}");
        }
        for bad in ["", "s", "-1s", "0 parsecs", "0x"] {
            assert!(bad.parse::<super::Wait>().is_err(), "{bad}");
        }
    }

    #[test]
    fn amounts_become_nanoseconds_or_bytes() {
        for (text, amount) in
            [("50us", 50_000.0), ("2ns", 2.0), ("1.5ms", 1.5e6), ("3s", 3e9), ("64KiB", 65_536.0), ("7", 7.0)]
        {
            assert_eq!(text.parse::<Quantity>().unwrap().0, amount, "{text}");
        }
        assert!("0ns".parse::<Quantity>().is_err());
    }

    #[test]
    fn an_amount_of_memory_has_a_unit_of_memory_and_may_be_nothing() {
        for (text, bytes) in
            [("4MiB", 4_194_304.0), ("64 KiB", 65_536.0), ("2MB", 2e6), ("0", 0.0), ("7", 7.0), ("8B", 8.0)]
        {
            assert_eq!(text.parse::<Size>().unwrap().0, bytes, "{text}");
        }
        for bad in ["", "50us", "4 Mi", "-1MiB", "1e16", "MiB"] {
            assert!(bad.parse::<Size>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        assert_eq!(Percent(0.07).to_string(), "7%");
        assert_eq!(Span(300.0).to_string(), "5m");
        assert_eq!(Span(0.25).to_string(), "250ms");
    }
}
