//! Several clones record into one remote.

use std::{path::Path, sync::Barrier, thread};

use tollgate::{
    commands::baseline::{fetch, prune, save::Send},
    hint::Hint,
    model::outcome::{ErrorClass, Outcome},
    store::{history::History, load::From, prune::Effect},
};

use super::{DAY, START, Scene, environment, git, in_world, run, save_to};

fn records(repository: &Path) -> usize {
    let counts = History::open(repository).unwrap().environments().unwrap();
    counts.get(&environment("EPYC").key).copied().unwrap_or(0)
}

#[test]
fn eight_clones_that_push_side_by_side_lose_nothing() {
    let scene = Scene::new();
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    let clones: Vec<_> = (0..8).map(|writer| scene.clone(&format!("clone{writer}"))).collect();
    let barrier = Barrier::new(clones.len());
    thread::scope(|scope| {
        for (writer, clone) in clones.iter().enumerate() {
            let (barrier, rev) = (&barrier, &rev);
            scope.spawn(move || {
                let mut mine = run(rev, START);
                mine.seed = writer as u64;
                barrier.wait();
                let report = save_to(clone, &mine, From::Both, Send::To(None)).unwrap();
                assert_eq!(report.outcome(), Outcome::Pass, "{:?}", report.pushed);
            });
        }
    });
    assert_eq!(records(&scene.remote()), 8);
    git(&scene.remote(), &["fsck", "--strict"]);
    let branches = git(&scene.remote(), &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(branches, "refs/heads/main\nrefs/tollgate/history");
}

#[test]
fn a_clone_that_fetches_has_the_records_of_others_and_sends_nothing() {
    let scene = Scene::new();
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    save_to(&scene.work(), &run(&rev, START), From::History, Send::To(None)).unwrap();
    let other = scene.clone("other");
    save_to(&other, &run(&rev, START + 1), From::History, Send::No).unwrap();
    assert_eq!(records(&other), 1, "nothing is fetched unasked");
    let fetched = in_world(START, |world| fetch::fetch(&other, None, world)).unwrap();
    assert_eq!((fetched.unsent, records(&other), records(&scene.remote())), (1, 2, 1));
    let error = in_world(START, |world| fetch::fetch(&other, Some("elsewhere"), world)).unwrap_err();
    assert!(error.to_string().contains("elsewhere"), "{error}");
}

#[test]
fn writers_of_one_clone_lose_nothing_in_either_place() {
    let scene = Scene::new();
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    thread::scope(|scope| {
        for writer in 0..6 {
            let (scene, rev) = (&scene, &rev);
            scope.spawn(move || {
                save_to(&scene.work(), &run(rev, START + writer), From::Both, Send::No).unwrap()
            });
        }
    });
    let verified = scene.verify();
    assert_eq!((verified.runs, verified.records), (12, 6));
    assert_eq!(verified.findings, []);
}

#[test]
fn pruning_with_a_push_bounds_the_remote_and_keeps_what_others_record() {
    let scene = Scene::new();
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    let other = scene.clone("other");
    for day in 0..5 {
        save_to(&scene.work(), &run(&rev, START + day * DAY), From::History, Send::To(None)).unwrap();
    }
    save_to(&other, &run(&rev, START + 9 * DAY), From::History, Send::To(None)).unwrap();
    let work = scene.work();
    let request = prune::Request {
        directory: &work,
        place: From::History,
        newest: Some(2),
        max_age_seconds: None,
        drop_environments: vec![],
        unknown_commits: prune::UnknownCommits::Keep,
        send: Send::To(None),
        effect: Effect::Apply,
    };
    let pruned = in_world(START + 9 * DAY, |world| prune::prune(&request, world)).unwrap();
    assert_eq!(pruned.history.map(|pruned| (pruned.kept, pruned.dropped.len())), Some((2, 4)));
    assert_eq!((records(&scene.remote()), records(&work)), (2, 2));
    save_to(&other, &run(&rev, START + 10 * DAY), From::History, Send::To(None)).unwrap();
    assert_eq!((records(&scene.remote()), records(&other)), (3, 3));
}

#[test]
fn push_that_fails_keeps_the_run_and_says_what_to_do() {
    let scene = Scene::new();
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    std::fs::rename(scene.remote(), scene.folder.path().join("elsewhere.git")).unwrap();
    let report = save_to(&scene.work(), &run(&rev, START), From::Both, Send::To(None)).unwrap();
    assert_eq!(report.outcome(), Outcome::Error(ErrorClass::Reporting));
    let error = report.pushed.unwrap().unwrap_err();
    assert!(error.to_string().starts_with("could not reach remote `origin`"), "{error}");
    assert!(error.hint().unwrap().contains("kept in the local repository"));
    assert_eq!(records(&scene.work()), 1);
    git(&scene.work(), &["remote", "remove", "origin"]);
    let report = save_to(&scene.work(), &run(&rev, START + 1), From::History, Send::To(None)).unwrap();
    let error = report.pushed.unwrap().unwrap_err();
    assert!(error.hint().unwrap().contains("git remote add origin"), "{error}");
}
