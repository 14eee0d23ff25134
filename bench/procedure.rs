//! Tables of the whole sequential procedure: one benchmark until it is decided, and whole families.

use tollgate::stats::random::Stream;

use crate::{
    tables::{Mean, Rate, row, title},
    trial::{Ending, Rules, Slot, Stop, Trial, check, deal, deal_slots, window},
};

/// Rounds of the last look.
const MOST_ROUNDS: usize = 39;

pub(crate) fn one_benchmark(lockstep: &[(String, Vec<Slot>)]) {
    title(
        "Lockstep slots, threshold .01/8, the median passing at 4 v: regressed / no worse / open, mean rounds",
        "change of fast, median; margin|alloc|hash|scan|sort",
    );
    let both = |change: f64| Slot { fast: change.ln_1p(), median: change.ln_1p() };
    let median = |change: f64| Slot { fast: 0.0, median: change.ln_1p() };
    let cases = [
        ("0; 2 %", both(0.0), 0.02, "sort 0/.95/.05,14 hash 0/.99/.01,12 scan 0/1/0,10 alloc .01/.56/.43,29"),
        (
            "only the median +5 %; 2 %",
            median(0.05),
            0.02,
            "sort .83/.01/.16,25 hash .97/0/.03,22 scan .97/0/.03,23 alloc .60/.03/.37,31",
        ),
        (
            "only the median +20 %; 2 %",
            median(0.2),
            0.02,
            "sort 1/0/0,20 hash .99/.01/0,15 scan 1/0/0,19 alloc .98/0/.02,23",
        ),
        ("+2 %; 1 %", both(0.02), 0.01, ""),
        ("+2 %; 2 %", both(0.02), 0.02, ""),
        ("+3 %; 2 %", both(0.03), 0.02, ""),
        ("+5 %; 2 %", both(0.05), 0.02, ""),
        ("-5 %; 2 % (improved in the place of regressed)", both(-0.05), 0.02, "improved .99"),
    ];
    for (label, change, margin, published) in cases {
        row(label, endings(lockstep, change, margin, true, true), published);
    }
    title(
        "The same by the fastest fifth alone (its p over .8), which the published table used",
        "change; margin|alloc|hash|scan|sort",
    );
    let cases = [
        (0.0, 0.02, "sort 0/.98/.02,12 hash 0/1/0,9 scan 0/1/0,9 alloc 0/.64/.36,26"),
        (0.0, 0.01, "sort 0/.76/.24,22 hash .01/.81/.19,19 scan 0/.79/.21,21 alloc 0/.24/.76,33"),
        (0.02, 0.01, "sort .90/.01/.10,23 hash .94/0/.06,21 scan .98/.01/.01,21 alloc .20/.04/.77,36"),
        (0.02, 0.02, "sort .62/.05/.33,26 hash .66/.05/.29,26 scan .61/.07/.33,25 alloc .20/.08/.72,35"),
        (0.03, 0.02, "sort .98/.01/.01,18 hash 1/0/0,17 scan .99/.01/0,17 alloc .66/.01/.33,30"),
        (0.05, 0.02, "sort 1/0/0,15 hash 1/0/0,15 scan 1/0/0,15 alloc .96/0/.04,22"),
    ];
    for (change, margin, published) in cases {
        let label = format!("{:+} %; {} %", change * 100.0, margin * 100.0);
        row(&label, endings(lockstep, both(change), margin, true, false), published);
    }
    title("The same by the median alone", "change; margin|alloc|hash|scan|sort");
    for (change, published) in [
        (0.0, "sort .01/.87/.12,17 hash 0/.97/.03,14 scan 0/.94/.06,14 alloc 0/.47/.53,29"),
        (0.05, "sort .92/.01/.07,22 hash .98/0/.01,18 scan .98/.01/.01,18 alloc .83/.01/.15,27"),
    ] {
        let label = format!("{:+} %; 2 %", change * 100.0);
        row(&label, endings(lockstep, both(change), 0.02, false, true), published);
    }
}

