//! Injected slowdowns: how many of the changes that were really made were found, and how large they came out.

use crate::{
    calibrate::{
        kernel::Kernel,
        plain::{Plain, plain},
        series::Series,
    },
    model::{
        run::Side,
        verdict::{SlotValue, Verdict},
    },
    stats::{
        location::median_in_place,
        randomisation::{DealtBlocks, estimate},
    },
};

/// What became of one size of slowdown over all kernels.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// More work that head really did, per cent.
    pub injected_percent: u32,
    /// The margin at which it was judged, relative.
    pub margin: f64,
    /// Series of it.
    pub series: u64,
    /// Those that came out as `regressed`.
    pub found: u64,
    /// Rounds that the found ones took on average.
    pub rounds: Option<f64>,
    /// The change as measured, relative: median over the kernels.
    pub measured: Option<f64>,
    /// The kernels with a series that was not found.
    pub missed: Vec<Kernel>,
    /// What a fixed rule would have found in the same slots.
    pub plain: Option<Plain>,
}

/// What became of every size of slowdown of which a block counts, the smallest first.
#[must_use]
pub fn detections(series: &[Series]) -> Vec<Detection> {
    let mut sizes: Vec<u32> = series.iter().map(|series| series.arm().injected_percent).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let detections = sizes.into_iter().filter(|size| *size > 0).map(|size| detection(series, size));
    detections.filter(|detection| detection.series > 0).collect()
}

fn detection(series: &[Series], size: u32) -> Detection {
    let of_size: Vec<&Series> =
        series.iter().filter(|series| series.arm().injected_percent == size && series.rounds() > 0).collect();
    let (found, missed): (Vec<&Series>, Vec<&Series>) =
        of_size.iter().partition(|series| series.verdict() == Verdict::Regressed);
    let rounds: f64 = found.iter().map(|series| f64::from(series.rounds())).sum();
    let mut missed: Vec<Kernel> = missed.iter().map(|series| series.arm().kernel).collect();
    missed.sort_unstable();
    missed.dedup();
    let blocks: Vec<Vec<SlotValue>> = of_size.iter().flat_map(|series| series.values()).collect();
    let mut changes: Vec<f64> =
        Kernel::ALL.into_iter().filter_map(|kernel| measured(&of_size, kernel)).collect();
    Detection {
        injected_percent: size,
        margin: of_size.first().map_or(0.0, |series| series.arm().margin()),
        series: of_size.len() as u64,
        found: found.len() as u64,
        rounds: (!found.is_empty()).then(|| rounds / found.len() as f64),
        measured: median_in_place(&mut changes),
        missed,
        plain: plain(&blocks),
    }
}

/// The relative change of a kernel over all its series of this size.
fn measured(series: &[&Series], kernel: Kernel) -> Option<f64> {
    let of_kernel = series.iter().filter(|series| series.arm().kernel == kernel);
    let blocks: Vec<Vec<SlotValue>> = of_kernel.flat_map(|series| series.values()).collect();
    Some(estimate(&dealt(&blocks)?).exp_m1())
}

/// The fastest fifths of blocks as the test sees them; `None` when there are none.
pub(super) fn dealt(blocks: &[Vec<SlotValue>]) -> Option<DealtBlocks> {
    let labelled = |slot: &SlotValue| (slot.side == Side::Head, slot.fast.ln());
    let blocks: Vec<Vec<(bool, f64)>> =
        blocks.iter().map(|block| block.iter().map(labelled).collect()).collect();
    DealtBlocks::new(&blocks).ok()
}
