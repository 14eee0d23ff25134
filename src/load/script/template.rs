//! Texts with `{{ name }}`: parsed once, rendered for each request. A text without any is never rendered.
//!
//! A value that is put into a path is percent-encoded, unless it is marked with `| safe`; in headers and bodies values stand as
//! they are. `| urlencode` and `| tojson` are there for bodies.

use std::{collections::BTreeSet, fmt::Write as _};

use minijinja::{Environment, ErrorKind, Output, State, UndefinedBehavior, Value, syntax::SyntaxConfig};

/// Where a text goes; it decides how values are written into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A path with its query.
    Path,
    /// A header's value or a body.
    Plain,
}

/// A parsed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    place: Place,
    name: String,
    /// The names that it needs and does not define itself.
    pub(super) uses: BTreeSet<String>,
}

/// All templates of a script.
#[derive(Debug)]
pub(super) struct Templates {
    paths: Environment<'static>,
    plain: Environment<'static>,
    count: usize,
}

impl Templates {
    pub(super) fn new() -> Self {
        let mut paths = environment();
        paths.set_formatter(write_encoded);
        let mut plain = environment();
        plain.set_formatter(write_plain);
        Self { paths, plain, count: 0 }
    }

    /// Parses a text; `None` when there is nothing to render in it.
    pub(super) fn parse(&mut self, place: Place, text: &str) -> Result<Option<Template>, String> {
        if !["{{", "{%", "{#"].iter().any(|start| text.contains(start)) {
            return Ok(None);
        }
        let name = self.count.to_string();
        self.count += 1;
        let environment = match place {
            Place::Path => &mut self.paths,
            Place::Plain => &mut self.plain,
        };
        environment.add_template_owned(name.clone(), text.to_owned()).map_err(|error| sentence(&error))?;
        let parsed = environment.get_template(&name).map_err(|error| sentence(&error))?;
        let mut uses: BTreeSet<String> = parsed.undeclared_variables(false).into_iter().collect();
        for (global, _) in environment.globals() {
            uses.remove(global);
        }
        Ok(Some(Template { place, name, uses }))
    }

    /// Puts the values into a text.
    pub(super) fn render(&self, template: &Template, names: &Value) -> Result<String, minijinja::Error> {
        let environment = match template.place {
            Place::Path => &self.paths,
            Place::Plain => &self.plain,
        };
        environment.get_template(&template.name)?.render(names.clone())
    }
}

/// Whether a failed rendering will fail whatever the values are.
pub(super) fn is_certain(error: &minijinja::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnknownFilter
            | ErrorKind::UnknownTest
            | ErrorKind::UnknownFunction
            | ErrorKind::BadInclude
    )
}

/// A template's error in our words: the detail, and the line where there are several.
pub(super) fn sentence(error: &minijinja::Error) -> String {
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.line() {
        Some(line) if line > 1 => format!("{what} (line {line} of the text)"),
        _ => what,
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    // A body keeps its last line break.
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
        environment.set_syntax(syntax);
    }
    environment.add_filter("urlencode", |value: Value| {
        let mut encoded = String::new();
        push_encoded(&mut encoded, &written(&value));
        Value::from_safe_string(encoded)
    });
    environment.add_filter("tojson", |value: Value| {
        serde_json::to_string(&value)
            .map_err(|error| minijinja::Error::new(ErrorKind::BadSerialization, error.to_string()))
    });
    environment
}

/// A value as text. JSON's null is `null`.
fn written(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None if value.is_none() => "null".to_owned(),
        None => value.to_string(),
    }
}

fn write_plain(output: &mut Output, _: &mut State, value: &Value) -> Result<(), minijinja::Error> {
    defined(value)?;
    match value.as_str() {
        Some(text) => output.write_str(text)?,
        None => output.write_str(&written(value))?,
    }
    Ok(())
}

fn write_encoded(output: &mut Output, _: &mut State, value: &Value) -> Result<(), minijinja::Error> {
    defined(value)?;
    let text = written(value);
    if value.is_safe() {
        output.write_str(&text)?;
    } else {
        let mut encoded = String::with_capacity(text.len());
        push_encoded(&mut encoded, &text);
        output.write_str(&encoded)?;
    }
    Ok(())
}

/// A formatter of one's own must refuse what is undefined itself.
fn defined(value: &Value) -> Result<(), minijinja::Error> {
    if value.is_undefined() {
        return Err(minijinja::Error::new(ErrorKind::UndefinedError, "a value is undefined"));
    }
    Ok(())
}

/// Appends a value for a path segment or a query value: everything but RFC 3986's unreserved characters is encoded.
fn push_encoded(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => push_percent(out, other),
        }
    }
}

/// A path as it may be sent: what no path may hold (blanks, controls, `"<>\^` and the like, `#`, whatever is not ASCII) is
/// percent-encoded, the rest is left as it is.
pub(super) fn percent_safe(path: &str) -> String {
    let mut safe = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'#' => {
                push_percent(&mut safe, byte);
            }
            0x21..=0x7e => safe.push(char::from(byte)),
            other => push_percent(&mut safe, other),
        }
    }
    safe
}

fn push_percent(out: &mut String, byte: u8) {
    // Writing to a text cannot fail.
    let _ = write!(out, "%{byte:02X}");
}
