//! A whole trial: the workers on their threads, and on the caller's thread the seconds, the service's costs and the end.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering, mpsc},
    thread::{Scope, ScopedJoinHandle},
    time::Duration,
};

use super::{
    course::Course,
    desk::{Desk, Offer, plain},
    failure::Error,
    pool::STREAMS,
    seconds::{Kept, Seconds, interval},
    self_check::{Shortages, void},
    users::Users,
    worker::{Lines, Message, Parts, Source, Worker, Yield},
};
use crate::{
    load::{
        clock,
        http::target::Target,
        locust,
        recorder::{Recorded, Slice},
        scenario::{Driver, Model, Scenario},
        script::Script,
        watch::{Observer, ServiceWatch},
    },
    model::{
        load::{Costs, Offered, Trial},
        run::Side,
    },
    plan::arrivals::Curve,
    process::{Interrupt, own::raise_descriptor_limit},
};

/// Requests a second that one worker is given at most, while there are processors.
const RATE_PER_WORKER: f64 = 20_000.0;

/// Users that one worker is given at most, while there are processors.
const USERS_PER_WORKER: f64 = 500.0;

/// The most connections that are opened unasked, where descriptors allow.
pub const MOST_CONNECTIONS: u64 = 10_000;

/// Descriptors left to the rest of the program.
const OTHER_DESCRIPTORS: u64 = 200;

/// The time that workers get to start before the first request may be due.
const LEAD: Duration = Duration::from_millis(30);

/// How often interrupts and wishes to stop are looked for.
const LOOK: Duration = Duration::from_millis(50);

/// How long the name of a host may take to resolve.
const RESOLVE: Duration = Duration::from_secs(15);

/// One trial: what is asked, of whom, for which side.
#[derive(Debug, Clone, Copy)]
pub struct Drive<'a> {
    /// What is asked.
    pub scenario: &'a Scenario,
    /// Its requests, compiled.
    pub script: &'a Script,
    /// Where the service is: scheme, host and port. A path in it goes before the path of every request.
    pub url: &'a str,
    /// The Unix socket to connect to instead of the URL's host.
    pub socket: Option<&'a Path>,
    /// Whose service it is.
    pub side: Side,
    /// Of the arrivals; the same seed, the same due times.
    pub seed: u64,
    /// Threads that send; `None`: as many as the load needs, at most half of the processors.
    pub workers: Option<usize>,
}

/// Puts one window of load on a service and says what became of it.
///
/// An interrupt ends it at once, the observer's wish to stop ends the window early; both give what was recorded until then,
/// with the window's true length.
///
/// # Errors
/// When the service cannot be asked at all (see [`Error`]), or ended while it was under load.
pub fn drive(
    drive: &Drive<'_>,
    service: &mut dyn ServiceWatch,
    observer: &dyn Observer,
    interrupt: &Interrupt,
) -> Result<Trial, Error> {
    let descriptors = raise_descriptor_limit();
    let target = Arc::new(target(drive)?);
    if let Driver::Locust(how) = &drive.scenario.driver {
        return locust::drive(drive, how, service, observer, interrupt);
    }
    let load = Load::new(drive, descriptors);
    let scenario = drive.scenario;
    let warmup = nanoseconds(scenario.warmup);
    let window = (warmup, warmup.saturating_add(nanoseconds(scenario.window)));
    let script = Arc::new(drive.script.clone());
    if warmup == 0 {
        service.begin();
    }
    let course = Arc::new(Course::new(
        clock::now() + LEAD,
        window,
        nanoseconds(scenario.drain),
        nanoseconds(scenario.request_timeout),
    ));
    let (out, messages) = mpsc::channel();
    let (seen, yields) = std::thread::scope(|scope| {
        let mut workers = Vec::new();
        let mut recycle = Vec::new();
        for number in 0..load.workers {
            let (back, spent) = mpsc::channel();
            let parts = load.parts(number, &course, &target, &script);
            let lines = Lines { out: out.clone(), spent };
            workers.push(start(scope, number, parts, lines).inspect_err(|_| {
                course.abort.store(true, Ordering::Relaxed);
            })?);
            recycle.push(back);
        }
        drop(out);
        let look = Look { course: &course, observer, interrupt, messages: &messages, recycle: &recycle };
        let seen = look.on(service, load.workers);
        let yields = workers.into_iter().map(join).collect::<Result<Vec<_>, _>>()?;
        Ok::<_, Error>((seen, yields))
    })?;
    let Seen { intervals, costs, died } = seen;
    if let Some(sentence) = died {
        return Err(Error::ServiceDied(sentence));
    }
    let result = Outcome { load: &load, course: &course, intervals, costs, yields };
    Ok(result.trial(drive))
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 4).min(u64::MAX / 4)
}

