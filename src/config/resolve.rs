//! Joining what was said: a flag (or its environment variable) beats `tollgate.toml` beats the default.
//!
//! Flags arrive as [`Flags`], which holds only what was typed; what comes out is plain and complete.

use super::{
    command,
    file::{self, File},
    load,
};
use crate::{
    cargo::metadata::Selection,
    load::scenario::Scenario,
    measure::program::Program,
    model::policy::{self, FamilyMethod, Policy, Rename, Rule, Strictness},
};
use std::{path::PathBuf, time::Duration};

/// The measuring time of a check where nobody says another.
pub const DEFAULT_BUDGET_SECONDS: f64 = 300.0;

/// The measuring time of a hook where nobody says another.
pub const DEFAULT_HOOK_BUDGET: Duration = Duration::from_secs(60);

/// The time limit of a hook where nobody says another: some servers drop a connection that waits for minutes.
pub const DEFAULT_HOOK_TIMEOUT: Duration = Duration::from_secs(120);

/// How head is to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ModeChoice {
    /// Base and head are built and measured in turns; no base, no check.
    Paired,
    /// Head is compared with stored baselines.
    Stored,
    /// Paired when the base can be built, stored otherwise.
    #[default]
    Auto,
}

/// What was typed; `None`, empty and `false` mean that nothing was.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--base`.
    pub base: Option<String>,
    /// `--head`.
    pub head: Option<String>,
    /// `--mode`.
    pub mode: Option<ModeChoice>,
    /// `--budget`, seconds.
    pub budget_seconds: Option<f64>,
    /// `--margin`, relative.
    pub margin: Option<f64>,
    /// `--filter`.
    pub filter: Option<String>,
    /// `--strict`.
    pub strict: bool,
    /// `--measure-identical`.
    pub measure_identical: bool,
    /// `--pin`.
    pub pin: Option<usize>,
    /// Cargo's selection flags.
    pub selection: Selection,
    /// `--as-built`.
    pub as_built: bool,
    /// `--allow-remote`.
    pub allow_remote: bool,
    /// `--command` with what belongs to it: it is measured in place of everything else.
    pub command: Option<CommandFlags>,
}

/// A command that was typed.
#[derive(Debug, Clone, Default)]
pub struct CommandFlags {
    /// `--command`.
    pub line: String,
    /// `--as`.
    pub format: Option<String>,
    /// `--name`.
    pub name: String,
    /// `--build`.
    pub build: Option<String>,
    /// Where it was typed.
    pub folder: PathBuf,
}

/// The shape of a slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlotShape {
    /// Warm-up, seconds.
    pub warm_up_seconds: f64,
    /// Measuring, seconds.
    pub measurement_seconds: f64,
    /// Samples, at least 10.
    pub samples: u32,
    /// When a slot counts as hung; `None`: by what it was expected to take.
    pub timeout: Option<Duration>,
}

/// Everything that a check or a run needs to know, complete.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The base revision; `None` is the merge base with the default branch.
    pub base: Option<String>,
    /// The head revision; `None` is the work tree.
    pub head: Option<String>,
    /// How head is compared.
    pub mode: ModeChoice,
    /// Measuring time, seconds.
    pub budget_seconds: f64,
    /// What matters and what is let through.
    pub policy: Policy,
    /// A regular expression over ids.
    pub filter: Option<String>,
    /// Measure identical executables too.
    pub measure_identical: bool,
    /// A processor to pin to.
    pub pin: Option<usize>,
    /// What cargo builds.
    pub selection: Selection,
    /// Without alignment.
    pub as_built: bool,
    /// Time of one build.
    pub build_timeout: Duration,
    /// The shape of a slot.
    pub slot: SlotShape,
    /// Ignored files that both sides need, as globs.
    pub copy: Vec<String>,
    /// Runs kept a benchmark in the reviewed baselines.
    pub keep: u32,
    /// The remote of the history ref.
    pub remote: String,
    /// The load benchmarks in the file's order.
    pub loads: Vec<Scenario>,
    /// The commands in the file's order, or the one that was typed.
    pub commands: Vec<Program>,
    /// Whether a command was typed: then nothing else is measured.
    pub only_commands: bool,
}

