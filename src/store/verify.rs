//! Everything that is wrong with what is stored, and what to do about each.

use std::path::Path;

use super::{
    Error,
    baselines::Baselines,
    history::{self, History},
};
use crate::{
    format::{self, baseline_v1, reading::Fault},
    git::refs::commits::Commits,
    hint::Hint,
    model::{
        baseline::{BaselineFile, StoredRun},
        environment::{Environment, EnvironmentKey},
    },
};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// What is stored cannot be trusted.
    Broken,
    /// Worth knowing; it can be used as it is.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file from the top of the work tree, or `refs/tollgate/history:` and the path in it.
    pub place: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, as a sentence without its full stop.
    pub problem: String,
    /// What to do, in the imperative.
    pub remedy: String,
}

/// What was looked at, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Baseline files.
    pub files: usize,
    /// Runs in them.
    pub runs: usize,
    /// Records of the history.
    pub records: usize,
    /// What is wrong, sorted by place.
    pub findings: Vec<Finding>,
}

/// What the finder needs to know beside the files.
pub struct Knowledge<'a> {
    /// The repository's commits.
    pub commits: &'a Commits,
    /// The key that an environment's factors give.
    pub key_of: &'a dyn Fn(&Environment) -> EnvironmentKey,
}

impl Verified {
    /// Whether something cannot be trusted.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Broken)
    }
}

/// Looks at every baseline file, and at every record of `history` where one is given.
///
/// # Errors
/// When a folder or the history cannot be read at all; everything else is a finding.
pub fn verify(
    baselines: &Baselines,
    history: Option<&History>,
    knowledge: &Knowledge<'_>,
) -> Result<Verified, Error> {
    let mut verified = Verified::default();
    for environment in baselines.environments()? {
        for path in baselines.files(&environment)? {
            verified.files += 1;
            verify_file(baselines, &path, knowledge, &mut verified);
        }
    }
    if let Some(history) = history {
        for entry in history.entries()? {
            verified.records += 1;
            let place = history::place(&entry.path);
            let problem = match history.read(&entry)? {
                Ok(record) => wrong_key(&record.environment, knowledge),
                Err(error) => Some((problem(&error), newer(&error))),
            };
            let prune = "run `tollgate baseline prune --in history --push`, which drops it";
            verified.findings.extend(problem.map(|(problem, newer)| Finding {
                place,
                severity: Severity::Broken,
                problem,
                remedy: newer.unwrap_or_else(|| prune.to_owned()),
            }));
        }
    }
    verified.findings.sort_by(|a, b| (&a.place, a.severity).cmp(&(&b.place, b.severity)));
    Ok(verified)
}

fn verify_file(baselines: &Baselines, path: &Path, knowledge: &Knowledge<'_>, verified: &mut Verified) {
    let place = baselines.shown(path);
    let restore = format!(
        "restore it (`git checkout -- {place}`), or delete it and run `tollgate baseline save` on that machine class"
    );
    let broken = |problem: String, remedy: Option<String>| Finding {
        place: place.clone(),
        severity: Severity::Broken,
        problem,
        remedy: remedy.unwrap_or_else(|| restore.clone()),
    };
    let bytes = match baselines.bytes(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let cause =
                std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
            verified.findings.push(broken(format!("{error}{cause}"), error.hint()));
            return;
        }
    };
    let faults = baseline_v1::verify(&bytes);
    verified.findings.extend(faults.iter().map(|fault| broken(problem(fault), newer(fault))));
    let Ok(file) = baseline_v1::from_json(&bytes) else { return };
    verified.runs += file.series.iter().map(|levelled| levelled.series.runs.len()).sum::<usize>();
    if let Err(error) = baselines.at_home(path, &file) {
        verified.findings.push(broken(error.to_string(), error.hint()));
    }
    if let Some((problem, _)) = wrong_key(&file.environment, knowledge) {
        verified.findings.push(broken(problem, None));
    }
    verified.findings.extend(disordered(&file).map(|problem| broken(problem, None)));
    verified.findings.extend(unknown_commits(&file, &place, knowledge.commits));
    if without_spaces(&bytes) != without_spaces(&baseline_v1::to_json(&file)) {
        verified.findings.push(Finding {
            place: place.clone(),
            severity: Severity::Warning,
            problem: "it is not in the order that tollgate writes".into(),
            remedy: "run `tollgate baseline prune`, which writes it anew".into(),
        });
    }
}

/// What is wrong, without the name of the file, which stands beside it.
fn problem(error: &format::Error) -> String {
    let text = error.clone().in_file("it").to_string();
    text.replacen("`it`", "it", 1)
}

/// What to do about a file of a newer tollgate: nothing is wrong with it.
fn newer(error: &format::Error) -> Option<String> {
    matches!(error.fault(), Fault::Newer { .. }).then(|| error.hint()).flatten()
}

fn wrong_key(environment: &Environment, knowledge: &Knowledge<'_>) -> Option<(String, Option<String>)> {
    let computed = (knowledge.key_of)(environment);
    (computed != environment.key).then(|| {
        let stated = &environment.key;
        (format!("it states environment `{stated}`, but its factors give `{computed}`"), None)
    })
}

/// Runs out of order or stored twice, which the digest cannot see when a tool wrote them so.
fn disordered(file: &BaselineFile) -> impl Iterator<Item = String> {
    let in_order = |pair: &[StoredRun]| {
        (pair[0].recorded_at, &pair[0].rev) <= (pair[1].recorded_at, &pair[1].rev) && pair[0] != pair[1]
    };
    let disordered =
        file.series.iter().filter(move |levelled| !levelled.series.runs.windows(2).all(in_order));
    disordered.map(|levelled| {
        let id = levelled.series.benchmark.id.as_str().escape_debug().to_string();
        format!("the runs of benchmark `{id}` are out of order, or one is there twice")
    })
}

/// Runs of commits that the repository does not have: one finding a file, naming the first.
fn unknown_commits(file: &BaselineFile, place: &str, commits: &Commits) -> Option<Finding> {
    let mut unknown: Vec<&str> = file
        .series
        .iter()
        .flat_map(|levelled| &levelled.series.runs)
        .map(|run| run.rev.as_str())
        .filter(|rev| !commits.contains(rev))
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    let first = unknown.first()?;
    let more = if unknown.len() > 1 { format!(" and {} more", unknown.len() - 1) } else { String::new() };
    let (severity, clone, remedy) = if commits.is_shallow() {
        (Severity::Warning, "this shallow clone", "fetch all of it (`git fetch --unshallow`) to check them")
    } else {
        let remedy = "fetch the branch that has them, or run `tollgate baseline prune --unknown-commits`";
        (Severity::Broken, "the repository", remedy)
    };
    Some(Finding {
        place: place.to_owned(),
        severity,
        problem: format!("it holds runs of commits that {clone} does not have: `{first}`{more}"),
        remedy: remedy.to_owned(),
    })
}

/// A text without what editors and line-end settings change.
fn without_spaces(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
}
