//! The bench executables of one tree, built by cargo as `cargo bench --no-run` builds them.
//!
//! Both trees are built in one target folder, so that what they share is compiled once. Their own packages share file names
//! in it, and cargo judges by file times whether an artefact is fresh: that of the other tree could pass for ours. So before
//! every build cargo forgets the trees' own packages.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use cargo_metadata::Message;

use crate::{
    cargo::{
        Error,
        aligned::{Record, Wrapper},
        invocation::{Invocation, LIBRARY_PATH},
        metadata::{Choice, Package, Selection, Workspace},
    },
    files::{self, scratch},
    process::{self, Finished, Interrupt, Spec},
};

/// One build.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    /// How cargo is called.
    pub invocation: &'a Invocation,
    /// The user's flags.
    pub selection: &'a Selection,
    /// The workspace that is built.
    pub workspace: &'a Workspace,
    /// What of it.
    pub choice: &'a Choice,
    /// The names of all packages in the tree, members of the workspace or not.
    pub own_packages: &'a BTreeSet<String>,
    /// The target folder.
    pub folder: &'a Path,
    /// The compiler wrapper.
    pub wrapper: &'a Wrapper,
    /// Where cargo's output is kept.
    pub log: &'a Path,
    /// How long it may take.
    pub timeout: Duration,
}

/// A bench executable as cargo left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Its package.
    pub package: String,
    /// Its target.
    pub target: String,
    /// Where it is now; the next build may replace it.
    pub executable: PathBuf,
    /// The folder of its package.
    pub directory: PathBuf,
    /// The environment that `cargo bench` would give it beyond our own.
    pub environment: BTreeMap<String, String>,
    /// The compiler options that made it what it is.
    pub code_flags: Vec<String>,
}