/// Joins flags and file.
#[must_use]
pub fn resolve(flags: Flags, file: &File) -> Settings {
    let measure = &file.measure;
    let mut policy = policy(file);
    policy.margin = flags.margin.unwrap_or(policy.margin);
    if flags.strict {
        policy.strictness = Strictness::Strict;
    }
    Settings {
        base: flags.base.or_else(|| measure.base.clone()),
        head: flags.head,
        mode: flags.mode.or_else(|| measure.mode.map(ModeChoice::from)).unwrap_or_default(),
        budget_seconds: flags
            .budget_seconds
            .or(measure.budget.map(|span| span.0))
            .unwrap_or(DEFAULT_BUDGET_SECONDS),
        policy,
        filter: flags.filter,
        measure_identical: flags.measure_identical,
        pin: flags.pin.or(measure.pin),
        selection: selection(flags.selection, &file.cargo),
        as_built: flags.as_built || measure.as_built.unwrap_or(false),
        build_timeout: measure.build_timeout.map_or(Duration::from_secs(1800), super::values::Span::duration),
        slot: SlotShape {
            warm_up_seconds: measure.warm_up.map_or(0.02, |span| span.0),
            measurement_seconds: measure.measurement.map_or(0.05, |span| span.0),
            samples: measure.samples.unwrap_or(10),
            timeout: measure.slot_timeout.map(super::values::Span::duration),
        },
        copy: measure.copy.clone(),
        keep: file.baseline.keep.unwrap_or(20),
        remote: file.baseline.remote.clone().unwrap_or_else(|| "origin".into()),
        loads: if flags.command.is_some() { Vec::new() } else { loads(flags.allow_remote, file) },
        only_commands: flags.command.is_some(),
        commands: flags.command.map_or_else(|| command::resolved(file), |typed| vec![program(typed, file)]),
    }
}

/// The command that was typed.
fn program(typed: CommandFlags, file: &File) -> Program {
    Program {
        name: typed.name,
        line: typed.line,
        build: typed.build,
        reads: command::reads(typed.format.as_deref()),
        timeout: command::timeout(file, None),
        folder: Some(typed.folder),
    }
}

/// The measuring time and the time limit of a hook; `budget` is what was typed. A longer budget raises a limit that nobody set.
#[must_use]
pub fn hook_times(budget: Option<Duration>, file: &file::Hook) -> (Duration, Duration) {
    let written = |span: Option<super::values::Span>| span.map(super::values::Span::duration);
    let budget = budget.or_else(|| written(file.budget)).unwrap_or(DEFAULT_HOOK_BUDGET);
    let otherwise = DEFAULT_HOOK_TIMEOUT.max(budget.saturating_mul(2));
    (budget, written(file.timeout).unwrap_or(otherwise))
}

/// The load benchmarks of a file that was read, and so checked.
fn loads(allow_remote: bool, file: &File) -> Vec<Scenario> {
    let mut loads = load::resolved(file, &file.folder);
    for scenario in &mut loads {
        scenario.transport.allow_remote |= allow_remote;
    }
    loads
}

/// The file's policy over the defaults.
#[must_use]
pub fn policy(file: &File) -> Policy {
    let default = Policy::default();
    let own = &file.policy;
    let share =
        |value: Option<super::values::Percent>, otherwise: f64| value.map_or(otherwise, |percent| percent.0);
    Policy {
        margin: share(own.margin, default.margin),
        false_discovery_rate: share(own.false_discovery_rate, default.false_discovery_rate),
        family: match own.family {
            Some(file::Family::Strict) => FamilyMethod::Strict,
            Some(file::Family::FalseDiscovery) | None => FamilyMethod::FalseDiscovery,
        },
        max_blind: share(own.max_blind, default.max_blind),
        must_rule_out: share(own.must_rule_out, default.must_rule_out),
        allow_new: own.allow_new.unwrap_or(default.allow_new),
        strictness: if own.strict == Some(true) { Strictness::Strict } else { Strictness::Normal },
        rules: file.rule.iter().map(rule).collect(),
        waivers: file.waiver.iter().map(waiver).collect(),
        renames: file.rename.iter().map(|r| Rename { from: r.from.clone(), to: r.to.clone() }).collect(),
        targets: load::targets(&file.targets),
        soak: load::soak(&file.load),
    }
}

fn rule(rule: &file::Rule) -> Rule {
    Rule {
        benchmark: rule.benchmark.clone(),
        margin: rule.margin.map(|percent| percent.0),
        metrics: rule.metrics.clone(),
        ignore: rule.ignore,
        budget: rule.budget.map(|quantity| quantity.0),
        floor: rule.floor.map(|quantity| quantity.0),
    }
}

