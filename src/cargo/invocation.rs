//! Cargo and rustc called for one tree: where, with which configuration and toolchain, and without what leaks into us when
//! cargo itself started us.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use crate::{
    cargo::{Error, config},
    git::command::REPOSITORY_VARIABLES,
    process::{self, Interrupt, Spec},
};

/// The variable that says where the loader looks for libraries.
pub const LIBRARY_PATH: &str = if cfg!(target_os = "macos") {
    "DYLD_FALLBACK_LIBRARY_PATH"
} else if cfg!(windows) {
    "PATH"
} else {
    "LD_LIBRARY_PATH"
};

/// How cargo is called for one tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The root of the tree.
    pub tree: PathBuf,
    /// Where cargo starts: the tree, or the folder in it in which the user called us.
    pub directory: PathBuf,
    /// Configuration files for `--config`, the strongest last.
    pub config: Vec<PathBuf>,
    /// Changes to our environment.
    pub environment: Vec<(OsString, Option<OsString>)>,
}

/// What `rustc -vV` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rustc {
    /// The first line: `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub version: String,
    /// All of it.
    pub verbose: String,
    /// Its host triple.
    pub host: String,
}

impl Invocation {
    /// For the tree of a repository whose user works in `root/prefix`.
    ///
    /// # Errors
    /// When the user's toolchain cannot be asked for.
    pub fn new(tree: &Path, root: &Path, prefix: &Path, interrupt: &Interrupt) -> Result<Self, Error> {
        let directory = tree.join(prefix);
        let mut config = config::above(root, tree);
        if !config.is_empty() {
            // What `--config` names is stronger than what cargo finds, so the tree's own files must be named after it.
            let own = config::files(&directory).into_iter().filter(|file| file.starts_with(tree));
            config.extend(own.collect::<Vec<_>>().into_iter().rev());
        }
        let own_toolchain = has_toolchain_file(tree, prefix);
        let mut invocation =
            Self { tree: tree.to_owned(), directory, config, environment: environment(own_toolchain) };
        // A file in the user's work tree is head's choice, which is not base's.
        if !own_toolchain && !has_toolchain_file(root, prefix) {
            invocation.follow_toolchain(&root.join(prefix), interrupt)?;
        }
        Ok(invocation)
    }

    /// A cargo command.
    #[must_use]
    pub fn cargo(&self, command: &str) -> Spec {
        let mut spec = self.program(OsStr::new("cargo")).args([command]);
        for file in &self.config {
            spec = spec.args([OsStr::new("--config"), file.as_os_str()]);
        }
        spec
    }

