//! One user's way through a flow: the next request, then its answer, until the flow ends or fails.

use std::sync::Arc;

use bytes::Bytes;
use hyper::{HeaderMap, Method, http::uri::PathAndQuery};
use minijinja::Value;

use super::{
    answer::Answer,
    compile::{Compiled, CompiledStep},
    names::Names,
};
use crate::model::load::ErrorKind;

/// A request to be sent.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Which of the script's endpoints it belongs to.
    pub endpoint: usize,
    /// Its method.
    pub method: Method,
    /// Path and query: begins with `/`, and holds nothing that would have to be encoded.
    pub path: PathAndQuery,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; empty for none.
    pub body: Bytes,
    /// Whether [`Session::take`] needs the answer's body.
    pub wants_body: bool,
}

/// A flow under way.
#[derive(Debug, Clone)]
pub struct Session {
    script: Arc<Compiled>,
    flow: usize,
    row: usize,
    number: u64,
    /// The step that comes next.
    step: usize,
    captured: Arc<Vec<Option<Value>>>,
    failed: Option<(usize, ErrorKind)>,
}

impl Session {
    pub(super) fn new(script: Arc<Compiled>, flow: usize, row: usize, number: u64) -> Self {
        let captured = Arc::clone(&script.flows[flow].nothing_captured);
        Self { script, flow, row, number, step: 0, captured, failed: None }
    }

    /// The next request; `None` when the session is over.
    ///
    /// A request that cannot be sent (a value with a line break in a header, a path that does not begin with `/`) ends the session
    /// as well: then [`Session::failed`] says so, and it counts as an error.
    #[expect(
        clippy::should_implement_trait,
        reason = "an answer belongs between two requests, so this is no iterator"
    )]
    pub fn next(&mut self) -> Option<Prepared> {
        let index = self.step;
        let script = Arc::clone(&self.script);
        let step = script.flows[self.flow].steps.get(index)?;
        match step.request.fill(&script.templates, || self.names()) {
            Ok(filled) => {
                self.step += 1;
                Some(Prepared {
                    endpoint: step.endpoint,
                    method: step.request.method.clone(),
                    path: filled.path,
                    headers: filled.headers,
                    body: filled.body,
                    wants_body: step.checks.want_body(),
                })
            }
            Err(_) => {
                self.abandon();
                self.failed = Some((step.endpoint, ErrorKind::Body));
                None
            }
        }
    }

    /// Judges the answer to the last request and keeps what it captures.
    ///
    /// # Errors
    /// `Status` or `Body` when it is not what was expected, or a value is missing; then the session is over.
    pub fn take(&mut self, answer: &Answer) -> Result<(), ErrorKind> {
        let script = Arc::clone(&self.script);
        let Some(step) = self.last_step(&script) else { return Ok(()) };
        let result = step.checks.accept(answer).and_then(|()| {
            if step.checks.capture() {
                let values: &mut Vec<_> = Arc::make_mut(&mut self.captured);
                step.checks.take(answer, values)
            } else {
                Ok(())
            }
        });
        if result.is_err() {
            self.abandon();
        }
        result
    }

    /// Ends the session: the last request got no answer.
    pub fn abandon(&mut self) {
        self.step = usize::MAX;
    }

    /// The endpoint and kind of error of a request that could not be made, once [`Session::next`] has ended the session over it.
    #[must_use]
    pub fn failed(&self) -> Option<(usize, ErrorKind)> {
        self.failed
    }

    /// The ranges of statuses, both ends included, that the answer to the last request may have.
    #[must_use]
    pub fn expected_statuses(&self) -> Vec<(u16, u16)> {
        self.last_step(&self.script).map(|step| step.checks.statuses().to_vec()).unwrap_or_default()
    }

    fn last_step<'a>(&self, script: &'a Compiled) -> Option<&'a CompiledStep> {
        script.flows[self.flow].steps.get(self.step.checked_sub(1)?)
    }

    fn names(&self) -> Value {
        Value::from_object(Names {
            script: Arc::clone(&self.script),
            flow: self.flow,
            number: self.number,
            row: self.row,
            captured: Arc::clone(&self.captured),
        })
    }
}