fn waiver(waiver: &file::Waiver) -> policy::Waiver {
    policy::Waiver {
        benchmark: waiver.benchmark.clone(),
        cap: waiver.cap.0,
        reason: waiver.reason.clone(),
        owner: waiver.owner.clone(),
        expires: waiver.expires.clone(),
    }
}

/// A list that was typed replaces the file's list; a switch is on when either says so.
fn selection(flags: Selection, file: &file::Cargo) -> Selection {
    let list =
        |typed: Vec<String>, written: &[String]| if typed.is_empty() { written.to_vec() } else { typed };
    let typed_packages = !flags.packages.is_empty();
    Selection {
        benches: list(flags.benches, &file.benches),
        packages: list(flags.packages, &file.packages),
        // `--package` on the command line narrows a file that says `workspace = true`.
        workspace: flags.workspace || (!typed_packages && file.workspace.unwrap_or(false)),
        features: list(flags.features, &file.features),
        all_features: flags.all_features || file.all_features.unwrap_or(false),
        no_default_features: flags.no_default_features || file.no_default_features.unwrap_or(false),
        profile: flags.profile.or_else(|| file.profile.clone()),
        exclude: flags.exclude,
        locked: flags.locked,
        offline: flags.offline,
    }
}

impl From<file::Mode> for ModeChoice {
    fn from(mode: file::Mode) -> Self {
        match mode {
            file::Mode::Paired => Self::Paired,
            file::Mode::Stored => Self::Stored,
            file::Mode::Auto => Self::Auto,
        }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "values that are read, not computed")]
mod tests {
    use super::{Flags, ModeChoice, hook_times, resolve};
    use crate::{cargo::metadata::Selection, config::read::parse, model::policy::Strictness};
    use std::time::Duration;

    const FILE: &str = "
[policy]
margin = \"5%\"
[measure]
budget = \"1m\"
mode = \"paired\"
[cargo]
workspace = true
features = [\"fast\"]
";

    #[test]
    fn without_flags_and_file_the_contract_defaults_hold() {
        let settings = resolve(Flags::default(), &parse("").unwrap());
        assert_eq!(settings.policy.margin, 0.02);
        assert_eq!(settings.budget_seconds, 300.0);
        assert_eq!(settings.mode, ModeChoice::Auto);
        assert_eq!(settings.policy.max_blind, 0.5);
        assert_eq!(settings.policy.must_rule_out, 0.1);
        assert_eq!(settings.policy.false_discovery_rate, 0.01);
        assert!(!settings.policy.allow_new);
    }

    #[test]
    fn the_file_beats_the_defaults_and_a_flag_beats_the_file() {
        let file = parse(FILE).unwrap();
        let settings = resolve(Flags::default(), &file);
        assert_eq!((settings.policy.margin, settings.budget_seconds), (0.05, 60.0));
        let flags = Flags {
            margin: Some(0.0),
            budget_seconds: Some(9.0),
            strict: true,
            mode: Some(ModeChoice::Stored),
            ..Flags::default()
        };
        let settings = resolve(flags, &file);
        assert_eq!((settings.policy.margin, settings.budget_seconds), (0.0, 9.0));
        assert_eq!(settings.mode, ModeChoice::Stored);
        assert_eq!(settings.policy.strictness, Strictness::Strict);
    }

    #[test]
    fn a_hook_has_its_own_budget_and_a_limit_that_leaves_room_for_it() {
        let times = |budget: Option<u64>, text: &str| {
            let (budget, limit) = hook_times(budget.map(Duration::from_secs), &parse(text).unwrap().hook);
            (budget.as_secs(), limit.as_secs())
        };
        assert_eq!(times(None, "[measure]\nbudget = \"9m\"\n"), (60, 120));
        assert_eq!(times(None, "[hook]\nbudget = \"5m\"\n"), (300, 600));
        assert_eq!(times(Some(10), "[hook]\nbudget = \"5m\"\ntimeout = \"30s\"\n"), (10, 30));
    }

    #[test]
    fn a_package_that_was_typed_narrows_the_files_workspace() {
        let file = parse(FILE).unwrap();
        let typed = Selection { packages: vec!["core".into()], ..Selection::default() };
        let settings = resolve(Flags { selection: typed, ..Flags::default() }, &file);
        assert!(!settings.selection.workspace);
        assert_eq!(settings.selection.features, ["fast"]);
    }
}
