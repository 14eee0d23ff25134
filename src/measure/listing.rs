//! What a measurement would do and cost, without doing it: `--list`.

use super::{
    prepare::prepare,
    request::{Error, Request},
    stage::{Stage, clear},
};
use crate::{
    model::{
        benchmark::Benchmark,
        run::{Fate, SlotMethod, Warning},
    },
    plan::deal::SLOTS,
    process::Interrupt,
    progress::Progress,
};

/// What would become of one benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Which one.
    pub benchmark: Benchmark,
    /// Why it would not be measured; `None` when it would.
    pub fate: Option<Fate>,
    /// How its slots would be had.
    pub method: SlotMethod,
    /// What one block of it is expected to take, seconds; 0 when it would not be measured.
    pub block_seconds: f64,
}

/// What a measurement would do.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// Every benchmark on either side, sorted.
    pub benchmarks: Vec<Listed>,
    /// What the reader should know.
    pub warnings: Vec<Warning>,
    /// Why the list is not complete: `interrupted by SIGINT`.
    pub interrupted: Option<String>,
}

impl Listing {
    /// What `blocks` blocks of everything would take, seconds.
    #[must_use]
    pub fn seconds(&self, blocks: u32) -> f64 {
        f64::from(blocks) * self.benchmarks.iter().map(|listed| listed.block_seconds).sum::<f64>()
    }
}

/// Lists what would be measured. Every benchmark runs about once, to learn what it costs.
///
/// # Errors
/// When there is no room for our own files.
pub fn list(request: &Request<'_>, progress: &dyn Progress, interrupt: &Interrupt) -> Result<Listing, Error> {
    let scratch = clear(request.folder, interrupt)?;
    let stage = Stage { settings: &request.slot, interrupt, home: scratch.path(), pin: request.pin };
    let prepared = match prepare(request, &stage, progress) {
        Ok(prepared) => prepared,
        Err(signal) => {
            let interrupted = Some(format!("interrupted by {signal}"));
            return Ok(Listing { interrupted, ..Listing::default() });
        }
    };
    let measured = prepared.contenders.into_iter().map(|contender| Listed {
        benchmark: contender.found.benchmark,
        fate: None,
        method: contender.method,
        block_seconds: contender.cost.slot_seconds() * SLOTS_PER_BLOCK,
    });
    let settled = prepared.settled.into_iter().map(|other| Listed {
        benchmark: other.benchmark,
        fate: Some(other.fate),
        method: other.method,
        block_seconds: 0.0,
    });
    let mut benchmarks: Vec<Listed> = measured.chain(settled).collect();
    benchmarks.sort_by(|left, right| left.benchmark.cmp(&right.benchmark));
    Ok(Listing { benchmarks, warnings: prepared.warnings, interrupted: None })
}

#[expect(clippy::cast_precision_loss, reason = "six")]
const SLOTS_PER_BLOCK: f64 = SLOTS as f64;
