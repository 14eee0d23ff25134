//! What is asked: `[[load.request]]` and `[[load.flow]]`, in this order, and the problems that compiling them shows.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    keys::{self, Load},
    scenario::check_name,
    troubles::Troubles,
    values::{self, CaptureTable, ExpectTable, Order},
};
use crate::load::{
    scenario::{Body, Capture, CaptureFrom, Data, Expect, Flow, Step},
    script::{Part, Problem, Script},
};

/// The flows of a scenario: its single requests first, each a flow of one step.
pub(super) fn flows(load: &Load, troubles: &mut Troubles) -> Vec<Flow> {
    if load.request.is_empty() && load.flow.is_empty() {
        troubles.add("", "the scenario asks nothing: add a `[[load.request]]` with a `path`");
    }
    let mut flows = Vec::new();
    for (index, request) in load.request.iter().enumerate() {
        flows.push(troubles.row("request", index, |troubles| of_request(request, troubles)));
    }
    let mut names = BTreeSet::new();
    for (index, flow) in load.flow.iter().enumerate() {
        flows.push(troubles.row("flow", index, |troubles| {
            let flow = of_flow(flow, index, troubles);
            if !names.insert(flow.name.clone()) {
                troubles.add("name", "another flow has this name");
            }
            flow
        }));
    }
    flows
}

fn of_request(request: &keys::Request, troubles: &mut Troubles) -> Flow {
    let asked = Asked {
        name: request.name.as_deref(),
        method: request.method.as_deref(),
        path: request.path.as_deref(),
        headers: &request.headers,
        body: request.body.as_deref(),
        body_file: request.body_file.as_deref(),
        expect: request.expect.as_ref(),
    };
    let step = asked.step(Vec::new(), troubles);
    Flow {
        name: step.name.clone(),
        weight: request.weight.unwrap_or(1.0),
        steps: vec![step],
        data: request.data.as_ref().map(|data| of_data(data, troubles)),
    }
}

fn of_flow(flow: &keys::Flow, index: usize, troubles: &mut Troubles) -> Flow {
    if let Some(name) = &flow.name {
        check_name(name, "name", troubles);
    }
    let steps = flow.step.iter().enumerate().map(|(index, step)| {
        troubles.row("step", index, |troubles| {
            let captures = step.capture.iter().map(|(name, from)| of_capture(name, from, troubles)).collect();
            let asked = Asked {
                name: step.name.as_deref(),
                method: step.method.as_deref(),
                path: step.path.as_deref(),
                headers: &step.headers,
                body: step.body.as_deref(),
                body_file: step.body_file.as_deref(),
                expect: step.expect.as_ref(),
            };
            asked.step(captures, troubles)
        })
    });
    let steps = steps.collect();
    Flow {
        name: flow.name.clone().unwrap_or_else(|| format!("flow {}", index + 1)),
        weight: flow.weight.unwrap_or(1.0),
        steps,
        data: flow.data.as_ref().map(|data| of_data(data, troubles)),
    }
}

/// What a request and a step have in common.
struct Asked<'a> {
    name: Option<&'a str>,
    method: Option<&'a str>,
    path: Option<&'a str>,
    headers: &'a BTreeMap<String, String>,
    body: Option<&'a str>,
    body_file: Option<&'a str>,
    expect: Option<&'a values::Expect>,
}

impl Asked<'_> {
    fn step(&self, capture: Vec<Capture>, troubles: &mut Troubles) -> Step {
        let body = match (self.body, self.body_file) {
            (None, None) => Body::None,
            (Some(text), None) => Body::Text(text.to_owned()),
            (None, Some(file)) => Body::File(PathBuf::from(file)),
            (Some(_), Some(_)) => {
                troubles.add("body_file", "there is a `body` already");
                Body::None
            }
        };
        let method = match (self.method, &body) {
            (Some(method), _) => method.to_ascii_uppercase(),
            (None, Body::None) => "GET".into(),
            (None, _) => "POST".into(),
        };
        if self.path.is_none() {
            troubles.add("path", "a request needs a path");
        }
        let path = self.path.unwrap_or("/").to_owned();
        let name = match self.name {
            Some(name) => {
                check_name(name, "name", troubles);
                name.to_owned()
            }
            None => format!("{method} {path}"),
        };
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Step {
            name,
            method,
            path,
            headers,
            body,
            expect: of_expect(self.expect.map(|expect| &expect.0)),
            capture,
        }
    }
}

fn of_expect(table: Option<&ExpectTable>) -> Expect {
    Expect {
        status: table.and_then(|table| table.status.clone()).map(|statuses| statuses.0).unwrap_or_default(),
        body: table.and_then(|table| table.body.clone()),
    }
}

fn of_data(data: &values::Data, troubles: &mut Troubles) -> Data {
    if data.0.file.is_none() {
        troubles.add("data", "there is no `file`");
    }
    Data { file: data.0.file.clone().unwrap_or_default().into(), in_order: data.0.order == Some(Order::File) }
}

fn of_capture(name: &str, capture: &values::Capture, troubles: &mut Troubles) -> Capture {
    let from = match &capture.0 {
        CaptureTable { json: Some(path), regex: None, header: None } => CaptureFrom::JsonPath(path.clone()),
        CaptureTable { json: None, regex: Some(pattern), header: None } => {
            CaptureFrom::Regex(pattern.clone())
        }
        CaptureTable { json: None, regex: None, header: Some(header) } => CaptureFrom::Header(header.clone()),
        _ => {
            let message = "give one of `{ json = … }`, `{ regex = … }` and `{ header = … }`";
            troubles.add_at(&["capture", name], message);
            CaptureFrom::JsonPath("$".into())
        }
    };
    Capture { name: name.to_owned(), from }
}

/// Compiles the flows and notes every problem at its key.
pub(super) fn check(load: &Load, flows: &[Flow], folder: Option<&Path>, troubles: &mut Troubles) {
    for problem in Script::check(flows, folder) {
        match problem.flow.checked_sub(load.request.len()) {
            None => troubles.row("request", problem.flow, |troubles| {
                let by_file =
                    load.request.get(problem.flow).is_some_and(|request| request.body_file.is_some());
                note(&problem, by_file, troubles);
            }),
            Some(flow) => troubles.row("flow", flow, |troubles| match problem.step {
                None => note(&problem, false, troubles),
                Some(step) => troubles.row("step", step, |troubles| {
                    let step = load.flow.get(flow).and_then(|flow| flow.step.get(step));
                    note(&problem, step.is_some_and(|step| step.body_file.is_some()), troubles);
                }),
            }),
        }
    }
}

fn note(problem: &Problem, body_by_file: bool, troubles: &mut Troubles) {
    let message = problem.message.as_str();
    match &problem.part {
        Part::Weight => troubles.add("weight", message),
        Part::Steps => troubles.add("step", message),
        // A file without a name was noted when it was missed.
        Part::Data if message.contains("has no name") => {}
        Part::Data => troubles.add("data", message),
        Part::Method => troubles.add("method", message),
        Part::Path => troubles.add("path", message),
        Part::Header(name) => troubles.add_at(&["headers", name], message),
        Part::Body => troubles.add(if body_by_file { "body_file" } else { "body" }, message),
        Part::Status => troubles.add_at(&["expect", "status"], message),
        Part::Pattern => troubles.add_at(&["expect", "body"], message),
        Part::Capture(name) => troubles.add_at(&["capture", name], message),
    }
}