fn endings(
    lockstep: &[(String, Vec<Slot>)],
    change: Slot,
    margin: f64,
    fast: bool,
    median: bool,
) -> Vec<String> {
    let rules = Rules { margin, q: 0.01, stop: Stop::Decided, family: 8 };
    let benchmark = |(name, slots): &(String, Vec<Slot>)| {
        let mut stream = Stream::new(1, "one benchmark", &[name], 0);
        let mut counts = [Rate::default(); 3];
        let mut rounds = Mean::default();
        for _ in 0..200 {
            let slots = window(slots, 2 * MOST_ROUNDS, &mut stream).to_vec();
            let both = deal_slots(&slots, change, &mut stream);
            let trial = match (fast, both.median) {
                (true, of_median) => Trial { fast: both.fast, median: of_median.filter(|_| median) },
                (false, of_median) => Trial { fast: of_median.unwrap_or(both.fast), median: None },
            };
            let (ending, used) = check(std::slice::from_ref(&trial), rules)[0];
            let moved = if change.fast < 0.0 { Ending::Improved } else { Ending::Regressed };
            for (count, kind) in counts.iter_mut().zip([moved, Ending::NoWorse, Ending::Undecided]) {
                count.add(ending == kind);
            }
            rounds.add(f64::from(used));
        }
        format!("{:.2}/{:.2}/{:.2},{rounds}", counts[0].share(), counts[1].share(), counts[2].share())
    };
    lockstep.iter().map(benchmark).collect()
}

/// A family of Go benchmarks, of which the first few are slower by `change`.
fn family(go: &[Vec<f64>], count: usize, slower: usize, change: f64, stream: &mut Stream) -> Vec<Trial> {
    let mut order: Vec<usize> = (0..go.len()).collect();
    stream.shuffle(&mut order);
    let mut benchmark = |place: usize| {
        let values = window(&go[order[place]], 2 * MOST_ROUNDS, stream).to_vec();
        Trial { fast: deal(&values, if place < slower { change } else { 0.0 }, stream), median: None }
    };
    (0..count).map(&mut benchmark).collect()
}

pub(crate) fn families(go: &[Vec<f64>]) {
    title(
        "Families of Go benchmarks, margin 0, binding futility: operating characteristics",
        "scenario|any clean fails|power|rounds clean|rounds slower",
    );
    let cases = [
        ("200 clean, q = 5 %", 0, 0.0, 0.05, 500, ".032  -  4.31"),
        ("200 clean, q = 1 %", 0, 0.0, 0.01, 500, ".006  -  4.31"),
        ("5 of 200 at +0.5 %, q = 1 %", 5, 0.005, 0.01, 100, "-  .680  4.4  13.0"),
        ("5 of 200 at +1 %", 5, 0.01, 0.01, 100, "-  .750  4.3  13.7"),
        ("5 of 200 at +2 %", 5, 0.02, 0.01, 100, "-  .860  4.3  12.4"),
        ("5 of 200 at +5 %", 5, 0.05, 0.01, 100, "-  .935  4.3  11.9"),
        ("5 of 200 at +10 %", 5, 0.10, 0.01, 100, "-  .905  4.3  11.8"),
    ];
    for (label, slower, change, q, builds, published) in cases {
        let rules = Rules { margin: 0.0, q, stop: Stop::Futile, family: 200 };
        row(label, operate(go, 200, slower, change, rules, builds), published);
    }
    title(
        "Families of Go benchmarks, margin 2 %, measured until decided, q = 1 %",
        "clean benchmarks|any clean fails|power|rounds clean|rounds slower",
    );
    for (count, builds) in [(8, 2000), (20, 1000), (200, 150)] {
        let rules = Rules { margin: 0.02, q: 0.01, stop: Stop::Decided, family: count };
        row(&format!("{count}"), operate(go, count, 0, 0.0, rules, builds), "<= .01");
    }
    let rules = Rules { margin: 0.02, q: 0.01, stop: Stop::Decided, family: 8 };
    row("8, two of them at +5 %", operate(go, 8, 2, 0.05, rules, 300), "<= .01 of those named are clean");
}

fn operate(
    go: &[Vec<f64>],
    count: usize,
    slower: usize,
    change: f64,
    rules: Rules,
    builds: u32,
) -> [String; 4] {
    let mut stream = Stream::new(1, "families", &[&format!("{count} {slower} {change}")], 0);
    let (mut any, mut power) = (Rate::default(), Rate::default());
    let (mut of_clean, mut of_slower) = (Mean::default(), Mean::default());
    for _ in 0..builds {
        let endings = check(&family(go, count, slower, change, &mut stream), rules);
        any.add(endings[slower..].iter().any(|(ending, _)| *ending == Ending::Regressed));
        endings[slower..].iter().for_each(|(_, rounds)| of_clean.add(f64::from(*rounds)));
        for (ending, rounds) in &endings[..slower] {
            power.add(*ending == Ending::Regressed);
            of_slower.add(f64::from(*rounds));
        }
    }
    let or_dash = |text: String| if slower == 0 { "-".to_owned() } else { text };
    [any.to_string(), or_dash(power.to_string()), of_clean.to_string(), or_dash(of_slower.to_string())]
}
