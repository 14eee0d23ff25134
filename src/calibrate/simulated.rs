//! A made-up machine for tests: quiet, noisy, stolen from, or left by an impatient user. No clock, no process.

use std::time::Duration;

use crate::{
    calibrate::{
        Error,
        kernel::{Order, Reading, work::UNITS},
        runner::Runner,
    },
    machine::noise::Disturbance,
    model::run::Sample,
    stats::random::Stream,
};

/// A machine on which a slot takes 0.08 s and whose values scatter as told.
pub(crate) struct Machine {
    pub(crate) scatter: f64,
    /// The share of every so many-th block that is taken away.
    pub(crate) taken: f64,
    pub(crate) every: usize,
    /// Slots after which the user has had enough.
    pub(crate) patience: usize,
    pub(crate) slots: usize,
    pub(crate) blocks: usize,
    pub(crate) stream: Stream,
}

impl Machine {
    pub(crate) fn with_scatter(scatter: f64) -> Self {
        let stream = Stream::new(11, "machine", &[], 0);
        Self { scatter, taken: 0.0, every: 3, patience: usize::MAX, slots: 0, blocks: 0, stream }
    }
}

impl Runner for Machine {
    fn slot(&mut self, order: &Order, padding: u32) -> Result<Reading, Error> {
        if self.slots >= self.patience {
            return Err(Error::Interrupted("SIGINT"));
        }
        assert!(padding <= 4096, "{padding}");
        self.slots += 1;
        let shared = (self.scatter * self.stream.normal()).exp();
        let samples = (1..=order.shape.samples).map(|sample| {
            let own = 1.0 + 0.002 * self.stream.unit();
            let iterations = f64::from(sample) * 10.0;
            Sample {
                iterations,
                total: iterations * 5000.0 * f64::from(order.units) / f64::from(UNITS) * shared * own,
            }
        });
        Ok(Reading { samples: samples.collect(), waited: Duration::ZERO })
    }

    fn begin_block(&mut self) {
        self.blocks += 1;
    }

    fn disturbance(&self, _waited: Duration) -> Disturbance {
        let taken = if self.blocks.is_multiple_of(self.every) { self.taken } else { 0.0 };
        let wall = Duration::from_millis(480);
        Disturbance { wall, stolen: wall.mul_f64(taken), ..Disturbance::default() }
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(80) * u32::try_from(self.slots).unwrap()
    }
}
