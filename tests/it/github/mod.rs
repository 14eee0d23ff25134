//! A double of GitHub: the REST that Tollgate uses, over real HTTP, with a state behind it.
//!
//! Every request and every answer is held against a cut of GitHub's own OpenAPI description ([`contract`]); on top of it
//! come the rules that the description does not tell ([`answers`]). Whatever breaks one fails the test when the double is dropped.

pub(crate) mod answers;
mod contract;
pub(crate) mod http;
pub(crate) mod state;

use answers::answer;
use contract::Contract;
use http::{Listener, Reply, Request};
use state::{Fault, State, What};
use std::{
    process::Command,
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

/// A running double; it ends with this value.
pub(crate) struct Double {
    listener: Listener,
    state: Arc<Mutex<State>>,
}

impl Double {
    /// Starts one whose API is at the root.
    pub(crate) fn start() -> Self {
        Self::below("")
    }

    /// Starts one whose API is below a path, as that of GitHub Enterprise.
    pub(crate) fn below(base: &str) -> Self {
        let state = Arc::new(Mutex::new(State::new(base)));
        let shared = Arc::clone(&state);
        let listener = Listener::start(move |request| serve(&shared, request));
        state.lock().unwrap().url = listener.url();
        Self { listener, state }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// What goes wrong from now on.
    pub(crate) fn fault(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// The API's address.
    pub(crate) fn api(&self) -> String {
        format!("{}{}", self.listener.url(), self.state().base)
    }

    /// Points a program at the double, with the environment of a job.
    pub(crate) fn environment(&self, command: &mut Command, token: &str) {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GITHUB_") || name == "GH_TOKEN" {
                command.env_remove(name);
            }
        }
        command
            .env("GITHUB_API_URL", self.api())
            .env("GITHUB_TOKEN", token)
            .env("GITHUB_REPOSITORY", state::REPOSITORY);
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        let state = self.state();
        assert!(
            state.violations.is_empty(),
            "against GitHub's description:\n{}",
            state.violations.join("\n")
        );
        let unused: Vec<&Fault> = state.faults.iter().filter(|fault| fault.times > 0).collect();
        assert!(unused.is_empty(), "faults that never came: {unused:?}");
    }
}

fn serve(state: &Mutex<State>, request: &Request) -> Reply {
    let contract = Contract::of_github();
    let mut guard = state.lock().unwrap();
    let place = match contract.request(request, &guard.base, state::ID) {
        Ok(place) => place,
        Err(violation) => {
            guard.violations.push(format!("{} {}: {violation}", request.method, request.path));
            return Reply::json(500, &serde_json::json!({ "message": violation }));
        }
    };
    guard.log.push(format!("{} {}", request.method, request.path));
    let fault = guard.take_fault(&request.method, place.template);
    match fault {
        Some(What::Answer(reply)) => return *reply,
        Some(What::DropBefore) => return Reply::Drop,
        Some(What::Slow(time)) => {
            drop(guard);
            thread::sleep(time);
            guard = state.lock().unwrap();
        }
        _ => {}
    }
    let reply = answer(&mut guard, request, &place);
    if let Err(violation) = contract.answer(&place, &reply) {
        guard.violations.push(format!("the double itself, {} {}: {violation}", request.method, request.path));
    }
    drop(guard);
    match fault_after(state, request, place.template) {
        Some(What::ActThen(reply)) => *reply,
        Some(What::ActThenCut) => reply.cut(),
        Some(What::Together(barrier)) => {
            barrier.wait();
            reply
        }
        _ => reply,
    }
}

/// What goes wrong after the request was done.
fn fault_after(state: &Mutex<State>, request: &Request, template: &str) -> Option<What> {
    state.lock().unwrap().take_fault_after(&request.method, template)
}
