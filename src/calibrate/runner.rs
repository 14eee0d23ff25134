//! Who runs the slots of the self-test: fresh processes of this program, or whatever stands in for them in a replay.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    calibrate::{
        failure::Error,
        kernel::{
            Order, Reading,
            protocol::{Shape, read},
        },
    },
    machine::noise::{Disturbance, Meter},
    process::{self, Interrupt, Spec, run},
};

/// How long a slot may take beyond its shape before its process counts as hung.
const PATIENCE: Duration = Duration::from_secs(10);

/// The variable that carries the padding, as in the slots of a check.
const PADDING: &str = "TOLLGATE_PADDING";

/// Runs slots, and tells how long that has taken.
pub trait Runner {
    /// Runs one slot in a fresh process with so many bytes of environment padding.
    ///
    /// # Errors
    /// When it cannot be measured, or the user wants us to stop.
    fn slot(&mut self, order: &Order, padding: u32) -> Result<Reading, Error>;

    /// A block begins: watch from here what is taken away from it.
    fn begin_block(&mut self);

    /// What the machine took away from the block so far, `waited` being what its processes say of themselves.
    fn disturbance(&self, waited: Duration) -> Disturbance;

    /// Time since the self-test began.
    fn elapsed(&self) -> Duration;
}

/// Runs slots as children of this process.
#[derive(Debug)]
pub struct Processes {
    executable: PathBuf,
    directory: PathBuf,
    interrupt: Interrupt,
    began: Instant,
    meter: Meter,
}

impl Processes {
    /// Slots of the program at `executable`, started in the system's folder for temporary files. The clock starts now.
    #[must_use]
    pub fn new(executable: PathBuf, interrupt: Interrupt) -> Self {
        let directory = std::env::temp_dir();
        Self { executable, directory, interrupt, began: Instant::now(), meter: Meter::start() }
    }
}

impl Runner for Processes {
    fn slot(&mut self, order: &Order, padding: u32) -> Result<Reading, Error> {
        let kernel = order.kernel;
        let spec = Spec::new(&self.executable, &self.directory)
            .args(order.arguments())
            .set(PADDING, "x".repeat(padding as usize))
            .timeout(order.shape.duration() + PATIENCE);
        let finished = run(&spec, &self.interrupt).map_err(|source| match source {
            process::Error::Interrupted { signal, .. } => Error::Interrupted(signal),
            source => Error::Process { kernel, source },
        })?;
        if !finished.status.success() {
            return Err(Error::Ended { kernel, status: finished.status, stderr_tail: finished.stderr_tail });
        }
        let Shape { samples, .. } = order.shape;
        read(&finished.stdout, samples).map_err(|source| Error::Garbled { kernel, source })
    }

    fn begin_block(&mut self) {
        self.meter = Meter::start();
    }

    fn disturbance(&self, waited: Duration) -> Disturbance {
        self.meter.read(waited)
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}
