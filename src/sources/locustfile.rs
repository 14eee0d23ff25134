//! The locustfile of a scenario: the same requests at the same due times through Locust, on as many machines as it has workers.
//!
//! Stock Locust is closed (a user waits for its answer before it asks again) and tells times of whole milliseconds for the
//! whole run. The file written here has each worker follow its share of one list of due times, tells how long after the due
//! time each answer was there, and makes the master write one line a worker and second; `locust_slices`
//! reads them as another tool's output. Running Locust is not done here, but in `load::locust`.

use std::{fmt::Write, io::Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::ZlibEncoder};

/// The program, but for its plan.
const TEMPLATE: &str = include_str!("locustfile.py");

/// Where the plan goes.
const PLACE: &str = "#PLAN#\n";

/// Seconds before the first due time, for all users to be there; `LEAD` of the program.
pub const LEAD_SECONDS: f64 = 1.0;

/// Seconds behind the deadline in which workers send their last report, and a little more: the master ends as soon as it
/// was told of every request.
const TAIL_SECONDS: f64 = 10.0;

/// What Locust is to ask, when and how often.
#[derive(Debug, Clone, PartialEq)]
pub struct LocustPlan {
    /// The scenario's name.
    pub name: String,
    /// Where paths are appended: `http://target:8080`.
    pub url: String,
    /// The kinds of requests, by which they are told apart in reports.
    pub names: Vec<String>,
    /// What is asked.
    pub requests: Vec<LocustRequest>,
    /// The schedule in its order: when something is due, nanoseconds from the start of the warm-up, and what, a place in `requests`.
    pub schedule: Vec<(u64, u32)>,
    /// How many of the schedule are of the warm-up; they are not told of.
    pub warmup_requests: usize,
    /// Users of all workers together: as many requests as can be under way. At least one.
    pub users: u32,
    /// How many workers take part.
    pub workers: u32,
    /// Load before the window, seconds; what is due in it is not told.
    pub warmup_seconds: f64,
    /// The window, seconds.
    pub window_seconds: f64,
    /// How long after the window answers are waited for, seconds.
    pub drain_seconds: f64,
    /// The longest that one request may take, seconds.
    pub timeout_seconds: f64,
    /// Whether certificates go unchecked.
    pub insecure: bool,
    /// The file that the master writes, relative to its working directory.
    pub slices: String,
}

/// One kind of request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LocustRequest {
    /// Its kind: a place in `names`.
    pub name: usize,
    /// `GET`, `POST`, …; empty for one that cannot be sent, which counts as an error of kind `body`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body; empty for none.
    pub body: Vec<u8>,
    /// The ranges of statuses that are expected, both ends included.
    pub statuses: Vec<(u16, u16)>,
}

impl LocustPlan {
    /// How long the master has to run (`-t`), seconds.
    #[must_use]
    pub fn run_seconds(&self) -> f64 {
        LEAD_SECONDS + self.warmup_seconds + self.window_seconds + self.drain_seconds + TAIL_SECONDS
    }
}

/// The text of the locustfile, for the master and all workers alike.
///
/// Everything of the plan stands in it as a Python literal of ASCII characters, so no name, header or body can become code.
#[must_use]
pub fn locustfile(plan: &LocustPlan) -> String {
    let mut text = String::new();
    let mut set = |name: &str, literal: &str| {
        text.push_str(name);
        text.push_str(" = ");
        text.push_str(literal);
        text.push('\n');
    };
    set("NAME", &string(&plan.name));
    set("URL", &string(&plan.url));
    set("USERS", &plan.users.max(1).to_string());
    set("WORKERS", &plan.workers.max(1).to_string());
    set("WARMUP", &float(plan.warmup_seconds));
    set("WINDOW", &float(plan.window_seconds));
    set("DRAIN", &float(plan.drain_seconds));
    set("TIMEOUT", &float(plan.timeout_seconds));
    set("INSECURE", if plan.insecure { "True" } else { "False" });
    set("SLICES", &string(&plan.slices));
    set("NAMES", &list(plan.names.iter().map(|name| string(name))));
    set("REQUESTS", &list(plan.requests.iter().map(request)));
    set("FIRST", &plan.warmup_requests.to_string());
    set("GAPS", &packed(&gaps(&plan.schedule)));
    set(
        "CHOICES",
        &packed(&plan.schedule.iter().flat_map(|(_, choice)| choice.to_le_bytes()).collect::<Vec<u8>>()),
    );
    TEMPLATE.replace(PLACE, &text)
}

/// The distances of due times, which pack better than the times.
fn gaps(schedule: &[(u64, u32)]) -> Vec<u8> {
    let before = std::iter::once(0).chain(schedule.iter().map(|(due, _)| *due));
    let gaps = schedule.iter().zip(before).map(|((due, _), before)| due.saturating_sub(before));
    gaps.flat_map(u64::to_le_bytes).collect()
}

/// Bytes as a text of Base64, deflated.
fn packed(bytes: &[u8]) -> String {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory cannot fail.
    drop(encoder.write_all(bytes));
    string(&STANDARD.encode(encoder.finish().unwrap_or_default()))
}

