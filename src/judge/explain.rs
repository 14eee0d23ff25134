//! The one sentence of each row: what is known, and what a person can do with it.
//!
//! Numbers are rounded by `text::quantity`, as every report rounds them, so that a sentence and its table agree.

use crate::{
    judge::{
        budget::Budget,
        counted::TOLERATED,
        evidence::{Basis, Evidence, Shown, Untested},
        load,
        subject::Subject,
        waiver::Cover,
    },
    model::{
        metric::Direction,
        policy::Waiver,
        run::{Fate, Side},
        verdict::{Change, Verdict},
    },
    stats::{
        prediction::LEAST_RUNS,
        proportion::Counted,
        sequential::{LOOK_ROUNDS, NO_WORSE_LEVELS},
    },
    text::{plural, quantity},
};

/// All that a sentence may speak of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Story<'a> {
    pub(super) subject: &'a Subject,
    pub(super) evidence: &'a Evidence,
    pub(super) verdict: Verdict,
    /// The family rejected it, or exact rules did: it is worse by its change, not only beyond a budget.
    pub(super) changed: bool,
    pub(super) budget: Budget,
    pub(super) cover: Cover<'a>,
}

/// The sentence of a row: without a full stop, like every message.
pub(super) fn sentence(story: &Story) -> String {
    let sentence = of_fate(story);
    if load::is_lower_bound(story.subject) {
        return format!(
            "{sentence}; requests without an answer reach down to it, so the true values are at least these"
        );
    }
    sentence
}

fn of_fate(story: &Story) -> String {
    match &story.subject.fate {
        Fate::Identical => "the machine code is the same on both sides, so it cannot have changed".into(),
        Fate::Missing => {
            "only base has it: if it was renamed, name it under `renames`; if it was removed on purpose, \
                          ignore it by a rule"
                .into()
        }
        Fate::Failed { side, message } => failed(story, *side, message),
        Fate::New => with_budget(story, "only head has it, so there is nothing to compare it with".into()),
        Fate::Measured | Fate::Ignored(_) => measured(story),
    }
}

fn measured(story: &Story) -> String {
    match story.verdict {
        Verdict::Regressed | Verdict::Waived => with_cover(story, &worse(story)),
        Verdict::Improved => with_budget(story, improved(story)),
        Verdict::Unchanged => with_budget(story, unchanged(story)),
        _ => with_budget(story, inconclusive(story)),
    }
}

/// What failed, and what was shown before it did.
fn failed(story: &Story, side: Option<Side>, message: &str) -> String {
    let on = side.map_or(String::new(), |side| format!(" on {}", side.as_str()));
    match story.verdict {
        Verdict::Regressed | Verdict::Waived => {
            format!("{}; then it failed{on}: {message}", with_cover(story, &worse(story)))
        }
        _ => format!("failed{on}: {message}"),
    }
}

/// A regression: by its change, beyond its budget, or both.
fn worse(story: &Story) -> String {
    let broken = (story.budget == Budget::Broken).then(|| beyond_budget(story)).flatten();
    match (story.changed, broken) {
        (true, Some(broken)) => format!("{}; {broken}", changed_for_worse(story)),
        (false, Some(broken)) => broken,
        _ => changed_for_worse(story),
    }
}

fn changed_for_worse(story: &Story) -> String {
    let evidence = story.evidence;
    let margin = margin(story);
    if let Some(failures) = failures(story) {
        return format!("{failures}, beyond {margin}: fix it, or accept it by a waiver in `tollgate.toml`");
    }
    let Some(change) = &evidence.change else {
        return format!("{}, from nothing to something", words(story).worse);
    };
    let within = !is_beyond(story, change.estimate);
    if let Some(median) = evidence.median_change.filter(|_| within) {
        let moved = moved(story, median);
        return format!(
            "the median of its samples is {moved}, beyond {margin}, while its fastest ones are not: look for what slows \
             some of its iterations"
        );
    }
    let moved = moved_within(story, change);
    match evidence.basis {
        Basis::Stored { runs, pool } => format!(
            "{moved} than its {}, beyond {margin}: judged by {pool} stored residuals alone, so confirm it with `--mode \
             paired` where the base can be built",
            plural::count(runs, "stored run"),
        ),
        _ => format!("{moved}, beyond {margin}: fix it, or accept it by a waiver in `tollgate.toml`"),
    }
}

