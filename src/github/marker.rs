//! The hidden lines at the end of a comment: whose it is, of which commit and run, and the earlier verdicts.
//!
//! They are read back from a page that others can edit, so they are read as hostile: bounded, and what is not exactly as it was
//! written is left out.

use super::repository::is_commit;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

/// What the first hidden line begins with.
const MARK: &str = "<!-- tollgate:comment ";
/// What the line of the earlier verdicts begins with.
const EARLIER: &str = "<!-- tollgate:earlier ";
const END: &str = " -->";
/// The most earlier verdicts that are kept.
pub const MAX_EARLIER: usize = 10;
/// The most characters of an earlier verdict's summary.
const MAX_SUMMARY: usize = 300;
/// The most characters of the hidden lines that are read; ten full entries take about half of it.
const MAX_HIDDEN: usize = 32 << 10;
const OUTCOMES: [&str; 5] = ["pass", "regressed", "inconclusive", "incomplete", "error"];

/// A run of a workflow. Later runs have greater ids, repetitions of one run greater attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId {
    /// The run's id.
    pub id: u64,
    /// Which attempt of it, from 1.
    pub attempt: u64,
}

/// A verdict that the comment has shown, or shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The head commit, hexadecimal.
    pub commit: String,
    /// The outcome's word.
    pub outcome: String,
    /// The verdict's first line, without markup.
    pub summary: String,
}

/// The hidden lines of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// Which gate of the repository it belongs to.
    pub gate: String,
    /// The run that wrote it; `None` outside of workflows.
    pub run: Option<RunId>,
    /// The verdicts, the one on show first.
    pub shown: Vec<Shown>,
}

/// Whether a text can be the name of a gate: 1 to 50 letters, digits, `-`, `_` and `.`.
#[must_use]
pub fn is_gate(text: &str) -> bool {
    (1..=50).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        // Within an HTML comment two dashes may end it
        && !text.contains("--")
        && !text.starts_with('-')
        && !text.ends_with('-')
}

impl Shown {
    /// A verdict as it is kept; the summary is cut to size.
    #[must_use]
    pub fn new(commit: &str, outcome: &str, summary: &str) -> Self {
        let summary = summary.chars().take(MAX_SUMMARY).collect();
        Self { commit: commit.to_ascii_lowercase(), outcome: outcome.to_owned(), summary }
    }

    fn is_sound(&self) -> bool {
        is_commit(&self.commit)
            && OUTCOMES.contains(&self.outcome.as_str())
            && self.summary.chars().count() <= MAX_SUMMARY
    }
}

impl Marker {
    /// The head commit that the comment is of.
    #[must_use]
    pub fn head(&self) -> &str {
        self.shown.first().map_or("", |shown| shown.commit.as_str())
    }

    /// The verdicts after this one was written over an older comment: the newest first, each commit once.
    #[must_use]
    pub fn over(mut self, before: Option<&Self>) -> Self {
        for shown in before.into_iter().flat_map(|before| &before.shown) {
            if self.shown.iter().all(|known| known.commit != shown.commit) {
                self.shown.push(shown.clone());
            }
        }
        self.shown.truncate(MAX_EARLIER + 1);
        self
    }

    /// Whether what this marks is of an older run than `other`. Where one has no run, neither is older.
    #[must_use]
    pub fn is_older_than(&self, other: &Self) -> bool {
        matches!((self.run, other.run), (Some(mine), Some(theirs)) if mine < theirs)
    }

    /// The hidden lines, to end a comment with.
    #[must_use]
    pub fn lines(&self) -> String {
        let run = self.run.map_or(String::new(), |run| format!(" run={} attempt={}", run.id, run.attempt));
        // Plain data serializes; base64 holds nothing that a page could take for something
        let shown = BASE64_STANDARD.encode(serde_json::to_vec(&self.shown).unwrap_or_default());
        format!("{MARK}gate={} head={}{run}{END}\n{EARLIER}{shown}{END}\n", self.gate, self.head())
    }

    /// The marker of a comment; `None` in a comment that is none of ours. It must be the last but one line or the last, so that
    /// a comment which quotes one of ours is not taken for it.
    #[must_use]
    pub fn read(body: &str) -> Option<Self> {
        let mut last = body.lines().rev().map(str::trim).filter(|line| !line.is_empty()).take(2);
        let (end, before) = (last.next()?, last.next().unwrap_or_default());
        let (mark, earlier) = if end.starts_with(MARK) { (end, "") } else { (before, end) };
        let mut gate = None;
        let (mut id, mut attempt, mut head) = (None, None, None);
        for word in mark.strip_prefix(MARK)?.strip_suffix(END)?.split(' ').take(8) {
            match word.split_once('=')? {
                ("gate", name) => gate = Some(name.to_owned()).filter(|name| is_gate(name)),
                ("head", commit) => head = Some(commit.to_owned()).filter(|commit| is_commit(commit)),
                ("run", number) => id = number.parse().ok(),
                ("attempt", number) => attempt = number.parse().ok(),
                _ => {}
            }
        }
        let run = id.zip(attempt).map(|(id, attempt)| RunId { id, attempt });
        let mut shown = read_shown(earlier).unwrap_or_default();
        if shown.first().is_some_and(|first| Some(&first.commit) != head.as_ref()) {
            shown.clear();
        }
        Some(Self { gate: gate?, run, shown })
    }
}