impl Build<'_> {
    /// Builds the chosen targets.
    ///
    /// # Errors
    /// [`Error::Build`] when the code or a build script is at fault.
    pub fn run(&self, interrupt: &Interrupt) -> Result<Vec<Built>, Error> {
        if self.choice.chosen.is_empty() {
            return Ok(Vec::new());
        }
        forget(self.folder, self.own_packages)?;
        scratch::remove(&self.wrapper.records)?;
        let finished = process::run(&self.command(), interrupt)?;
        if !finished.status.success() {
            return Err(self.failure(&finished));
        }
        let messages = messages(&finished.stdout)?;
        let libraries = self.library_paths(&messages, interrupt)?;
        Ok(messages.iter().filter_map(|message| self.built(message, &libraries)).collect())
    }

    fn command(&self) -> Spec {
        let flags = self.selection;
        let mut spec = self.invocation.cargo("bench");
        spec.environment.extend(self.wrapper.environment());
        spec = spec
            .args(["--no-run", "--message-format=json-render-diagnostics"])
            .args([OsString::from("--target-dir"), self.folder.into()])
            // A build folder of the user's own (cargo 1.91) would keep the trees' artefacts where we do not look.
            .set("CARGO_BUILD_BUILD_DIR", self.folder)
            .args(flags.common_flags())
            .timeout(self.timeout)
            .log(self.log);
        let switches = [
            ("--workspace", flags.workspace),
            ("--all-features", flags.all_features),
            ("--no-default-features", flags.no_default_features),
        ];
        spec = spec.args(switches.iter().filter(|(_, given)| *given).map(|(flag, _)| *flag));
        let benches: BTreeSet<&String> = self.choice.chosen.iter().map(|(_, target)| target).collect();
        let valued = [
            ("--package", self.choice.packages.iter().collect::<Vec<_>>()),
            ("--exclude", if flags.workspace { flags.exclude.iter().collect() } else { Vec::new() }),
            ("--features", flags.features.iter().collect()),
            ("--profile", flags.profile.iter().collect()),
            ("--bench", benches.into_iter().collect()),
        ];
        for (flag, values) in valued {
            spec = spec.args(values.into_iter().flat_map(|value| [flag, value.as_str()]));
        }
        spec
    }

    fn failure(&self, finished: &Finished) -> Error {
        let log =
            fs::read(self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let errors = first_errors(&log).unwrap_or_else(|| finished.stderr_tail.clone());
        Error::Build { status: format!("cargo {}", finished.status), errors, log: self.log.to_owned() }
    }

    fn built(&self, message: &Message, libraries: &[PathBuf]) -> Option<Built> {
        let Message::CompilerArtifact(artifact) = message else { return None };
        let id = artifact.package_id.repr.clone();
        let executable = artifact.executable.as_ref().filter(|_| artifact.target.is_bench())?;
        let executable = executable.clone().into_std_path_buf();
        if !self.choice.chosen.contains(&(id.clone(), artifact.target.name.clone())) {
            return None;
        }
        let package: &Package = self.workspace.packages.iter().find(|package| package.id == id)?;
        let record = self.wrapper.record(&executable).unwrap_or_default();
        Some(Built {
            package: package.name.clone(),
            target: artifact.target.name.clone(),
            directory: package.folder.clone(),
            environment: self.environment(&record, &executable, libraries),
            code_flags: record.code_flags(),
            executable,
        })
    }

    /// What cargo adds to the environment of a bench: what it gave the compiler, but for what is the compiler's alone.
    fn environment(
        &self,
        record: &Record,
        executable: &Path,
        libraries: &[PathBuf],
    ) -> BTreeMap<String, String> {
        let given = self.command().environment;
        let ours = |name: &str| {
            let changed = given.iter().rev().find(|(changed, _)| changed.to_str() == Some(name));
            changed.map_or_else(|| env::var_os(name), |(_, value)| value.clone())
        };
        let added = record.environment.iter().filter(|(name, value)| {
            ours(name).as_deref().and_then(|value| value.to_str()) != Some(value)
                && !is_for_the_compiler(name)
        });
        let mut environment: BTreeMap<_, _> = added.map(|(n, v)| (n.clone(), v.clone())).collect();
        let folders = executable.parent().into_iter().chain(executable.parent().and_then(Path::parent));
        let search = libraries.iter().map(PathBuf::as_path).chain(folders).map(Path::to_owned);
        let inherited = ours(LIBRARY_PATH).unwrap_or_default();
        let search =
            env::join_paths(search.chain(env::split_paths(&inherited).filter(|p| !p.as_os_str().is_empty())));
        if let Some(search) = search.ok().and_then(|search| search.into_string().ok()) {
            environment.insert(LIBRARY_PATH.into(), search);
        }
        environment
    }

    /// Where build scripts put libraries within the target folder, and the compiler's own libraries.
    fn library_paths(&self, messages: &[Message], interrupt: &Interrupt) -> Result<Vec<PathBuf>, Error> {
        let mut found: Vec<PathBuf> = Vec::new();
        for message in messages {
            let Message::BuildScriptExecuted(script) = message else { continue };
            for path in &script.linked_paths {
                let path = path.as_str();
                let path = Path::new(path.split_once('=').map_or(path, |(_, path)| path));
                if path.starts_with(self.folder) && !found.iter().any(|known| known == path) {
                    found.push(path.to_owned());
                }
            }
        }
        let asked = process::run(&self.invocation.rustc().args(["--print", "target-libdir"]), interrupt)?;
        let own = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
        found.extend((asked.status.success() && !own.is_empty()).then(|| PathBuf::from(own)));
        Ok(found)
    }
}

fn is_for_the_compiler(name: &str) -> bool {
    const EXACT: [&str; 15] = [
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_HOME",
        "CARGO_MAKEFLAGS",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_RUSTC_CURRENT_DIR",
        "CARGO_TARGET_TMPDIR",
        "MAKEFLAGS",
        "MFLAGS",
        "PATH",
        "PWD",
        "RUSTC_WRAPPER",
        "RUST_RECURSION_COUNT",
        "SSL_CERT_FILE",
        LIBRARY_PATH,
    ];
    EXACT.contains(&name)
        || ["RUSTUP_", "TOLLGATE_", "SCCACHE_"].iter().any(|prefix| name.starts_with(prefix))
}

