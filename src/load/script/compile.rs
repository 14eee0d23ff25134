//! Flows to a script: data and body files read, templates and patterns compiled, every problem found at once.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use bytes::Bytes;
use hyper::{HeaderMap, Method, http::uri::PathAndQuery};
use minijinja::Value;

use super::{
    answer::Checks,
    data::Table,
    failure::{Error, Part, Problem},
    files,
    names::{BUILT_IN, Names},
    request::{BodyText, PathText, Request, header_name, header_value, method, sendable_path},
    session::Session,
    template::{Place, Templates, is_certain, sentence},
};
use crate::{
    load::scenario::{Body, Data, Flow, Step},
    stats::random::Stream,
};

/// Numbers of sessions are at most this where flows take turns: so far an `f64` counts whole steps.
const MOST_NUMBER: u64 = (1 << 52) - 1;

/// More known names than this are not listed in a message.
const MAX_NAMED: usize = 20;

/// Flows made ready to be asked. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Script {
    compiled: Arc<Compiled>,
}

/// What all sessions share.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) flows: Vec<CompiledFlow>,
    pub(super) templates: Templates,
    pub(super) seed: u64,
    endpoints: Vec<String>,
    /// For each flow, the weights up to and with its own.
    weights: Vec<f64>,
}

/// One flow.
#[derive(Debug)]
pub(super) struct CompiledFlow {
    name: String,
    pub(super) steps: Vec<CompiledStep>,
    pub(super) data: Option<Rows>,
    /// The names that its steps capture; a session keeps one value for each.
    pub(super) captures: Vec<String>,
    /// The values of a session that has captured nothing yet: one for each name, and shared until a session captures.
    pub(super) nothing_captured: Arc<Vec<Option<Value>>>,
}

/// The data of a flow.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) table: Table,
    in_order: bool,
}

/// One step.
#[derive(Debug)]
pub(super) struct CompiledStep {
    pub(super) endpoint: usize,
    pub(super) request: Request,
    pub(super) checks: Checks,
}

impl Script {
    /// Reads what the flows name, below `folder`, and compiles them. What is drawn at random depends on `seed` only.
    ///
    /// # Errors
    /// When there is no flow, or with everything that is wrong with them.
    pub fn compile(flows: &[Flow], folder: &Path, seed: u64) -> Result<Self, Error> {
        if flows.is_empty() {
            return Err(Error::Empty);
        }
        let (script, problems) = Self::gather(flows, Some(folder), seed);
        if problems.is_empty() { Ok(script) } else { Err(Error::Problems(problems)) }
    }

    /// Everything that is wrong with the flows. Without a folder, the files that they name are not read, and names that may be
    /// columns of theirs are let pass.
    #[must_use]
    pub fn check(flows: &[Flow], folder: Option<&Path>) -> Vec<Problem> {
        Self::gather(flows, folder, 0).1
    }

    fn gather(flows: &[Flow], folder: Option<&Path>, seed: u64) -> (Self, Vec<Problem>) {
        let mut compiler = Compiler::new(folder);
        let compiled: Vec<CompiledFlow> =
            flows.iter().enumerate().map(|(index, flow)| compiler.flow(index, flow)).collect();
        let mut total = 0.0;
        let weights = flows
            .iter()
            .map(|flow| {
                total += flow.weight;
                total
            })
            .collect();
        let script = Self {
            compiled: Arc::new(Compiled {
                flows: compiled,
                templates: compiler.templates,
                seed,
                endpoints: compiler.endpoints,
                weights,
            }),
        };
        let mut problems = compiler.problems;
        if problems.is_empty() && flows.iter().all(|flow| flow.data.is_none() || folder.is_some()) {
            problems = script.trial();
        }
        (script, problems)
    }

    /// The names of all steps of all flows in the order of the flows; steps of the same name are one endpoint.
    #[must_use]
    pub fn endpoints(&self) -> &[String] {
        &self.compiled.endpoints
    }

    /// The session of a number: which flow it takes and which row of data depend on the seed and the number only.
    #[must_use]
    pub fn session(&self, number: u64) -> Session {
        let (flow, rank) = self.compiled.flow_of(number);
        let row = self.compiled.row_of(flow, number, rank);
        Session::new(Arc::clone(&self.compiled), flow, row, number)
    }

    /// Renders every template once with the first row, to find filters that do not exist and the like.
    fn trial(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (flow_index, flow) in self.compiled.flows.iter().enumerate() {
            let names = Value::from_object(Names {
                script: Arc::clone(&self.compiled),
                flow: flow_index,
                number: 0,
                row: 0,
                captured: Arc::new(vec![Some(Value::from("0")); flow.captures.len()]),
            });
            for (step_index, step) in flow.steps.iter().enumerate() {
                for (part, template) in step.request.templates() {
                    let Err(error) = self.compiled.templates.render(template, &names) else { continue };
                    // What was captured is unknown here, so an error over its value proves nothing.
                    let guessed = template.uses.iter().any(|name| flow.captures.contains(name));
                    if !guessed || is_certain(&error) {
                        let message = format!("it cannot be rendered: {}", sentence(&error));
                        problems.push(Problem { flow: flow_index, step: Some(step_index), part, message });
                    }
                }
            }
        }
        problems
    }
}

