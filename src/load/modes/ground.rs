//! The ground that load is made on: the service of one scenario, built and started in the work tree or found at its URL.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    hint::Hint,
    load::{
        gate::{services::told, stand::with_tail},
        generator::{self, Drive, drive},
        scenario::{Scenario, Service},
        script::{self, Script},
        service::{self, Running, Start},
        trust::Trust,
        watch::{Observer, ServiceWatch},
    },
    model::{
        load::{Interval, Trial},
        run::Side,
    },
    process::Interrupt,
    progress::{Event, Progress},
    stats::random::Stream,
};

/// Why a scenario has no trial.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its requests make no sense.
    #[error(transparent)]
    Script(#[from] script::Error),
    /// Its service could not be built, started or watched.
    #[error(transparent)]
    Service(#[from] service::Error),
    /// It could not be put under load.
    #[error(transparent)]
    Generator(#[from] generator::Error),
    /// The folder of its logs could not be made.
    #[error("could not create the folder `{}`: {reason}", path.display())]
    Logs {
        /// The folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl Error {
    /// Whether the user asked for something that cannot be, rather than the service being at fault.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        use generator::Error::{Certificate, Remote, Url};
        matches!(self, Self::Script(_) | Self::Generator(Url { .. } | Remote { .. } | Certificate { .. }))
    }

    /// The signal, when the user wanted us to stop.
    #[must_use]
    pub fn signal(&self) -> Option<&'static str> {
        match self {
            Self::Service(service::Error::Interrupted { signal }) => Some(signal),
            _ => None,
        }
    }

    /// The whole message with its causes and what to do next, and the end of the service's log.
    #[must_use]
    pub fn told(&self, tail: &str) -> String {
        let message = told(self, self.hint());
        if message.contains("its log is") { message } else { with_tail(message, tail) }
    }
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Script(error) => error.hint(),
            Self::Service(error) => error.hint(),
            Self::Generator(error) => error.hint(),
            Self::Logs { .. } => Some("make room on the disk, or give write permission".into()),
        }
    }
}

/// What all scenarios of a run share.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// Where services are built and started.
    pub tree: &'a Path,
    /// Where their logs go.
    pub logs: &'a Path,
    /// How long a build step may take.
    pub build_timeout: Duration,
    /// The seed of arrivals and sessions.
    pub seed: u64,
    /// Who hears of it.
    pub progress: &'a dyn Progress,
    /// Whether the user wants us to stop.
    pub interrupt: &'a Interrupt,
}

/// The service of a scenario, ready to be asked.
pub struct Standing<'a> {
    ground: Ground<'a>,
    running: Running,
    script: Script,
    seed: u64,
}

/// Tells each second.
pub(super) struct Told<'a>(pub(super) &'a dyn Progress);

impl Observer for Told<'_> {
    fn interval(&self, interval: &Interval) {
        self.0.tell(Event::Load(Box::new(interval.clone())));
    }

    fn wants_stop(&self) -> bool {
        self.0.wants_stop()
    }
}

impl<'a> Ground<'a> {
    /// Compiles a scenario's requests, builds its service and starts it, or goes to the one that already runs.
    ///
    /// # Errors
    /// See [`Error`]. Nothing of the service is left then.
    pub fn open(&self, scenario: &Scenario) -> Result<Standing<'a>, Error> {
        let seed = Stream::new(self.seed, "load arrivals", &[&scenario.name], 0).below(u64::MAX);
        let script = Script::compile(&scenario.flows, &scenario.folder, seed)?;
        let trust = Trust::of(&scenario.transport, &scenario.folder)?;
        let running = match &scenario.service {
            Service::Running(url) => Running::attach(url, trust),
            Service::Command(launch) => {
                std::fs::create_dir_all(self.logs)
                    .map_err(|error| Error::Logs { path: self.logs.to_owned(), reason: error.to_string() })?;
                if !launch.build.is_empty() {
                    self.progress.tell(Event::Phase(format!("building the service of {}", scenario.name)));
                }
                let log = self.log(&scenario.name, "-build");
                service::build(launch, self.tree, &log, self.build_timeout, self.interrupt)?;
                self.progress.tell(Event::Phase(format!("starting the service of {}", scenario.name)));
                let log = self.log(&scenario.name, "");
                let start = Start {
                    launch,
                    tree: self.tree,
                    log: &log,
                    padding: 0,
                    socket: scenario.transport.unix_socket.as_deref(),
                    environment: &[],
                    trust: &trust,
                };
                Running::start(&start, self.interrupt)?
            }
        };
        Ok(Standing { ground: *self, running, script, seed })
    }

    fn log(&self, name: &str, suffix: &str) -> PathBuf {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' };
        let name: String = name.chars().map(plain).take(80).collect();
        self.logs.join(format!("{name}{suffix}.log"))
    }
}

impl Standing<'_> {
    /// Puts one window of load on the service. After an interrupt it holds what was recorded until then.
    ///
    /// # Errors
    /// When the service cannot be watched or asked, or ended.
    pub fn trial(&self, scenario: &Scenario) -> Result<Trial, Error> {
        self.watched(scenario, &Told(self.ground.progress))
    }

    /// The same with somebody who looks on.
    ///
    /// # Errors
    /// As [`Standing::trial`].
    pub fn watched(&self, scenario: &Scenario, observer: &dyn Observer) -> Result<Trial, Error> {
        let mut watch: Box<dyn ServiceWatch> =
            self.running.watch(&scenario.metrics, &scenario.metrics_url)?;
        self.ground.progress.tell(Event::May(watch.allowance()));
        // A service that already runs has the socket that the scenario names.
        let socket = match scenario.service {
            Service::Running(_) => scenario.transport.unix_socket.as_deref(),
            Service::Command(_) => self.running.socket(),
        };
        let drive_it = Drive {
            scenario,
            script: &self.script,
            url: self.running.url(),
            socket,
            side: Side::Head,
            seed: self.seed,
            workers: None,
        };
        Ok(drive(&drive_it, &mut *watch, observer, self.ground.interrupt)?)
    }

    /// Ends the service; the end of its log.
    #[must_use = "it tells how the service ended"]
    pub fn stop(self) -> String {
        self.running.stop().tail
    }
}
