//! A whole trial by Locust: the plan handed over, the processes watched, what they tell read as it comes.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{
    crew::{Crew, JOIN, LOCUSTFILE},
    failure::Error,
    plan,
    told::Told,
};
use crate::{
    files::{atomic, scratch},
    load::{
        generator::{
            self, Drive,
            seconds::{Kept, Stretch, interval},
        },
        scenario::{Locust, Model},
        watch::{Observer, ServiceWatch},
    },
    model::load::{Costs, Interval, Offered, Trial},
    process::Interrupt,
    sources::locustfile::{LEAD_SECONDS, LocustPlan, locustfile},
};

/// What the master writes, in its folder.
const SLICES: &str = "slices.jsonl";

/// How often the processes, the file and the clock are looked at.
const LOOK: Duration = Duration::from_millis(20);

/// How often the service is asked whether it still runs.
const ALIVE: Duration = Duration::from_secs(1);

/// The longest line of a report.
const MOST_LINE_BYTES: usize = 16 << 20;

/// How often another port is tried when somebody was faster.
const ATTEMPTS: usize = 4;

/// Puts one window of load on a service by Locust; as [`generator::drive`] does by our own generator.
pub(in crate::load) fn drive(
    drive: &Drive<'_>,
    locust: &Locust,
    service: &mut dyn ServiceWatch,
    observer: &dyn Observer,
    interrupt: &Interrupt,
) -> Result<Trial, generator::Error> {
    let plan = plan::plan(drive, locust, SLICES)?;
    let mut attempt = 1;
    loop {
        let run = Run::start(&plan, locust, interrupt)?;
        match run.watch(drive, service, observer, interrupt) {
            Err(generator::Error::Locust(Error::PortTaken { .. }))
                if locust.port.is_none() && attempt < ATTEMPTS =>
            {
                attempt += 1;
            }
            other => return other,
        }
    }
}

/// One Locust at work.
struct Run<'a> {
    plan: &'a LocustPlan,
    crew: Option<Crew>,
    /// Goes with all it holds, after the processes that use it.
    folder: scratch::Scratch,
    lines: Lines,
    told: Told,
}

/// The moments of a trial on our clock; there once the load has begun.
#[derive(Clone, Copy)]
struct Moments {
    window_start: Instant,
    window_end: Instant,
    deadline: Instant,
}

impl Moments {
    /// Of a load that begins now.
    fn new(now: Instant, plan: &LocustPlan) -> Self {
        let after = |seconds: f64| now + Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let start = LEAD_SECONDS + plan.warmup_seconds;
        Self {
            window_start: after(start),
            window_end: after(start + plan.window_seconds),
            deadline: after(plan.run_seconds()),
        }
    }
}

impl<'a> Run<'a> {
    fn start(plan: &'a LocustPlan, locust: &Locust, interrupt: &Interrupt) -> Result<Self, Error> {
        let folder = scratch::Scratch::new("tollgate-locust-")?;
        // It holds the headers of requests, and with them secrets: for nobody else's eyes, and gone when the load begins.
        // A new file is made for its owner only; no secret is ever in a command line.
        atomic::write_private(&folder.path().join(LOCUSTFILE), locustfile(plan).as_bytes())?;
        let crew = Crew::start(locust, plan, folder.path(), interrupt)?;
        let planned = (plan.schedule.len() - plan.warmup_requests) as u64;
        let window = (plan.warmup_seconds, plan.warmup_seconds + plan.window_seconds);
        Ok(Self {
            plan,
            lines: Lines::new(folder.path().join(SLICES)),
            folder,
            crew: Some(crew),
            told: Told::new(planned, plan.names.len(), window),
        })
    }

    fn watch(
        mut self,
        drive: &Drive<'_>,
        service: &mut dyn ServiceWatch,
        observer: &dyn Observer,
        interrupt: &Interrupt,
    ) -> Result<Trial, generator::Error> {
        let window = u64::try_from(drive.scenario.window.as_nanos()).unwrap_or(u64::MAX);
        let mut seen = Seen { kept: Kept::new(window), begun: false, upto: 0.0, moments: None };
        let ended = self.look_on(&mut seen, service, observer, interrupt);
        if !seen.begun {
            service.begin();
        }
        let costs = service.finish();
        if let Some(crew) = self.crew.take() {
            crew.stop(ended.as_ref().is_ok_and(|whole| *whole));
        }
        let whole = ended?;
        Ok(self.trial(drive, seen, costs, whole))
    }

    /// Looks on until all is told: true; or somebody wants it to end: false.
    fn look_on(
        &mut self,
        seen: &mut Seen,
        service: &mut dyn ServiceWatch,
        observer: &dyn Observer,
        interrupt: &Interrupt,
    ) -> Result<bool, generator::Error> {
        let join_by = Instant::now() + JOIN + Duration::from_secs(5);
        let mut next_question = Instant::now();
        loop {
            // Looked for before the file is read: what a process wrote before its end must count.
            let Some(crew) = &mut self.crew else { return Ok(false) };
            let fallen = crew.ended(seen.moments.is_some());
            self.lines.each(|line| self.told.line(line))?;
            let now = Instant::now();
            if seen.moments.is_none() && self.told.started() {
                seen.moments = Some(Moments::new(now, self.plan));
                // Workers have read it.
                drop(std::fs::remove_file(self.folder.path().join(LOCUSTFILE)));
            }
            seen.go_on(now, self.plan, &mut self.told, service, observer);
            // The last second is told as the others are.
            let window_is_over = seen.moments.is_some_and(|moments| now >= moments.window_end);
            if self.told.is_over() && (window_is_over || fallen.is_some()) {
                return match self.told.missing(crew.workers()) {
                    Some(error) => Err(fallen.unwrap_or(error).into()),
                    None => Ok(true),
                };
            }
            if interrupt.requested().is_some() || observer.wants_stop() {
                return Ok(false);
            }
            if now >= next_question {
                next_question = now + ALIVE;
                service.alive().map_err(generator::Error::ServiceDied)?;
            }
            if let Some(error) = fallen {
                return Err(error.into());
            }
            match seen.moments {
                None if now >= join_by => {
                    let (workers, tail) = (crew.workers(), crew.master_tail());
                    return Err(Error::NotJoined { workers, limit: JOIN, tail }.into());
                }
                Some(moments) if now >= moments.deadline => {
                    let Some(error) = self.told.missing(crew.workers()) else { return Ok(true) };
                    return Err(error.into());
                }
                _ => std::thread::sleep(LOOK),
            }
        }
    }