impl Compiled {
    /// The flow of a session, and how many sessions before it took the same one.
    ///
    /// Flows are drawn by their weights. Where one of several takes rows in their order, flows take turns instead, as evenly as
    /// their weights allow, because then the rank follows from the number alone, whoever asks first.
    fn flow_of(&self, number: u64) -> (usize, u64) {
        let last = self.flows.len() - 1;
        if last == 0 {
            return (0, number);
        }
        if self.flows.iter().any(|flow| flow.data.as_ref().is_some_and(|rows| rows.in_order)) {
            return turn(&self.weights, number & MOST_NUMBER);
        }
        let total = self.weights.last().copied().unwrap_or_default();
        let drawn = Stream::new(self.seed, "load-flow", &[], number).unit() * total;
        // Where no flow takes rows in order, nobody asks for the rank.
        (self.weights.partition_point(|upto| *upto <= drawn).min(last), number)
    }

    fn row_of(&self, flow: usize, number: u64, rank: u64) -> usize {
        let Some(CompiledFlow { data: Some(rows), name, .. }) = self.flows.get(flow) else { return 0 };
        let count = rows.table.rows();
        if rows.in_order {
            #[allow(clippy::cast_possible_truncation, reason = "the rest is below a usize")]
            let row = (rank % count as u64) as usize;
            return row;
        }
        Stream::new(self.seed, "load-data", &[name], number).place(count)
    }
}

/// Whose turn it is: of `number + 1` sessions the first flow has had its share of them, rounded down, and the other flows share
/// the rest in the same way. `weights` are summed up; the second number is how often it was that flow's turn before.
fn turn(weights: &[f64], number: u64) -> (usize, u64) {
    let (mut number, mut before, last) = (number, 0.0, weights.len() - 1);
    let total = weights[last];
    for (flow, upto) in weights.iter().enumerate().take(last) {
        let share = (upto - before) / (total - before);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 2^52, whole")]
        let had = |sessions: u64| (sessions as f64 * share).floor() as u64;
        let rank = had(number);
        if had(number + 1) > rank {
            return (flow, rank);
        }
        number -= rank;
        before = *upto;
    }
    (last, number)
}

/// What is gathered on the way through the flows.
struct Compiler<'a> {
    folder: Option<&'a Path>,
    templates: Templates,
    endpoints: Vec<String>,
    problems: Vec<Problem>,
    /// The flow and step that are looked at.
    at: (usize, Option<usize>),
}

impl<'a> Compiler<'a> {
    fn new(folder: Option<&'a Path>) -> Self {
        let templates = Templates::new();
        Self { folder, templates, endpoints: Vec::new(), problems: Vec::new(), at: (0, None) }
    }

    fn problem(&mut self, part: Part, message: impl Into<String>) {
        let (flow, step) = self.at;
        self.problems.push(Problem { flow, step, part, message: message.into() });
    }

