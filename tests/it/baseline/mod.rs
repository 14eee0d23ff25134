//! Stored runs in real repositories with real remotes: the commands as the command line calls them.
//!
//! - [`round_trip`]: save, list, show, accept, prune, load.
//! - [`faults`]: broken files, full disks, killed writers.
//! - [`sharing`]: several clones, one remote.

mod faults;
mod round_trip;
mod sharing;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};

use tollgate::{
    commands::baseline::{
        Error, World,
        save::{self, Send, Source},
        verify,
    },
    model::{
        benchmark::{Benchmark, BenchmarkId},
        environment::{Environment, EnvironmentKey},
        metric::Metric,
        policy::Policy,
        revision::Revision,
        run::{Block, Fate, Measurement, Mode, Run, Sample, Side, Slot, SlotMethod},
    },
    process::Interrupt,
    progress::Silent,
    store::{load::From, verify::Verified},
};

/// 2026-01-31T12:00:00Z.
const START: u64 = 1_769_860_800;
const DAY: u64 = 86_400;

/// A repository with commits, and perhaps a remote.
struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    /// A repository `work` with one commit, and a bare remote `remote.git` of it.
    fn new() -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap() };
        git(scene.folder.path(), &["init", "-q", "--bare", "remote.git"]);
        git(scene.folder.path(), &["init", "-q", "work"]);
        let work = scene.work();
        git(&work, &["config", "user.name", "Jane Doe"]);
        git(&work, &["config", "user.email", "jane@example.org"]);
        git(&work, &["remote", "add", "origin", &format!("file://{}", scene.remote().display())]);
        scene.commit("first");
        git(&work, &["push", "-q", "origin", "HEAD:main"]);
        git(&scene.remote(), &["symbolic-ref", "HEAD", "refs/heads/main"]);
        scene
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    fn remote(&self) -> PathBuf {
        self.folder.path().join("remote.git")
    }

    /// Another clone of the remote.
    fn clone(&self, name: &str) -> PathBuf {
        git(self.folder.path(), &["clone", "-q", &format!("file://{}", self.remote().display()), name]);
        self.folder.path().join(name)
    }

    /// A new commit in `work`; returns its id.
    fn commit(&self, message: &str) -> String {
        git(&self.work(), &["commit", "-q", "--allow-empty", "-m", message]);
        git(&self.work(), &["rev-parse", "HEAD"])
    }

    /// The baseline file of target `kernels` in the usual environment.
    fn file(&self) -> PathBuf {
        self.work().join("baselines").join(environment("EPYC").key.as_str()).join("kernels.json")
    }

    /// Saves a run into the reviewed files of `work`.
    fn save(&self, run: &Run) -> Result<save::Report, Error> {
        save_to(&self.work(), run, From::WorkTree, Send::No)
    }

    fn verify(&self) -> Verified {
        let request = verify::Request { directory: &self.work(), from: From::Both };
        in_world(START + DAY, |world| verify::verify(&request, world)).unwrap()
    }
}

fn git(directory: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(directory)
        .args(["-c", "init.defaultBranch=main", "-c", "user.name=A", "-c", "user.email=a@b.c"])
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn save_to(directory: &Path, run: &Run, to: From, send: Send) -> Result<save::Report, Error> {
    let request = save::Request { directory, run: Source::Run(run), stands_for: None, to, send };
    in_world(run.started_at, |world| save::save(&request, world))
}

/// Calls `act` at the moment `now`.
fn in_world<T>(now: u64, act: impl FnOnce(&World<'_>) -> T) -> T {
    let interrupt = Interrupt::new();
    act(&World { interrupt: &interrupt, progress: &Silent, now, key_of: &key_of })
}

/// An environment's key as these tests compute it; the product's is the business of `machine`.
fn key_of(environment: &Environment) -> EnvironmentKey {
    let mut hasher = DefaultHasher::new();
    let Environment { cpu, cores, memory_gib, os, kernel, virtualisation, rustc, profile, flags, key: _ } =
        environment;
    (cpu, cores, memory_gib, os, kernel, virtualisation, rustc, profile, flags).hash(&mut hasher);
    EnvironmentKey::parse(&format!("{:016x}", hasher.finish())).unwrap()
}

/// A machine whose CPU is called so.
fn environment(cpu: &str) -> Environment {
    let mut environment = Environment {
        cpu: cpu.into(),
        cores: 4,
        memory_gib: 16,
        os: "linux-x86_64".into(),
        kernel: "6.8".into(),
        virtualisation: "kvm".into(),
        rustc: "rustc 1.95.0 (f2d3ce0bd 2026-03-21)".into(),
        profile: "bench".into(),
        flags: String::new(),
        key: EnvironmentKey::parse(&"0".repeat(16)).unwrap(),
    };
    environment.key = key_of(&environment);
    environment
}

fn benchmark(id: &str) -> Benchmark {
    Benchmark::new("kernels", BenchmarkId::new(id).unwrap())
}

/// One head process whose value is `value` nanoseconds.
fn slot(value: f64) -> Slot {
    let sample = |n: u32| Sample { iterations: f64::from(n), total: f64::from(n) * value };
    Slot { side: Side::Head, padding: 0, samples: (1..=10).map(sample).collect() }
}

/// A benchmark measured in `processes` processes of about `value` nanoseconds.
fn measured(id: &str, value: f64, processes: u32) -> Measurement {
    let slots = (0..processes).map(|index| slot(value + f64::from(index))).collect();
    Measurement {
        benchmark: benchmark(id),
        metric: Metric::time(),
        fate: Fate::Measured,
        method: SlotMethod::Lockstep,
        blocks: vec![Block { slots, void: None }],
    }
}

/// A run of `rev` at `started_at`, with two benchmarks of six processes.
fn run(rev: &str, started_at: u64) -> Run {
    Run {
        tool_version: "0.1.0".into(),
        mode: Mode::Single,
        base: None,
        head: Revision { rev: Some(rev.into()), tree: None, label: "main".into() },
        environment: environment("EPYC"),
        seed: 7,
        started_at,
        duration_seconds: 10.0,
        budget_seconds: 300.0,
        interrupted: None,
        measurements: vec![measured("num/sieve", 17_203.5, 6), measured("text/trim", 220.25, 6)],
        load: Vec::new(),
        stress: Vec::new(),
        baselines: vec![],
        policy: Policy::default(),
        day: "2026-01-31".into(),
        warnings: vec![],
    }
}
