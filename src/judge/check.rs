//! The one entry: a run in, the verdict of the whole check out.

use std::collections::BTreeMap;

use crate::{
    judge::{
        advice::advise,
        census::{census, display_ids},
        counted, deterministic,
        evidence::{Basis, Evidence, Untested},
        family::correct,
        levels::{Bounds, Levels},
        load, one_look,
        outcomes::{is_load_alone, outcomes},
        over_time::OverTime,
        paired, parallel,
        policy::Rules,
        row,
        service::{self, Demand},
        stored, stress,
        subject::{Subject, subjects},
        suite_shift,
        waiver::Waivers,
    },
    model::{
        benchmark::Benchmark,
        metric::Nature,
        run::{Fate, Mode, Run, Warning},
        verdict::{CheckVerdict, Judgement, Verdict, reduced},
    },
};

/// Judges a run by its own policy, baselines and day. The same run gives the same verdict to the last bit, and so does
/// `reduced(run)`, which the verdict carries as its evidence.
#[must_use]
pub fn judge(run: &Run) -> CheckVerdict {
    let rules = Rules::new(&run.policy);
    let waivers = Waivers::new(&run.policy.waivers, &run.day);
    let subjects = subjects(run, &rules);
    let display = display_ids(&subjects);
    let (left_out, kept): (Vec<Subject>, Vec<Subject>) =
        subjects.into_iter().partition(|subject| subject.left_out().is_some());
    let gathered = gather(run, &kept);
    let tests: Vec<_> = gathered.evidence.iter().map(|evidence| evidence.test).collect();
    let (corrected, families) = correct(&run.policy, &tests, gathered.confirmed);
    let mut judgements: Vec<Judgement> = kept
        .iter()
        .zip(&gathered.evidence)
        .zip(&corrected)
        .map(|((subject, evidence), corrected)| {
            let shown = display[&subject.benchmark].clone();
            let row = row::judgement(subject, evidence, corrected.as_ref(), &waivers, shown);
            with_unknown(row, &run.warnings)
        })
        .collect();
    load::errors_first(&mut judgements);
    let rows: Vec<_> =
        kept.iter().zip(&gathered.evidence).zip(&judgements).map(|((s, e), j)| (s, e, j)).collect();
    let census = census(&rows, &left_out.iter().collect::<Vec<_>>(), &display);
    let short = short_of_runs(&kept, &gathered.evidence, &display);
    let mut trials = load::trials(run);
    let (mut levels, mut time) = (Levels::default(), OverTime::default());
    if is_load_alone(run, &census) {
        levels = Levels::split(&trials);
        trials = std::mem::take(&mut levels.counted);
        time = OverTime::of(&trials, &run.policy.soak, run.seed);
    }
    let (load, targets, score) = service::load_summary(&trials, &run.policy.targets);
    let demand = Demand::of(&load, &targets, &run.policy, &waivers);
    let (sane, insane) = levels.sanity(Bounds::of(&run.policy.targets));
    time.steady.extend(sane);
    let advice = advise(&load, &levels.all, &trials, &time);
    let outcomes = outcomes(run, &census, &judgements, (&short, &load, &time, &levels), demand.outcome);
    let tiers = service::subjects(&targets);
    let benchmarks: Vec<&Benchmark> = display.keys().collect();
    let waivable: Vec<&Benchmark> = display.keys().chain(&tiers).collect();
    let warnings = run
        .warnings
        .iter()
        .cloned()
        .chain(rules.unmatched(&benchmarks))
        .chain(waivers.unmatched(&waivable))
        .chain(demand.warning)
        .chain(insane)
        .chain(time.warnings);
    CheckVerdict {
        tool_version: env!("CARGO_PKG_VERSION").into(),
        outcome: outcomes[0].0,
        outcomes,
        mode: run.mode,
        seed: run.seed,
        base: run.base.clone(),
        head: run.head.clone(),
        environment: run.environment.clone(),
        families,
        census,
        judgements,
        load,
        targets,
        score,
        levels: levels.all,
        advice,
        stress: stress::results(&run.stress),
        warnings: warnings.chain(gathered.warning).collect(),
        duration_seconds: run.duration_seconds,
        evidence: Some(reduced(run)),
    }
}

