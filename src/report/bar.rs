//! An interval as a small bar of text: where the true change lies, seen against the margin.

use crate::model::{metric::Direction, verdict::Change};

/// Cells on either side of "no change".
const HALF: i32 = 7;
/// Cells from "no change" to the margin.
const MARGIN: i32 = 2;
/// What stands for the margin where there is none, relative.
const WITHOUT_MARGIN: f64 = 0.01;

/// What a bar shows, for a legend.
pub(super) const LEGEND: &str = "`█` is where the true change lies, `▒` within the margin, `│` no change at all; \
    better is left, worse is right, each further cell stands for more, and an arrow (`«`, `»`) is beyond the scale";

/// The bar of a change: 15 characters of one width. Its scale is the row's own margin, and logarithmic, so that one margin and
/// fifty can both be seen. Worse is right, whichever direction the metric has.
pub(super) fn draw(change: &Change, margin: f64, direction: Direction) -> String {
    let unit = if margin.is_finite() && margin > 0.0 { margin } else { WITHOUT_MARGIN };
    let (best, worst) = match direction {
        Direction::Lower => (change.lower, change.upper),
        Direction::Higher => (change.upper.map(|end| -end), change.lower.map(|end| -end)),
    };
    let (left, right) = (end(best, unit, -HALF - 1), end(worst, unit, HALF + 1));
    (-HALF..=HALF).map(|at| cell(at, left, right, margin > 0.0)).collect()
}

/// The cell of an end, one beyond the scale at most; `open` where the data bound it by nothing.
fn end(change: Option<f64>, unit: f64, open: i32) -> i32 {
    let Some(change) = change.filter(|change| change.is_finite()) else { return open };
    let cells = f64::from(MARGIN) * (1.0 + (change / unit).abs()).log2();
    (HALF + 1..=HALF + 1)
        .chain(0..=HALF)
        .min_by(|a, b| (f64::from(*a) - cells).abs().total_cmp(&(f64::from(*b) - cells).abs()))
        .map_or(0, |cell| if change < 0.0 { -cell } else { cell })
}

fn cell(at: i32, left: i32, right: i32, has_margin: bool) -> char {
    let beyond = |end: i32| end.abs() > HALF;
    match at {
        _ if at == -HALF && beyond(left) && left < 0 => '«',
        _ if at == HALF && beyond(right) && right > 0 => '»',
        // An interval that is wholly beyond the scale leaves a trace beside the arrow.
        _ if at == -HALF + 1 && right < -HALF => '█',
        _ if at == HALF - 1 && left > HALF => '█',
        _ if (left..=right).contains(&at) => '█',
        0 => '│',
        _ if has_margin && at.abs() <= MARGIN => '▒',
        _ => '░',
    }
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::model::{metric::Direction, verdict::Change};

    fn bar(lower: Option<f64>, upper: Option<f64>) -> String {
        let change = Change { estimate: 0.0, lower, upper, confidence: 0.99 };
        draw(&change, 0.02, Direction::Lower)
    }

    #[test]
    fn an_interval_lies_where_it_is_in_margins() {
        assert_eq!(bar(Some(-0.004), Some(0.009)), "░░░░░▒███▒░░░░░");
        assert_eq!(bar(Some(0.043), Some(0.057)), "░░░░░▒▒│▒▒██░░░");
        assert_eq!(bar(Some(-0.098), Some(-0.083)), "░░█░░▒▒│▒▒░░░░░");
        assert_eq!(bar(Some(-0.01), Some(0.09)), "░░░░░▒███████░░");
    }

    #[test]
    fn the_page_on_reading_a_verdict_shows_bars_that_are_drawn() {
        let page = include_str!("../../docs/reading-a-verdict.md");
        let shown: Vec<&str> =
            page.lines().filter(|line| line.contains('│') && line.starts_with("| `")).collect();
        assert_eq!(shown.len(), 3);
        let drawn = [(-0.004, 0.009), (0.043, 0.057), (-0.098, -0.083), (-0.01, 0.09), (3.0, 4.0)];
        for (lower, upper) in drawn {
            assert!(page.contains(&bar(Some(lower), Some(upper))), "{lower} to {upper}");
        }
    }

    #[test]
    fn what_is_beyond_the_scale_is_an_arrow() {
        assert_eq!(bar(Some(3.0), Some(4.0)), "░░░░░▒▒│▒▒░░░█»");
        assert_eq!(bar(Some(-0.9), Some(-0.8)), "«█░░░▒▒│▒▒░░░░░");
        assert_eq!(bar(None, None), "«█████████████»");
        assert_eq!(bar(Some(0.0), None), "░░░░░▒▒███████»");
        assert_eq!(bar(Some(f64::NAN), Some(f64::INFINITY)), "«█████████████»");
    }

    #[test]
    fn worse_is_right_also_where_more_is_better() {
        let change = Change { estimate: -0.05, lower: Some(-0.057), upper: Some(-0.043), confidence: 0.99 };
        assert_eq!(draw(&change, 0.02, Direction::Higher), "░░░░░▒▒│▒▒██░░░");
        assert_eq!(draw(&change, 0.0, Direction::Lower), "░░█░░░░│░░░░░░░");
    }
}
