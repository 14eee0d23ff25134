//! What is saved comes back: listed, shown, accepted, pruned, loaded.

use tollgate::{
    commands::baseline::{
        Error, accept, list, prune,
        record::Why,
        save::{self, Send, Source},
        show, text,
    },
    format::run_v1,
    hint::Hint,
    model::{
        metric::Metric,
        outcome::{ErrorClass, Outcome},
        run::{Fate, Run, Side, VoidReason},
    },
    store::{
        baselines::Baselines,
        history::History,
        load::{self, From, Loaded},
        prune::{Effect, Reason},
    },
};

use super::{DAY, START, Scene, environment, git, in_world, measured, run, save_to};

fn load(scene: &Scene, from: From) -> Loaded {
    let commits = tollgate::git::refs::commits::Commits::open(&scene.work()).unwrap();
    let history = History::open(&scene.work()).unwrap();
    let key = environment("EPYC").key;
    load::load_from(from, &Baselines::of(&scene.work()), &history, &commits, &key).unwrap()
}

/// How many runs the first series has.
fn runs(scene: &Scene, from: From) -> usize {
    load(scene, from).series.first().map_or(0, |series| series.runs.len())
}

fn accept(scene: &Scene, glob: &str, now: u64) -> Result<accept::Report, Error> {
    let request = accept::Request {
        directory: &scene.work(),
        benchmarks: vec![glob.into()],
        metric: None,
        environment: None,
        rev: None,
        by: None,
        reason: "checks its\n input now".into(),
        from: From::Both,
    };
    in_world(now, |world| accept::accept(&request, world))
}

fn prune_request(scene: &Scene, keep: usize) -> prune::Request<'_> {
    // The scene outlives the request; the path is leaked so that requests read as they are called.
    prune::Request {
        directory: Box::leak(scene.work().into_boxed_path()),
        place: From::Both,
        newest: Some(keep),
        max_age_seconds: None,
        drop_environments: vec![],
        unknown_commits: prune::UnknownCommits::Keep,
        send: Send::No,
        effect: Effect::Apply,
    }
}

#[test]
fn saved_runs_are_listed_shown_loaded_and_verified() {
    let scene = Scene::new();
    let first = git(&scene.work(), &["rev-parse", "HEAD"]);
    let report = save_to(&scene.work(), &run(&first, START), From::Both, Send::No).unwrap();
    assert_eq!(report.outcome(), Outcome::Pass);
    let second = scene.commit("second");
    scene.commit("third");
    save_to(&scene.work(), &run(&second, START + DAY), From::Both, Send::No).unwrap();

    let key = environment("EPYC").key;
    let loaded = load::load(&scene.work(), &key).unwrap();
    let ids: Vec<&str> = loaded.series.iter().map(|series| series.benchmark.id.as_str()).collect();
    assert_eq!(ids, ["num/sieve", "text/trim"]);
    let revs: Vec<&str> = loaded.series[0].runs.iter().map(|run| run.rev.as_str()).collect();
    assert_eq!(revs, [first.as_str(), second.as_str()]);
    assert_eq!(loaded.series[0].runs[0].values, [17_203.5, 17_204.5, 17_205.5, 17_206.5, 17_207.5, 17_208.5]);
    assert_eq!(loaded.others, []);

    let request = list::Request { directory: &scene.work(), current: Some(key.clone()), from: From::Both };
    let listed = in_world(START + 3 * DAY, |world| list::list(&request, world)).unwrap();
    let newest = listed.environments[0].targets[0].newest.as_ref().unwrap();
    assert_eq!((newest.rev.as_str(), newest.behind), (second.as_str(), Some(1)));
    let expected = format!(
        "environment {key} (EPYC, 4 cores, 16 GiB, linux-x86_64, rustc 1.95.0, bench, this machine)\n  \
         target   series  runs  levels  newest\n  \
         kernels  2       2     0       {}, 2 days ago, 1 commit behind HEAD\n  \
         2 run records in the history\n",
        &second[..9]
    );
    assert_eq!(text::listed(&listed), expected);

    let request = show::Request {
        directory: &scene.work(),
        benchmark: "kernels:text/trim".into(),
        environment: None,
        from: From::WorkTree,
    };
    let shown = in_world(START + 3 * DAY, |world| show::show(&request, world)).unwrap();
    let shown = text::shown(&shown);
    assert!(shown.contains("time of `text/trim` (kernels) in environment"), "{shown}");
    assert!(shown.contains("3 days ago  6          223 ns  220 ns to 225 ns"), "{shown}");

    let verified = scene.verify();
    assert_eq!((verified.files, verified.runs, verified.records), (1, 4, 2));
    assert_eq!(verified.findings, []);
    assert_eq!(
        text::verified(&verified),
        "1 baseline file with 4 runs and 2 run records: all can be trusted\n"
    );
}