fn improved(story: &Story) -> String {
    if let Some(failures) = failures(story) {
        return failures;
    }
    let margin = margin(story);
    match &story.evidence.change {
        Some(change) if is_beyond(story, change.estimate) => {
            format!("{}, more than {margin}", moved_within(story, change))
        }
        Some(_) => match story.evidence.median_change {
            Some(median) => {
                format!("the median of its samples is {}, more than {margin}", moved(story, median))
            }
            None => format!("better by more than {margin}"),
        },
        None => format!("better by more than {margin}"),
    }
}

fn unchanged(story: &Story) -> String {
    let evidence = story.evidence;
    if let Some(failures) = failures(story) {
        return format!("{failures}: not more by {} of all requests", quantity::percent(TOLERATED));
    }
    let words = words(story);
    let Some(change) = &evidence.change else { return format!("not {} than base", words.worse) };
    if let Basis::Exact { .. } = evidence.basis {
        return match change.estimate.abs() <= 0.0 {
            true => "exactly the same".into(),
            false => format!("{}, within {}", moved(story, change.estimate), margin(story)),
        };
    }
    // So few residuals cannot show it at the rate of all tests, however large it is
    if let Basis::Stored { pool, .. } = evidence.basis
        && worsening(story, change.estimate) < 0.0
        && is_beyond(story, change.estimate)
    {
        let moved = moved_within(story, change);
        return format!(
            "looks {moved}, which {pool} stored residuals are too few to show; not {} by more than {}",
            words.worse,
            margin(story)
        );
    }
    let [best, worst] = worsenings(story, change);
    match (best, worst) {
        // The interval has a higher confidence than the look asks, so it may reach beyond what the look has shown
        (_, None) => {
            format!("not {} by more than {}, with {}", words.worse, margin(story), shown_confidence())
        }
        (_, Some(worst)) if worst > evidence.margin => format!(
            "not {} by more than {}, with {} (the interval's {} with {})",
            words.worse,
            margin(story),
            shown_confidence(),
            plain(worst),
            confidence(change.confidence),
        ),
        (Some(best), _) if best > 0.0 => format!("{}, within {}", moved_within(story, change), margin(story)),
        (_, Some(worst)) if worst < 0.0 && !is_beyond(story, change.estimate) => {
            format!("{}, within {}", moved_within(story, change), margin(story))
        }
        (_, Some(worst)) if worst <= 0.0 => format!("not {} at all", words.worse),
        (_, Some(worst)) => format!("not {} by more than {}", words.worse, plain(worst)),
    }
}

/// The confidence of what the looks show without an interval: "no worse than the margin", and what must be ruled out. The looks
/// share its error.
fn shown_confidence() -> String {
    confidence(1.0 - NO_WORSE_LEVELS.iter().sum::<f64>())
}

fn confidence(share: f64) -> String {
    format!("{} confidence", quantity::percent(share))
}

fn inconclusive(story: &Story) -> String {
    let evidence = story.evidence;
    if let Basis::Untested(why) = evidence.basis {
        return untested(story, why);
    }
    if let Basis::Exact { disagreement } = evidence.basis {
        let unit = &story.subject.metric.unit;
        return format!(
            "repeats of the same build differ by {}: measure each side six times, or find out why it does not repeat",
            quantity::value(disagreement, unit),
        );
    }
    // Only its budget is not settled: the sentence says so beside this
    if evidence.shown == Shown::NoWorse {
        return unchanged(story);
    }
    format!("{} {}", known(story), advice(story))
}

/// `12 of 4,800 requests failed, 0 of 4,800 on base`; `None` where nothing was counted.
fn failures(story: &Story) -> Option<String> {
    let Basis::Counted { base, head } = story.evidence.basis else { return None };
    let of =
        |counted: Counted| format!("{} of {}", quantity::count(counted.hits), quantity::count(counted.cases));
    Some(format!("{} requests failed, {} on base", of(head), of(base)))
}

