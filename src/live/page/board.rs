//! Everything that the page shows, and what of it is news to a reader.

use serde_json::{Value, json};

use super::{
    alerts::Alerts,
    series::{Point, Series},
};
use crate::{
    model::{
        load::{Allowance, Interval},
        targets::Limit,
    },
    text::escape,
};

/// The most marks (scenarios, steps) on the time axis; the oldest go first.
const MOST_MARKS: usize = 60;

/// The longest title or mark, columns.
const MOST_COLUMNS: usize = 200;

/// Whether the run goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    Running,
    Stopping,
    /// With the words about its end.
    Over(String),
}

/// What a reader has seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cursor {
    seen: Option<(u32, usize)>,
}

/// The state of the page.
#[derive(Debug)]
pub(super) struct Board {
    title: String,
    standing: Standing,
    series: Series,
    alerts: Alerts,
    latest: Option<Point>,
    marks: Vec<(f64, String)>,
    /// Requests due, ended well and failed, without warm-ups.
    totals: [u64; 3],
}

impl Board {
    /// An empty page with this title.
    pub(super) fn new(title: &str, limits: &[Limit]) -> Self {
        Self {
            title: shown(title),
            standing: Standing::Running,
            series: Series::default(),
            alerts: Alerts::new(limits),
            latest: None,
            marks: Vec::new(),
            totals: [0; 3],
        }
    }

    /// What follows is about this scenario or step.
    pub(super) fn mark(&mut self, label: &str) {
        self.marks.push((self.series.end(), shown(label)));
        if self.marks.len() > MOST_MARKS {
            self.marks.remove(0);
        }
    }

    /// What the service may use.
    pub(super) fn may_use(&mut self, limits: Allowance) {
        self.alerts.may_use(limits);
    }

    /// Adds a second.
    pub(super) fn add(&mut self, interval: &Interval) {
        let warmup = interval.start_seconds < 0.0;
        if !warmup {
            let counts = [interval.scheduled, interval.completed, interval.errors];
            self.totals
                .iter_mut()
                .zip(counts)
                .for_each(|(total, count)| *total = total.saturating_add(count));
        }
        if interval.is_scrap() {
            return;
        }
        let at = self.series.add(interval);
        if !warmup {
            self.alerts.look(at, interval);
        }
        self.latest = Some(Point { at, warmup, interval: interval.clone() });
    }

    /// Somebody pressed stop.
    pub(super) fn stopping(&mut self) {
        if self.standing == Standing::Running {
            self.standing = Standing::Stopping;
        }
    }

    /// The run is over.
    pub(super) fn over(&mut self, words: &str) {
        if !self.is_over() {
            self.series.close();
            self.standing = Standing::Over(shown(words));
        }
    }

    /// Whether nothing will change any more.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.standing, Standing::Over(_))
    }

    /// The whole state.
    pub(super) fn state(&self) -> Value {
        self.news(&mut Cursor::default())
    }

    /// What the reader has not seen yet; `from` 0 means that it starts over. The cursor moves on.
    pub(super) fn news(&self, cursor: &mut Cursor) -> Value {
        let points = self.series.points();
        let from = match cursor.seen {
            Some((generation, count)) if generation == self.series.generation() => count.min(points.len()),
            _ => 0,
        };
        cursor.seen = Some((self.series.generation(), points.len()));
        let (standing, words) = match &self.standing {
            Standing::Running => ("running", None),
            Standing::Stopping => ("stopping", None),
            Standing::Over(words) => ("over", Some(words)),
        };
        json!({
            "schema": "tollgate.live/1", "version": env!("CARGO_PKG_VERSION"),
            "title": self.title, "standing": standing, "words": words,
            "elapsed_seconds": self.series.end(), "point_seconds": self.series.stride(), "from": from,
            "points": points[from..].iter().map(Point::json).collect::<Vec<_>>(),
            "latest": self.latest.as_ref().map(Point::json),
            "marks": self.marks.iter().map(|(at, label)| json!({ "at": at, "label": label })).collect::<Vec<_>>(),
            "totals": { "scheduled": self.totals[0], "completed": self.totals[1], "errors": self.totals[2] },
            "limits": self.alerts.limits(), "alerts": self.alerts.json(),
        })
    }
}

/// Text for the page: control and direction characters made visible, of bounded length. The page sets it as text, never as HTML.
fn shown(text: &str) -> String {
    escape::shortened(&escape::visible(text), MOST_COLUMNS)
}

#[cfg(test)]
mod tests {
    use super::{Board, Cursor, Interval, MOST_MARKS};

    fn second(start: f64) -> Interval {
        Interval { start_seconds: start, seconds: 1.0, scheduled: 5, completed: 5, ..Interval::default() }
    }

    #[test]
    fn a_reader_hears_each_point_once_and_everything_after_points_were_joined() {
        let mut board = Board::new("checkout", &[]);
        let mut cursor = Cursor::default();
        board.add(&second(0.0));
        assert_eq!(board.news(&mut cursor)["points"].as_array().unwrap().len(), 1);
        board.add(&second(1.0));
        board.add(&second(2.0));
        let news = board.news(&mut cursor);
        assert!(news["from"] == 1 && news["points"][0]["at"] == 1.0);
        assert!(board.news(&mut cursor)["points"].as_array().unwrap().is_empty());
        for at in 3..1_300 {
            board.add(&second(f64::from(at)));
        }
        let news = board.news(&mut cursor);
        assert!(news["from"] == 0 && news["point_seconds"] == 2);
        assert!(news["points"].as_array().unwrap().len() >= 600);
    }

    #[test]
    fn the_scrap_of_a_second_is_in_the_totals_and_no_peak_of_a_chart() {
        let mut board = Board::new("checkout", &[]);
        board.add(&second(0.0));
        board.add(&Interval { seconds: 0.002, ..second(1.0) });
        let state = board.state();
        assert_eq!(state["totals"]["completed"], 10);
        assert_eq!(state["points"].as_array().unwrap().len(), 1);
        assert_eq!(state["latest"]["seconds"], 1.0);
    }

    #[test]
    fn warm_up_counts_in_no_total_and_the_end_stays_the_end() {
        let mut board = Board::new("checkout", &[]);
        board.add(&second(-1.0));
        board.add(&second(0.0));
        assert_eq!(board.state()["totals"]["scheduled"], 5);
        board.stopping();
        assert_eq!(board.state()["standing"], "stopping");
        board.over("all well");
        board.stopping();
        board.over("again");
        let state = board.state();
        assert!(state["standing"] == "over" && state["words"] == "all well");
    }

    #[test]
    fn names_and_marks_are_bounded_and_visible() {
        let mut board = Board::new(&"x\u{202e}\u{7}".repeat(500), &[]);
        for step in 0..200 {
            board.mark(&format!("step {step}"));
        }
        let state = board.state();
        let title = state["title"].as_str().unwrap();
        assert!(title.chars().count() <= 200 && !title.contains(['\u{202e}', '\u{7}']), "{title}");
        assert_eq!(state["marks"].as_array().unwrap().len(), MOST_MARKS);
    }
}
