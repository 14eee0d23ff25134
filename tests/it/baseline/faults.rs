//! Broken files are found and named; a disk that refuses, or a writer that is killed, leaves nothing half-written.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use tollgate::{
    commands::baseline::{
        Error, World, prune,
        save::{self, Send},
        show, verify,
    },
    hint::Hint,
    model::outcome::{ErrorClass, Outcome},
    store::{
        self, load,
        load::From,
        prune::{Effect, Reason},
        verify::Severity,
    },
};

use super::{DAY, START, Scene, environment, git, in_world, run, save_to};

/// A scene with three saved runs.
fn stored() -> Scene {
    let scene = Scene::new();
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    for day in 0..3 {
        save_to(&scene.work(), &run(&rev, START + day * DAY), From::Both, Send::No).unwrap();
    }
    scene
}

/// What `verify` says of the scene, one line a finding: severity, place, problem.
fn findings(scene: &Scene) -> Vec<String> {
    let verified = scene.verify();
    assert!(verified.findings.iter().all(|finding| !finding.remedy.is_empty()));
    verified
        .findings
        .iter()
        .map(|finding| format!("{:?} {} {}", finding.severity, finding.place, finding.problem))
        .collect()
}

/// Applies a change to the text of the baseline file and expects one finding with these words, and that neither loading nor
/// saving trusts the file.
fn broken_by(change: impl FnOnce(String) -> String, words: &str) {
    let scene = stored();
    let text = fs::read_to_string(scene.file()).unwrap();
    fs::write(scene.file(), change(text)).unwrap();
    let found = findings(&scene);
    let place = format!("Broken baselines/{}/kernels.json", environment("EPYC").key);
    assert!(found.iter().any(|one| one.starts_with(&place) && one.contains(words)), "{words}: {found:?}");
    assert_eq!(verify::outcome(&scene.verify()), Outcome::Error(ErrorClass::Configuration));
    let before = fs::read(scene.file()).unwrap();
    assert!(load::load(&scene.work(), &environment("EPYC").key).is_err(), "{words}");
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    let error = scene.save(&run(&rev, START + 9 * DAY)).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Configuration, "{error}");
    assert_eq!(fs::read(scene.file()).unwrap(), before, "a file that cannot be trusted is not written over");
}

/// A digest that fits says only that a file was written whole, not by whom: its key is looked at besides.
#[test]
fn a_file_whose_factors_do_not_give_its_key_is_found_and_shown_to_nobody() {
    let scene = stored();
    let other = environment("Xeon").key;
    let key_of = |_: &tollgate::model::environment::Environment| other.clone();
    let interrupt = tollgate::process::Interrupt::new();
    let world =
        World { interrupt: &interrupt, progress: &tollgate::progress::Silent, now: START, key_of: &key_of };
    let work = scene.work();
    let request = verify::Request { directory: &work, from: From::Both };
    let verified = verify::verify(&request, &world).unwrap();
    let words =
        format!("it states environment `{}`, but its factors give `{other}`", environment("EPYC").key);
    assert_eq!(verified.findings.iter().filter(|finding| finding.problem == words).count(), 4);
    let request = show::Request {
        directory: &work,
        benchmark: "num/sieve".into(),
        environment: None,
        from: From::Both,
    };
    let error = show::show(&request, &world).unwrap_err();
    assert!(matches!(error, Error::EditedKey { .. }), "{error}");
    assert_eq!(error.class(), ErrorClass::Configuration);
    assert!(error.hint().unwrap().contains("git checkout -- baselines/"), "{error}");
}

#[test]
fn hand_edited_value_is_found() {
    broken_by(
        |text| text.replacen("17203.5", "18203.5", 1),
        "does not match its digest at `num/sieve` (time)",
    );
}

#[test]
fn corrupted_truncated_and_conflicted_files_are_found() {
    broken_by(|text| text.replacen("\"runs\"", "\"ru\u{0}ns\"", 1), "cannot be read in line");
    broken_by(|text| text[..text.len() / 2].to_owned(), "cannot be read in line");
    broken_by(
        |text| text.replacen("  \"target\"", "<<<<<<< ours\n  \"target\"", 1),
        "cannot be read in line",
    );
    broken_by(|_| String::new(), "it is empty");
}