/// What the data allow, without an answer.
fn known(story: &Story) -> String {
    if let Some(failures) = failures(story) {
        return format!("{failures}: too little to tell");
    }
    let (evidence, words) = (story.evidence, words(story));
    let Some(change) = &evidence.change else { return "nothing could be ruled out".into() };
    match worsenings(story, change) {
        [Some(best), _] if best > 0.0 && is_beyond(story, change.estimate) => {
            format!("looks {}, not proven", moved_within(story, change))
        }
        [_, Some(worst)] if worst <= evidence.margin => format!(
            "its fastest samples are not {} by more than {}, but their median is not settled",
            words.worse,
            plain(worst.max(0.0)),
        ),
        // The test that asks whether a large worsening is ruled out looks at the median too, at a lower confidence than the interval
        [_, Some(worst)]
            if !evidence.rules_out && evidence.median_change.is_some() && worst <= must_rule_out(story) =>
        {
            format!(
                "its fastest samples are not {} by more than {}, but their median may be by {} and more,",
                words.worse,
                plain(worst),
                quantity::percent(must_rule_out(story)),
            )
        }
        [_, worst] if evidence.rules_out && worst.is_none_or(|worst| worst > must_rule_out(story)) => {
            let wider = worst.map_or(String::new(), |worst| {
                format!(" (by more than {} with {})", plain(worst), confidence(change.confidence))
            });
            format!(
                "not {} by more than {} with {}{wider} is all that could be shown",
                words.worse,
                quantity::percent(must_rule_out(story)),
                shown_confidence(),
            )
        }
        [_, Some(worst)] => {
            format!("not {} by more than {} is all that could be shown", words.worse, plain(worst))
        }
        [_, None] => "nothing could be ruled out".into(),
    }
}

/// How to get an answer.
fn advice(story: &Story) -> String {
    let rounds = plural::count(story.evidence.rounds as usize, "round");
    match story.evidence.basis {
        Basis::Paired if story.evidence.rounds < LOOK_ROUNDS[LOOK_ROUNDS.len() - 1] => {
            format!("after {rounds}: raise `--budget`, or the margin")
        }
        Basis::Paired => {
            format!("after all {rounds}: raise the margin, or quieten the machine (`tollgate doctor`)")
        }
        Basis::Stored { pool, .. } => {
            format!("against {pool} stored residuals: store more runs, or use `--mode paired`")
        }
        // No margin helps where neither side failed: only requests do
        Basis::Counted { .. } => {
            format!("with {rounds}: measure more of them, or ask more in each (`window`)")
        }
        _ => format!("with {rounds}: measure more rounds, or raise the margin"),
    }
}

fn untested(story: &Story, why: Untested) -> String {
    match why {
        Untested::NotMeasured => {
            "not measured to its first look: raise `--budget`, or measure fewer benchmarks with `--filter`"
                .into()
        }
        Untested::OneValueASide => {
            let known = story.evidence.change.as_ref();
            let known = known.map_or(String::new(), |change| {
                format!("{} by one value a side: ", moved(story, change.estimate))
            });
            format!("{known}one value a side cannot be tested, give several runs of each")
        }
        Untested::NoCommonBlock => {
            "no block holds both base and head slots, so there is nothing to test".into()
        }
        Untested::NoRatio => {
            "a value is zero, negative or no number, so no ratio of head to base exists".into()
        }
        Untested::ZeroStored => {
            "zero is among its stored and new values, so ratios say nothing; confirm it with `--mode paired` where the base can be built"
                .into()
        }
        Untested::NoRepeats => "measured once on a side: measure it twice to see whether it repeats".into(),
        Untested::FewStoredRuns(0) => {
            "no stored run in this environment: store some with `tollgate baseline save`".into()
        }
        Untested::FewStoredRuns(runs) => format!(
            "only {} of at least {LEAST_RUNS}: store more with `tollgate baseline save`",
            plural::count(runs, "stored run"),
        ),
        Untested::TooFewRequests { have, need } => format!(
            "too few requests for {}: {} in a window, {} are needed, so it is not gated; lengthen `window` or raise the rate",
            percentile_name(&story.subject.metric.name),
            quantity::count(have),
            quantity::count(need),
        ),
        Untested::NoCounts => "the counts behind it are not known, so there is nothing to test".into(),
        Untested::SingleRevision => {
            "one revision was measured: compare it with another by `tollgate compare`".into()
        }
    }
}

/// `p99` of `latency.p99`.
fn percentile_name(metric: &str) -> &str {
    metric.strip_prefix("latency.").unwrap_or(metric)
}

/// Adds what the budget says to a sentence that is not about it.
fn with_budget(story: &Story, sentence: String) -> String {
    match story.budget {
        Budget::Kept => sentence,
        Budget::Broken | Budget::Unclear => match beyond_budget(story) {
            Some(beyond) if story.budget == Budget::Broken => format!("{beyond}; {sentence}"),
            Some(beyond) => format!("seems {beyond}, not proven by {}; {sentence}", slots(story)),
            None => sentence,
        },
    }
}