    fn trial(self, drive: &Drive<'_>, seen: Seen, costs: Costs, whole: bool) -> Trial {
        let window = self.plan.window_seconds;
        let offered = match &drive.scenario.model {
            Model::Rate { .. } => {
                (self.plan.schedule.len() - self.plan.warmup_requests) as f64 / window.max(1e-9)
            }
            Model::Users { .. } => 0.0,
        };
        let void = if whole { self.told.void() } else { None };
        let (generator_cpu, in_flight_peak) = (self.told.cpu(), self.told.in_flight_peak());
        // Not the intervals, which hold what was told in a second: that comes late.
        let answered = self.told.answered();
        let recorded = self.told.into_recorded();
        Trial {
            scenario: drive.scenario.name.clone(),
            side: drive.side,
            offered: Offered::Rate(offered),
            seconds: if whole { window } else { seen.upto.min(window) },
            warmup_seconds: self.plan.warmup_seconds,
            void,
            endpoints: recorded.named(drive.script.endpoints()),
            answered: Some(answered),
            requests: recorded.requests,
            clocks: recorded.clocks,
            in_flight_peak,
            received_bytes: recorded.received_bytes,
            generator_cpu,
            costs,
            knee: None,
            varied: drive.scenario.model.varies(drive.scenario.window),
            intervals: seen.finish(),
        }
    }
}

/// What was seen on the way.
struct Seen {
    kept: Kept,
    begun: bool,
    /// Seconds of the window that intervals were told of.
    upto: f64,
    moments: Option<Moments>,
}

impl Seen {
    /// Lets the service's counters begin with the window, and tells each second of it.
    fn go_on(
        &mut self,
        now: Instant,
        plan: &LocustPlan,
        told: &mut Told,
        service: &mut dyn ServiceWatch,
        observer: &dyn Observer,
    ) {
        let Some(moments) = self.moments else { return };
        if !self.begun && now >= moments.window_start {
            service.begin();
            self.begun = true;
        }
        let elapsed = now.saturating_duration_since(moments.window_start).as_secs_f64();
        let last = now >= moments.window_end && self.upto < plan.window_seconds;
        if !self.begun || (elapsed < self.upto + 1.0 && !last) {
            return;
        }
        let end = elapsed.min(plan.window_seconds.max(self.upto + 1.0));
        let stretch = Stretch { start: nanoseconds(self.upto), end: nanoseconds(end) };
        let (slice, tick) = (told.second(), service.tick());
        observer.interval(&interval(stretch, &slice, tick.clone()));
        self.kept.add(stretch, &slice, tick);
        self.upto = end;
    }

    fn finish(self) -> Vec<Interval> {
        self.kept.finish()
    }
}

fn nanoseconds(seconds: f64) -> i64 {
    #[allow(clippy::cast_possible_truncation, reason = "far within an i64; saturates")]
    let ns = (seconds * 1e9).round() as i64;
    ns
}

/// A file that grows, by whole lines.
struct Lines {
    path: PathBuf,
    file: Option<File>,
    rest: Vec<u8>,
}

impl Lines {
    fn new(path: PathBuf) -> Self {
        Self { path, file: None, rest: Vec::new() }
    }

    /// Hands over each line that has come since the last call.
    fn each(&mut self, mut each: impl FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Slices { path, source }
        };
        let file = match &mut self.file {
            Some(file) => file,
            None => match File::open(&self.path) {
                Ok(file) => self.file.insert(file),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(failed(&self.path)(error)),
            },
        };
        let most = (MOST_LINE_BYTES + 1) as u64;
        loop {
            let count = file.take(most).read_to_end(&mut self.rest).map_err(failed(&self.path))?;
            while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let rest = self.rest.split_off(end + 1);
                let line = std::mem::replace(&mut self.rest, rest);
                each(&line[..end])?;
            }
            if self.rest.len() > MOST_LINE_BYTES {
                return Err(Error::Malformed(format!("a line is longer than {} MiB", MOST_LINE_BYTES >> 20)));
            }
            if count == 0 {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn a_growing_file_is_read_by_whole_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let mut lines = Lines::new(path.clone());
        let mut read = |text: &str| {
            use std::io::Write;
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let mut found = Vec::new();
            lines
                .each(|line| {
                    found.push(String::from_utf8(line.to_vec()).unwrap());
                    Ok(())
                })
                .unwrap();
            found
        };
        assert!(read("").is_empty());
        assert_eq!(read("a\nb\nc"), ["a", "b"]);
        assert_eq!(read("d\n\n"), ["cd", ""]);
    }
}
