//! How a service is known to be ready: it answers a URL, accepts connections, or says so in its output.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::process::output::Ear;
use regex::Regex;

use super::get::{Bounds, Place, get};

/// The longest line of output that is looked at.
const MOST_LINE_BYTES: usize = 16 * 1024;
/// The longest answer to the question whether it is ready.
const MOST_BODY_BYTES: usize = 4 * 1024 * 1024;
/// The least time for a question: the last one, at the deadline, deserves an answer too.
pub(super) const LEAST: Duration = Duration::from_millis(100);
/// The first pause between two questions, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(50)];

/// The question whether a service is ready.
#[derive(Debug)]
pub(super) enum Question {
    /// A GET is answered with a status below 400.
    Url(Place),
    /// Connections are accepted.
    Port(Place),
    /// A line of output matched.
    Log(String, Arc<AtomicBool>),
}

impl Question {
    /// What is waited for, as a message says it.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Url(place) => format!("an answer with a status below 400 from {place}"),
            Self::Port(place) => format!("a connection to {place}"),
            Self::Log(pattern, _) => format!("a line of output that matches `{pattern}`"),
        }
    }

    /// Asks once; `Err` holds what was found instead.
    pub(super) fn ask(&self, left: Duration, goes_on: &mut dyn FnMut() -> bool) -> Result<(), String> {
        match self {
            Self::Url(place) => {
                let mut bounds = Bounds { time: left, body_bytes: MOST_BODY_BYTES, goes_on };
                match get(place, "*/*", &mut bounds) {
                    Ok(answer) if answer.status < 400 => Ok(()),
                    Ok(answer) => Err(format!("it answered {}", answer.status)),
                    Err(error) => Err(error.to_string()),
                }
            }
            Self::Port(place) => place.knock(left).map_err(|error| error.to_string()),
            Self::Log(_, seen) if seen.load(Ordering::SeqCst) => Ok(()),
            Self::Log(..) => Err("no line matched".into()),
        }
    }
}

/// The pauses between questions: short at first, so that a quick start is not rounded up.
pub(super) fn pauses() -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(PAUSES[0]), |pause| Some((*pause * 3 / 2).min(PAUSES[1])))
}

/// An ear for one stream that raises `seen` when a line matches.
pub(super) fn ear(pattern: Regex, seen: Arc<AtomicBool>) -> Ear {
    let mut line = Vec::new();
    Box::new(move |bytes| {
        if seen.load(Ordering::SeqCst) {
            return;
        }
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(&part[..part.len().min(MOST_LINE_BYTES.saturating_sub(line.len()))]);
            let is_whole = part.ends_with(b"\n");
            let text = String::from_utf8_lossy(&line);
            // A prompt has no end of line, so a part counts as well, unless the pattern asks how the line ends.
            if (is_whole || !pattern.as_str().ends_with('$'))
                && pattern.is_match(text.trim_end_matches(['\r', '\n']))
            {
                seen.store(true, Ordering::SeqCst);
                line = Vec::new();
                return;
            }
            if is_whole {
                line.clear();
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::ear;
    use regex::Regex;
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    fn heard(pattern: &str, parts: &[&str]) -> bool {
        let seen = Arc::new(AtomicBool::new(false));
        let mut ear = ear(Regex::new(pattern).unwrap(), Arc::clone(&seen));
        parts.iter().for_each(|part| ear(part.as_bytes()));
        seen.load(Ordering::SeqCst)
    }

    #[test]
    fn a_line_matches_however_it_is_cut() {
        assert!(heard("^listening on \\d+$", &["star", "ting\nlisten", "ing on 80\n"]));
        assert!(heard("^listening on \\d+$", &["listening on 80\r\nmore"]));
        assert!(heard("ready>", &["ready>"]));
        assert!(!heard("^ready$", &["ready", ": not yet\n"]));
        assert!(!heard("^listening", &["not listening\n", "still not\n"]));
        assert!(!heard("a.*b", &["a\n", "b\n"]));
    }

    #[test]
    fn a_line_without_end_is_not_kept() {
        let long = "x".repeat(40 * 1024);
        assert!(!heard("end", &[&long, &long, "end"]));
        assert!(heard("end", &[&long, "\n", "end"]));
    }
}
