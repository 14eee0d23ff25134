//! A/A: how often a check alarms here although nothing changed, counted on this machine's own slots.

use crate::{
    calibrate::{
        plain::{Plain, plain},
        series::{Series, level},
    },
    model::{
        run::Side,
        verdict::{SlotValue, Verdict},
    },
    stats::{
        proportion::{lower_bound, upper_bound},
        random::Stream,
    },
};

/// Times that each A/A series is dealt anew on paper.
const REDEALS: u64 = 25;

/// The chance that a stated bound does not hold the true rate.
const RISK: f64 = 0.05;

/// A rate that was counted, with exact bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counted {
    /// How often it happened.
    pub hits: u64,
    /// In how many cases.
    pub cases: u64,
    /// Lower end of the exact interval; 0 where only an upper bound is meant.
    pub lower: f64,
    /// Upper end of the exact interval.
    pub upper: f64,
}

/// What the A/A series came to.
#[derive(Debug, Clone, PartialEq)]
pub struct NullRates {
    /// Verdicts `regressed` among all verdicts, with the one-sided 95 % bound of Clopper and Pearson. Every series has deals of its
    /// own, so the verdicts are as good as independent.
    pub false_alarms: Counted,
    /// The chance of a false alarm in one verdict that the design promises at most.
    pub promised: f64,
    /// Verdicts by word: unchanged, improved (wrong as well), inconclusive.
    pub unchanged: u64,
    /// See above.
    pub improved: u64,
    /// See above.
    pub inconclusive: u64,
    /// Blocks in which all three head slots were slower than all three base slots, with the two-sided 95 % interval: by chance alone
    /// 1 in 20. How many blocks there are depends on the verdicts, which leaves the expectation at 1 in 20 of them (Wald).
    pub one_sided_blocks: Counted,
    /// Verdicts `regressed` when the recorded slots are dealt anew on paper: resampled from the same slots, so no further
    /// independent cases. `lower` and `upper` are not bounds of anything and stay at the rate.
    pub redealt: Counted,
    /// What a fixed rule would have alarmed on.
    pub plain: Plain,
}

impl NullRates {
    /// Counts the A/A series among these; `None` when there is no block of them.
    #[must_use]
    pub fn of(series: &[Series], seed: u64) -> Option<Self> {
        let null: Vec<&Series> = series
            .iter()
            .filter(|series| series.arm().injected_percent == 0 && series.rounds() > 0)
            .collect();
        let verdicts = |word: Verdict| count(null.iter().filter(|series| series.verdict() == word).count());
        let blocks: Vec<Vec<SlotValue>> = null.iter().flat_map(|series| series.values()).collect();
        let plain = plain(&blocks)?;
        let (alarms, cases) = (verdicts(Verdict::Regressed), count(null.len()));
        let slower = count(blocks.iter().filter(|block| is_one_sided(block)).count());
        Some(Self {
            false_alarms: Counted {
                hits: alarms,
                cases,
                lower: 0.0,
                upper: upper_bound(alarms, cases, RISK),
            },
            promised: level(),
            unchanged: verdicts(Verdict::Unchanged),
            improved: verdicts(Verdict::Improved),
            inconclusive: verdicts(Verdict::Inconclusive),
            one_sided_blocks: two_sided(slower, count(blocks.len())),
            redealt: redealt(&null, seed),
            plain,
        })
    }
}

fn two_sided(hits: u64, cases: u64) -> Counted {
    let (lower, upper) = (lower_bound(hits, cases, RISK / 2.0), upper_bound(hits, cases, RISK / 2.0));
    Counted { hits, cases, lower, upper }
}

/// Whether the fastest head slot was slower than the slowest base slot.
fn is_one_sided(block: &[SlotValue]) -> bool {
    let of = |side: Side| block.iter().filter(move |slot| slot.side == side).map(|slot| slot.fast);
    let fastest_head = of(Side::Head).min_by(f64::total_cmp);
    let slowest_base = of(Side::Base).max_by(f64::total_cmp);
    fastest_head.zip(slowest_base).is_some_and(|(head, base)| head > base)
}

fn redealt(null: &[&Series], seed: u64) -> Counted {
    let (mut hits, mut cases) = (0_u64, 0_u64);
    for series in null {
        for redeal in 0..REDEALS {
            let mut stream = Stream::new(seed, "redeal", &[series.name()], redeal);
            let verdict = series.verdict_if(|| {
                let mut sides = [Side::Base, Side::Base, Side::Base, Side::Head, Side::Head, Side::Head];
                stream.shuffle(&mut sides);
                sides
            });
            hits += u64::from(verdict == Verdict::Regressed);
            cases += 1;
        }
    }
    let rate = if cases > 0 { hits as f64 / cases as f64 } else { 0.0 };
    Counted { hits, cases, lower: rate, upper: rate }
}

fn count(count: usize) -> u64 {
    count as u64
}
