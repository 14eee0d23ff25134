//! Tables of the rivals' rules on the same slots, and of stored baselines.

use std::collections::BTreeMap;

use tollgate::stats::{
    multiplicity::benjamini_hochberg, prediction::compare_with_stored, random::Stream, randomisation::greater,
};

use crate::{
    corpus::Process,
    rivals::{RIVALS, criterion, middle, t_prediction},
    tables::{Rate, row, title},
    trial::{Slot, deal, window},
};

pub(crate) fn rules_on_go(go: &[Vec<f64>]) {
    title(
        "Rules of other tools on Go: false alarms a benchmark, P(one of 200 clean ones fails), power",
        "rule|false alarm|of 200|+1 %|+2 %|+5 %|+10 %",
    );
    let published = [
        ".0202 .983 .768 .844 .895 .911",
        ".0157 .957 .845 .880 .912 .931",
        ".0160 .960 .805 .881 .913 .921",
        ".0367 .999 .598 .785 .880 .902",
        ".0223 .989 .386 .603 .825 .875",
        "",
        ".0522 1.000 .051 .052 .428 .963",
        ".0420 1.000 .037 .034 .044 .419",
        ".0222 .989 .020 .020 .017 .021",
    ];
    for (rival, published) in RIVALS.iter().zip(published) {
        let mut stream = Stream::new(1, "rivals", &[], 0);
        let mut alarms = |change: f64, trials: u32| {
            let mut rate = Rate::default();
            for _ in 0..trials {
                let series = &go[stream.place(go.len())];
                let values: Vec<f64> =
                    window(series, rival.base + rival.head, &mut stream).iter().map(|y| y.exp()).collect();
                let (base, head) = values.split_at(rival.base);
                let head: Vec<f64> = head.iter().map(|value| value * (1.0 + change)).collect();
                rate.add((rival.alarms)(base, &head));
            }
            rate
        };
        let clean = alarms(0.0, 6000);
        let of_200 = 1.0 - (1.0 - clean.share()).powi(200);
        let mut cells = vec![clean.to_string(), format!("{of_200:.3}")];
        cells.extend([0.01, 0.02, 0.05, 0.10].map(|change| alarms(change, 2000).to_string()));
        row(rival.name, cells, published);
    }
}

pub(crate) fn rules_on_lockstep(lockstep: &[(String, Vec<Slot>)]) {
    title(
        "The same rules on lockstep slots (fastest fifth), one look of ours beside them",
        "rule|A/A|+2 %|+5 %|+10 %",
    );
    let changes = [0.0, 0.02, 0.05, 0.10];
    for rival in &RIVALS {
        let mut stream = Stream::new(1, "rivals lockstep", &[], 0);
        let rates = changes.map(|change| {
            let mut rate = Rate::default();
            for (_, slots) in lockstep {
                for _ in 0..500 {
                    let slots = window(slots, rival.base + rival.head, &mut stream);
                    let values: Vec<f64> = slots.iter().map(|slot| slot.fast.exp()).collect();
                    let (base, head) = values.split_at(rival.base);
                    let head: Vec<f64> = head.iter().map(|value| value * (1.0 + change)).collect();
                    rate.add((rival.alarms)(base, &head));
                }
            }
            rate
        });
        row(rival.name, rates, "");
    }
    for (label, level) in
        [("ours, one look of 12 rounds, level .01", 0.01), ("ours, one look of 12 rounds, level .001", 0.001)]
    {
        let mut stream = Stream::new(1, "ours lockstep", &[], 0);
        let rates = changes.map(|change| {
            let mut rate = Rate::default();
            for (_, slots) in lockstep {
                for _ in 0..500 {
                    let values: Vec<f64> =
                        window(slots, 24, &mut stream).iter().map(|slot| slot.fast).collect();
                    rate.add(greater(&deal(&values, change.ln_1p(), &mut stream), 0.0) <= level);
                }
            }
            rate
        });
        row(label, rates, "");
    }
}

pub(crate) fn criterion_against_itself(
    runs: &BTreeMap<String, Vec<Process>>,
    lockstep: &BTreeMap<String, Vec<Process>>,
) {
    title(
        "Criterion's comparison of two processes of the same binary (2,000 resamples)",
        "processes|p < .05|\"regressed\"",
    );
    let mut stream = Stream::new(1, "criterion", &[], 0);
    let mut compare = |pairs: Vec<(&Process, &Process)>| {
        let (mut significant, mut regressed) = (Rate::default(), Rate::default());
        for (base, head) in pairs {
            let (p, slower) = criterion(&base.samples(), &head.samples(), 2000, &mut stream);
            significant.add(p);
            regressed.add(slower);
        }
        [significant, regressed]
    };
    let of_variant =
        |processes: &'static str| runs.values().flatten().filter(move |process| process.variant == processes);
    row(
        "criterion runs, A then A2 of a round",
        compare(of_variant("A").zip(of_variant("A2")).collect()),
        ".84  .42 (another machine)",
    );
    let all: Vec<&Process> = lockstep.values().flatten().step_by(7).collect();
    let next: Vec<&Process> = lockstep.values().flatten().skip(1).step_by(7).collect();
    row(
        "lockstep slots, neighbours",
        compare(all.into_iter().zip(next).filter(|(a, b)| a.bench == b.bench).collect()),
        "",
    );
}

