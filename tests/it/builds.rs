//! Base and head built alike: the right code on each side, equal code as equal executables, and nothing left behind.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use tollgate::{
    cargo::aligned::Alignment,
    measure::{
        builds::{BenchExecutable, BuildRequest, Builds, Error, TargetPair, build_both},
        trees::BaseChoice,
    },
    model::run::Side,
    process::Interrupt,
    progress::{Event, Progress, Silent},
};

use crate::support::repository::{Repository, bench, git, library, manifest};

fn request(repository: &Repository) -> BuildRequest {
    BuildRequest {
        wrapper: Some(env!("CARGO_BIN_EXE_tollgate").into()),
        cache: repository.cache(),
        timeout: Duration::from_secs(600),
        ..BuildRequest::new(repository.root())
    }
}

fn build(request: &BuildRequest) -> Builds {
    build_both(request, &Silent, &Interrupt::new()).unwrap()
}

fn pair(builds: &Builds) -> &TargetPair {
    assert_eq!(builds.pairs.len(), 1, "{:?}", builds.pairs);
    &builds.pairs[0]
}

fn run(executable: &BenchExecutable) -> String {
    let mut command = Command::new(&executable.path);
    command.current_dir(&executable.directory).envs(executable.environment.iter().cloned());
    let output = command.env_remove("CARGO_CRITERION_PORT").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn answers(builds: &Builds) -> (String, String) {
    let pair = pair(builds);
    (run(pair.base.as_ref().unwrap()), run(pair.head.as_ref().unwrap()))
}

fn codes(builds: &Builds) -> Vec<&str> {
    builds.warnings.iter().map(|warning| warning.code.as_str()).collect()
}

/// Answers `text`, and may panic on line 3.
fn panicking(text: &str) -> String {
    library(&format!(
        "let text = String::from({text:?}); assert!(std::env::args().count() < 99, \"many\"); text"
    ))
}

#[test]
fn documents_and_comments_leave_the_executables_identical() {
    let repository = Repository::with_bench("String::from(\"same\")");
    repository.write("src/lib.rs", &panicking("same")).commit("a panic location");
    repository.write("README.md", "# New\n");
    repository
        .write("src/lib.rs", &format!("//! Says the same.\n\n// It really does.\n{}", panicking("same")));
    let builds = build(&request(&repository));
    assert!(pair(&builds).identical);
    assert_eq!(answers(&builds), ("same".into(), "same".into()));
    assert_eq!(builds.head.rev, None);
    assert_eq!(builds.head.label, "work tree");
    assert_eq!(builds.base.as_ref().unwrap().label, "HEAD");
}

#[test]
fn a_changed_function_differs() {
    let repository = Repository::with_bench("String::from(\"one\")");
    repository.write("src/lib.rs", &library("String::from(\"two\")"));
    let builds = build(&request(&repository));
    assert!(!pair(&builds).identical);
    assert_eq!(answers(&builds), ("one".into(), "two".into()));
}

#[test]
fn the_path_of_its_package_in_an_executable_is_its_own_and_no_difference() {
    let repository = Repository::with_bench("env!(\"CARGO_MANIFEST_DIR\").to_string()");
    repository.write("README.md", "# New\n");
    for _ in 0..2 {
        let builds = build(&request(&repository));
        assert!(pair(&builds).identical);
        let paths = answers(&builds);
        assert_eq!(PathBuf::from(&paths.0), builds.tree(Side::Base).unwrap());
        assert_eq!(PathBuf::from(&paths.1), builds.tree(Side::Head).unwrap());
        assert_eq!(paths.0.len(), paths.1.len());
        assert!(!paths.0.starts_with(repository.root().to_str().unwrap()));
    }
}

#[test]
fn executables_are_those_of_their_revision_whatever_was_built_before() {
    let repository = Repository::with_bench("String::from(\"A\")");
    let a = repository.git(&["rev-parse", "HEAD"]);
    repository.write("src/lib.rs", &library("String::from(\"B\")"));
    let b = repository.commit("second");
    // Fresh executables each time, so that cargo really decides what to compile.
    let exe = |builds: &Builds| fs::remove_dir_all(builds.state_folder.join("exe")).unwrap();
    for (base, head, wanted) in
        [(&a, &b, ("A", "B")), (&b, &a, ("B", "A")), (&a, &b, ("A", "B")), (&a, &a, ("A", "A"))]
    {
        let builds = build(&BuildRequest {
            base: BaseChoice::Revision(base.clone()),
            head: Some(head.clone()),
            // A target folder of its own: removing executables must not disturb other tests.
            ..own_target(&repository)
        });
        assert_eq!(answers(&builds), (wanted.0.into(), wanted.1.into()));
        assert_eq!(pair(&builds).identical, base == head);
        exe(&builds);
    }
}

/// Moves the target folder beside the repository.
fn own_target(repository: &Repository) -> BuildRequest {
    let config = "[build]\ntarget-dir = \"own-target\"\n[net]\noffline = true\n";
    fs::write(repository.around().join(".cargo/config.toml"), config).unwrap();
    request(repository)
}

#[test]
fn second_run_takes_both_sides_from_the_cache() {
    let repository = Repository::with_bench("String::from(\"cached\")");
    repository.write("src/lib.rs", &library("String::from(\"cached too\")")).commit("second");
    let request = own_target(&repository);
    let first = build(&request);
    let log = first.state_folder.join("head/build.log");
    assert!(first.state_folder.starts_with(repository.around().join("own-target")));
    let one = answers(&first);
    fs::remove_file(&log).unwrap();
    drop(first);
    let second = build(&request);
    assert_eq!(answers(&second), one);
    assert!(!log.exists(), "it was built again");
    drop(second);
    // Head's executable is base's once head is committed under something else.
    repository.write("src/lib.rs", &library("String::from(\"third\")"));
    fs::remove_file(repository.around().join("own-target/tollgate/base/build.log")).unwrap();
    let third = build(&request);
    assert_eq!(answers(&third), ("cached too".into(), "third".into()));
    assert!(!third.state_folder.join("base/build.log").exists() && log.exists());
}

#[test]
fn two_packages_with_a_target_of_one_name_are_told_apart() {
    let repository = Repository::new();
    repository.write("Cargo.toml", "[workspace]\nmembers = [\"one\", \"two\"]\nresolver = \"2\"\n");
    for package in ["one", "two"] {
        repository.write(&format!("{package}/Cargo.toml"), &manifest(package, &["kernel"]));
        repository.write(&format!("{package}/src/lib.rs"), &library(&format!("String::from({package:?})")));
        repository.write(&format!("{package}/benches/kernel.rs"), &bench(package));
    }
    repository.write("two/benches/plain.rs", "fn main() {}\n");
    repository.commit("first");
    repository.write("two/src/lib.rs", &library("String::from(\"changed\")"));
    let builds = build(&request(&repository));
    let pairs: Vec<_> = builds.pairs.iter().map(|pair| (pair.target.as_str(), pair.identical)).collect();
    assert_eq!(pairs, [("one/kernel", true), ("two/kernel", false)]);
    let head = builds.pairs[1].head.as_ref().unwrap();
    assert_eq!((run(head).as_str(), head.package.as_str()), ("changed", "two"));
    assert_eq!(head.directory, builds.tree(Side::Head).unwrap().join("two"));
    let skipped: Vec<_> = builds.skipped.iter().map(|skipped| skipped.target.as_str()).collect();
    assert_eq!(skipped, ["plain"]);
    assert!(builds.skipped[0].reason.contains("libtest"));

    // In the folder of one package, as with cargo, only that package is meant.
    let here = BuildRequest { directory: repository.root().join("one"), ..request(&repository) };
    drop(builds);
    assert_eq!(pair(&build(&here)).target, "kernel");
}

#[test]
fn targets_that_are_not_criterion_are_skipped_and_unknown_names_are_errors() {
    let repository = Repository::with_bench("String::new()");
    repository.write("Cargo.toml", &manifest("sample", &["kernel", "other"]));
    repository.write("benches/other.rs", "fn main() { println!(\"not measured\"); }\n").commit("other");
    let builds = build(&request(&repository));
    assert_eq!(pair(&builds).target, "kernel");
    assert_eq!(builds.skipped[0].target, "other");
    assert!(builds.skipped[0].reason.contains("not a criterion benchmark"));
    drop(builds);
    let mut unknown = request(&repository);
    unknown.selection.benches = vec!["kernle".into()];
    let error = build_both(&unknown, &Silent, &Interrupt::new()).unwrap_err();
    assert_eq!(error.to_string(), "there is no bench target `kernle` in base and head");
    assert!(error.is_usage());
    unknown.selection.benches.clear();
    unknown.selection.packages = vec!["simple".into()];
    let error = build_both(&unknown, &Silent, &Interrupt::new()).unwrap_err();
    assert!(matches!(error, Error::UnknownName { near, .. } if near == ["sample"]));
}

#[test]
fn dependencies_beside_the_repository_are_found_from_both_trees() {
    let repository = Repository::with_bench("sibling::answer()");
    repository.write("../sibling/Cargo.toml", &manifest("sibling", &[]));
    repository.write("../sibling/src/lib.rs", &library("String::from(\"beside\")"));
    let manifest =
        format!("{}[dependencies]\nsibling = {{ path = \"../sibling\" }}\n", manifest("sample", &["kernel"]));
    repository.write("Cargo.toml", &manifest).commit("sibling");
    repository.write("src/lib.rs", &library("sibling::answer() + \"!\""));
    let builds = build(&request(&repository));
    assert_eq!(answers(&builds), ("beside".into(), "beside!".into()));
    drop(builds);
    // A change of the sibling must not be answered from the cache.
    repository.write("../sibling/src/lib.rs", &library("String::from(\"beside us\")"));
    assert_eq!(answers(&build(&request(&repository))), ("beside us".into(), "beside us!".into()));
}

#[cfg(unix)]
#[test]
fn wrapper_and_flags_of_the_user_are_kept() {
    use std::os::unix::fs::PermissionsExt;
    let repository =
        Repository::with_bench("String::from(if cfg!(users_flag) { \"with flag\" } else { \"without\" })");
    let log = repository.around().join("wrapped");
    let script =
        format!("#!/bin/sh\nfor word in \"$@\"; do echo \"$word\" >> {}; done\nexec \"$@\"\n", log.display());
    repository.write("tools/wrap", &script);
    fs::set_permissions(repository.root().join("tools/wrap"), fs::Permissions::from_mode(0o755)).unwrap();
    let config = "[build]\nrustc-wrapper = \"tools/wrap\"\nrustflags = [\"--cfg\", \"users_flag\"]\n";
    repository.write(".cargo/config.toml", config).commit("settings");
    repository.write("README.md", "# New\n");
    let builds = build(&request(&repository));
    assert_eq!(answers(&builds), ("with flag".into(), "with flag".into()));
    let words = fs::read_to_string(&log).unwrap();
    for word in ["users_flag", "llvm-args=-align-loops=64"] {
        assert_eq!(words.contains(word), word == "users_flag" || cfg!(target_arch = "x86_64"), "{word}");
    }
    assert!(words.contains("remap-path-prefix"));
}

/// Where the functions of an executable start.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn function_starts(executable: &Path) -> Vec<u64> {
    use object::{Object, ObjectSymbol, SymbolKind};
    let bytes = fs::read(executable).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let symbols = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
    symbols
        .filter(|symbol| symbol.name().is_ok_and(|name| name.contains("sample")))
        .map(|s| s.address())
        .collect()
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn functions_start_at_cache_lines_unless_built_as_built() {
    let repository = Repository::with_bench("(1..99).map(|n| n.to_string()).collect::<Vec<_>>().concat()");
    repository.write("README.md", "# New\n");
    let aligned = build(&request(&repository));
    let starts = function_starts(&pair(&aligned).head.as_ref().unwrap().path);
    assert!(!starts.is_empty() && starts.iter().all(|start| start % 64 == 0), "{starts:x?}");
    assert!(aligned.flags.contains("-align-all-functions=6"), "{}", aligned.flags);
    drop(aligned);
    let as_built = build(&BuildRequest { alignment: Alignment::AsBuilt, ..request(&repository) });
    let starts = function_starts(&pair(&as_built).head.as_ref().unwrap().path);
    assert!(starts.iter().any(|start| start % 64 != 0), "{starts:x?}");
    assert!(!as_built.flags.contains("align"), "{}", as_built.flags);
    assert!(as_built.flags.contains("opt-level=3"), "{}", as_built.flags);
}

/// All that must not change: status, refs, worktrees, settings, stash, reflogs, and the index to the byte and the time.
fn state(repository: &Repository) -> Vec<String> {
    let dot_git = repository.root().join(".git");
    let index = fs::read(dot_git.join("index")).unwrap();
    let time = fs::metadata(dot_git.join("index")).unwrap().modified().unwrap();
    let read = |name: &str| fs::read_to_string(dot_git.join(name)).unwrap_or_default();
    vec![
        format!("{index:?} {:?}", time.duration_since(SystemTime::UNIX_EPOCH)),
        read("config"),
        read("logs/HEAD"),
        read("logs/refs/heads/main"),
        read("logs/refs/stash"),
        repository.git(&["for-each-ref"]),
        repository.git(&["worktree", "list"]),
        format!("{}", dot_git.join("worktrees").exists()),
        // Objects: nothing was written into the repository.
        repository.git(&["count-objects", "-v"]),
        // Last, as it may refresh the index.
        repository.git(&["--no-optional-locks", "status", "--porcelain", "--ignored"]),
    ]
}

#[cfg(unix)]
#[test]
fn the_repository_is_as_it_was_and_the_trees_are_gone() {
    use std::os::unix::fs::PermissionsExt;
    let repository = Repository::with_bench("String::from(\"committed\")");
    repository.write("src/lib.rs", &library("String::from(\"stashed\")"));
    repository.git(&["stash"]);
    repository.write("gone.txt", "").commit("second");
    for hook in ["post-checkout", "post-index-change", "reference-transaction"] {
        let path = repository.root().join(".git/hooks").join(hook);
        fs::write(&path, format!("#!/bin/sh\ntouch {}\n", repository.around().join("hook-ran").display()))
            .unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    repository.write("src/lib.rs", &library("String::from(\"staged\")"));
    repository.git(&["add", "src/lib.rs"]);
    // Git runs one of them here: they work.
    fs::remove_file(repository.around().join("hook-ran")).unwrap();
    repository.write("src/lib.rs", &library("String::from(\"on disk\") + untracked::more()"));
    repository.write(
        "src/lib.rs",
        &format!("mod untracked;\n{}", library("String::from(\"on disk\") + untracked::MORE")),
    );
    repository.write("src/untracked.rs", "pub const MORE: &str = \", untracked\";\n");
    fs::remove_file(repository.root().join("gone.txt")).unwrap();

    let before = state(&repository);
    let builds = build(&request(&repository));
    assert_eq!(answers(&builds), ("committed".into(), "on disk, untracked".into()));
    let (base, head) =
        (builds.tree(Side::Base).unwrap().to_owned(), builds.tree(Side::Head).unwrap().to_owned());
    assert!(base.join("gone.txt").exists() && !head.join("gone.txt").exists());
    assert_eq!(builds.head.rev, None);
    assert_ne!(builds.head.tree, builds.base.as_ref().unwrap().tree);
    drop(builds);
    assert!(!base.exists() && !head.exists());
    assert_eq!(state(&repository), before);
    assert!(!repository.around().join("hook-ran").exists());
}

#[test]
fn a_clean_work_tree_is_head_and_is_compared_with_what_came_before() {
    let repository = Repository::with_bench("String::from(\"first\")");
    let first = repository.git(&["rev-parse", "HEAD"]);
    repository.write("src/lib.rs", &library("String::from(\"second\")"));
    let second = repository.commit("second");
    let builds = build(&request(&repository));
    assert_eq!(builds.head.rev.as_ref(), Some(&second));
    let base = builds.base.as_ref().unwrap();
    assert_eq!((base.rev.as_ref(), base.label.as_str()), (Some(&first), "HEAD~1"));
    drop(builds);
    // On a branch it is the merge base with the default branch, under that branch's name when it stands there.
    repository.git(&["switch", "--quiet", "--create", "feature"]);
    repository.write("src/lib.rs", &library("String::from(\"third\")")).commit("third");
    let builds = build(&request(&repository));
    assert_eq!(builds.base.as_ref().unwrap().label, "main");
    assert_eq!(answers(&builds), ("second".into(), "third".into()));
}

#[test]
fn what_a_killed_run_left_is_cleaned_up_by_the_next() {
    let repository = Repository::with_bench("String::from(\"x\")");
    repository.write("README.md", "# New\n");
    let before = state(&repository);
    let builds = build(&request(&repository));
    let trees = builds.tree(Side::Head).unwrap().parent().unwrap().to_owned();
    // A killed process runs no destructor, and the system frees its lock.
    std::mem::forget(builds);
    assert!(repository.root().join(".git/worktrees").exists());
    fs::write(trees.join("half-copied"), "").unwrap();
    free_lock(&trees);
    // One of the user's own, on a disk that is not mounted: not ours to prune.
    repository.git(&["worktree", "add", "--quiet", "--detach", "../users"]);
    fs::rename(repository.around().join("users"), repository.around().join("unmounted")).unwrap();
    drop(build(&request(&repository)));
    assert!(!trees.exists());
    fs::rename(repository.around().join("unmounted"), repository.around().join("users")).unwrap();
    repository.git(&["worktree", "remove", "../users"]);
    assert_eq!(state(&repository)[1..], before[1..]);
}

/// Puts another file in the place of a lock that this process can no longer drop.
fn free_lock(trees: &Path) {
    let mut lock = trees.to_owned().into_os_string();
    lock.push(".lock");
    fs::remove_file(lock).unwrap();
}

#[test]
fn ignored_fixtures_come_along_when_listed_and_a_changed_one_is_no_identical_run() {
    let repository =
        Repository::with_bench("std::fs::read_to_string(\"fixtures/data.txt\").unwrap_or(\"none\".into())");
    repository.write(".gitignore", "/target\nCargo.lock\n/fixtures\n").commit("ignore");
    repository.write("fixtures/data.txt", "data").write("README.md", "# New\n");
    let builds = build(&request(&repository));
    assert_eq!(answers(&builds), ("none".into(), "none".into()));
    drop(builds);
    let with_copy =
        BuildRequest { copy: vec!["fixtures".into(), "nothing/*.bin".into()], ..request(&repository) };
    let builds = build(&with_copy);
    assert_eq!(answers(&builds), ("data".into(), "data".into()));
    assert!(pair(&builds).identical);
    assert_eq!(codes(&builds), ["copy_matched_nothing"]);
    drop(builds);

    let tracked = Repository::with_bench("std::fs::read_to_string(\"tables/data.txt\").unwrap()");
    tracked.write("tables/data.txt", "one").commit("data");
    tracked.write("tables/data.txt", "two");
    let builds = build(&request(&tracked));
    assert_eq!(answers(&builds), ("one".into(), "two".into()));
    assert!(!pair(&builds).identical);
}

#[test]
fn submodules_come_along_at_each_sides_commit_and_settings_stay() {
    let library_repository = Repository::new();
    library_repository.write("Cargo.toml", &manifest("inner", &[]));
    library_repository.write("src/lib.rs", &library("String::from(\"inner one\")")).commit("one");
    let repository = Repository::with_bench("inner::answer()");
    let url = library_repository.root().to_str().unwrap().to_owned();
    repository.git(&["submodule", "--quiet", "add", "--name", "odd name", &url, "vendor/inner"]);
    let text =
        format!("{}[dependencies]\ninner = {{ path = \"vendor/inner\" }}\n", manifest("sample", &["kernel"]));
    repository.write("Cargo.toml", &text).commit("submodule");
    library_repository.write("src/lib.rs", &library("String::from(\"inner two\")")).commit("two");
    let inner = repository.root().join("vendor/inner");
    git(&inner, &["pull", "--quiet"]);

    let before = state(&repository);
    let builds = build(&request(&repository));
    assert_eq!(answers(&builds), ("inner one".into(), "inner two".into()));
    drop(builds);
    // A change that only the submodule's work tree has counts as well.
    git(&inner, &["checkout", "--quiet", "HEAD~1"]);
    repository.write("vendor/inner/src/lib.rs", &library("String::from(\"inner edited\")"));
    let builds = build(&request(&repository));
    assert_eq!(answers(&builds), ("inner one".into(), "inner edited".into()));
    assert_eq!(builds.head.rev, None);
    drop(builds);
    assert_eq!(state(&repository)[1..8], before[1..8]);
}

#[test]
fn base_that_does_not_compile_leaves_head_measurable_and_the_reverse_is_an_error() {
    let repository = Repository::with_bench("undefined_function()");
    repository.write("src/lib.rs", &library("String::from(\"mended\")"));
    let builds = build(&request(&repository));
    let failure = builds.base_failed.as_ref().unwrap();
    assert!(failure.starts_with("could not build base "), "{failure}");
    assert!(failure.contains("cannot find function `undefined_function`"), "{failure}");
    assert!(failure.contains("base/build.log"), "{failure}");
    let pair = pair(&builds);
    assert!(pair.base.is_none() && !pair.identical);
    assert_eq!(run(pair.head.as_ref().unwrap()), "mended");
    drop(builds);
    repository.commit("mended");
    repository.write("src/lib.rs", &library("broken("));
    let error = build_both(&request(&repository), &Silent, &Interrupt::new()).unwrap_err();
    assert!(
        error.to_string().starts_with("could not build head work tree: cargo exited with status 101\nerror"),
        "{error}"
    );
    assert!(!error.is_usage());
}

#[test]
fn executables_that_read_their_build_folder_are_built_apart() {
    let repository =
        Repository::with_bench("std::fs::read_to_string(concat!(env!(\"OUT_DIR\"), \"/made\")).unwrap()");
    let script = |text: &str| {
        format!(
            "fn main() {{ std::fs::write(std::env::var(\"OUT_DIR\").unwrap() + \"/made\", {text:?}).unwrap() }}\n"
        )
    };
    repository.write("build.rs", &script("made by base")).commit("build script");
    repository.write("build.rs", &script("made by head"));
    for _ in 0..2 {
        let builds = build(&own_target(&repository));
        assert_eq!(answers(&builds), ("made by base".into(), "made by head".into()));
    }
}

#[test]
fn differences_of_profile_are_told() {
    let repository = Repository::with_bench("String::from(\"x\")");
    let text = format!("{}[profile.bench]\nopt-level = 1\n", manifest("sample", &["kernel"]));
    repository.write("Cargo.toml", &text);
    let builds = build(&request(&repository));
    assert_eq!(codes(&builds), ["different_flags"]);
    assert!(builds.warnings[0].message.contains("head `-C opt-level=1`"), "{:?}", builds.warnings);
    assert!(builds.rustc.starts_with("rustc 1."), "{}", builds.rustc);
}

#[test]
fn a_real_criterion_bench_is_recognised_and_speaks_its_options() {
    let repository = Repository::new();
    let text = format!(
        "{}[dev-dependencies]\ncriterion = {{ version = \"0.8\", default-features = false }}\n",
        manifest("sample", &["real"])
    );
    repository.write("Cargo.toml", &text).write("src/lib.rs", "");
    let bench = "use criterion::{criterion_group, criterion_main, Criterion};\nfn one(c: &mut Criterion) { c.bench_function(\"group/one\", |b| b.iter(|| std::hint::black_box(1) + 1)); }\ncriterion_group!(all, one);\ncriterion_main!(all);\n";
    repository.write("benches/real.rs", bench).commit("first");
    repository.write("README.md", "# New\n");
    let builds = build(&request(&repository));
    assert!(pair(&builds).identical);
    let head = pair(&builds).head.as_ref().unwrap();
    let output =
        Command::new(&head.path).args(["--bench", "--list"]).current_dir(&head.directory).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("group/one: benchmark"), "{output:?}");
}

/// Does something when it hears a phase or note that starts so.
struct When<F>(&'static str, F);

impl<F: Fn() + Sync> Progress for When<F> {
    fn tell(&self, event: Event) {
        let (Event::Phase(text) | Event::Note(text)) = event else { return };
        if text.starts_with(self.0) {
            (self.1)();
        }
    }
}

#[test]
fn an_interrupted_build_leaves_nothing_behind() {
    let repository = Repository::with_bench("String::from(\"never built\")");
    repository.write("README.md", "# New\n");
    let before = state(&repository);
    let interrupt = Interrupt::new();
    let stop = When("building head", || {
        interrupt.request("SIGINT");
    });
    let error = build_both(&request(&repository), &stop, &interrupt).unwrap_err();
    assert_eq!(error.interrupted(), Some("SIGINT"), "{error}");
    assert_eq!(state(&repository), before);
    let left: Vec<_> =
        fs::read_dir(repository.cache()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name.to_str().unwrap().ends_with(".lock")), "{left:?}");
}

#[test]
fn a_second_run_waits_for_the_first_to_leave_the_repository() {
    let repository = Repository::with_bench("String::from(\"shared\")");
    repository.write("README.md", "# New\n");
    let first = std::sync::Mutex::new(Some(build(&request(&repository))));
    let waited = When("waiting for tollgate", || drop(first.lock().unwrap().take()));
    let second = build_both(&request(&repository), &waited, &Interrupt::new()).unwrap();
    assert!(first.lock().unwrap().is_none(), "it did not wait");
    assert_eq!(answers(&second), ("shared".into(), "shared".into()));
}
