//! Reading `tollgate.toml`: every mistake at once, each with file, line and key.

use super::{
    command,
    file::File,
    load::{self, Key, Leave},
};
use crate::hint::Hint;
use serde::{Deserialize, de::IntoDeserializer};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fmt, fs,
    ops::Range,
    path::{Path, PathBuf},
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The largest file that is read; a configuration is a page, not a data set.
const MAX_BYTES: u64 = 1 << 20;
/// More mistakes than this are counted, not listed.
const MAX_MISTAKES: usize = 50;

/// One mistake in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, key included.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

/// Why the configuration cannot be used.
#[derive(Debug)]
pub enum Error {
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is read but wrong; all mistakes in the order of the file.
    Mistakes {
        /// The file.
        path: PathBuf,
        /// At least one.
        mistakes: Vec<Mistake>,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, .. } => {
                write!(formatter, "could not read the configuration `{}`", path.display())
            }
            Self::Mistakes { path, mistakes } => {
                for (index, mistake) in mistakes.iter().take(MAX_MISTAKES).enumerate() {
                    let separator = if index == 0 { "" } else { "\n" };
                    write!(
                        formatter,
                        "{separator}{}, in `{}`, line {}",
                        mistake.message,
                        path.display(),
                        mistake.line
                    )?;
                    if let Some(meant) = mistake.suggestion.as_ref().filter(|_| mistakes.len() > 1) {
                        write!(formatter, " (did you mean `{meant}`?)")?;
                    }
                }
                match mistakes.len().checked_sub(MAX_MISTAKES) {
                    Some(more) if more > 0 => write!(formatter, "\n… and {more} more"),
                    _ => Ok(()),
                }
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            Self::Mistakes { .. } => None,
        }
    }
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => Some("check the path given with `--config`".into()),
            Self::Mistakes { mistakes, .. } => match mistakes.as_slice() {
                [Mistake { suggestion: Some(meant), .. }] => Some(format!("did you mean `{meant}`?")),
                _ => Some(
                    "the keys are listed in `schemas/tollgate.toml.schema.json` and by `tollgate init`"
                        .into(),
                ),
            },
        }
    }
}

/// Reads and checks a configuration file, and the files that its load benchmarks name.
///
/// # Errors
/// When it cannot be read or holds mistakes; all of them are reported.
pub fn read(path: &Path) -> Result<File, Error> {
    read_with(path, false)
}

/// [`read`], but with `allow_remote` load benchmarks may name services on other machines.
///
/// # Errors
/// As [`read`].
pub fn read_with(path: &Path, allow_remote: bool) -> Result<File, Error> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    let size = fs::metadata(path).map_err(unreadable)?.len();
    if size > MAX_BYTES {
        let message = format!("the file is {size} bytes long; at most {MAX_BYTES} are read");
        return Err(unreadable(std::io::Error::other(message)));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let whole = std::path::absolute(path).map_err(unreadable)?;
    let folder = whole.parent().unwrap_or(Path::new("")).to_owned();
    let leave = Leave { folder: Some(&folder), allow_remote };
    let file =
        parse_with(&text, leave).map_err(|mistakes| Error::Mistakes { path: path.to_owned(), mistakes })?;
    Ok(File { folder, ..file })
}

/// Checks the text of a configuration file. Files that its load benchmarks name are not looked at.
///
/// # Errors
/// All mistakes, in the order of the file.
pub fn parse(text: &str) -> Result<File, Vec<Mistake>> {
    parse_with(text, Leave::default())
}

fn parse_with(text: &str, leave: Leave<'_>) -> Result<File, Vec<Mistake>> {
    let (mut table, syntax) = DeTable::parse_recoverable(text);
    let mut found: Vec<(Range<usize>, Mistake)> = syntax
        .iter()
        .map(|error| mistake(text, error.span().unwrap_or(0..0), error.message().to_owned(), None))
        .collect();
    if found.is_empty() {
        let schema = schemars::schema_for!(File);
        take_unknown_keys(text, table.get_mut(), schema.as_value(), schema.as_value(), "", &mut found);
        let mut broken_loads = BTreeSet::new();
        // Serde stops at the first wrong value, so the entry that holds it is taken out and the rest is tried again.
        loop {
            match File::deserialize(table.clone().into_deserializer()) {
                Ok(file) => {
                    found.extend(semantic_mistakes(text, &table, &file));
                    for trouble in load::check(&file, leave, &broken_loads) {
                        let span = span_at(table.get_ref(), &trouble.path);
                        found.push(mistake(text, span, trouble.to_string(), None));
                    }
                    if found.is_empty() {
                        return Ok(file);
                    }
                    break;
                }
                Err(error) => {
                    let span = error.span().unwrap_or(0..0);
                    broken_loads.extend(row_at(table.get_ref(), "load", span.start));
                    let key = take_entry_at(table.get_mut(), &span, "");
                    let message = match &key {
                        Some(key) => format!("key `{key}`: {}", error.message()),
                        None => error.message().to_owned(),
                    };
                    found.push(mistake(text, span, message, None));
                    if key.is_none() {
                        break;
                    }
                }
            }
        }
    }
    found.sort_by_key(|(span, _)| span.start);
    Err(found.into_iter().map(|(_, mistake)| mistake).collect())
}

