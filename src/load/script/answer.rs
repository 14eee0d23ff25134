//! What an answer must look like, and what is taken from it.

use bytes::Bytes;
use hyper::{
    StatusCode,
    header::{HeaderMap, HeaderName},
};
use minijinja::Value;
use regex::bytes::Regex;
use serde_json_path::JsonPath;

use super::{data::number_value, failure::Part};
use crate::{
    load::scenario::{Capture, CaptureFrom, Expect},
    model::load::ErrorKind,
};

/// The largest value that is captured, bytes: a token or an id, not a page.
const MAX_CAPTURE_BYTES: usize = 64 << 10;

/// The statuses that count as an answer where nothing is said.
const DEFAULT_STATUS: (u16, u16) = (200, 399);

/// What a service answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; empty unless the request wanted it.
    pub body: Bytes,
}

/// Where a value is taken from, parsed.
#[derive(Debug)]
enum Source {
    Json(JsonPath),
    Pattern(Regex),
    Header(HeaderName),
}

/// What is asked of an answer.
#[derive(Debug)]
pub(super) struct Checks {
    status: Vec<(u16, u16)>,
    pattern: Option<Regex>,
    /// Where each value goes in the session's captured values, and where it comes from.
    captures: Vec<(usize, Source)>,
}

impl Checks {
    /// Compiles what is expected and captured; `slot` gives the place of a captured name. All problems are returned.
    pub(super) fn compile(
        expect: &Expect,
        captures: &[Capture],
        mut slot: impl FnMut(&str) -> usize,
    ) -> (Self, Vec<(Part, String)>) {
        let mut problems = Vec::new();
        for (low, high) in &expect.status {
            if low > high || *low < 100 || *high > 999 {
                let message = format!("{low} to {high} is no range of statuses: they are from 100 to 999");
                problems.push((Part::Status, message));
            }
        }
        let pattern = expect.body.as_ref().and_then(|text| {
            Regex::new(text).map_err(|error| problems.push((Part::Pattern, no_pattern(&error)))).ok()
        });
        let mut compiled = Vec::new();
        for capture in captures {
            match source(&capture.from) {
                Ok(source) => compiled.push((slot(&capture.name), source)),
                Err(message) => problems.push((Part::Capture(capture.name.clone()), message)),
            }
        }
        let status = if expect.status.is_empty() { vec![DEFAULT_STATUS] } else { expect.status.clone() };
        (Self { status, pattern, captures: compiled }, problems)
    }

    /// The ranges of statuses that are expected, both ends included.
    pub(super) fn statuses(&self) -> &[(u16, u16)] {
        &self.status
    }

    /// Whether the body must be kept for the checks.
    pub(super) fn want_body(&self) -> bool {
        let from_body = |(_, source): &(usize, Source)| !matches!(source, Source::Header(_));
        self.pattern.is_some() || self.captures.iter().any(from_body)
    }

    /// Whether anything is captured.
    pub(super) fn capture(&self) -> bool {
        !self.captures.is_empty()
    }

    /// Whether the answer is what was expected: its status first, then its body.
    pub(super) fn accept(&self, answer: &Answer) -> Result<(), ErrorKind> {
        let status = answer.status.as_u16();
        if !self.status.iter().any(|(low, high)| (*low..=*high).contains(&status)) {
            return Err(ErrorKind::Status);
        }
        match &self.pattern {
            Some(pattern) if !pattern.is_match(&answer.body) => Err(ErrorKind::Body),
            _ => Ok(()),
        }
    }

    /// Puts the captured values into their places. A value that is not there makes the answer a wrong one.
    pub(super) fn take(&self, answer: &Answer, values: &mut [Option<Value>]) -> Result<(), ErrorKind> {
        let wants_json = self.captures.iter().any(|(_, source)| matches!(source, Source::Json(_)));
        let json = match wants_json {
            true => serde_json::from_slice(&answer.body).map_err(|_| ErrorKind::Body)?,
            false => serde_json::Value::Null,
        };
        for (slot, source) in &self.captures {
            let value = captured(source, answer, &json).ok_or(ErrorKind::Body)?;
            if let Some(place) = values.get_mut(*slot) {
                *place = Some(value);
            }
        }
        Ok(())
    }
}

fn no_pattern(error: &regex::Error) -> String {
    // The library draws the pattern over several lines; its last line says what is wrong.
    let text = error.to_string();
    let last = text.lines().next_back().unwrap_or_default().trim_start_matches("error: ").to_owned();
    format!("not a regular expression: {last}")
}

fn source(from: &CaptureFrom) -> Result<Source, String> {
    match from {
        CaptureFrom::JsonPath(path) => JsonPath::parse(path)
            .map(Source::Json)
            .map_err(|error| format!("not a JSONPath such as `$.user.id`: {}", error.message())),
        CaptureFrom::Regex(pattern) => {
            Regex::new(pattern).map(Source::Pattern).map_err(|error| no_pattern(&error))
        }
        CaptureFrom::Header(name) => {
            HeaderName::try_from(name).map(Source::Header).map_err(|_| "this is no name of a header".into())
        }
    }
}

fn captured(source: &Source, answer: &Answer, json: &serde_json::Value) -> Option<Value> {
    match source {
        Source::Json(path) => json_value(path.query(json).first()?),
        Source::Pattern(pattern) => {
            let found = pattern.captures(&answer.body)?;
            text_value(found.get(1).or_else(|| found.get(0))?.as_bytes())
        }
        Source::Header(name) => text_value(answer.headers.get(name)?.as_bytes()),
    }
}

/// Null is no value; a list or an object is its JSON.
fn json_value(value: &serde_json::Value) -> Option<Value> {
    match value {
        serde_json::Value::Null => None,
        serde_json::Value::Bool(truth) => Some(Value::from(*truth)),
        serde_json::Value::Number(number) => Some(number_value(&number.to_string())),
        serde_json::Value::String(text) => text_value(text.as_bytes()),
        nested => text_value(nested.to_string().as_bytes()),
    }
}

fn text_value(bytes: &[u8]) -> Option<Value> {
    (bytes.len() <= MAX_CAPTURE_BYTES).then(|| Value::from(String::from_utf8_lossy(bytes).into_owned()))
}