#[test]
fn same_commit_measured_twice_is_two_runs_and_the_same_run_saved_twice_is_one() {
    let scene = Scene::new();
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    scene.save(&run(&rev, START)).unwrap();
    scene.save(&run(&rev, START + 60)).unwrap();
    let again = scene.save(&run(&rev, START)).unwrap();
    assert_eq!(again.saved.as_ref().map(|saved| (saved.added, saved.already_there)), Some((0, 2)));
    assert_eq!(runs(&scene, From::WorkTree), 2);
}

#[test]
fn series_keeps_its_newest_twenty_runs() {
    let scene = Scene::new();
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    for day in 0..22 {
        scene.save(&run(&rev, START + day * DAY)).unwrap();
    }
    let loaded = load(&scene, From::WorkTree);
    assert_eq!(loaded.series[0].runs.len(), 20);
    assert_eq!(loaded.series[0].runs[0].recorded_at, START + 2 * DAY);
}

#[test]
fn head_side_of_a_paired_run_is_stored_without_void_blocks() {
    let scene = Scene::new();
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    let mut paired = run(&rev, START);
    let mut one = measured("num/sieve", 100.0, 12);
    for (at, slot) in one.blocks[0].slots.iter_mut().enumerate() {
        slot.side = if at % 2 == 0 { Side::Base } else { Side::Head };
    }
    let mut void = one.blocks[0].clone();
    void.void = Some(VoidReason { reason: "the machine was taken away".into() });
    one.blocks.push(void);
    paired.measurements = vec![one];
    scene.save(&paired).unwrap();
    let loaded = load(&scene, From::WorkTree);
    assert_eq!(loaded.series[0].runs[0].values, [101.0, 103.0, 105.0, 107.0, 109.0, 111.0]);
}

#[test]
fn too_few_processes_are_named_and_leave_a_gap() {
    let scene = Scene::new();
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    let mut thin = run(&rev, START);
    thin.measurements = vec![
        measured("enough", 10.0, 6),
        measured("thin", 10.0, 5),
        with_fate(measured("same", 10.0, 0), Fate::Identical),
        with_fate(measured("gone", 10.0, 0), Fate::Missing),
    ];
    let report = scene.save(&thin).unwrap();
    let refused: Vec<(&str, &Why)> =
        report.refused.iter().map(|one| (one.benchmark.id.as_str(), &one.why)).collect();
    assert_eq!(refused, [("thin", &Why::TooFew { have: 5, need: 6 }), ("same", &Why::Identical)]);
    assert_eq!(report.outcome(), Outcome::Incomplete);
    assert!(text::saved(&report).contains("`thin` (time) was measured in 5 processes of the 6 it takes"));

    thin.measurements.remove(0);
    let error = scene.save(&thin).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Measurement);
    assert!(error.hint().unwrap().contains("at least 6 processes"), "{error}");
    thin.measurements.truncate(1);
    thin.measurements[0] = measured("zero", 10.0, 6);
    thin.measurements[0].blocks[0].slots[3].samples.iter_mut().for_each(|sample| sample.total = 0.0);
    assert!(scene.save(&thin).unwrap_err().to_string().contains("`zero` gave a value that is zero"));
}

