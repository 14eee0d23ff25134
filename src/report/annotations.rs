//! The verdict as GitHub's workflow commands: lines on standard output that its runner shows beside the change.
//!
//! The runner takes ten a level for the whole action and cuts a message at 4,096 characters. So nine are written, the most important
//! ones, and how many more there are; one is left for the step itself.

use super::{
    places::Places,
    view::{self, Line, Piece, Row, View},
};
use crate::model::verdict::{CheckVerdict, Judgement, Verdict};
use crate::text::{escape, plural};

/// Annotations of a level.
pub const MAX_PER_LEVEL: usize = 9;
/// The longest message, in the units in which the runner counts (UTF-16).
pub const LONGEST_MESSAGE: usize = 4_096;
/// A longer title loses its middle, columns.
const LONGEST_TITLE: usize = 200;

/// How loud an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }

    /// The level of a row; `None` for one that needs no annotation.
    fn of(row: &Judgement) -> Option<Self> {
        match row.verdict {
            Verdict::Regressed | Verdict::Failed => Some(Self::Error),
            Verdict::Missing | Verdict::Inconclusive | Verdict::Waived => Some(Self::Warning),
            Verdict::Improved => Some(Self::Notice),
            Verdict::New | Verdict::Unchanged | Verdict::Identical => None,
        }
    }
}

/// An annotation; texts are raw.
struct Annotation {
    level: Level,
    file: Option<String>,
    title: String,
    message: String,
}

/// The workflow commands of a verdict, each in a line of its own: first the answer, then the rows that matter.
#[must_use]
pub fn render(verdict: &CheckVerdict, places: &Places) -> String {
    let view = View::of(verdict);
    let judgements = view::ordered(verdict);
    let rows =
        judgements.iter().zip(&view.rows).filter_map(|(judgement, row)| annotation(judgement, row, places));
    let mut all = vec![answer(verdict, &view)];
    all.extend(rows);
    [Level::Error, Level::Warning, Level::Notice].into_iter().map(|level| lines(level, &all)).collect()
}

fn answer(verdict: &CheckVerdict, view: &View) -> Annotation {
    // What could not be judged is an error: it must not read like a remark beside a pass.
    let level = if verdict.outcome.exit_code() == 0 { Level::Notice } else { Level::Error };
    let lines: Vec<String> = std::iter::once(&view.summary).chain(&view.also).map(plain).collect();
    Annotation { level, file: None, title: "tollgate".to_owned(), message: lines.join("\n") }
}

fn plain(line: &Line) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Name(name) => format!("`{}`", escape::shortened(&escape::visible(name), LONGEST_TITLE)),
    };
    line.iter().map(piece).collect()
}

fn annotation(judgement: &Judgement, row: &Row, places: &Places) -> Option<Annotation> {
    let level = Level::of(judgement)?;
    let name = escape::shortened(&escape::visible(&row.label()), LONGEST_TITLE);
    let change =
        if row.change.is_empty() { String::new() } else { format!(" {} ({})", row.change, row.interval) };
    Some(Annotation {
        level,
        file: places.of(judgement).map(str::to_owned),
        title: format!("{}: {name}", row.verdict.as_str()),
        message: format!("{name}{change}: {}", row.sentence_lines().join("\n")),
    })
}

/// The commands of a level. Where they do not fit, the last place says how many more there are.
fn lines(level: Level, all: &[Annotation]) -> String {
    let mine: Vec<&Annotation> = all.iter().filter(|annotation| annotation.level == level).collect();
    if mine.len() <= MAX_PER_LEVEL {
        return mine.into_iter().map(command).collect();
    }
    let (shown, rest) = mine.split_at(MAX_PER_LEVEL - 1);
    let more = Annotation {
        level,
        file: None,
        title: "tollgate".to_owned(),
        message: format!(
            "{} left out here; the report has all",
            plural::count(rest.len(), "more annotation")
        ),
    };
    shown.iter().copied().chain([&more]).map(command).collect()
}

/// `::error file=benches/a.rs,line=1,title=…::…`
fn command(annotation: &Annotation) -> String {
    let file =
        annotation.file.as_deref().map(|file| format!("file={},line=1,", escape::workflow_property(file)));
    format!(
        "::{} {}title={}::{}\n",
        annotation.level.as_str(),
        file.unwrap_or_default(),
        escape::workflow_property(&annotation.title),
        escape::workflow_message(&cut(&annotation.message)),
    )
}

