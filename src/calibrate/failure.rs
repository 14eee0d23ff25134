//! What can go wrong with the self-test itself.

use crate::{
    calibrate::kernel::{Kernel, protocol::Garbled},
    hint::Hint,
    process::{self, ExitStatus},
};

/// Why a slot of the self-test could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its process did not run to its end.
    #[error("could not measure kernel `{}` of the self-test", kernel.name())]
    Process {
        /// Which kernel.
        kernel: Kernel,
        /// What happened.
        source: process::Error,
    },
    /// Its process failed.
    #[error("kernel `{}` of the self-test {status}{}", kernel.name(), tail(stderr_tail))]
    Ended {
        /// Which kernel.
        kernel: Kernel,
        /// How.
        status: ExitStatus,
        /// The end of its standard error.
        stderr_tail: String,
    },
    /// What it printed is no answer.
    #[error("could not read the answer of kernel `{}` of the self-test", kernel.name())]
    Garbled {
        /// Which kernel.
        kernel: Kernel,
        /// Why not.
        source: Garbled,
    },
    /// The user wants us to stop.
    #[error("the self-test was interrupted by {0}")]
    Interrupted(&'static str),
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Process { source: process::Error::TimedOut { .. }, .. } => Some(
                "run it again when the machine is less busy: a slot takes a tenth of a second at rest".into(),
            ),
            Self::Process { .. } | Self::Ended { .. } | Self::Garbled { .. } => Some(
                "check that the `tollgate` file that runs is whole and was not replaced meanwhile".into(),
            ),
            Self::Interrupted(_) => None,
        }
    }
}

fn tail(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(": {stderr}") }
}