fn request(request: &LocustRequest) -> String {
    let headers = request.headers.iter().map(|(name, value)| format!("{}: {}", string(name), string(value)));
    format!(
        "\n    {{\"name\": {}, \"method\": {}, \"path\": {}, \"headers\": {{{}}}, \"body\": {}, \"statuses\": {}}}",
        request.name,
        string(&request.method),
        string(&request.path),
        headers.collect::<Vec<_>>().join(", "),
        bytes(&request.body),
        list(request.statuses.iter().map(|(low, high)| format!("({low}, {high})"))),
    )
}

fn list(literals: impl Iterator<Item = String>) -> String {
    format!("[{}]", literals.collect::<Vec<_>>().join(", "))
}

/// A number that does not exist is none for Python either: 0.
fn float(value: f64) -> String {
    if value.is_finite() { format!("{value:?}") } else { "0.0".to_owned() }
}

fn string(text: &str) -> String {
    let mut literal = String::from("\"");
    for character in text.chars() {
        match character {
            ' '..='~' if !matches!(character, '"' | '\\') => literal.push(character),
            // Writing to a string cannot fail.
            other => drop(write!(literal, "\\U{:08x}", u32::from(other))),
        }
    }
    literal + "\""
}

fn bytes(bytes: &[u8]) -> String {
    let mut literal = String::from("b\"");
    for byte in bytes {
        match byte {
            b' '..=b'~' if !matches!(byte, b'"' | b'\\') => literal.push(char::from(*byte)),
            other => drop(write!(literal, "\\x{other:02x}")),
        }
    }
    literal + "\""
}

#[cfg(test)]
mod tests {
    use super::{LEAD_SECONDS, LocustPlan, LocustRequest, TEMPLATE, bytes, float, gaps, locustfile, string};

    fn plan() -> LocustPlan {
        let request = |name: usize, statuses: &[(u16, u16)]| LocustRequest {
            name,
            method: "POST".into(),
            path: "/a?b=\"c\"".into(),
            headers: vec![("x-a".into(), "1\r\ny: 2".into())],
            body: vec![b'{', 0, 0xff, b'"'],
            statuses: statuses.to_vec(),
        };
        LocustPlan {
            name: "\"\nimport os\n#".into(),
            url: "http://127.0.0.1:1".into(),
            names: vec!["one".into(), "é🦀".into()],
            requests: vec![request(0, &[(200, 201)]), request(1, &[])],
            schedule: vec![(5, 0), (7, 1), (1 << 40, 0)],
            warmup_requests: 1,
            users: 20,
            workers: 2,
            warmup_seconds: 1.0,
            window_seconds: 5.0,
            drain_seconds: 0.5,
            timeout_seconds: f64::NAN,
            insecure: false,
            slices: "out.jsonl".into(),
        }
    }

    #[test]
    fn the_plan_stands_in_the_file_as_literals_that_cannot_become_code() {
        let text = locustfile(&plan());
        assert!(text.is_ascii());
        assert!(text.contains(r##"NAME = "\U00000022\U0000000aimport os\U0000000a#""##), "{text}");
        assert!(!text.lines().any(|line| line.starts_with("import os")));
        assert!(
            text.contains(r#""headers": {"x-a": "1\U0000000d\U0000000ay: 2"}, "body": b"{\x00\xff\x22""#)
        );
        assert!(text.contains("\"statuses\": [(200, 201)]}, \n    {\"name\": 1,"), "{text}");
        assert!(text.contains(r#"NAMES = ["one", "\U000000e9\U0001f980"]"#), "{text}");
        assert!(text.contains("TIMEOUT = 0.0\n") && text.contains("INSECURE = False\n"));
        assert!(!text.contains("#PLAN#") && TEMPLATE.contains("#PLAN#"));
        assert!((plan().run_seconds() - 17.5).abs() < 1e-9);
    }

    #[test]
    fn literals_are_those_of_python() {
        assert_eq!(string("a'b\\\"\u{0}"), "\"a'b\\U0000005c\\U00000022\\U00000000\"");
        assert_eq!(bytes(b"\\\n"), "b\"\\x5c\\x0a\"");
        assert_eq!((float(1e300).as_str(), float(f64::INFINITY).as_str()), ("1e300", "0.0"));
    }

    #[test]
    fn a_schedule_is_told_by_its_distances() {
        let bytes = gaps(&plan().schedule);
        let gaps: Vec<u64> =
            bytes.chunks(8).map(|eight| u64::from_le_bytes(eight.try_into().unwrap())).collect();
        assert_eq!(gaps, [5, 2, (1 << 40) - 7]);
    }

    /// What the program says by its own names must be what the readers look for.
    #[test]
    fn the_program_and_the_reader_use_the_same_words() {
        for word in [
            "tollgate_locust",
            "INTENDED",
            "UNFINISHED",
            "scheduled",
            "window_seconds",
            "cpu_warning",
            "end",
            "started",
            "report",
            "told",
        ] {
            assert!(TEMPLATE.contains(&format!("\"{word}\"")), "{word}");
        }
        assert!(TEMPLATE.contains(&format!("LEAD = {LEAD_SECONDS:?}\n")));
    }
}