/// Adds what the waivers say of a regression.
fn with_cover(story: &Story, sentence: &str) -> String {
    let by = |waiver: &Waiver| format!("{} ({})", waiver.owner, waiver.reason);
    match story.cover {
        Cover::None => sentence.to_owned(),
        // Without a cap: accepted on the pull request, for as long as that is open
        Cover::Waived(waiver) if waiver.cap.is_infinite() => {
            format!("{}; accepted by {}", without_advice(sentence), by(waiver))
        }
        Cover::Waived(waiver) => format!(
            "{}; waived up to {} until {} by {}",
            without_advice(sentence),
            quantity::percent(waiver.cap),
            waiver.expires,
            by(waiver)
        ),
        Cover::Expired(waiver) => {
            format!("{sentence}; its waiver by {} expired on {}", by(waiver), waiver.expires)
        }
        Cover::Exceeded(waiver) => {
            format!("{sentence}; its waiver by {} covers only {}", by(waiver), quantity::percent(waiver.cap))
        }
    }
}

/// What is waived needs no advice how to waive it.
fn without_advice(sentence: &str) -> &str {
    sentence.split_once(": fix it").map_or(sentence, |(known, _)| known)
}

/// `82.1 µs, above its budget of 50.0 µs`.
fn beyond_budget(story: &Story) -> Option<String> {
    let unit = &story.subject.metric.unit;
    let bound = quantity::value(story.subject.limits.budget?, unit);
    let head = quantity::value(story.evidence.head?, unit);
    let side = if story.subject.metric.direction == Direction::Lower { "above" } else { "below" };
    Some(format!("{head}, {side} its budget of {bound}"))
}

fn slots(story: &Story) -> String {
    plural::count(story.evidence.head_values.len(), "slot")
}

/// `5.0 % slower`.
fn moved(story: &Story, change: f64) -> String {
    let words = words(story);
    let word = if worsening(story, change) >= 0.0 { words.worse } else { words.better };
    format!("{} {word}", plain(change))
}

/// `5.0 % slower (+4.3 to +5.7 %)`.
fn moved_within(story: &Story, change: &Change) -> String {
    let moved = moved(story, change.estimate);
    match (change.lower, change.upper) {
        (None, None) => moved,
        _ if matches!(story.evidence.basis, Basis::Exact { disagreement } if disagreement <= 0.0) => moved,
        (lower, upper) => format!("{moved} ({})", quantity::interval(lower, upper)),
    }
}

/// A change without its sign: the word beside it says which way.
fn plain(change: f64) -> String {
    quantity::change(change.abs()).trim_start_matches('+').to_owned()
}

/// `the margin of 2 %`, or the floor that is wider.
fn margin(story: &Story) -> String {
    let (limits, wide) = (&story.subject.limits, story.evidence.margin);
    match limits.floor.filter(|_| wide > limits.margin) {
        Some(floor) => {
            let floor = quantity::value(floor, &story.subject.metric.unit);
            format!("the floor of {floor} ({} of base)", plain(wide))
        }
        None => format!("the margin of {}", quantity::percent(wide)),
    }
}

/// The worsening that the check must rule out, at least the margin.
fn must_rule_out(story: &Story) -> f64 {
    story.subject.limits.must_rule_out.max(story.evidence.margin)
}

/// Which way is worse, as a relative change: positive when head is worse.
fn worsening(story: &Story, change: f64) -> f64 {
    match story.subject.metric.direction {
        Direction::Lower => change,
        Direction::Higher => -change,
    }
}

/// The least and the greatest worsening that the interval allows.
fn worsenings(story: &Story, change: &Change) -> [Option<f64>; 2] {
    match story.subject.metric.direction {
        Direction::Lower => [change.lower, change.upper],
        Direction::Higher => [change.upper.map(|x| -x), change.lower.map(|x| -x)],
    }
}

/// Whether a change is at least the margin, either way.
fn is_beyond(story: &Story, change: f64) -> bool {
    let limits = &story.subject.limits;
    let ln = match limits.direction {
        Direction::Lower => change.ln_1p(),
        Direction::Higher => -change.ln_1p(),
    };
    ln.abs() >= limits.bound(story.evidence.margin) * (1.0 - 1e-9)
}

struct Words {
    worse: &'static str,
    better: &'static str,
}

/// Times are slower or faster; other values are what they are.
fn words(story: &Story) -> Words {
    let metric = &story.subject.metric;
    match metric.direction {
        Direction::Lower if metric.unit == "ns" => Words { worse: "slower", better: "faster" },
        Direction::Lower => Words { worse: "higher", better: "lower" },
        Direction::Higher => Words { worse: "lower", better: "higher" },
    }
}