#[test]
fn values_that_nobody_measured_are_found() {
    broken_by(|text| text.replacen("17203.5", "0.0", 1), "cannot have been measured");
    broken_by(|text| text.replacen("17203.5", "-1.5", 1), "cannot have been measured");
    broken_by(|text| text.replacen("17203.5", "1e999", 1), "cannot be read in line");
}

#[test]
fn other_and_newer_formats_are_told_apart() {
    broken_by(
        |text| text.replace("tollgate.baseline/1", "tollgate.run/1"),
        "where `tollgate.baseline/1` is expected",
    );
    broken_by(|text| text.replace("tollgate.baseline/1", "other/1"), "has format `other/1`");
    let scene = stored();
    let newer =
        fs::read_to_string(scene.file()).unwrap().replace("tollgate.baseline/1", "tollgate.baseline/2");
    fs::write(scene.file(), newer).unwrap();
    let finding = &scene.verify().findings[0];
    assert!(finding.problem.contains("this tollgate reads up to `/1`"), "{}", finding.problem);
    assert_eq!(finding.remedy, "update tollgate");
}

#[test]
fn environment_that_is_not_what_it_says_is_found() {
    let scene = stored();
    let text = fs::read_to_string(scene.file()).unwrap();
    fs::write(scene.file(), text.replace("EPYC", "Ryzen")).unwrap();
    assert!(
        findings(&scene).iter().all(|one| one.contains("does not match its digest")),
        "every digest covers it"
    );
    fs::write(scene.file(), text).unwrap();
    let moved = scene.work().join("baselines").join("0".repeat(16));
    fs::rename(scene.file().parent().unwrap(), &moved).unwrap();
    let found = findings(&scene);
    assert!(found[0].contains("which belongs in"), "{found:?}");
    let error = load::load(
        &scene.work(),
        &tollgate::model::environment::EnvironmentKey::parse(&"0".repeat(16)).unwrap(),
    );
    assert!(matches!(error, Err(store::Error::Misplaced { .. })));
}

#[test]
fn commits_that_are_gone_are_broken_in_a_full_clone_and_a_warning_in_a_shallow_one() {
    let scene = stored();
    let rev = "1234567890".repeat(4);
    scene.save(&run(&rev, START + 9 * DAY)).unwrap();
    let verified = scene.verify();
    let finding = &verified.findings[0];
    assert_eq!((verified.findings.len(), finding.severity), (1, Severity::Broken));
    assert!(finding.problem.contains(&rev) && verified.is_broken());
    let head = git(&scene.work(), &["rev-parse", "HEAD"]);
    fs::write(scene.work().join(".git/shallow"), format!("{head}\n")).unwrap();
    let verified = scene.verify();
    assert_eq!(verified.findings[0].severity, Severity::Warning);
    assert!(!verified.is_broken());
    let work = scene.work();
    let request = prune::Request {
        directory: &work,
        place: From::WorkTree,
        newest: None,
        max_age_seconds: None,
        drop_environments: vec![],
        unknown_commits: prune::UnknownCommits::Drop,
        send: Send::No,
        effect: Effect::Apply,
    };
    let prune = || in_world(START + 10 * DAY, |world| prune::prune(&request, world));
    assert!(matches!(prune(), Err(Error::Shallow)));
    fs::remove_file(work.join(".git/shallow")).unwrap();
    assert_eq!(prune().unwrap().baselines.unwrap().dropped, [Reason::UnknownCommit; 2]);
    assert_eq!(findings(&scene), [] as [String; 0]);
}

#[test]
fn file_that_cannot_even_be_opened_is_a_finding_beside_the_others() {
    let scene = stored();
    let odd = scene.file().with_file_name("odd.json");
    fs::create_dir(&odd).unwrap();
    let found = findings(&scene);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("odd.json could not read"), "{found:?}");
    assert_eq!(scene.verify().runs, 6);
}