/// Ends the sentence of an imported load test with what its tool cannot tell, which is the warning `TOOL_unknown`.
fn with_unknown(mut row: Judgement, warnings: &[Warning]) -> Judgement {
    if row.benchmark.id.as_str().starts_with("load:") && row.verdict != Verdict::Missing {
        let tool = &row.benchmark.target;
        let is_of_tool = |warning: &&Warning| warning.code.strip_suffix("_unknown") == Some(tool.as_str());
        for warning in warnings.iter().filter(is_of_tool) {
            row.reason = format!("{}; {}", row.reason, warning.message);
        }
    }
    row
}

/// The evidence on all subjects, in their order.
struct Gathered {
    evidence: Vec<Evidence>,
    /// Suspects of the stored family that were confirmed by paired rounds.
    confirmed: usize,
    warning: Option<Warning>,
}

fn gather(run: &Run, subjects: &[Subject]) -> Gathered {
    let mut gathered = of_mode(run, subjects);
    for (subject, evidence) in subjects.iter().zip(&mut gathered.evidence) {
        if let Some(few) = load::too_few(subject) {
            *evidence = Evidence::untested(subject, &subject.blocks, few);
        }
    }
    gathered
}

fn of_mode(run: &Run, subjects: &[Subject]) -> Gathered {
    if run.mode == Mode::Stored {
        let stored = stored::against_stored(subjects, &run.baselines, &run.policy);
        let or_nothing = |(subject, evidence): (&Subject, Option<Evidence>)| {
            evidence.unwrap_or_else(|| Evidence::untested(subject, &subject.blocks, Untested::NotMeasured))
        };
        let evidence = subjects.iter().zip(stored.evidence).map(or_nothing).collect();
        let warning = suite_shift::stored_warning(stored.shift);
        return Gathered { evidence, confirmed: stored.confirmed, warning };
    }
    let evidence = parallel::map(subjects, |subject| evidence(run.mode, subject));
    let paired = subjects.iter().zip(&evidence).filter(|(_, evidence)| evidence.basis == Basis::Paired);
    let time = paired.filter(|(subject, _)| subject.metric.name == "time");
    let changes: Vec<f64> = time.filter_map(|(_, evidence)| Some(evidence.change?.estimate)).collect();
    Gathered { evidence, confirmed: 0, warning: suite_shift::warning(&changes) }
}

fn evidence(mode: Mode, subject: &Subject) -> Evidence {
    let untested = |why| Evidence::untested(subject, &subject.blocks, why);
    match (&subject.fate, mode, subject.metric.nature) {
        (Fate::Identical | Fate::New | Fate::Missing | Fate::Ignored(_), ..) => {
            untested(Untested::NotMeasured)
        }
        (_, Mode::Single | Mode::Stored, _) => untested(Untested::SingleRevision),
        (_, _, Nature::Deterministic) => deterministic::evidence(subject),
        (_, Mode::Paired, Nature::Counted) => counted::at_looks(subject),
        (_, Mode::OneLook, Nature::Counted) => counted::at_once(subject),
        (_, Mode::Paired, _) => paired::evidence(subject),
        (_, Mode::OneLook, _) => one_look::evidence(subject),
    }
}

/// Display ids of the benchmarks that have stored runs, but too few.
fn short_of_runs(
    subjects: &[Subject],
    evidence: &[Evidence],
    display: &BTreeMap<Benchmark, String>,
) -> Vec<String> {
    let few = |evidence: &Evidence| matches!(evidence.basis, Basis::Untested(Untested::FewStoredRuns(1..)));
    let short = subjects.iter().zip(evidence).filter(|(_, evidence)| few(evidence));
    let mut names: Vec<String> = short.map(|(subject, _)| display[&subject.benchmark].clone()).collect();
    names.dedup();
    names
}
