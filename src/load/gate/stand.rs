//! Real slots: a fresh server of one revision, the scenario's load on it, and its end.

use std::collections::BTreeMap;

use super::{
    alike::{self, Questions},
    knees::Knees,
    paired::{Slots, already_runs},
    request::{Trouble, failed},
    services::{Services, Shop, Trees, told},
};
use crate::{
    hint::Hint,
    load::{
        generator::{self, Drive, drive},
        modes::{ground, knee, prober::Hands},
        scenario::{Launch, Scenario, Service},
        script::Script,
        service::{self, Running, Start},
        trust::Trust,
        watch::{Deaf, Observer},
    },
    machine::noise::taken_so_far,
    measure::IdenticalCode,
    model::{
        load::{Aim, FULL_CPU, Offered, Trial},
        run::{Fate, Side},
    },
    process::Interrupt,
    progress::{Event, Progress, Silent},
    stats::random::Stream,
};

/// Builds, starts, loads and stops the servers of a check.
pub struct Stand<'a> {
    services: Services<'a>,
    sides: Vec<Side>,
    identical: IdenticalCode,
    seed: u64,
    scripts: BTreeMap<String, Script>,
    knees: Knees,
    progress: &'a dyn Progress,
    interrupt: &'a Interrupt,
}

impl<'a> Stand<'a> {
    /// A stand over these trees; the seed is the check's, the aim is what a knee must hold.
    #[must_use]
    pub fn new(
        shop: &'a Shop,
        trees: Trees<'a>,
        (identical, seed, aim): (IdenticalCode, u64, Aim),
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
            knees: Knees::new(aim, seed),
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

impl Stand<'_> {
    /// One window of load on a service that runs.
    fn window(
        &self,
        scenario: &Scenario,
        side: Side,
        running: &Running,
        observer: &dyn Observer,
    ) -> Result<Trial, ground::Error> {
        let Some(script) = self.scripts.get(&scenario.name) else {
            unreachable!("a scenario is settled before its first slot")
        };
        let mut watch = running.watch(&scenario.metrics, &scenario.metrics_url)?;
        let drive_it = Drive {
            scenario,
            script,
            url: running.url(),
            socket: running.socket(),
            side,
            seed: self.seed_of(scenario),
            workers: None,
        };
        Ok(drive(&drive_it, &mut *watch, observer, self.interrupt)?)
    }

    /// Finds out about where the knee of a scenario is, on a service of its own.
    fn survey_knee(&mut self, scenario: &Scenario, launch: &Launch) -> Result<(), Trouble> {
        let Some(side) = self.sides.first().copied() else { return Ok(()) };
        self.progress.tell(Event::Phase(format!("looking for about the rate that {} bears", scenario.name)));
        let running = self.start(scenario, launch, side, 0)?;
        let window = |load: &Scenario, observer: &dyn Observer| self.window(load, side, &running, observer);
        let near = match self.knees.survey(scenario, self.hands(&window, &self.is_over())) {
            Err(knee::Trouble::Generator(why)) => {
                let message =
                    format!("{} has no knee within what the generator can give: {why}", scenario.name);
                self.progress.tell(Event::Note(message));
                Ok(None)
            }
            other => other.map(Some),
        };
        let doing = format!("while looking for about the rate that {} bears: ", side.as_str());
        let near = self.ended(near, running).map_err(|trouble| trouble.while_doing(&doing))?;
        self.knees.keep(scenario, near);
        self.progress.tell(Event::Phase(format!("measuring {} under load", scenario.name)));
        Ok(())
    }

    fn hands<'b>(
        &self,
        window: &'b dyn Fn(&Scenario, &dyn Observer) -> Result<Trial, ground::Error>,
        over: &'b dyn Fn() -> bool,
    ) -> Hands<'b> {
        Hands { window, over, progress: &Silent, taken: &taken_so_far }
    }

    fn is_over(&self) -> impl Fn() -> bool {
        || self.interrupt.requested().is_some()
    }

    /// Stops a service, and tells what went wrong with it with the end of its log.
    fn ended<T>(&self, result: Result<T, knee::Trouble>, running: Running) -> Result<T, Trouble> {
        let stopped = running.stop();
        // What was cut short is no trial.
        if let Some(signal) = self.interrupt.requested() {
            return Err(Trouble::Interrupted(signal));
        }
        result.map_err(|why| match why {
            knee::Trouble::Failed(ground::Error::Service(error)) => trouble(&error),
            knee::Trouble::Failed(error) => {
                // What is said of a service is in its log; what Locust lacks is not.
                let is_locust = matches!(error, ground::Error::Generator(generator::Error::Locust(_)));
                let message = told(&error, error.hint().filter(|_| is_locust));
                let named = message.contains("its log is");
                Trouble::Failed(if named { message } else { with_tail(message, &stopped.tail) })
            }
            knee::Trouble::Generator(why) => Trouble::Failed(why),
            knee::Trouble::Over => Trouble::Failed("the load was cut short".into()),
        })
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

    fn survey(&mut self, scenario: &Scenario) -> Result<(), Trouble> {
        match &scenario.service {
            Service::Command(launch) if self.knees.is_unknown(scenario) => self.survey_knee(scenario, launch),
            _ => Ok(()),
        }
    }

    fn slot(
        &mut self,
        scenario: &Scenario,
        side: Side,
        padding: u32,
        search: bool,
    ) -> Result<Trial, Trouble> {
        let Service::Command(launch) = &scenario.service else {
            return Err(Trouble::Failed("its service already runs".into()));
        };
        let running = self.start(scenario, launch, side, padding)?;
        let trial = self.window(scenario, side, &running, &Deaf).map_err(knee::Trouble::Failed);
        let mut searching = false;
        let trial = trial.and_then(|mut trial| {
            if !search {
                return Ok(trial);
            }
            let window =
                |load: &Scenario, observer: &dyn Observer| self.window(load, side, &running, observer);
            searching = true;
            self.knees.add(scenario, padding, &mut trial, self.hands(&window, &self.is_over()))?;
            Ok(trial)
        });
        let doing = if searching { "while searching for its knee: " } else { "" };
        let mut trial = self.ended(trial, running).map_err(|trouble| trouble.while_doing(doing))?;
        trial.void = trial.void.take().or_else(|| full_generator(&trial));
        self.knees.look_at(&trial);
        Ok(trial)
    }
}

/// Why a window of users who do not think says nothing, if so: they are as fast as the generator, and one without a rest shows its own limit on both sides.
pub(super) fn full_generator(trial: &Trial) -> Option<String> {
    let users = matches!(trial.offered, Offered::Users(_)) && trial.requests.completed > 0;
    (users && trial.generator_cpu > FULL_CPU).then(|| {
        format!(
            "the generator was the bottleneck: it used {:.0} % of a processor, and users who do not think are as fast as it is: give them a `think` \
             time, let there be fewer, or ask at a `rate`",
            trial.generator_cpu * 100.0
        )
    })
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