fn messages(stdout: &[u8]) -> Result<Vec<Message>, Error> {
    let messages: Result<Vec<_>, _> = Message::parse_stream(stdout).collect();
    messages.map_err(|error| Error::Output { command: "cargo bench", source: error.into() })
}

/// The first compiler error of a log with what follows it; `None` when there is none.
fn first_errors(log: &str) -> Option<String> {
    /// A screen.
    const MAX_LINES: usize = 30;
    let is_noise = |line: &&str| {
        let word = line.trim_start().split(' ').next().unwrap_or_default();
        ["Compiling", "Checking", "Building", "Downloading", "Downloaded", "Finished"].contains(&word)
    };
    let start = log.lines().position(|line| line.starts_with("error"))?;
    let lines: Vec<_> = log.lines().skip(start).filter(|line| !is_noise(line)).take(MAX_LINES).collect();
    Some(lines.join("\n").trim_end().to_owned())
}

/// Makes cargo forget that it ever built these packages in the target folder; what it built for others stays.
fn forget(folder: &Path, packages: &BTreeSet<String>) -> Result<(), Error> {
    // `release` and, where a target triple is given, `x86_64-unknown-linux-gnu/release`.
    for first in subfolders(folder) {
        for profile in std::iter::once(first.clone()).chain(subfolders(&first)) {
            for entry in subfolders(&profile.join(".fingerprint")) {
                if packages.contains(package_of(&entry).as_str()) {
                    scratch::remove(&entry)?;
                }
            }
            forget_in_new_layout(&profile, packages)?;
        }
    }
    Ok(())
}

/// Newer cargo keeps `build/PACKAGE/HASH/fingerprint`.
fn forget_in_new_layout(profile: &Path, packages: &BTreeSet<String>) -> Result<(), files::Error> {
    for package in packages {
        for unit in subfolders(&profile.join("build").join(package)) {
            scratch::remove(&unit.join("fingerprint"))?;
        }
    }
    Ok(())
}

/// `name` of `name-0123456789abcdef`.
fn package_of(entry: &Path) -> String {
    let name = entry.file_name().unwrap_or_default().to_string_lossy();
    name.rsplit_once('-').map_or_else(|| name.to_string(), |(package, _)| package.to_owned())
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_packages_are_forgotten_wherever_cargo_keeps_them() {
        let folder = tempfile::tempdir().unwrap();
        let entries = [
            ("release/.fingerprint/own-0123456789abcdef", true),
            ("x86_64-unknown-linux-gnu/profiling/.fingerprint/own-0123456789abcdef", true),
            ("release/build/own/0123456789abcdef/fingerprint", true),
            ("release/.fingerprint/own-other-0123456789abcdef", false),
            ("release/.fingerprint/other-0123456789abcdef", false),
            ("release/deps/own-0123456789abcdef", false),
        ];
        for (entry, _) in entries {
            fs::create_dir_all(folder.path().join(entry)).unwrap();
        }
        forget(folder.path(), &BTreeSet::from(["own".to_owned()])).unwrap();
        for (entry, forgotten) in entries {
            assert_eq!(!folder.path().join(entry).exists(), forgotten, "{entry}");
        }
    }

    #[test]
    fn errors_start_at_the_first_one_without_progress_between_them() {
        let log = "$ cargo bench\n   Compiling a v0.1.0\nwarning: unused\nerror[E0425]: cannot find value `x`\n --> src/lib.rs:1:1\n   Compiling b v0.1.0\nerror: could not compile `a`\n";
        let wanted = "error[E0425]: cannot find value `x`\n --> src/lib.rs:1:1\nerror: could not compile `a`";
        assert_eq!(first_errors(log).as_deref(), Some(wanted));
        assert_eq!(first_errors("   Compiling a\n"), None);
    }
}