fn target(drive: &Drive<'_>) -> Result<Target, Error> {
    let mut transport = drive.scenario.transport.clone();
    transport.tls_ca = transport.tls_ca.map(|path| drive.scenario.folder.join(path));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Worker)?;
    let target = runtime.block_on(async {
        let target = Target::new(drive.url, drive.socket, &transport);
        tokio::time::timeout(RESOLVE, target).await
    });
    // A resolver that hangs must not keep us.
    runtime.shutdown_background();
    target.unwrap_or_else(|_| {
        Err(Error::Resolve { host: drive.url.to_owned(), source: std::io::ErrorKind::TimedOut.into() })
    })
}

/// How the load is dealt to workers.
#[derive(Debug)]
pub(super) struct Load {
    workers: usize,
    offered: Offered,
    kind: Kind,
    /// Connections of the whole trial, at most.
    connections: usize,
    shares_connections: bool,
}

#[derive(Debug)]
enum Kind {
    Rate(Offer),
    Users { curve: Curve, warmup: u64, think: u64 },
}

impl Load {
    pub(super) fn new(drive: &Drive<'_>, descriptors: Option<u64>) -> Self {
        let scenario = drive.scenario;
        let safe = usize::try_from(unasked(descriptors)).unwrap_or(16);
        let transport = &scenario.transport;
        let (kind, offered, wanted, connections) = match &scenario.model {
            Model::Rate { stages, arrivals, connections } => {
                let offer = Offer::new(stages, *arrivals, (scenario.warmup, scenario.window), drive.seed);
                let mean = offer.curve.total() / offer.curve.seconds().max(1e-9);
                let wanted = offer.curve.peak() / RATE_PER_WORKER;
                let most = connections.map_or(safe, |most| usize::try_from(most).unwrap_or(safe).max(1));
                (Kind::Rate(offer), Offered::Rate(mean), wanted, most)
            }
            Model::Users { stages, think } => {
                let stages = plain(stages);
                let curve = Curve::new(&stages, scenario.window.as_secs_f64());
                let first = stages
                    .first()
                    .map_or(0.0, |first| if first.ramp { first.level / 2.0 } else { first.level });
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "0 or more; saturates"
                )]
                let (peak, warmup) = (curve.peak().round() as u32, first.max(0.0).round() as u64);
                let wanted = f64::from(peak) / USERS_PER_WORKER;
                (
                    Kind::Users { curve, warmup, think: nanoseconds(*think) },
                    Offered::Users(peak),
                    wanted,
                    safe,
                )
            }
        };
        let workers = drive.workers.unwrap_or_else(|| fitting(wanted)).clamp(1, connections.min(64));
        let shares_connections = transport.http2 && transport.keep_alive && matches!(kind, Kind::Rate(_));
        Self { workers, offered, kind, connections, shares_connections }
    }

    /// Whether requests are due by a clock, so that the generator can be late.
    fn is_paced(&self) -> bool {
        match self.kind {
            Kind::Rate(_) => true,
            Kind::Users { think, .. } => think > 0,
        }
    }

    pub(super) fn parts(
        &self,
        number: usize,
        course: &Arc<Course>,
        target: &Arc<Target>,
        script: &Arc<Script>,
    ) -> Parts {
        let share = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let place = (share(number), share(self.workers));
        let source = match &self.kind {
            Kind::Rate(offer) => {
                Source::Rate(Box::new(Desk::new(offer, course.window_start, place.0, place.1)))
            }
            Kind::Users { curve, warmup, think } => {
                Source::Users(Users::new(curve.clone(), *warmup, course.window_start, *think, place))
            }
        };
        let connections = (self.connections + self.workers - 1 - number) / self.workers;
        Parts {
            course: Arc::clone(course),
            target: Arc::clone(target),
            script: Arc::clone(script),
            source,
            most_lanes: if self.shares_connections {
                connections.saturating_mul(STREAMS)
            } else {
                connections
            },
            most_shared: self.shares_connections.then_some(connections),
        }
    }
}

/// The most connections that a rate without a limit of its own opens: as many as descriptors allow, up to 10,000.
#[must_use]
pub fn most_connections() -> u64 {
    unasked(raise_descriptor_limit())
}

fn unasked(descriptors: Option<u64>) -> u64 {
    descriptors.unwrap_or(1_024).saturating_sub(OTHER_DESCRIPTORS).clamp(16, MOST_CONNECTIONS)
}

/// As many workers as the load needs, but never more than half of the processors: the service needs some too.
fn fitting(wanted: f64) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 or more; saturates")]
    let wanted = wanted.ceil() as usize;
    wanted.clamp(1, (processors / 2).max(1))
}

fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    number: usize,
    parts: Parts,
    lines: Lines,
) -> Result<ScopedJoinHandle<'scope, Result<Yield, Error>>, Error> {
    let name = format!("load-{number}");
    let course = Arc::clone(&parts.course);
    let work = move || {
        // The others need not wait for the end of a trial that lacks a worker.
        run(parts, &lines).inspect_err(|_| course.abort.store(true, Ordering::Relaxed))
    };
    std::thread::Builder::new().name(name).spawn_scoped(scope, work).map_err(Error::Worker)
}

