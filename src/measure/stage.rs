//! Where bench processes are started: the settings that all of them share, and the arguments that make criterion do our bidding.

use super::{
    builds::BenchExecutable,
    slot::{Bench, Failure, Launch, Starting},
};
use crate::{
    files::{
        self,
        scratch::{self, Scratch},
    },
    process::{Interrupt, registry},
};
use std::{ffi::OsString, fs, path::Path, time::Duration};

/// How long a process may take from its start to its first `Criterion::default()`.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long a slot may take when nothing is known of it, and at the least.
const SLOT_LIMIT: Duration = Duration::from_secs(10);
/// How often longer than expected a slot may take.
const SLOT_PATIENCE: f64 = 20.0;
/// Stops criterion's `--quick` at the first sample that ends after its 0.1 s, whatever the samples say: a rule that looked at them
/// would select them. (It is compared with the relative standard deviation of the last two samples.)
const ANY_DEVIATION: &str = "0.99";
/// How the names of our folders begin; the process id of their owner follows.
const SCRATCH: &str = "slots-";
/// The first version that knows `--quick`, and that takes times of less than a second.
const QUICK_SINCE: [u8; 3] = [0, 4, 0];

/// The share of a block beyond which it is void: next to nothing was left of the machine.
///
/// Measured on a 2-core machine with 7 to 14 processes at work, 608 A/A blocks of eight benchmarks: blocks that lost 60 % and more
/// of their time to others are as good as those that lost less than 10 % (median error of a block 1.0 to 1.2 % throughout, 90th
/// percentile 3 to 4 %, scatter within blocks 1.3 to 1.8 %), because the fastest fifth of a slot's samples is what counts. Throwing
/// blocks away at 10 % would have thrown away 98 % of them for nothing.
pub const VOID_SHARE: f64 = 0.8;

/// How long criterion measures in a slot, and how long a slot may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlotSettings {
    /// Time before the first sample.
    pub warm_up: Duration,
    /// Time for all samples.
    pub measurement: Duration,
    /// Samples a slot; at least 10, which is criterion's own lower bound.
    pub samples: u32,
    /// How long a slot may take before its process counts as hung; `None` for ten seconds and twenty times what is expected.
    pub timeout: Option<Duration>,
    /// The share of a block that the machine may take away before the block is void; infinite to void none.
    pub void_share: f64,
}

impl Default for SlotSettings {
    fn default() -> Self {
        Self {
            warm_up: Duration::from_millis(20),
            measurement: Duration::from_millis(50),
            samples: 10,
            timeout: None,
            void_share: VOID_SHARE,
        }
    }
}

impl SlotSettings {
    /// How long a slot may take that is expected to take `seconds`.
    #[must_use]
    pub fn limit(&self, seconds: f64) -> Duration {
        let patient = Duration::try_from_secs_f64(seconds * SLOT_PATIENCE).unwrap_or(SLOT_LIMIT);
        self.timeout.unwrap_or(patient.max(SLOT_LIMIT))
    }
}

/// How criterion takes the samples of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Sampling {
    /// Warm-up and samples of the lengths that we ask for.
    #[default]
    Timed,
    /// The same, both times rounded up to whole seconds: criterion before 0.4 takes no others.
    WholeSeconds,
    /// Iterations double until a tenth of a second has passed; the last doubling is the sample. For groups that set their own
    /// times, and for routines whose ten samples would take longer.
    Quick,
}

/// What all processes share.
#[derive(Debug, Clone, Copy)]
pub struct Stage<'a> {
    /// Slot lengths.
    pub settings: &'a SlotSettings,
    /// Whether the user wants us to stop.
    pub interrupt: &'a Interrupt,
    /// A folder of ours, which criterion takes for its output folder.
    pub home: &'a Path,
    /// The core that bench processes are bound to.
    pub pin: Option<usize>,
}