fn with_fate(
    mut measurement: tollgate::model::run::Measurement,
    fate: Fate,
) -> tollgate::model::run::Measurement {
    measurement.blocks.clear();
    measurement.fate = fate;
    measurement
}

#[test]
fn dirty_tree_is_refused_unless_the_commit_it_stands_for_is_named() {
    let scene = Scene::new();
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    let mut dirty = run(&rev, START);
    dirty.head.rev = None;
    dirty.head.label = "work tree".into();
    let error = scene.save(&dirty).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Configuration);
    assert_eq!(
        error.hint().as_deref(),
        Some(
            "commit the changes and measure again, or say which commit a run file stands for with `--stands-for REV`"
        )
    );
    assert!(!scene.file().exists());
    let attempt = |run: &Run, revision: &str| {
        let request = save::Request {
            directory: &scene.work(),
            run: Source::Run(run),
            stands_for: Some(revision.into()),
            to: From::WorkTree,
            send: Send::No,
        };
        in_world(START, |world| save::save(&request, world))
    };
    assert_eq!(attempt(&dirty, "HEAD").unwrap().record.rev, rev);
    assert!(matches!(attempt(&dirty, "nowhere"), Err(Error::UnknownRevision(_))));
    let second = scene.commit("second");
    assert!(matches!(attempt(&run(&rev, START), &second), Err(Error::OtherCommit { .. })));
}

#[test]
fn run_file_is_saved_like_a_run_and_a_changed_environment_is_refused() {
    let scene = Scene::new();
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    let path = scene.folder.path().join("run.json");
    let from_file = |run: &Run| {
        std::fs::write(&path, run_v1::to_json(run)).unwrap();
        let request = save::Request {
            directory: &scene.work(),
            run: Source::File(&path),
            stands_for: None,
            to: From::WorkTree,
            send: Send::No,
        };
        in_world(START, |world| save::save(&request, world))
    };
    assert_eq!(from_file(&run(&rev, START)).unwrap().outcome(), Outcome::Pass);
    let mut other = run(&rev, START + 1);
    other.environment.cores = 64;
    assert!(matches!(from_file(&other), Err(Error::WrongKey { .. })));
    std::fs::write(&path, "{\"schema\": \"tollgate.run/9\"}").unwrap();
    let request = save::Request {
        directory: &scene.work(),
        run: Source::File(&path),
        stands_for: None,
        to: From::WorkTree,
        send: Send::No,
    };
    let error = in_world(START, |world| save::save(&request, world)).unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("update tollgate"));
}

#[test]
fn baseline_of_another_environment_is_named_and_never_loaded() {
    let scene = Scene::new();
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    scene.save(&run(&rev, START)).unwrap();
    let mut other = run(&rev, START);
    other.environment = environment("Ryzen");
    save_to(&scene.work(), &other, From::History, Send::No).unwrap();
    let loaded = load::load(&scene.work(), &environment("Xeon").key).unwrap();
    assert!(loaded.is_empty() && loaded.series.is_empty());
    let cpus: Vec<_> =
        loaded.others.iter().map(|known| known.environment.as_ref().unwrap().cpu.clone()).collect();
    assert_eq!(cpus, ["EPYC"]);
    let both = load(&scene, From::Both);
    let cpus: Vec<_> =
        both.others.iter().map(|known| known.environment.as_ref().unwrap().cpu.clone()).collect();
    assert_eq!((both.series.len(), cpus), (2, vec!["Ryzen".to_owned()]));
}

#[test]
fn history_and_reviewed_files_are_merged_without_duplicates() {
    let scene = Scene::new();
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    save_to(&scene.work(), &run(&rev, START), From::WorkTree, Send::No).unwrap();
    save_to(&scene.work(), &run(&rev, START + 1), From::Both, Send::No).unwrap();
    save_to(&scene.work(), &run(&rev, START + 2), From::History, Send::No).unwrap();
    let counts = [From::WorkTree, From::History, From::Both].map(|from| runs(&scene, from));
    assert_eq!(counts, [2, 2, 3]);
}

