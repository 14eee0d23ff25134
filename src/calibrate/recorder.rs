//! Measures the series of a self-test: block by block in turn, so that all of them see the same hours of the machine.

use std::time::Duration;

use crate::{
    calibrate::{
        failure::Error,
        kernel::{Kernel, protocol::Shape},
        runner::Runner,
        series::{Arm, Series},
    },
    measure::{lockstep::void_reason, stage::SlotSettings},
    model::run::{Block, Slot},
    plan::looks::ROUNDS_PER_BLOCK,
    progress::{Event, Measuring, Progress},
};

/// The slowdowns that are injected, per cent, in the order in which they are measured.
pub const INJECTED_PERCENT: [u32; 3] = [5, 10, 2];

/// The most blocks that an A/A series of every kernel can take: thirteen each.
const NULL_BLOCKS: u32 = 13 * 4;

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The seed of every deal.
    pub seed: u64,
    /// The shape of a slot.
    pub shape: Shape,
    /// What measuring may take. No block begins that is not expected to end within it.
    pub budget: Duration,
    /// The most waves: each measures every kernel against itself and with every injected slowdown. What time they leave goes to
    /// further A/A series.
    pub most_waves: u32,
    /// A/A series of each kernel in a wave.
    pub null_series: u32,
}

impl Options {
    /// One wave in three quarters of a minute.
    #[must_use]
    pub fn quick(seed: u64) -> Self {
        let budget = Duration::from_secs(46);
        Self { seed, shape: Shape::default(), budget, most_waves: 1, null_series: 2 }
    }

    /// As many waves as fit into four minutes.
    #[must_use]
    pub fn full(seed: u64) -> Self {
        let budget = Duration::from_secs(240);
        Self { seed, shape: Shape::default(), budget, most_waves: u32::MAX, null_series: 4 }
    }
}

/// What was measured.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Every series that was begun, in the order of the waves.
    pub series: Vec<Series>,
    /// Seconds from the first slot to the last.
    pub seconds: f64,
    /// What one round that counts cost on average, seconds: the time lost to void blocks is part of it.
    pub round_seconds: Option<f64>,
    /// Whether the budget ended before the first wave was settled.
    pub cut_short: bool,
    /// What ended it before its time.
    pub interrupted: Option<&'static str>,
}

/// Measures waves until one more is not expected to fit. After an interrupt it returns what it has.
///
/// # Errors
/// When a slot cannot be measured.
pub fn record(
    options: &Options,
    runner: &mut dyn Runner,
    progress: &dyn Progress,
) -> Result<Recording, Error> {
    let mut recorder =
        Recorder { options, runner, progress, series: Vec::new(), blocks: 0, cut_short: false };
    let interrupted = match recorder.waves() {
        Ok(()) => None,
        Err(Error::Interrupted(signal)) => Some(signal),
        Err(error) => return Err(error),
    };
    let seconds = recorder.runner.elapsed().as_secs_f64();
    let rounds: f64 = recorder.series.iter().map(|series| f64::from(series.rounds())).sum();
    Ok(Recording {
        seconds,
        round_seconds: (rounds > 0.0).then(|| seconds / rounds),
        cut_short: recorder.cut_short,
        interrupted,
        series: recorder
            .series
            .into_iter()
            .filter(|series| series.rounds() > 0 || series.voided() > 0)
            .collect(),
    })
}

struct Recorder<'a> {
    options: &'a Options,
    runner: &'a mut dyn Runner,
    progress: &'a dyn Progress,
    series: Vec<Series>,
    /// Blocks measured, void ones included.
    blocks: u32,
    cut_short: bool,
}

impl Recorder<'_> {
    /// Full waves while they are expected to fit, then A/A series of every kernel in what time is left. Whether something is begun
    /// never depends on what it would show, and what is begun is ended, so that no rate is bent.
    fn waves(&mut self) -> Result<(), Error> {
        let mut longest = Duration::ZERO;
        for wave in 0..self.options.most_waves {
            let began = self.runner.elapsed();
            if began + longest > self.options.budget {
                break;
            }
            let mut series = self.null(self.options.null_series);
            series.extend(injected(wave));
            if !self.wave(series)? {
                self.cut_short = wave == 0;
                return Ok(());
            }
            longest = longest.max(self.runner.elapsed() - began);
        }
        while self.runner.elapsed() + self.expected_block() * NULL_BLOCKS <= self.options.budget {
            let series = self.null(1);
            self.wave(series)?;
        }
        Ok(())
    }

    /// So many A/A series of each kernel, with deals that none before them had.
    fn null(&self, each: u32) -> Vec<Series> {
        let of_first = |series: &&Series| series.arm() == Arm::null(Kernel::ALL[0]);
        let known = self.series.iter().filter(of_first).count();
        let numbers = (0..).skip(known).take(each as usize);
        numbers.flat_map(|number| Kernel::ALL.map(|kernel| Series::new(Arm::null(kernel), number))).collect()
    }

    /// Measures these series in turn until all are settled; false when the budget ended before that.
    fn wave(&mut self, series: Vec<Series>) -> Result<bool, Error> {
        let first = self.series.len();
        self.series.extend(series);
        loop {
            let open: Vec<usize> =
                (first..self.series.len()).filter(|place| !self.series[*place].is_settled()).collect();
            if open.is_empty() {
                return Ok(true);
            }
            for place in open {
                if self.runner.elapsed() + self.expected_block() > self.options.budget {
                    return Ok(false);
                }
                self.block(place)?;
            }
        }
    }

    fn expected_block(&self) -> Duration {
        let least = self.options.shape.duration() * 2 * ROUNDS_PER_BLOCK;
        self.runner.elapsed().checked_div(self.blocks).unwrap_or(Duration::ZERO).max(least)
    }

    fn block(&mut self, place: usize) -> Result<(), Error> {
        let began = self.runner.elapsed();
        let deal = self.series[place].deal(self.options.seed);
        let arm = self.series[place].arm();
        let mut waited = Duration::ZERO;
        let mut slots = Vec::with_capacity(deal.len());
        self.runner.begin_block();
        for (side, padding) in deal {
            let reading = self.runner.slot(&arm.order(side, self.options.shape), padding)?;
            waited += reading.waited;
            slots.push(Slot { side, padding, samples: reading.samples });
        }
        // Decided before anybody looks at labels or values, or the deal would not be fair
        let disturbance = self.runner.disturbance(waited);
        let void = void_reason(&disturbance, SlotSettings::default().void_share);
        let void = void.filter(|_| self.series[place].may_void());
        self.blocks += 1;
        let seconds = (self.runner.elapsed() - began).as_secs_f64();
        self.series[place].record(Block { slots, void }, seconds);
        self.tell(place);
        Ok(())
    }

    fn tell(&self, place: usize) {
        let series = &self.series[place];
        let elapsed = self.runner.elapsed();
        self.progress.tell(Event::Measuring(Measuring {
            benchmark: series.name().to_owned(),
            rounds: series.rounds(),
            next_look: series.next_look(),
            decided: self.series.iter().filter(|series| series.is_settled()).count(),
            benchmarks: self.series.len(),
            elapsed,
            remaining: self.options.budget.saturating_sub(elapsed),
        }));
    }
}

/// The injected slowdowns of a wave. They come after its A/A series: what little time there is goes to those.
fn injected(wave: u32) -> Vec<Series> {
    let arms = INJECTED_PERCENT
        .into_iter()
        .flat_map(|injected_percent| Kernel::ALL.map(|kernel| Arm { kernel, injected_percent }));
    arms.map(|arm| Series::new(arm, wave)).collect()
}