fn run(parts: Parts, lines: &Lines) -> Result<Yield, Error> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_io();
    // On Linux nobody asks tokio for the time, and every look at its timers is saved.
    #[cfg(not(target_os = "linux"))]
    builder.enable_time();
    let runtime = builder.build_local(tokio::runtime::LocalOptions::default()).map_err(Error::Worker)?;
    runtime.block_on(async {
        let worker = Worker::new(parts).map_err(Error::Worker)?;
        Ok(worker.pace(lines).await)
    })
}

fn join(worker: ScopedJoinHandle<'_, Result<Yield, Error>>) -> Result<Yield, Error> {
    match worker.join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// The one who looks on while workers work.
struct Look<'a> {
    course: &'a Course,
    observer: &'a dyn Observer,
    interrupt: &'a Interrupt,
    messages: &'a mpsc::Receiver<Message>,
    recycle: &'a [mpsc::Sender<Box<Slice>>],
}

/// What was seen.
struct Seen {
    intervals: Vec<crate::model::load::Interval>,
    costs: Costs,
    died: Option<String>,
}

impl Look<'_> {
    /// Looks on until all workers are gone.
    fn on(&self, service: &mut dyn ServiceWatch, workers: usize) -> Seen {
        let mut seconds = Seconds::new(workers);
        let mut kept = Kept::new(self.course.window_end - self.course.window_start);
        let mut begun = self.course.window_start == 0;
        let mut died = None;
        let mut next_question = Duration::ZERO;
        let mut turn = 0;
        loop {
            if !begun && self.now() >= self.course.window_start {
                service.begin();
                begun = true;
            }
            match self.messages.recv_timeout(self.patience(begun)) {
                Ok((stretch, slice)) => {
                    if let Some(spent) = seconds.add(stretch, slice) {
                        turn = (turn + 1) % self.recycle.len();
                        let _ = self.recycle[turn].send(spent);
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
            while let Some((stretch, slice)) = seconds.next() {
                let tick = service.tick();
                self.observer.interval(&interval(stretch, &slice, tick.clone()));
                if stretch.start >= 0 {
                    kept.add(stretch, &slice, tick);
                }
                turn = (turn + 1) % self.recycle.len();
                let _ = self.recycle[turn].send(slice);
            }
            if self.interrupt.requested().is_some() {
                self.course.abort.store(true, Ordering::Relaxed);
            }
            if self.observer.wants_stop() {
                self.course.stop.store(true, Ordering::Relaxed);
            }
            let elapsed = self.course.origin.elapsed();
            if died.is_none() && elapsed >= next_question {
                next_question = elapsed + Duration::from_secs(1);
                died = self.ask(service);
            }
        }
        if died.is_none() {
            died = self.ask(service);
        }
        if !begun {
            service.begin();
        }
        Seen { intervals: kept.finish(), costs: service.finish(), died }
    }

    fn now(&self) -> u64 {
        self.course.at(clock::now())
    }

    /// How long to wait for a message: never past the window's start.
    fn patience(&self, begun: bool) -> Duration {
        if begun {
            return LOOK;
        }
        LOOK.min(Duration::from_nanos(self.course.window_start.saturating_sub(self.now())))
    }

    /// Whether the service still runs; the trial ends at once when it does not.
    fn ask(&self, service: &mut dyn ServiceWatch) -> Option<String> {
        let sentence = service.alive().err()?;
        self.course.abort.store(true, Ordering::Relaxed);
        Some(sentence)
    }
}

/// All that a trial is made of.
struct Outcome<'a> {
    load: &'a Load,
    course: &'a Course,
    intervals: Vec<crate::model::load::Interval>,
    costs: Costs,
    yields: Vec<Yield>,
}

impl Outcome<'_> {
    fn trial(self, drive: &Drive<'_>) -> Trial {
        let mut recorded = Recorded::default();
        let mut shortages = Shortages::default();
        let (mut cpu, mut window_end) = (0.0_f64, self.course.window_start);
        for part in &self.yields {
            recorded.merge(&part.recorded);
            shortages.ports += part.shortages.ports;
            shortages.descriptors += part.shortages.descriptors;
            cpu = cpu.max(part.cpu);
            window_end = window_end.max(part.window_end);
        }
        Trial {
            scenario: drive.scenario.name.clone(),
            side: drive.side,
            offered: self.load.offered,
            seconds: (window_end - self.course.window_start) as f64 / 1e9,
            warmup_seconds: self.course.window_start as f64 / 1e9,
            void: void(&recorded, shortages, cpu, self.load.is_paced()),
            endpoints: recorded.named(drive.script.endpoints()),
            requests: recorded.requests,
            answered: Some(self.intervals.iter().map(|interval| interval.completed).sum()),
            clocks: recorded.clocks,
            in_flight_peak: self.course.peak(),
            received_bytes: recorded.received_bytes,
            generator_cpu: cpu,
            costs: self.costs,
            knee: None,
            varied: drive.scenario.model.varies(drive.scenario.window),
            intervals: self.intervals,
        }
    }
}