fn mistake(
    text: &str,
    span: Range<usize>,
    message: String,
    suggestion: Option<String>,
) -> (Range<usize>, Mistake) {
    let line = text.as_bytes().iter().take(span.start).filter(|byte| **byte == b'\n').count() + 1;
    (span, Mistake { line, message, suggestion })
}

/// Removes keys that the schema does not know, and reports them with the nearest known key.
fn take_unknown_keys(
    text: &str,
    table: &mut DeTable<'_>,
    schema: &Value,
    root: &Value,
    prefix: &str,
    found: &mut Vec<(Range<usize>, Mistake)>,
) {
    let Some(known) = resolve_reference(schema, root).get("properties").and_then(Value::as_object) else {
        return;
    };
    let unknown: Vec<_> = table
        .keys()
        .filter(|key| !known.contains_key(key.get_ref().as_ref()))
        .map(|key| (key.span(), key.get_ref().to_string()))
        .collect();
    for (span, key) in unknown {
        let meant = nearest(&key, known.keys());
        found.push(mistake(text, span, format!("unknown key `{prefix}{key}`"), meant));
        table.remove(key.as_str());
    }
    for (key, value) in table.iter_mut() {
        let name = key.get_ref().as_ref();
        let Some(part) = known.get(name) else { continue };
        let path = format!("{prefix}{name}.");
        match value.get_mut() {
            DeValue::Table(inner) => take_unknown_keys(text, inner, part, root, &path, found),
            DeValue::Array(rows) => {
                let item = resolve_reference(part, root).get("items").cloned().unwrap_or(Value::Null);
                for row in rows.iter_mut() {
                    if let DeValue::Table(inner) = row.get_mut() {
                        take_unknown_keys(text, inner, &item, root, &path, found);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Follows a schema's `$ref`, also inside `anyOf` and `allOf`, to the definition that has properties or items.
fn resolve_reference<'schema>(schema: &'schema Value, root: &'schema Value) -> &'schema Value {
    if let Some(pointer) = schema.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'))
    {
        return root.pointer(pointer).map_or(schema, |definition| resolve_reference(definition, root));
    }
    ["allOf", "anyOf"]
        .iter()
        .filter_map(|word| schema.get(word)?.as_array()?.iter().find(|part| part.get("$ref").is_some()))
        .map(|part| resolve_reference(part, root))
        .next()
        .unwrap_or(schema)
}

/// The known key that an unknown one was probably meant to be.
fn nearest<'key>(key: &str, known: impl Iterator<Item = &'key String>) -> Option<String> {
    known
        .map(|candidate| (strsim::damerau_levenshtein(key, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 3)
        .map(|(_, candidate)| candidate.clone())
}

/// Removes the innermost entry whose value covers the span; returns its dotted key.
fn take_entry_at(table: &mut DeTable<'_>, span: &Range<usize>, prefix: &str) -> Option<String> {
    let covers = |outer: Range<usize>| outer.start <= span.start && span.end <= outer.end;
    let mut hit = None;
    for (key, value) in table.iter_mut() {
        let name = key.get_ref().to_string();
        let whole = value.span();
        match value.get_mut() {
            DeValue::Table(inner) => {
                if let Some(key) = take_entry_at(inner, span, &format!("{prefix}{name}.")) {
                    return Some(key);
                }
            }
            DeValue::Array(rows) => {
                if let Some(key) = take_row_at(rows, span, &format!("{prefix}{name}")) {
                    return Some(key);
                }
            }
            _ => {}
        }
        if covers(whole) || covers(key.span()) {
            hit = Some(name);
        }
    }
    let name = hit?;
    table.remove(name.as_str());
    Some(format!("{prefix}{name}"))
}

fn take_row_at(rows: &mut toml::de::DeArray<'_>, span: &Range<usize>, key: &str) -> Option<String> {
    let position = rows.iter().position(|row| holds(row, span.start))?;
    let inner =
        rows.iter_mut().enumerate().find(|(index, _)| *index == position).map(|(_, row)| row).and_then(
            |row| match row.get_mut() {
                DeValue::Table(inner) => take_entry_at(inner, span, &format!("{key}.")),
                _ => None,
            },
        );
    // A rule or waiver with a wrong entry is no rule: the row goes as a whole. Load benchmarks keep their rows, so that the rest
    // of them is read and their places stay; no entry of theirs is needed by its type.
    let stays = inner.is_some() && (key == "load" || key.starts_with("load.") || key.starts_with("targets."));
    if !stays {
        remove_row(rows, position);
    }
    inner.or_else(|| Some(key.to_owned()))
}

/// Whether a place in the text belongs to a value or to anything in it. A row's own span is only its header.
fn holds(value: &Spanned<DeValue<'_>>, at: usize) -> bool {
    value.span().contains(&at)
        || match value.get_ref() {
            DeValue::Table(table) => table
                .iter()
                .any(|(key, value)| (key.span().start..value.span().end).contains(&at) || holds(value, at)),
            DeValue::Array(rows) => rows.iter().any(|row| holds(row, at)),
            _ => false,
        }
}

/// The row of a list at the top of the file to which a place in the text belongs.
fn row_at(table: &DeTable<'_>, list: &str, at: usize) -> Option<usize> {
    table.get(list)?.get_ref().as_array()?.iter().position(|row| holds(row, at))
}

/// The span of the key at the end of a path, or of the last one before it that the file has.
fn span_at(table: &DeTable<'_>, path: &[Key]) -> Range<usize> {
    let Some((Key::Name(first), rest)) = path.split_first() else { return 0..0 };
    let Some(mut value) = table.get(first.as_str()) else { return 0..0 };
    for key in rest {
        let next = match (key, value.get_ref()) {
            (Key::Name(name), DeValue::Table(inner)) => inner.get(name.as_str()),
            (Key::Row(index), DeValue::Array(rows)) => rows.get(*index),
            _ => None,
        };
        match next {
            Some(inner) => value = inner,
            None => break,
        }
    }
    value.span()
}

fn remove_row(rows: &mut toml::de::DeArray<'_>, position: usize) {
    let kept =
        rows.iter().enumerate().filter(|(index, _)| *index != position).map(|(_, row)| row.clone()).collect();
    *rows = kept;
}

/// Mistakes that types cannot catch: an empty reason, a day that is no day, a glob that is no glob.
fn semantic_mistakes(text: &str, table: &Spanned<DeTable<'_>>, file: &File) -> Vec<(Range<usize>, Mistake)> {
    let mut found = Vec::new();
    let mut add = |list: &str, index: usize, key: &str, message: String| {
        found.push(mistake(
            text,
            span_of(table.get_ref(), list, index, key),
            format!("key `{list}.{key}`: {message}"),
            None,
        ));
    };
    for (index, rule) in file.rule.iter().enumerate() {
        if let Some(message) = glob_mistake(&rule.benchmark) {
            add("rule", index, "benchmark", message);
        }
    }
    for (index, waiver) in file.waiver.iter().enumerate() {
        if let Some(message) = glob_mistake(&waiver.benchmark) {
            add("waiver", index, "benchmark", message);
        }
        for (key, value) in [("reason", &waiver.reason), ("owner", &waiver.owner)] {
            if value.trim().is_empty() {
                add("waiver", index, key, "must not be empty".into());
            }
        }
        if waiver.expires.parse::<jiff::civil::Date>().is_err() {
            add("waiver", index, "expires", format!("`{}` is not a day: write `2027-01-31`", waiver.expires));
        }
    }
    for index in 0..file.command.len() {
        for (key, message) in command::mistakes(&file.command, index) {
            add("command", index, key, message);
        }
    }
    if file.measure.samples.is_some_and(|samples| samples < 10) {
        let span =
            table.get_ref().get("measure").and_then(|section| Some(section.get_ref().get("samples")?.span()));
        found.push(mistake(
            text,
            span.unwrap_or(0..0),
            "key `measure.samples`: criterion takes at least 10 samples".into(),
            None,
        ));
    }
    found
}

fn glob_mistake(glob: &str) -> Option<String> {
    globset::Glob::new(glob).err().map(|error| format!("`{glob}` is not a glob: {}", error.kind()))
}

fn span_of(table: &DeTable<'_>, list: &str, index: usize, key: &str) -> Range<usize> {
    table
        .get(list)
        .and_then(|rows| rows.get_ref().as_array()?.get(index))
        .and_then(|row| Some(row.get_ref().as_table()?.get(key)?.span()))
        .unwrap_or(0..0)
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::config::values::{Percent, Quantity, Span};

    fn mistakes(text: &str) -> Vec<String> {
        parse(text)
            .unwrap_err()
            .into_iter()
            .map(|m| {
                format!(
                    "{}: {}{}",
                    m.line,
                    m.message,
                    m.suggestion.map(|s| format!(" [{s}]")).unwrap_or_default()
                )
            })
            .collect()
    }

    #[test]
    fn an_empty_file_is_all_defaults() {
        assert_eq!(parse("").unwrap(), super::File::default());
    }

    #[test]
    fn every_documented_form_is_read() {
        let file = parse(
            r#"
[policy]
margin = "3%"
max_blind = 0.25
[measure]
budget = "90s"
copy = ["data/*.bin"]
[[rule]]
benchmark = "num/*"
margin = 0.05
budget = "50us"
[[waiver]]
benchmark = "x"
cap = "10%"
reason = "a trade"
owner = "ann"
expires = "2027-01-31"
"#,
        )
        .unwrap();
        assert_eq!(file.policy.margin, Some(Percent(0.03)));
        assert_eq!(file.policy.max_blind, Some(Percent(0.25)));
        assert_eq!(file.measure.budget, Some(Span(90.0)));
        assert_eq!(file.rule[0].budget, Some(Quantity(50_000.0)));
        assert_eq!(file.waiver[0].owner, "ann");
    }

    #[test]
    fn unknown_keys_are_named_with_line_and_suggestion() {
        assert_eq!(mistakes("\n[polcy]\nmargin = 1\n"), ["2: unknown key `polcy` [policy]"]);
        assert_eq!(mistakes("[policy]\nmargn = \"2%\"\n"), ["2: unknown key `policy.margn` [margin]"]);
        assert_eq!(
            mistakes("[[rule]]\nbenchmark = \"x\"\nfloorr = 1\n"),
            ["3: unknown key `rule.floorr` [floor]"]
        );
        assert_eq!(mistakes("zzzzzz = 1\n"), ["1: unknown key `zzzzzz`"]);
    }

    #[test]
    fn all_mistakes_are_reported_at_once_in_order() {
        let text = "[policy]\nmargin = \"two\"\nstrict = 3\nbogus = 1\n[measure]\nbudget = \"-1s\"\n[[waiver]]\nbenchmark = \"x\"\n";
        let found = mistakes(text);
        assert_eq!(found.len(), 5, "{found:#?}");
        assert!(found[0].starts_with("2: key `policy.margin`: `two` is not a share"), "{found:#?}");
        assert!(found[1].starts_with("3: key `policy.strict`"), "{found:#?}");
        assert!(found[2].starts_with("4: unknown key `policy.bogus`"), "{found:#?}");
        assert!(found[3].starts_with("6: key `measure.budget`"), "{found:#?}");
        assert!(found[4].contains("missing field"), "{found:#?}");
    }

    #[test]
    fn what_types_cannot_catch_is_caught() {
        let waiver = |reason: &str, expires: &str, glob: &str| {
            format!(
                "[[waiver]]\nbenchmark = \"{glob}\"\ncap = \"1%\"\nreason = \"{reason}\"\nowner = \"a\"\nexpires = \"{expires}\"\n"
            )
        };
        assert!(
            mistakes(&waiver(" ", "2027-01-31", "x"))[0]
                .starts_with("4: key `waiver.reason`: must not be empty")
        );
        assert!(mistakes(&waiver("r", "2027-02-31", "x"))[0].starts_with("6: key `waiver.expires`"));
        assert!(mistakes(&waiver("r", "2027-01-31", "[x"))[0].starts_with("2: key `waiver.benchmark`"));
        assert!(mistakes("[measure]\nsamples = 5\n")[0].starts_with("2: key `measure.samples`"));
    }

    #[test]
    fn broken_syntax_has_a_line() {
        assert!(
            mistakes("a = 1\nb = [\n")[0].starts_with("2: ")
                || mistakes("a = 1\nb = [\n")[0].starts_with("3: ")
        );
    }
}