#[test]
fn reordered_file_can_be_used_and_is_named() {
    let scene = stored();
    let text = fs::read_to_string(scene.file()).unwrap();
    let at = text.find("    {\n      \"id\": \"text/trim\"").unwrap();
    let start = text.find("    {\n      \"id\": \"num/sieve\"").unwrap();
    let end = text.rfind("\n  ]\n}").unwrap();
    let sieve = text[start..at].trim_end().trim_end_matches(',');
    let reordered = format!("{}{},\n{}{}", &text[..start], &text[at..end], sieve, &text[end..]);
    fs::write(scene.file(), reordered).unwrap();
    let found = findings(&scene);
    assert!(found.len() == 1 && found[0].starts_with("Warning"), "{found:?}");
    assert_eq!(load::load(&scene.work(), &environment("EPYC").key).unwrap().series.len(), 2);
}

#[test]
fn foreign_file_in_the_history_is_named_with_its_remedy() {
    let scene = stored();
    let blob = scene.folder.path().join("junk");
    fs::write(&blob, "junk").unwrap();
    let id = git(&scene.work(), &["hash-object", "-w", blob.to_str().unwrap()]);
    let record = git(&scene.work(), &["ls-tree", "-r", "--name-only", "refs/tollgate/history"]);
    let record = record.lines().next().unwrap().to_owned();
    let index = scene.folder.path().join("index");
    let with_index = |args: &[&str]| {
        let output = Command::new("git")
            .current_dir(scene.work())
            .env("GIT_INDEX_FILE", &index)
            .args(["-c", "user.name=A", "-c", "user.email=a@b.c"])
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    with_index(&["read-tree", "refs/tollgate/history"]);
    with_index(&["update-index", "--add", "--cacheinfo", &format!("100644,{id},{record}")]);
    with_index(&["update-index", "--add", "--cacheinfo", &format!("100644,{id},notes/README")]);
    let tree = with_index(&["write-tree"]);
    let commit = with_index(&["commit-tree", &tree, "-p", "refs/tollgate/history", "-m", "junk"]);
    git(&scene.work(), &["update-ref", "refs/tollgate/history", &commit]);
    let found = findings(&scene);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().any(|one| one.contains(&record) && one.contains("does not match its digest")));
    assert!(found.iter().any(|one| one.contains("notes/README") && one.contains("no path of a run record")));
    assert!(scene.verify().findings[0].remedy.contains("prune --in history"));
}

/// A tiny file system, unmounted when dropped.
struct Mount(PathBuf);

impl Mount {
    /// Mounts `bytes` of memory at `folder`, or says why that is not possible here.
    fn tiny(folder: &Path, bytes: u32) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let options = format!("size={bytes},mode=777");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(folder.to_owned())),
            Ok(output) => {
                eprintln!("SKIPPED: no tiny file system here: {}", String::from_utf8_lossy(&output.stderr));
                None
            }
            Err(error) => {
                eprintln!("SKIPPED: no tiny file system here: {error}");
                None
            }
        }
    }

    fn make_read_only(&self) {
        let status = Command::new("mount").args(["-o", "remount,ro"]).arg(&self.0).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// The files below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

#[test]
fn full_disk_leaves_the_old_file_whole() {
    let scene = Scene::new();
    let folder = scene.work().join("baselines");
    let Some(_mount) = Mount::tiny(&folder, 128 * 1024) else { return };
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    scene.save(&run(&rev, START)).unwrap();
    let before = fs::read(scene.file()).unwrap();
    let filler = folder.join("filler");
    assert!(fs::write(&filler, vec![0; 1024 * 1024]).is_err(), "the disk is full now");
    let error = scene.save(&run(&rev, START + DAY)).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Reporting, "{error}");
    assert!(error.hint().unwrap().contains("free some space"), "{error:?}");
    assert_eq!(fs::read(scene.file()).unwrap(), before);
    assert_eq!(files_below(&folder), [scene.file(), filler.clone()], "no temporary file is left");
    fs::remove_file(filler).unwrap();
    scene.save(&run(&rev, START + DAY)).unwrap();
    assert_eq!(scene.verify().runs, 4);
}

