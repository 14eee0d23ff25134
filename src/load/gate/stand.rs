//! Real slots: a fresh server of one revision, the scenario's load on it, and its end.

use std::collections::BTreeMap;

use super::{
    alike::{self, Questions},
    paired::{Slots, already_runs},
    request::{Trouble, failed},
    services::{Services, Shop, Trees, told},
};
use crate::{
    hint::Hint,
    load::{
        generator::{self, Drive, drive},
        scenario::{Launch, Scenario, Service},
        script::Script,
        service::{self, Running, Start},
        trust::Trust,
        watch::Deaf,
    },
    measure::IdenticalCode,
    model::{
        load::Trial,
        run::{Fate, Side},
    },
    process::Interrupt,
    progress::{Event, Progress},
    stats::random::Stream,
};

/// Builds, starts, loads and stops the servers of a check.
pub struct Stand<'a> {
    services: Services<'a>,
    sides: Vec<Side>,
    identical: IdenticalCode,
    seed: u64,
    scripts: BTreeMap<String, Script>,
    progress: &'a dyn Progress,
    interrupt: &'a Interrupt,
}

impl<'a> Stand<'a> {
    /// A stand over these trees; the seed is the check's.
    #[must_use]
    pub fn new(
        shop: &'a Shop,
        trees: Trees<'a>,
        (identical, seed): (IdenticalCode, u64),
        progress: &'a dyn Progress,
        interrupt: &'a Interrupt,
    ) -> Self {
        let sides = if trees.base.is_some() { vec![Side::Base, Side::Head] } else { vec![Side::Head] };
        Self {
            services: Services::new(shop, trees),
            sides,
            identical,
            seed,
            scripts: BTreeMap::new(),
            progress,
            interrupt,
        }
    }

    /// The arrivals and sessions of a scenario: the same for every slot of both sides.
    fn seed_of(&self, scenario: &Scenario) -> u64 {
        Stream::new(self.seed, "load arrivals", &[&scenario.name], 0).below(u64::MAX)
    }

    fn start(
        &self,
        scenario: &Scenario,
        launch: &Launch,
        side: Side,
        padding: u32,
    ) -> Result<Running, Trouble> {
        let Some(tree) = self.services.tree(side) else {
            unreachable!("only sides with a tree are measured")
        };
        let log = self.services.log(side, &scenario.name);
        let launch = self.services.with_environment(launch, side);
        let trust = Trust::of(&scenario.transport, &scenario.folder)
            .map_err(|error| Trouble::Failed(told(&error, error.hint())))?;
        let start = Start {
            launch: &launch,
            tree,
            log: &log,
            padding,
            socket: scenario.transport.unix_socket.as_deref(),
            environment: &[],
            trust: &trust,
        };
        Running::start(&start, self.interrupt).map_err(|error| trouble(&error))
    }

    /// Asks both sides the same questions; `None` when they answer alike.
    fn compare(
        &self,
        scenario: &Scenario,
        launch: &Launch,
        script: &Script,
    ) -> Result<Option<Fate>, Trouble> {
        if scenario.alike == 0 || self.sides.len() < 2 {
            return Ok(None);
        }
        self.progress
            .tell(Event::Phase(format!("asking both sides of {} the same questions", scenario.name)));
        let mut answers = Vec::new();
        for side in [Side::Base, Side::Head] {
            let running = match self.start(scenario, launch, side, 0) {
                Ok(running) => running,
                Err(Trouble::Failed(message)) => return Ok(Some(failed(Some(side), message))),
                Err(stop) => return Err(stop),
            };
            let questions = Questions { scenario, script, url: running.url(), socket: running.socket() };
            // Base is asked twice: where its own answers differ in size, head's may too.
            let asked: Result<Vec<_>, String> = match side {
                Side::Base => questions
                    .ask(self.interrupt)
                    .and_then(|first| Ok(vec![first, questions.ask(self.interrupt)?])),
                Side::Head => questions.ask(self.interrupt).map(|only| vec![only]),
            };
            let stopped = running.stop();
            if let Some(signal) = self.interrupt.requested() {
                return Err(Trouble::Interrupted(signal));
            }
            match asked {
                Ok(asked) => answers.push(asked),
                Err(message) => return Ok(Some(failed(Some(side), with_tail(message, &stopped.tail)))),
            }
        }
        let head = answers.pop().and_then(|mut asked| asked.pop()).unwrap_or_default();
        let base = answers.pop().unwrap_or_default();
        let difference = alike::difference(scenario, script, &base, &head);
        Ok(difference.map(|difference| failed(None, difference)))
    }
}

impl Slots for Stand<'_> {
    fn settle(&mut self, scenario: &Scenario) -> Result<Option<Fate>, Trouble> {
        let Service::Command(launch) = &scenario.service else { return Ok(Some(already_runs())) };
        let script = match Script::compile(&scenario.flows, &scenario.folder, self.seed_of(scenario)) {
            Ok(script) => script,
            Err(error) => return Ok(Some(failed(None, told(&error, error.hint())))),
        };
        for side in self.sides.clone() {
            let built = self.services.build(scenario, launch, side, self.progress, self.interrupt);
            if let Err(message) = built.map_err(Trouble::Interrupted)? {
                return Ok(Some(failed(Some(side), message)));
            }
        }
        if self.identical == IdenticalCode::Skip && self.services.are_identical(launch) {
            return Ok(Some(Fate::Identical));
        }
        let fate = self.compare(scenario, launch, &script)?;
        self.progress.tell(Event::Phase(format!("measuring {} under load", scenario.name)));
        self.scripts.insert(scenario.name.clone(), script);
        Ok(fate)
    }

    fn slot(&mut self, scenario: &Scenario, side: Side, padding: u32) -> Result<Trial, Trouble> {
        let Service::Command(launch) = &scenario.service else {
            return Err(Trouble::Failed("its service already runs".into()));
        };
        let Some(script) = self.scripts.get(&scenario.name) else {
            return Err(Trouble::Failed("its requests were not compiled".into()));
        };
        let running = self.start(scenario, launch, side, padding)?;
        let mut watch =
            running.watch(&scenario.metrics, &scenario.metrics_url).map_err(|error| trouble(&error))?;
        let trial = drive(
            &Drive {
                scenario,
                script,
                url: running.url(),
                socket: running.socket(),
                side,
                seed: self.seed_of(scenario),
                workers: None,
            },
            &mut *watch,
            &Deaf,
            self.interrupt,
        );
        drop(watch);
        let stopped = running.stop();
        // What was cut short is no trial.
        if let Some(signal) = self.interrupt.requested() {
            return Err(Trouble::Interrupted(signal));
        }
        trial.map_err(|error| {
            // What is said of a service is in its log; what Locust lacks is not.
            let hint = matches!(error, generator::Error::Locust(_)).then(|| error.hint()).flatten();
            let message = told(&error, hint);
            let named = message.contains("its log is");
            Trouble::Failed(if named { message } else { with_tail(message, &stopped.tail) })
        })
    }
}

fn trouble(error: &service::Error) -> Trouble {
    match error {
        service::Error::Interrupted { signal } => Trouble::Interrupted(signal),
        error => Trouble::Failed(told(error, error.hint())),
    }
}

/// A message with the end of the server's log, where it said something.
pub(in crate::load) fn with_tail(message: String, tail: &str) -> String {
    if tail.trim().is_empty() { message } else { format!("{message}\n{}", tail.trim_end()) }
}