#[test]
fn accepted_change_starts_a_level_that_the_diff_shows() {
    let scene = Scene::new();
    let before = git(&scene.work(), &["rev-parse", "HEAD"]);
    for run_number in 0..5 {
        save_to(&scene.work(), &run(&before, START + run_number), From::Both, Send::No).unwrap();
    }
    git(&scene.work(), &["add", "baselines"]);
    let change = scene.commit("slower, on purpose");
    let report = accept(&scene, "num/*", START + DAY).unwrap();
    assert_eq!(report.acceptance.rev, change);
    let accepted = &report.accepted[0];
    assert_eq!((report.accepted.len(), accepted.kept, accepted.dropped), (1, 0, 5));
    assert_eq!(accepted.before, Some(17_206.0));

    let diff = git(&scene.work(), &["diff", "--", "baselines"]);
    let added: Vec<&str> = diff.lines().filter(|line| line.starts_with("+ ")).collect();
    let level = added.iter().find(|line| line.contains("accepted_at")).unwrap();
    let expected = format!(
        "{{\"rev\": \"{change}\", \"accepted_at\": \"2026-02-01T12:00:00Z\", \
         \"by\": \"Jane Doe <jane@example.org>\", \"reason\": \"checks its input now\", \"before\": 17206.0}}"
    );
    assert_eq!(level.trim_start_matches('+').trim(), expected);
    assert_eq!(diff.lines().filter(|line| line.starts_with("- ") && line.contains("recorded_at")).count(), 5);

    // Only the named benchmark has a new level, and neither place brings the old runs back.
    for from in [From::WorkTree, From::Both] {
        let loaded = load(&scene, from);
        let counts: Vec<usize> = loaded.series.iter().map(|series| series.runs.len()).collect();
        assert_eq!(counts, [0, 5], "{from:?}");
    }
    // Measuring an old commit again, even after the acceptance, does not count; a new one does.
    let late = scene.save(&run(&before, START + 2 * DAY)).unwrap();
    assert_eq!(late.saved.unwrap().before_level[0].id.as_str(), "num/sieve");
    let next = scene.commit("next");
    scene.save(&run(&change, START + 3 * DAY)).unwrap();
    scene.save(&run(&next, START + 4 * DAY)).unwrap();
    assert_eq!(runs(&scene, From::WorkTree), 2);

    git(&scene.work(), &["reset", "-q", "--soft", &change]);
    let again = accept(&scene, "num/*", START + 5 * DAY).unwrap();
    assert_eq!((again.accepted.len(), again.already), (0, 1));
    assert_eq!(scene.verify().findings, []);
}

#[test]
fn change_that_only_the_history_knows_can_be_accepted() {
    let scene = Scene::new();
    let before = git(&scene.work(), &["rev-parse", "HEAD"]);
    save_to(&scene.work(), &run(&before, START), From::History, Send::No).unwrap();
    scene.commit("slower");
    assert_eq!(runs(&scene, From::History), 1);
    accept(&scene, "kernels:num/sieve", START + DAY).unwrap();
    assert_eq!(runs(&scene, From::History), 0);
    assert_eq!(load(&scene, From::History).series[1].runs.len(), 1);
}

#[test]
fn acceptance_needs_a_benchmark_and_a_reason() {
    let scene = Scene::new();
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    scene.save(&run(&rev, START)).unwrap();
    let error = accept(&scene, "num/seive", START).unwrap_err();
    assert_eq!(error.to_string(), "nothing stored matches `num/seive`");
    assert_eq!(error.hint().as_deref(), Some("did you mean `num/sieve`?"));
    let request = accept::Request {
        directory: &scene.work(),
        benchmarks: vec!["*".into()],
        metric: None,
        environment: None,
        rev: None,
        by: None,
        reason: " \n".into(),
        from: From::WorkTree,
    };
    assert!(matches!(in_world(START, |world| accept::accept(&request, world)), Err(Error::Reason(_))));
    let nowhere = accept::Request { rev: Some("nowhere".into()), ..request };
    assert!(matches!(
        in_world(START, |world| accept::accept(&nowhere, world)),
        Err(Error::UnknownRevision(_))
    ));
    assert_eq!(runs(&scene, From::WorkTree), 1);
}