impl Stage<'_> {
    /// Starts a process.
    ///
    /// # Errors
    /// When the system refuses, or the user wants us to stop.
    pub fn start(
        &self,
        executable: &BenchExecutable,
        args: &[OsString],
        padding: u32,
    ) -> Result<Starting, Failure> {
        Starting::spawn(&Launch { executable, args, padding, pin: self.pin, home: self.home }, self.interrupt)
    }

    /// Starts a process and waits until it stands still before its first benchmark.
    ///
    /// # Errors
    /// When it does not get there.
    pub fn open(
        &self,
        executable: &BenchExecutable,
        args: &[OsString],
        padding: u32,
    ) -> Result<Bench, Failure> {
        self.start(executable, args, padding)?.connect(self.start_limit())
    }

    /// How long a process may take to connect.
    #[must_use]
    pub fn start_limit(&self) -> Duration {
        self.settings.timeout.map_or(START_LIMIT, |limit| limit.max(START_LIMIT))
    }
}

/// Makes a folder for what benches write, ends and removes what an earlier run left behind when it was killed, and puts the
/// processes of this one on record.
///
/// # Errors
/// When the folder cannot be made.
pub fn clear(folder: &Path, interrupt: &Interrupt) -> Result<Scratch, files::Error> {
    let _ = registry::sweep(folder);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if left_behind(&entry.file_name().to_string_lossy(), registry::is_running) {
            let _ = scratch::remove(&entry.path());
        }
    }
    // Without a record the processes still end with us, unless we are killed outright.
    let _ = interrupt.registry().record_in(folder);
    Scratch::new_in(folder, &format!("{SCRATCH}{}-", std::process::id()))
}

/// Whether this is the name of a folder of ours whose owner is gone.
fn left_behind(name: &str, is_running: impl Fn(u32) -> bool) -> bool {
    let owner = name.strip_prefix(SCRATCH).and_then(|rest| rest.split('-').next()).map(str::parse);
    matches!(owner, Some(Ok(id)) if !is_running(id))
}

/// Whether a bench of this criterion can be run with [`Sampling::Quick`].
#[must_use]
pub fn knows_quick(version: [u8; 3]) -> bool {
    version >= QUICK_SINCE
}

/// The arguments of a slot's process; `None` runs every benchmark.
#[must_use]
pub fn slot_arguments(settings: &SlotSettings, sampling: Sampling, filter: Option<&str>) -> Vec<OsString> {
    match sampling {
        Sampling::Timed | Sampling::WholeSeconds => timed(settings, sampling, filter),
        Sampling::Quick => arguments(&["--quick", "--significance-level", ANY_DEVIATION], filter),
    }
}

/// The arguments of a process that runs each routine once or little more, to learn what it costs.
///
/// `--quick` stops when its measurement time has passed, a nanosecond here: after one iteration. A group that sets its own times
/// runs for a tenth of a second, and tells them with its measurement.
#[must_use]
pub fn scout_arguments(settings: &SlotSettings, version: [u8; 3], filter: Option<&str>) -> Vec<OsString> {
    if !knows_quick(version) {
        let (warm_up, measurement) = (Duration::from_nanos(1), Duration::from_nanos(1));
        return timed(&SlotSettings { warm_up, measurement, ..*settings }, Sampling::WholeSeconds, filter);
    }
    let warm_up = seconds(settings.warm_up);
    let options = [
        "--quick",
        "--significance-level",
        ANY_DEVIATION,
        "--warm-up-time",
        &warm_up,
        "--measurement-time",
        "0.000000001",
    ];
    arguments(&options, filter)
}

/// The arguments of a process that only names its benchmarks: no times, which versions read differently.
#[must_use]
pub fn listing_arguments(filter: &str) -> Vec<OsString> {
    arguments(&[], Some(filter))
}

/// The arguments of a process that writes files: no plots, and of its bootstrap the least that it does without complaint.
#[must_use]
pub fn file_arguments(settings: &SlotSettings, sampling: Sampling, filter: Option<&str>) -> Vec<OsString> {
    let mut args = timed(settings, sampling, filter);
    args.extend(["--noplot", "--nresamples", "1001"].map(OsString::from));
    args
}