    /// The compiler that cargo would use here.
    #[must_use]
    pub fn rustc(&self) -> Spec {
        self.program(&env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
    }

    /// Asks the compiler who it is.
    ///
    /// # Errors
    /// When it cannot be run or fails.
    pub fn rustc_version(&self, interrupt: &Interrupt) -> Result<Rustc, Error> {
        let finished = process::run(&self.rustc().args(["-vV"]), interrupt)?;
        if !finished.status.success() {
            let (status, stderr_tail) = (finished.status.to_string(), finished.stderr_tail);
            return Err(Error::Toolchain { status, stderr_tail });
        }
        let verbose = String::from_utf8_lossy(&finished.stdout).into_owned();
        let host =
            verbose.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned();
        Ok(Rustc { version: verbose.lines().next().unwrap_or_default().to_owned(), host, verbose })
    }

    fn program(&self, program: &OsStr) -> Spec {
        let mut spec = Spec::new(program, &self.directory);
        spec.environment.clone_from(&self.environment);
        spec
    }

    /// A toolchain that the user chose by folder (`rustup override`, a file above the repository) does not reach a tree
    /// elsewhere: where the compilers differ, the tree is told.
    fn follow_toolchain(&mut self, user: &Path, interrupt: &Interrupt) -> Result<(), Error> {
        let at_user = Self { directory: user.to_owned(), ..self.clone() };
        if !user.is_dir() || self.rustc_version(interrupt)? == at_user.rustc_version(interrupt)? {
            return Ok(());
        }
        let show = at_user.program(OsStr::new("rustup")).args(["show", "active-toolchain"]);
        let shown = process::run(&show, interrupt)?.stdout;
        if let Some(name) = String::from_utf8_lossy(&shown).split_whitespace().next() {
            self.environment.push(("RUSTUP_TOOLCHAIN".into(), Some(name.into())));
        }
        Ok(())
    }
}

/// Whether the tree itself chooses a toolchain for a build started in `prefix`.
fn has_toolchain_file(tree: &Path, prefix: &Path) -> bool {
    let names = ["rust-toolchain.toml", "rust-toolchain"];
    prefix.ancestors().any(|folder| names.iter().any(|name| tree.join(folder).join(name).is_file()))
}

/// The changes to our environment that a build needs.
fn environment(own_toolchain: bool) -> Vec<(OsString, Option<OsString>)> {
    let started_by_cargo = env::var_os("CARGO").is_some();
    let names = env::vars_os().map(|(name, _)| name);
    let leaked = names.filter(|name| name.to_str().is_some_and(leaks));
    let mut changes: Vec<_> = leaked.map(|name| (name, None)).collect();
    changes.extend(REPOSITORY_VARIABLES.map(|name| (name.into(), None)));
    if started_by_cargo && own_toolchain {
        changes.push(("RUSTUP_TOOLCHAIN".into(), None));
    }
    if started_by_cargo && LIBRARY_PATH != "PATH" {
        // `cargo run` points it at the folders of our own build.
        changes.push((LIBRARY_PATH.into(), None));
    }
    let set = [
        ("CARGO_INCREMENTAL", "0"),
        ("CARGO_TERM_COLOR", "never"),
        ("CARGO_TERM_PROGRESS_WHEN", "never"),
        ("CARGO_TERM_QUIET", "false"),
        ("CARGO_TERM_VERBOSE", "false"),
    ];
    changes.extend(set.map(|(name, value)| (name.into(), Some(value.into()))));
    changes
}

/// Whether a variable was set by cargo or a build script for one package, rather than by the user for all builds.
fn leaks(name: &str) -> bool {
    const EXACT: [&str; 16] = [
        "CARGO",
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_MAKEFLAGS",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_LINKS",
        "CARGO_MANIFEST_PATH",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_RUSTC_CURRENT_DIR",
        "CARGO_TARGET_TMPDIR",
        "OUT_DIR",
        "RUST_RECURSION_COUNT",
        // What our caller measured with is not for the benchmarks that we measure.
        "CARGO_CRITERION_PORT",
        "CRITERION_HOME",
        "__CARGO_DEFAULT_LIB_METADATA",
        super::aligned::MARK,
    ];
    const PREFIXES: [&str; 5] =
        ["CARGO_PKG_", "CARGO_BIN_EXE_", "CARGO_CFG_", "CARGO_FEATURE_", "TOLLGATE_RUSTC_WRAPPER_"];
    EXACT.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_sets_for_one_package_leaks_and_what_the_user_sets_does_not() {
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "OUT_DIR", "CARGO_BIN_EXE_tollgate"] {
            assert!(leaks(name), "{name}");
        }
        for name in [
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_TARGET_DIR",
            "CARGO_BUILD_JOBS",
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
        ] {
            assert!(!leaks(name), "{name}");
        }
    }

    #[test]
    fn toolchain_file_counts_where_rustup_would_find_it_in_the_tree() {
        let tree = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(tree.path().join("a/b")).unwrap();
        assert!(!has_toolchain_file(tree.path(), Path::new("a/b")));
        std::fs::write(tree.path().join("a/rust-toolchain"), "stable").unwrap();
        assert!(has_toolchain_file(tree.path(), Path::new("a/b")));
        assert!(!has_toolchain_file(tree.path(), Path::new("")));
    }
}
