//! A git repository in a folder of its own, with cargo set up beside it.
//!
//! The folder around the repository holds `.cargo/config.toml`: no network, and one target folder for all sample crates, so
//! that criterion is compiled once. As it lies above the repository, every build also tests that such files are handed on.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A repository with a `main` branch.
pub(crate) struct Repository {
    folder: tempfile::TempDir,
    root: PathBuf,
}

impl Repository {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("sample-crates");
        let config = format!("[build]\ntarget-dir = {target:?}\n[net]\noffline = true\n");
        let root = top.join("work/repo");
        fs::create_dir_all(top.join("work/.cargo")).unwrap();
        fs::write(top.join("work/.cargo/config.toml"), config).unwrap();
        fs::create_dir(&root).unwrap();
        let repository = Self { folder, root };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.write(".gitignore", "/target\nCargo.lock\n");
        repository
    }

    /// One with a committed package `sample` whose criterion-like bench `kernel` prints `answer`.
    pub(crate) fn with_bench(answer: &str) -> Self {
        let repository = Self::new();
        repository.write("Cargo.toml", &manifest("sample", &["kernel"]));
        repository.write("src/lib.rs", &library(answer));
        repository.write("benches/kernel.rs", &bench("sample"));
        repository.commit("first");
        repository
    }

    /// The work tree.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder around the repository.
    pub(crate) fn around(&self) -> PathBuf {
        self.root.parent().unwrap().to_owned()
    }

    /// A folder for trees, from which cargo does not find what lies around the repository.
    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// Writes a file of the work tree, or beside it with `../`.
    pub(crate) fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Commits all of the work tree and returns the commit.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git in the work tree and returns what it prints.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(&self.root, args)
    }
}

/// Runs git without anybody's settings and returns what it prints.
pub(crate) fn git(directory: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    let identity = ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"];
    command.envs(identity.map(|name| (name, "tester")));
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    let output = command
        .args(["-c", "protocol.file.allow=always"])
        .args(args)
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// A manifest without dependencies.
pub(crate) fn manifest(package: &str, benches: &[&str]) -> String {
    let mut text = format!("[package]\nname = \"{package}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
    for bench in benches {
        text.push_str(&format!("[[bench]]\nname = \"{bench}\"\nharness = false\n"));
    }
    text
}

/// A library whose `answer` is an expression of type `String`.
pub(crate) fn library(answer: &str) -> String {
    format!("#[inline(never)]\npub fn answer() -> String {{\n    {answer}\n}}\n")
}

/// A bench that prints the library's answer; it names criterion's variable, by which a criterion target is known.
pub(crate) fn bench(package: &str) -> String {
    let package = package.replace('-', "_");
    format!(
        "fn main() {{\n    if std::env::var_os(\"CARGO_CRITERION_PORT\").is_none() {{\n        println!(\"{{}}\", {package}::answer());\n    }}\n}}\n"
    )
}