fn read_shown(line: &str) -> Option<Vec<Shown>> {
    let text = line.strip_prefix(EARLIER)?.strip_suffix(END)?;
    let bytes = (text.len() <= MAX_HIDDEN).then(|| BASE64_STANDARD.decode(text).ok()).flatten()?;
    let shown: Vec<Shown> = serde_json::from_slice(&bytes).ok()?;
    let sound = shown.len() <= MAX_EARLIER + 1 && shown.iter().all(Shown::is_sound);
    sound.then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::{MAX_EARLIER, Marker, RunId, Shown, is_gate};

    fn marker(commit: char, run: u64) -> Marker {
        let commit = commit.to_string().repeat(40);
        let shown = Shown::new(&commit, "regressed", "regressed: `a --> b` @ada <!-- x");
        Marker { gate: "default".into(), run: Some(RunId { id: run, attempt: 1 }), shown: vec![shown] }
    }

    #[test]
    fn a_marker_comes_back_and_holds_nothing_that_a_page_would_obey() {
        let marker = marker('a', 7).over(Some(&marker('b', 6)));
        let lines = marker.lines();
        assert!(!lines.contains("@ada") && lines.matches("-->").count() == 2, "{lines}");
        assert_eq!(Marker::read(&format!("### ok\n\n{lines}")), Some(marker.clone()));
        assert_eq!(
            Marker::read(&lines.replace('\n', "\r\n")),
            Some(marker),
            "GitHub may store other line ends"
        );
    }

    #[test]
    fn a_comment_that_quotes_ours_is_not_ours() {
        let lines = marker('a', 7).lines();
        assert_eq!(Marker::read(&format!("{lines}\nI do not understand this.\nAt all.")), None);
        assert_eq!(Marker::read("nothing"), None);
        assert_eq!(Marker::read(""), None);
        let quoted: String = lines.lines().map(|line| format!("> {line}\n")).collect();
        assert_eq!(Marker::read(&quoted), None);
    }

    #[test]
    fn hidden_lines_that_were_tampered_with_are_left_out() {
        let read = |from: &str, to: &str| Marker::read(&marker('a', 7).lines().replace(from, to));
        assert_eq!(read("gate=default", "gate=../x"), None);
        assert_eq!(read("run=7", "run=x").unwrap().run, None);
        assert!(read("tollgate:earlier ", "tollgate:earlier x").unwrap().shown.is_empty());
        assert!(read(&"a".repeat(40), &"b".repeat(40)).unwrap().shown.is_empty(), "another head");
        let bad = |shown: Shown| Marker { shown: vec![shown], ..marker('a', 7) }.lines();
        let sound = Shown::new(&"a".repeat(40), "pass", "x");
        for shown in [
            Shown { commit: "main".into(), ..sound.clone() },
            Shown { outcome: "<b>".into(), ..sound.clone() },
            Shown { summary: "x".repeat(301), ..sound },
        ] {
            assert!(Marker::read(&bad(shown)).unwrap().shown.is_empty());
        }
    }

    #[test]
    fn the_newest_ten_earlier_verdicts_are_kept_and_a_commit_stands_once() {
        let mut before = marker('0', 1);
        for (digit, run) in "123456789abcdef".chars().zip(2..) {
            before = marker(digit, run).over(Some(&before));
        }
        assert_eq!(before.shown.len(), MAX_EARLIER + 1);
        assert!(before.head().starts_with('f') && before.shown[10].commit.starts_with('5'));
        let again = marker('f', 99).over(Some(&before));
        assert_eq!(again.shown.len(), MAX_EARLIER + 1);
    }

    #[test]
    fn an_older_run_is_known_by_its_id_and_attempt() {
        let attempt = |attempt| Marker { run: Some(RunId { id: 7, attempt }), ..marker('a', 7) };
        assert!(marker('a', 6).is_older_than(&marker('b', 7)));
        assert!(attempt(1).is_older_than(&attempt(2)) && !attempt(2).is_older_than(&attempt(2)));
        assert!(!Marker { run: None, ..marker('a', 1) }.is_older_than(&marker('b', 7)));
    }

    #[test]
    fn a_gate_has_a_plain_name() {
        assert!(is_gate("default") && is_gate("api-2.x_y"));
        for bad in ["", "a b", "a--b", "-a", "a-", "a>b", &"x".repeat(51)] {
            assert!(!is_gate(bad), "{bad}");
        }
    }
}