pub(crate) fn stored(go: &[Vec<f64>]) {
    title(
        "One new process against stored ones, 200 Go benchmarks: false alarms and power at .01",
        "stored, rule|at .05|.01|.001|+2 %|+5 %|+10 %",
    );
    let published = [
        (5, ".0413 .0092 .0011 .534 .788 .861"),
        (10, ".0479 .0098 .0011 .660 .838 .887"),
        (20, ".0412 .0092 .0011 .701 .850 .892"),
    ];
    for (runs, published) in published {
        let mut stream = Stream::new(1, "stored", &[], runs as u64);
        let mut rates = [Rate::default(); 6];
        for _ in 0..40 {
            let (histories, new) = suite(go, 200, runs, 1, &mut stream);
            for (place, level) in [0.05, 0.01, 0.001].into_iter().enumerate() {
                p_values(&histories, &new).iter().for_each(|p| rates[place].add(*p <= level));
            }
            for (place, change) in [0.02_f64, 0.05, 0.10].into_iter().enumerate() {
                // A tenth of the benchmarks is slower, so that the suite's shift is hardly moved.
                let slower: Vec<f64> = new
                    .iter()
                    .enumerate()
                    .map(|(b, y)| if b % 10 == 0 { y + change.ln_1p() } else { *y })
                    .collect();
                p_values(&histories, &slower)
                    .iter()
                    .step_by(10)
                    .for_each(|p| rates[3 + place].add(*p <= 0.01));
            }
        }
        row(&format!("{runs}, pooled residuals"), rates, published);
    }
    let published =
        ["-  .0282 .0144  -  .838 .885", "-  .0236 .0104  -  .864 .898", "-  .0222 .0104  -  .863 .897"];
    for (runs, published) in [5, 10, 20].into_iter().zip(published) {
        let mut stream = Stream::new(1, "stored t", &[], runs as u64);
        let mut rates = [Rate::default(); 6];
        for _ in 0..8000 {
            let series = &go[stream.place(go.len())];
            let values: Vec<f64> = window(series, runs + 1, &mut stream).to_vec();
            let p = |change: f64| t_prediction(&values[..runs], values[runs] + change.ln_1p());
            for (rate, level) in rates.iter_mut().zip([0.05, 0.01, 0.001]) {
                rate.add(p(0.0) <= level);
            }
            for (rate, change) in rates[3..].iter_mut().zip([0.02, 0.05, 0.10]) {
                rate.add(p(change) <= 0.01);
            }
        }
        row(&format!("{runs}, t prediction interval"), rates, published);
    }
    runs_of_six(go);
}

fn runs_of_six(go: &[Vec<f64>]) {
    title(
        "A run of six processes against stored ones, q = 1 %: clean checks that fail, power for one benchmark",
        "benchmarks, stored|any clean fails|+10 %|+5 %",
    );
    let published = [
        (8, 5, ""),
        (8, 8, ".007, .80/.73 (one pool)"),
        (8, 20, ".013, .80/.76 (one pool)"),
        (40, 20, "0, .45/.36 (strata of 25)"),
        (200, 8, ".017, .68/.57 (strata of 25)"),
        (200, 20, ".067, .82/.68 (strata of 25)"),
    ];
    for (benchmarks, runs, published) in published {
        let mut stream = Stream::new(1, "runs of six", &[], (1000 * benchmarks + runs) as u64);
        let mut rates = [Rate::default(); 3];
        for _ in 0..600 {
            let (histories, mut new) = suite(go, benchmarks, runs, 6, &mut stream);
            let adjusted = |new: &[f64]| benjamini_hochberg(&p_values(&histories, new));
            rates[0].add(adjusted(&new).iter().any(|q| *q <= 0.01));
            let slow = stream.place(benchmarks);
            let clean = new[slow];
            for (rate, change) in rates[1..].iter_mut().zip([0.10_f64, 0.05]) {
                new[slow] = clean + change.ln_1p();
                rate.add(adjusted(&new)[slow] <= 0.01);
            }
        }
        row(&format!("{benchmarks}, {runs}"), rates, published);
    }
}

/// Histories of different Go benchmarks and a new run that follows each, every run the median of some processes; newest first.
fn suite(
    go: &[Vec<f64>],
    count: usize,
    runs: usize,
    processes: usize,
    stream: &mut Stream,
) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut order: Vec<usize> = (0..go.len()).collect();
    stream.shuffle(&mut order);
    let benchmark = |place: &usize| {
        let values = window(&go[*place], processes * (runs + 1), stream);
        let mut levels: Vec<f64> = values.chunks_exact(processes).map(middle).collect();
        let new = levels.pop().unwrap_or(f64::NAN);
        levels.reverse();
        (levels, new)
    };
    order[..count].iter().map(benchmark).unzip()
}

fn p_values(histories: &[Vec<f64>], new: &[f64]) -> Vec<f64> {
    let compared = compare_with_stored(histories, new).comparisons;
    compared.into_iter().map(|comparison| comparison.map_or(1.0, |comparison| comparison.p_value)).collect()
}