#[test]
fn prune_tells_first_and_then_drops_what_is_old() {
    let scene = Scene::new();
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    for day in 0..6 {
        save_to(&scene.work(), &run(&rev, START + day * DAY), From::Both, Send::No).unwrap();
    }
    let mut other = run(&rev, START);
    other.environment = environment("Ryzen");
    save_to(&scene.work(), &other, From::Both, Send::No).unwrap();
    let before = std::fs::read(scene.file()).unwrap();

    let preview = prune::Request {
        max_age_seconds: Some(4 * DAY),
        drop_environments: vec![environment("Ryzen").key],
        effect: Effect::Preview,
        ..prune_request(&scene, 3)
    };
    let now = START + 5 * DAY;
    let told = in_world(now, |world| prune::prune(&preview, world)).unwrap();
    assert_eq!(std::fs::read(scene.file()).unwrap(), before);
    let applied = prune::Request { effect: Effect::Apply, ..preview };
    let done = in_world(now, |world| prune::prune(&applied, world)).unwrap();
    assert_eq!((&told.baselines, &told.history), (&done.baselines, &done.history));

    let history = done.history.as_ref().unwrap();
    assert_eq!(history.kept, 3);
    let mut reasons = history.dropped.clone();
    reasons.sort();
    assert_eq!(reasons, [Reason::Environment, Reason::TooMany, Reason::TooMany, Reason::TooOld]);
    assert_eq!(git(&scene.work(), &["rev-list", "--count", "refs/tollgate/history"]), "1");
    assert_eq!(runs(&scene, From::WorkTree), 3);
    assert!(!scene.work().join("baselines").join(environment("Ryzen").key.as_str()).exists());
    let words = text::pruned(&done);
    assert!(
        words.contains(
            "history: 3 runs kept, 4 dropped (1 of other environments, 2 beyond the newest, 1 too old)"
        ),
        "{words}"
    );
    assert_eq!(scene.verify().findings, []);
}

#[test]
fn hostile_names_are_stored_and_shown_safely() {
    let scene = Scene::new();
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    let names =
        ["a/b c/ü", "\u{1b}[2J\u{202e}", "x\n::error::y", &"n".repeat(300), "[{*?", "../../../etc/passwd"];
    let mut hostile = run(&rev, START);
    hostile.measurements = names.iter().map(|name| measured(name, 10.0, 6)).collect();
    for (at, target) in ["../../up", "Kernels", "kernels", "nul"].iter().enumerate() {
        let mut one = measured("same", 10.0, 6);
        one.benchmark.target = (*target).into();
        one.metric = if at == 1 { Metric::count("instructions", "instructions") } else { Metric::time() };
        hostile.measurements.push(one);
    }
    scene.save(&hostile).unwrap();
    let key = environment("EPYC").key;
    let mut files: Vec<String> = std::fs::read_dir(scene.work().join("baselines").join(key.as_str()))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["%2e.%2f..%2fup.json", "%4bernels.json", "%6eul.json", "kernels.json"]);
    assert_eq!(load::load(&scene.work(), &key).unwrap().series.len(), 10);
    assert_eq!(scene.verify().findings, []);
    for name in names {
        let request = show::Request {
            directory: &scene.work(),
            benchmark: name.into(),
            environment: Some(key.clone()),
            from: From::WorkTree,
        };
        let shown = in_world(START, |world| show::show(&request, world)).unwrap();
        let shown = text::shown(&shown);
        assert!(
            shown.chars().all(|c| c == '\n' || !c.is_control()) && !shown.contains('\u{202e}'),
            "{shown:?}"
        );
        assert_eq!(shown.lines().count(), 3, "{shown:?}");
    }
    assert_eq!(accept(&scene, "[{*?", START + DAY).unwrap().accepted.len(), 1);
}
