//! Pushes of a real crate: what stops them, what does not, and what is left when the check is killed.

use super::{Scene, pushed};
use crate::{
    check::{LIBRARY, bench, sample, strays, traces, units},
    support::tollgate::{Ran, command, ran},
};
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A sample whose trees nobody has built or measured before: what earlier runs of these tests kept is of no use to it.
fn fresh(rows: &[(&str, &str)]) -> Scene {
    let repository = sample(rows);
    repository.write("fresh", &repository.root().display().to_string()).commit("fresh");
    Scene::of(repository)
}

/// A change that makes `g/a` take three times as long.
fn slower() -> String {
    bench(&[("a", &units(1500)), ("b", &units(700))])
}

#[test]
fn a_regression_that_is_pushed_stops_the_push_and_one_of_the_work_tree_does_not() {
    let scene = fresh(&[("a", &units(500)), ("b", &units(700))]);
    scene.repository.write("src/lib.rs", &format!("//! Words.\n{LIBRARY}"));
    let words = scene.repository.commit("words");
    scene.repository.write("benches/kernels.rs", &slower());
    let before = traces(&scene.repository);
    let dry = Instant::now();
    scene
        .push(&["--dry-run", "origin", "main"])
        .exits(0)
        .says("pass: 2 benchmarks compared, the machine code is the same");
    let dry = dry.elapsed();
    let again = Instant::now();
    scene.push(&["origin", "main"]).exits(0).says("passed before: 2 benchmarks compared");
    assert!(again.elapsed() < dry, "{:?} and {dry:?}", again.elapsed());
    assert_eq!(scene.there("refs/heads/main"), Some(words.clone()));
    assert_eq!(traces(&scene.repository)[0], before[0], "the work tree is as it was");

    let slow = scene.repository.commit("slower");
    scene.repository.write("benches/kernels.rs", &bench(&[("a", &units(500)), ("b", &units(700))]));
    let stopped = scene.push(&["origin", "main"]).exits(1);
    let stopped = stopped.says("regressed  g/a").says("--no-verify").says("TOLLGATE_SKIP=1").hides("g/b  ");
    assert!(!stopped.stderr.contains('\u{1b}'), "no colours without a terminal");
    let command = format!("tollgate check --base {} --head {}", &words[..9], &slow[..9]);
    assert!(stopped.stderr.contains(&command), "{}", stopped.stderr);
    assert_eq!(scene.there("refs/heads/main"), Some(words));
    let mut skipped = scene.pusher(scene.root(), &["origin", "main"]);
    skipped.env("TOLLGATE_SKIP", "1");
    pushed(skipped).exits(0);
    assert_eq!(scene.there("refs/heads/main"), Some(slow));
    scene.is_clean();
}

#[test]
fn what_cannot_be_built_or_has_no_time_lets_the_push_go_and_leaves_nothing_behind() {
    let scene = fresh(&[("a", &units(500))]);
    scene.repository.write("src/lib.rs", "this is no Rust\n");
    let broken = scene.repository.commit("broken");
    scene.push(&["origin", "main"]).exits(0).says("warning: not judged: ").says("the push goes on");
    assert_eq!(scene.there("refs/heads/main"), Some(broken));
    scene.is_clean();

    scene.repository.write("src/lib.rs", &LIBRARY.replace("rotate_left(5)", "rotate_left(9)"));
    scene.repository.write("tollgate.toml", "[hook]\ntimeout = \"0.05s\"\n");
    let late = scene.repository.commit("late");
    scene.push(&["origin", "main"]).exits(0).says("the time limit of ").says("the push goes on");
    assert_eq!(scene.there("refs/heads/main"), Some(late));
    scene.is_clean();
    assert_eq!(strays(&scene.repository), Vec::<String>::new());
}

#[test]
fn killed_in_the_middle_it_leaves_nothing_behind() {
    let rows: Vec<_> = (0..12).map(|n| (format!("b{n:02}"), units(400 + 40 * n))).collect();
    let rows: Vec<_> = rows.iter().map(|(name, body)| (name.as_str(), body.as_str())).collect();
    let scene = fresh(&rows);
    let base = scene.git(&["rev-parse", "HEAD"]);
    scene.repository.write("src/lib.rs", &LIBRARY.replace("rotate_left(5)", "rotate_left(6)"));
    let head = scene.repository.commit("other");
    let before = traces(&scene.repository);
    let input = scene.repository.cache().with_file_name("input");
    fs::write(&input, format!("refs/heads/main {head} refs/heads/main {base}\n")).unwrap();
    let hook = |budget: &str| {
        let mut hook = command(scene.root());
        hook.args(["hook", "run", "pre-push", "--budget", budget, "origin"])
            .arg(&scene.remote)
            .env("TOLLGATE_CACHE_DIR", scene.repository.cache())
            .stdin(Stdio::from(fs::File::open(&input).unwrap()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        hook
    };
    let killed = |signal: &str| {
        let mut child = hook("90s").spawn().unwrap();
        let mut progress = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("decided") {
            line.clear();
            assert!(progress.read_line(&mut line).unwrap() > 0, "it ended before it measured anything");
        }
        kill(signal, &child);
        let mut stderr = String::new();
        progress.read_to_string(&mut stderr).unwrap();
        Ran { stderr, ..ran(&child.wait_with_output().unwrap()) }
    };
    for signal in ["TERM", "INT"] {
        let ended = killed(signal).exits(5);
        assert!(ended.stderr.contains(&format!("interrupted by SIG{signal}")), "{}", ended.stderr);
        assert_eq!(traces(&scene.repository), before);
        assert_eq!(strays(&scene.repository), Vec::<String>::new());
        scene.is_clean();
    }
    // After `kill -9` the next run sweeps; its own budget has no room for anything else.
    assert_eq!(killed("KILL").code, None);
    let next = ran(&hook("1s").output().unwrap());
    assert!(next.stdout.contains("tollgate: `main`"), "{next:?}");
    assert_eq!(traces(&scene.repository), before);
    assert_eq!(strays(&scene.repository), Vec::<String>::new());
    scene.is_clean();

    // When whoever started it is gone, nobody waits for it any more.
    let mut shell = Command::new("sh");
    let mut child = shell
        .args(["-c", "\"$0\" hook run pre-push --budget 90s origin < \"$1\" & wait"])
        .arg(env!("CARGO_BIN_EXE_tollgate"))
        .arg(&input)
        .current_dir(scene.root())
        .env("TOLLGATE_CACHE_DIR", scene.repository.cache())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let worktrees_are = |wanted: bool| {
        let deadline = Instant::now() + Duration::from_secs(120);
        while (scene.git(&["worktree", "list"]).lines().count() > 1) != wanted {
            assert!(Instant::now() < deadline, "worktrees: {wanted} never came");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    worktrees_are(true);
    kill("KILL", &child);
    child.wait().unwrap();
    worktrees_are(false);
}

fn kill(signal: &str, child: &Child) {
    let status =
        Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}