/// A time as criterion before 0.4 takes it: whole seconds, at least one.
#[must_use]
pub fn whole_seconds(time: Duration) -> Duration {
    let more = u64::from(time.subsec_nanos() > 0);
    Duration::from_secs(time.as_secs().saturating_add(more).max(1))
}

fn timed(settings: &SlotSettings, sampling: Sampling, filter: Option<&str>) -> Vec<OsString> {
    let argument = |time: Duration| match sampling {
        Sampling::WholeSeconds => whole_seconds(time).as_secs().to_string(),
        Sampling::Timed | Sampling::Quick => seconds(time),
    };
    let (warm_up, measurement) = (argument(settings.warm_up), argument(settings.measurement));
    let samples = settings.samples.max(10).to_string();
    let options = ["--warm-up-time", &warm_up, "--measurement-time", &measurement, "--sample-size", &samples];
    arguments(&options, filter)
}

/// criterion measures only when it is given `--bench`, as `cargo bench` does.
fn arguments(options: &[&str], filter: Option<&str>) -> Vec<OsString> {
    ["--bench"].iter().chain(options).copied().chain(filter).map(OsString::from).collect()
}

fn seconds(duration: Duration) -> String {
    format!("{:.9}", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::{Sampling, SlotSettings, file_arguments, left_behind, scout_arguments, slot_arguments};
    use std::time::Duration;

    fn line(args: &[std::ffi::OsString]) -> String {
        args.iter().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_slot_measures_as_long_as_it_is_told_and_quick_never_stands_beside_a_sample_size() {
        let settings = SlotSettings::default();
        let timed = slot_arguments(&settings, Sampling::Timed, Some("^(?:a)$"));
        let expected =
            "--bench --warm-up-time 0.020000000 --measurement-time 0.050000000 --sample-size 10 ^(?:a)$";
        assert_eq!(line(&timed), expected);
        for quick in
            [slot_arguments(&settings, Sampling::Quick, None), scout_arguments(&settings, [0, 8, 2], None)]
        {
            assert!(line(&quick).contains("--quick") && !line(&quick).contains("--sample-size"));
        }
        assert!(!line(&scout_arguments(&settings, [0, 3, 6], None)).contains("--quick"));
    }

    #[test]
    fn criterion_before_0_4_is_given_whole_seconds_and_never_none() {
        let expected = "--bench --warm-up-time 1 --measurement-time 1 --sample-size 10";
        let settings = SlotSettings::default();
        assert_eq!(line(&slot_arguments(&settings, Sampling::WholeSeconds, None)), expected);
        assert_eq!(line(&scout_arguments(&settings, [0, 3, 6], None)), expected);
        let files = line(&file_arguments(&settings, Sampling::WholeSeconds, None));
        assert!(files.starts_with(expected), "{files}");
        let whole = |millis| super::whole_seconds(Duration::from_millis(millis)).as_secs();
        assert_eq!([whole(0), whole(1000), whole(1001), whole(2500)], [1, 1, 2, 3]);
    }

    #[test]
    fn only_folders_of_ours_whose_owner_is_gone_are_left_behind() {
        let gone = |name| left_behind(name, |id| id == 7);
        assert!(
            gone("slots-8-x3") && !gone("slots-7-x3") && !gone("slots-x") && !gone("groups-8") && !gone("8")
        );
    }

    #[test]
    fn a_slot_gets_ten_seconds_or_twenty_times_its_length_unless_it_is_told_otherwise() {
        let settings = SlotSettings::default();
        assert_eq!(settings.limit(0.07), Duration::from_secs(10));
        assert_eq!(settings.limit(2.0), Duration::from_secs(40));
        assert_eq!(settings.limit(f64::NAN), Duration::from_secs(10));
        let strict = SlotSettings { timeout: Some(Duration::from_secs(3)), ..settings };
        assert_eq!(strict.limit(2.0), Duration::from_secs(3));
    }
}