#[test]
fn full_disk_leaves_the_history_where_it_was() {
    let scene = stored();
    let objects = scene.work().join(".git/objects");
    let before = git(&scene.work(), &["rev-parse", "refs/tollgate/history"]);
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    let aside = scene.work().join(".git/aside");
    fs::rename(&objects, &aside).unwrap();
    let Some(mount) = Mount::tiny(&objects, 64 * 1024) else { return };
    fs::create_dir_all(objects.join("info")).unwrap();
    fs::write(objects.join("info/alternates"), format!("{}\n", aside.display())).unwrap();
    assert!(fs::write(objects.join("filler"), vec![0; 1024 * 1024]).is_err(), "the disk is full now");
    let error = save_to(&scene.work(), &run(&rev, START + 9 * DAY), From::History, Send::No).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Reporting, "{error}");
    assert_eq!(git(&scene.work(), &["rev-parse", "refs/tollgate/history"]), before);
    drop(mount);
    fs::remove_dir_all(&objects).unwrap();
    fs::rename(&aside, &objects).unwrap();
    save_to(&scene.work(), &run(&rev, START + 9 * DAY), From::History, Send::No).unwrap();
    assert_eq!(scene.verify().records, 4);
}

#[test]
fn read_only_folder_is_an_error_that_names_it() {
    let scene = Scene::new();
    let folder = scene.work().join("baselines");
    let Some(mount) = Mount::tiny(&folder, 128 * 1024) else { return };
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    scene.save(&run(&rev, START)).unwrap();
    let before = fs::read(scene.file()).unwrap();
    mount.make_read_only();
    let error = scene.save(&run(&rev, START + DAY)).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Reporting);
    assert!(error.hint().unwrap().contains("writable"), "{error:?}");
    assert!(error.to_string().contains("baselines"), "{error}");
    assert_eq!(fs::read(scene.file()).unwrap(), before);
}

#[test]
fn folder_without_repository_is_a_configuration_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = save_to(folder.path(), &run(&"a".repeat(40), START), From::Both, Send::No).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Configuration);
    assert!(error.hint().unwrap().contains("inside a git repository"), "{error}");
}

/// The child of [`killed_writers_leave_nothing_half_written`]: saves runs until it is killed.
#[test]
#[ignore = "started as a child by killed_writers_leave_nothing_half_written"]
fn save_until_killed() {
    let Some(work) = std::env::var_os("TOLLGATE_TEST_WORK_TREE").map(PathBuf::from) else { return };
    let rev = git(&work, &["rev-parse", "HEAD"]);
    for at in 0..100_000 {
        let report: Result<save::Report, Error> =
            save_to(&work, &run(&rev, START + at), From::Both, Send::No);
        report.unwrap();
    }
}

#[cfg(unix)]
#[test]
fn killed_writers_leave_nothing_half_written() {
    let scene = stored();
    for round in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "baseline::faults::save_until_killed"])
            .env("TOLLGATE_TEST_WORK_TREE", scene.work())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It must have begun; where it stands when it is killed is left to chance, a different one each round.
        let modified = || fs::metadata(scene.file()).and_then(|found| found.modified()).ok();
        let before = modified();
        let patience = SystemTime::now() + Duration::from_secs(120);
        while modified() == before {
            assert!(SystemTime::now() < patience, "the child never saved");
            assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(round * 3));
        child.kill().unwrap();
        child.wait().unwrap();
        let found: Vec<String> = findings(&scene);
        assert_eq!(found, [] as [String; 0], "round {round}");
        // A lock file of git that the child left counts only once it is old; age stands in for a minute of waiting.
        let lock = scene.work().join(".git/refs/tollgate/history.lock");
        if let Ok(file) = fs::File::options().write(true).open(&lock) {
            file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
        }
    }
    let rev = git(&scene.work(), &["rev-parse", "HEAD"]);
    save_to(&scene.work(), &run(&rev, START + 99 * DAY), From::Both, Send::No).unwrap();
    assert_eq!(findings(&scene), [] as [String; 0]);
    let folder = scene.file().parent().unwrap().to_owned();
    assert_eq!(files_below(&folder), [scene.file()], "what killed writers left is swept");
}