    /// The value, or nothing with the problem noted: later parts are still looked at.
    fn noted<T>(&mut self, part: Part, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.problem(part, message)).ok()
    }

    fn flow(&mut self, index: usize, flow: &Flow) -> CompiledFlow {
        self.at = (index, None);
        if !(flow.weight.is_finite() && flow.weight > 0.0) {
            self.problem(Part::Weight, "a weight is a number above 0");
        }
        if flow.steps.is_empty() {
            self.problem(Part::Steps, "a flow needs at least one");
        }
        let data = flow.data.as_ref().and_then(|data| {
            let rows = self.rows(data);
            self.noted(Part::Data, rows).flatten()
        });
        let mut compiled = CompiledFlow {
            name: flow.name.clone(),
            steps: Vec::new(),
            data,
            captures: Vec::new(),
            nothing_captured: Arc::default(),
        };
        for (place, step) in flow.steps.iter().enumerate() {
            self.at = (index, Some(place));
            let request = self.request(step);
            // Where the data could not be read, nobody knows which names it has.
            if flow.data.is_some() == compiled.data.is_some() {
                self.check_names(&request, &compiled, &flow.steps[place..]);
            }
            let endpoint = self.endpoint(&step.name);
            let checks = self.checks(step, &mut compiled.captures);
            compiled.steps.push(CompiledStep { endpoint, request, checks });
        }
        compiled.nothing_captured = Arc::new(vec![None; compiled.captures.len()]);
        compiled
    }

    fn rows(&self, data: &Data) -> Result<Option<Rows>, String> {
        let Some(bytes) = files::read(self.folder, &data.file)? else { return Ok(None) };
        let table = Table::parse(&data.file, bytes)
            .map_err(|message| format!("`{}` cannot be used: {message}", data.file.display()))?;
        Ok(Some(Rows { table, in_order: data.in_order }))
    }

    fn endpoint(&mut self, name: &str) -> usize {
        self.endpoints.iter().position(|known| known == name).unwrap_or_else(|| {
            self.endpoints.push(name.to_owned());
            self.endpoints.len() - 1
        })
    }

    /// Compiles what is sent. Parts with problems are left empty: a script with problems is never used.
    fn request(&mut self, step: &Step) -> Request {
        let method = method(&step.method);
        let method = self.noted(Part::Method, method).unwrap_or(Method::GET);
        let path = self.path(&step.path);
        let mut constant_headers = HeaderMap::new();
        let mut rendered_headers = Vec::new();
        for (name, text) in &step.headers {
            let part = Part::Header(name.clone());
            let parsed = header_name(name);
            let Some(header) = self.noted(part.clone(), parsed) else { continue };
            match self.templates.parse(Place::Plain, text) {
                Ok(Some(template)) => rendered_headers.push((header, template)),
                Ok(None) => {
                    if let Some(value) = self.noted(part, header_value(text)) {
                        constant_headers.append(header, value);
                    }
                }
                Err(message) => self.problem(part, no_template(&message)),
            }
        }
        let body = self.body(&step.body);
        Request { method, path, constant_headers, rendered_headers, body }
    }

    fn path(&mut self, text: &str) -> PathText {
        match self.templates.parse(Place::Path, text) {
            Ok(Some(template)) => {
                if !text.starts_with(['/', '{']) {
                    self.problem(Part::Path, "a path begins with `/`; the host is that of `url`");
                }
                return PathText::Rendered(template);
            }
            Ok(None) => {
                if let Some(path) = self.noted(Part::Path, sendable_path(text)) {
                    return PathText::Constant(path);
                }
            }
            Err(message) => self.problem(Part::Path, no_template(&message)),
        }
        PathText::Constant(PathAndQuery::from_static("/"))
    }

    fn body(&mut self, body: &Body) -> BodyText {
        let constant = match body {
            Body::None => Some(Bytes::new()),
            Body::File(file) => {
                let bytes = files::read(self.folder, file);
                self.noted(Part::Body, bytes).flatten().map(Bytes::from)
            }
            Body::Text(text) => match self.templates.parse(Place::Plain, text) {
                Ok(Some(template)) => return BodyText::Rendered(template),
                Ok(None) => Some(Bytes::copy_from_slice(text.as_bytes())),
                Err(message) => {
                    self.problem(Part::Body, no_template(&message));
                    None
                }
            },
        };
        BodyText::Constant(constant.unwrap_or_default())
    }

    fn checks(&mut self, step: &Step, captures: &mut Vec<String>) -> Checks {
        let mut named = BTreeSet::new();
        for capture in &step.capture {
            let part = Part::Capture(capture.name.clone());
            if !is_name(&capture.name) {
                self.problem(part, "a name is letters, digits and `_`, and does not begin with a digit");
            } else if !named.insert(&capture.name) {
                self.problem(part, "the step captures it twice");
            }
        }
        let (checks, problems) = Checks::compile(&step.expect, &step.capture, |name| {
            captures.iter().position(|known| known == name).unwrap_or_else(|| {
                captures.push(name.to_owned());
                captures.len() - 1
            })
        });
        for (part, message) in problems {
            self.problem(part, message);
        }
        checks
    }

    /// Every name of a request must be known by then; `rest` is the step itself and those after it.
    fn check_names(&mut self, request: &Request, flow: &CompiledFlow, rest: &[Step]) {
        for (part, template) in request.templates() {
            for name in template.uses.iter().filter(|name| !flow.knows(name)) {
                let later = rest.iter().any(|step| step.capture.iter().any(|capture| capture.name == *name));
                let message = match later {
                    true => format!("`{name}` is captured only by this step or a later one"),
                    false => format!("there is no `{name}`: {}", flow.known()),
                };
                self.problem(part.clone(), message);
            }
        }
    }
}

impl CompiledFlow {
    fn knows(&self, name: &str) -> bool {
        self.captures.iter().any(|capture| capture == name)
            || self.data.as_ref().is_some_and(|rows| rows.table.has(name))
            || BUILT_IN.contains(&name)
    }

    /// The names that can be used, for a message.
    fn known(&self) -> String {
        let columns = self.data.iter().flat_map(|rows| rows.table.columns());
        let names: Vec<String> = columns
            .chain(self.captures.iter().map(String::as_str))
            .chain(BUILT_IN)
            .take(MAX_NAMED)
            .map(|name| format!("`{name}`"))
            .collect();
        format!("known here are {}", names.join(", "))
    }
}

fn no_template(message: &str) -> String {
    format!("the text cannot be read as a template: {message}")
}

/// Whether a template could use it.
fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
