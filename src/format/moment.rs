//! Moments as stored files spell them: `2026-01-31T12:00:00Z`.

use jiff::Timestamp;

use super::reading::shown;

/// The last second that four digits of a year can spell.
const LAST: i64 = 253_402_207_200;

/// A moment in seconds since 1970; one beyond the year 9999 is spelt as the last that can be.
pub(super) fn text(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(LAST).min(LAST);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).to_string()
}

/// The seconds since 1970 that a moment means.
pub(super) fn seconds(moment: &str) -> Result<u64, String> {
    let parsed = moment.parse::<Timestamp>().ok();
    let seconds = parsed.and_then(|timestamp| u64::try_from(timestamp.as_second()).ok());
    seconds.ok_or_else(|| format!("`{}` is no moment such as `2026-01-31T12:00:00Z`", shown(moment)))
}

#[cfg(test)]
mod tests {
    use super::{LAST, seconds, text};

    #[test]
    fn moments_come_back_and_nonsense_does_not() {
        assert_eq!(text(1_769_860_800), "2026-01-31T12:00:00Z");
        let last = u64::try_from(LAST).unwrap();
        for second in [0, 1, 1_769_860_800, last] {
            assert_eq!(seconds(&text(second)), Ok(second));
        }
        assert_eq!(text(u64::MAX), text(last));
        for odd in ["", "yesterday", "1969-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "1769860800"] {
            assert!(seconds(odd).is_err(), "{odd}");
        }
    }
}