/// The text as far as the runner reads it, with hidden characters already spelt out, since they count in that form.
fn cut(text: &str) -> String {
    let text: String = text.lines().map(escape::visible).collect::<Vec<_>>().join("\n");
    let mut units = 0;
    let fits = |character: &char| {
        units += character.len_utf16();
        units < LONGEST_MESSAGE
    };
    let kept: String = text.chars().take_while(fits).collect();
    if kept.len() == text.len() { kept } else { kept + "…" }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{LONGEST_MESSAGE, MAX_PER_LEVEL, render};
    use crate::format::example;
    use crate::model::{outcome::Outcome, verdict::Verdict};
    use crate::report::places::Places;

    #[test]
    fn each_row_that_matters_is_a_command_with_its_file_where_that_is_known() {
        let places = Places::new(BTreeMap::from([("kernels".to_owned(), "a/benches/kernels.rs".to_owned())]));
        let text = render(&example::verdict(), &places);
        insta::assert_snapshot!(text, @"
        ::error title=tollgate::regressed: 1 of 6 benchmarks got slower (`num/sieve` +5.0 %25)%0Aalso error: 1 benchmark could not be measured%0Aalso incomplete: 1 benchmark is missing
        ::error file=a/benches/kernels.rs,line=1,title=regressed%3A num/sieve::num/sieve +5.0 %25 (+4.3 to +5.7 %25): slower, by 4.3 %25 at least
        ::error file=a/benches/kernels.rs,line=1,title=failed%3A io/read::io/read: head exited with code 101: thread 'main' panicked at benches/io.rs:12:5: no such file
        ::warning file=a/benches/kernels.rs,line=1,title=missing%3A num/gone::num/gone: only base has it; rename it in `tollgate.toml` or take it out on purpose
        ::warning file=a/benches/kernels.rs,line=1,title=waived%3A tree/walk::tree/walk +8.0 %25 (+7.2 to +8.7 %25): slower by 8.0 %25, waived up to 10 %25 by ada until 2027-01-31: the new tree keeps parents
        ::warning file=a/benches/kernels.rs,line=1,title=inconclusive%3A sort/quick::sort/quick +3.9 %25 (-1.1 to +8.9 %25): a slowdown of up to 8.9 %25 could not be ruled out; give it more time with `--budget`
        ::notice file=a/benches/kernels.rs,line=1,title=improved%3A hash/fnv::hash/fnv -9.0 %25 (-9.8 to -8.3 %25): faster, by 8.3 %25 at least; store it with `tollgate baseline accept`
        ");
        let elsewhere = render(&example::verdict(), &Places::unknown());
        assert!(!elsewhere.contains("file="), "{elsewhere}");
    }

    #[test]
    fn a_level_has_nine_and_says_how_many_more_there_are() {
        let mut verdict = example::verdict();
        for at in 0..50 {
            verdict.judgements.push(example::count_row(&format!("n/{at}"), 1.0, 2.0, Verdict::Regressed));
        }
        let text = render(&verdict, &Places::unknown());
        assert_eq!(text.lines().filter(|line| line.starts_with("::error ")).count(), MAX_PER_LEVEL);
        assert!(text.contains("::error title=tollgate::45 more annotations left out here"), "{text}");
    }

    #[test]
    fn no_text_of_others_starts_a_command() {
        for hostile in [
            "x\n::stop-commands::a",
            "a\r\n::add-mask::b",
            "::error::c",
            "a%0A::set-env name=A::b",
            "##[error]d",
        ] {
            let mut verdict = example::verdict();
            for row in &mut verdict.judgements {
                row.display_id = hostile.into();
                row.reason = hostile.into();
            }
            let text = render(&verdict, &Places::unknown());
            for line in text.lines() {
                let ours = ["::error title=", "::warning title=", "::notice title="];
                assert!(ours.iter().any(|start| line.starts_with(start)), "{line}");
                assert_eq!(
                    line.matches("::").count() - line[2..].split_once("::").unwrap().1.matches("::").count(),
                    2
                );
                assert!(!line.contains('\r'), "{line}");
            }
        }
    }

    #[test]
    fn a_message_ends_where_the_runner_would_cut_it() {
        let mut verdict = example::verdict_of(&["num/sieve"], Outcome::Incomplete, &"🦀 ".repeat(9_000));
        verdict.judgements.clear();
        let text = render(&verdict, &Places::unknown());
        let message = text.trim_end().rsplit_once("title=tollgate::").unwrap().1;
        assert!(
            message.encode_utf16().count() <= LONGEST_MESSAGE && message.ends_with('…'),
            "{}",
            message.len()
        );
        assert!(text.starts_with("::error "));
    }
}
