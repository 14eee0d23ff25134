//! The bench executables of one tree: from the cache when all that went into them is the same, else built.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    cargo::{
        Error,
        aligned::{Alignment, Wrapper},
        build::{Build, Built},
        cache::{Cache, Outcome, Set},
        config,
        invocation::{Invocation, Rustc},
        loaded::{Loaded, find},
        metadata::{self, Choice, Selection, Skipped, Workspace},
    },
    files::{self, tree},
    measure::trees::{Tree, Trees},
    model::run::Side,
    process::Interrupt,
    progress::{Event, Progress},
};

/// A tree of which cargo has told what there is to build.
#[derive(Debug)]
pub struct Prepared<'a> {
    /// Whose tree.
    pub side: Side,
    /// The tree.
    pub tree: &'a Tree,
    /// How cargo is called for it.
    pub invocation: Invocation,
    /// Its workspace.
    pub workspace: Workspace,
    /// What of it is wanted.
    pub choice: Choice,
    /// The compiler that its toolchain file, or the user, chooses.
    pub rustc: Rustc,
}

impl<'a> Prepared<'a> {
    /// Asks cargo and the compiler of a tree.
    ///
    /// # Errors
    /// When they refuse; [`Error::is_of_the_code`] tells whether the tree is at fault.
    pub fn new(
        side: Side,
        tree: &'a Tree,
        trees: &Trees,
        selection: &Selection,
        interrupt: &Interrupt,
    ) -> Result<Self, Error> {
        let invocation = Invocation::new(&tree.folder, &trees.root, &trees.prefix, interrupt)?;
        let workspace = metadata::read(&invocation, selection, interrupt)?;
        let choice = workspace.choose(selection, &invocation.directory)?;
        let rustc = invocation.rustc_version(interrupt)?;
        Ok(Self { side, tree, invocation, workspace, choice, rustc })
    }

    /// The revision with its side, for messages: `base 4f2a91c03 (main)`.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("{} {}", self.side.as_str(), self.tree.revision.describe())
    }

    /// The names of all packages in the tree.
    fn own_packages(&self) -> BTreeSet<String> {
        let manifests = self.tree.digests.iter().filter(|(path, _)| path.ends_with("Cargo.toml"));
        let name = |path: &Path| {
            let text = fs::read_to_string(self.tree.folder.join(path)).ok()?;
            Some(text.parse::<toml::Table>().ok()?.get("package")?.get("name")?.as_str()?.to_owned())
        };
        manifests.filter_map(|(path, _)| name(path)).collect()
    }
}

/// Where and how both sides are built.
#[derive(Debug, Clone)]
pub struct Workshop<'a> {
    /// `tollgate` in the user's target folder: build folders, executables, logs.
    pub folder: PathBuf,
    /// The user's flags.
    pub selection: &'a Selection,
    /// Whether code is aligned.
    pub alignment: Alignment,
    /// The tollgate binary, which is the compiler wrapper.
    pub wrapper: PathBuf,
    /// How long one build may take.
    pub timeout: Duration,
    /// What the trees need from beside the repository, as [`crate::cargo::outside::Outside::stamp`] tells it.
    pub outside: String,
}

/// Which build folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// One for both sides: what they share is compiled once.
    Shared,
    /// One a side: for executables that, when they run, read what the build left in its folder.
    Separate,
}

/// The executables of one side, with where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obtained {
    /// What was built.
    pub set: Set,
    /// The folder of the executables.
    pub folder: PathBuf,
    /// The build folder that an executable with needs looks into.
    pub build_folder: PathBuf,
}

impl Workshop<'_> {
    /// Gets a side's executables.
    ///
    /// # Errors
    /// When they cannot be built or kept.
    pub fn obtain(
        &self,
        side: &Prepared<'_>,
        sharing: Sharing,
        progress: &dyn Progress,
        interrupt: &Interrupt,
    ) -> Result<Obtained, Error> {
        let build_folder = self.build_folder(side, sharing);
        let cache = Cache::new(self.folder.join("exe"));
        let keys = self.keys(side, sharing);
        for key in [&keys.anywhere, &keys.here] {
            let set = cache.load(key);
            if let Some(set) = set.filter(|set| !set.needs_folder || marked(&build_folder, key)) {
                progress.tell(Event::Note(format!("{} build came from the cache", side.side.as_str())));
                return Ok(Obtained { set, folder: cache.folder_of(key), build_folder });
            }
        }
        progress.tell(Event::Phase(format!("building {}", side.describe())));
        self.build(side, &build_folder, (&cache, &keys), interrupt)
    }

    fn build(
        &self,
        side: &Prepared<'_>,
        build_folder: &Path,
        (cache, keys): (&Cache, &Keys),
        interrupt: &Interrupt,
    ) -> Result<Obtained, Error> {
        let wrapper = self.wrapper(side, build_folder);
        let paths: Vec<_> = side.tree.digests.iter().map(|(path, _)| path.clone()).collect();
        // A file that is older than the other side's artefact would pass for unchanged.
        let now = tree::clock(&side.tree.folder)?;
        tree::stamp(&side.tree.folder, &paths, now)?;
        files::scratch::remove(&marker(build_folder))?;
        let own_packages = side.own_packages();
        let log = self.folder.join(side.side.as_str()).join("build.log");
        let build = Build {
            invocation: &side.invocation,
            selection: self.selection,
            workspace: &side.workspace,
            choice: &side.choice,
            own_packages: &own_packages,
            folder: build_folder,
            wrapper: &wrapper,
            log: &log,
            timeout: self.timeout,
        };
        let (built, foreign, needs) =
            self.sort_out(side, build.run(interrupt)?, build_folder, &own_packages)?;
        let skipped: Vec<_> = side.choice.skipped.iter().cloned().chain(foreign).collect();
        let outcome = Outcome {
            tree: &side.tree.folder,
            rustc: &side.rustc.version,
            built: &built,
            skipped: &skipped,
            needs_folder: needs.folder,
        };
        let key = if needs.tree || needs.folder { &keys.here } else { &keys.anywhere };
        let set = cache.store(key, &outcome)?;
        files::atomic::write(&marker(build_folder), key.as_bytes())?;
        Ok(Obtained { set, folder: cache.folder_of(key), build_folder: build_folder.to_owned() })
    }

    /// Parts criterion's executables from others, and finds out what they need.
    fn sort_out(
        &self,
        side: &Prepared<'_>,
        built: Vec<Built>,
        build_folder: &Path,
        own_packages: &BTreeSet<String>,
    ) -> Result<(Vec<Built>, Vec<Skipped>, Needs), Error> {
        let (mut kept, mut foreign, mut needs) = (Vec::new(), Vec::new(), Needs::default());
        let tree = side.tree.folder.as_os_str().as_encoded_bytes();
        for one in built {
            let loaded = Loaded::read(&one.executable)?;
            if !loaded.contains(b"CARGO_CRITERION_PORT") {
                let reason = "it is not a criterion benchmark".to_owned();
                foreign.push(Skipped { package: one.package, target: one.target, reason });
                continue;
            }
            needs.tree |= loaded.contains(tree);
            needs.folder |= reads_build_folder(&loaded, build_folder, own_packages);
            kept.push(one);
        }
        Ok((kept, foreign, needs))
    }

    fn wrapper(&self, side: &Prepared<'_>, build_folder: &Path) -> Wrapper {
        let mut flags: Vec<String> = self.alignment.flags().iter().map(|flag| (*flag).to_owned()).collect();
        for (path, name) in
            [(side.tree.folder.as_path(), "/tollgate/tree"), (build_folder, "/tollgate/build")]
        {
            flags.push(format!("--remap-path-prefix={}={name}", path.display()));
        }
        Wrapper {
            program: self.wrapper.clone(),
            flags,
            next: config::wrapper(&side.invocation.directory, &side.invocation.config),
            records: self.folder.join("records"),
        }
    }

    fn build_folder(&self, side: &Prepared<'_>, sharing: Sharing) -> PathBuf {
        let name = self.alignment.as_str();
        self.folder.join("build").join(match sharing {
            Sharing::Shared => name.to_owned(),
            Sharing::Separate => format!("{name}-{}", side.side.as_str()),
        })
    }

    /// Digests of all that goes into the executables.
    fn keys(&self, side: &Prepared<'_>, sharing: Sharing) -> Keys {
        let mut text = format!("tollgate {}\n{:?}\n", env!("CARGO_PKG_VERSION"), self.alignment.flags());
        text.push_str(&format!("{:?}\n", self.selection));
        text.push_str(&format!("{}\n{}\n", side.rustc.verbose, tree::joint_digest(&side.tree.digests)));
        text.push_str(&format!("{}\n{}\n", side.workspace.root == side.tree.folder, self.outside));
        let place = side.invocation.directory.strip_prefix(&side.tree.folder).unwrap_or(Path::new(""));
        text.push_str(&format!("{}\n", place.display()));
        for file in config::files(&side.invocation.directory).iter().chain(&side.invocation.config) {
            text.push_str(&tree::file_digest(file).unwrap_or_default());
        }
        for (name, value) in env::vars_os() {
            if matters_to_builds(&name.to_string_lossy()) {
                text.push_str(&format!("{name:?}={value:?}\n"));
            }
        }
        let here = format!("{text}{}\n{sharing:?}\n", side.tree.folder.display());
        let short = |text: &str| tree::text_digest(text)[..16].to_owned();
        match sharing {
            Sharing::Shared => Keys { anywhere: short(&text), here: short(&here) },
            // Such executables are never the other side's.
            Sharing::Separate => Keys { anywhere: short(&here), here: short(&here) },
        }
    }
}

/// The names of a set.
#[derive(Debug)]
struct Keys {
    /// For executables that do not depend on where their tree was.
    anywhere: String,
    /// For those that do.
    here: String,
}

/// What executables need beside themselves.
#[derive(Debug, Clone, Copy, Default)]
struct Needs {
    /// They know the path of their tree.
    tree: bool,
    /// They read the build folder.
    folder: bool,
}

/// The file in a build folder that says which set was built there last.
fn marker(build_folder: &Path) -> PathBuf {
    build_folder.join("tollgate-set")
}

fn marked(build_folder: &Path, key: &str) -> bool {
    fs::read(marker(build_folder)).is_ok_and(|content| content == key.as_bytes())
}

/// Whether an executable looks into the build folder when it runs, at what a build of the tree's own packages left there: the
/// output of a build script (`OUT_DIR`), another binary of its package (`CARGO_BIN_EXE_…`), a library.
///
/// The other side's build replaces these, so such sides are built in separate folders. Paths of registry packages are
/// harmless, as both sides share them.
fn reads_build_folder(loaded: &Loaded, build_folder: &Path, own_packages: &BTreeSet<String>) -> bool {
    if loaded.contains(b"OUT_DIR") || loaded.contains(b"CARGO_BIN_EXE_") {
        return true;
    }
    let needle = build_folder.as_os_str().as_encoded_bytes();
    loaded.sections.iter().any(|section| {
        let mut rest = section.data.as_slice();
        while let Some(at) = find(rest, needle) {
            rest = &rest[at + needle.len()..];
            if is_own_artefact(rest, own_packages) {
                return true;
            }
        }
        false
    })
}

/// Whether what follows the build folder's path in an executable is the path of something that the tree's own packages made.
fn is_own_artefact(rest: &[u8], own_packages: &BTreeSet<String>) -> bool {
    let end = rest.iter().position(|byte| byte.is_ascii_control() || *byte >= 0x80).unwrap_or(rest.len());
    let path = String::from_utf8_lossy(&rest[..end.min(512)]).into_owned();
    let parts: Vec<_> = path.split(['/', '\\']).collect();
    match parts.iter().position(|part| *part == "build").and_then(|at| parts.get(at + 1)) {
        Some(unit) => {
            let package = unit.rsplit_once('-').map_or(*unit, |(package, _)| package);
            own_packages.contains(package) || own_packages.contains(*unit)
        }
        None => true,
    }
}

/// Whether a variable may change what a build makes. Build scripts may read any; these are what the usual ones read.
fn matters_to_builds(name: &str) -> bool {
    const PREFIXES: [&str; 9] = [
        "CARGO_BUILD_",
        "CARGO_PROFILE_",
        "CARGO_TARGET_",
        "CARGO_UNSTABLE_",
        "RUST",
        "CC",
        "CXX",
        "CFLAGS",
        "PKG_CONFIG",
    ];
    const EXACT: [&str; 11] = [
        "AR",
        "ARFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CPATH",
        "CPPFLAGS",
        "LDFLAGS",
        "LIBRARY_PATH",
        "LIBCLANG_PATH",
        "LLVM_CONFIG_PATH",
        "MACOSX_DEPLOYMENT_TARGET",
        "PROTOC",
    ];
    let is_dependency_setting =
        name.ends_with("_LIB_DIR") || name.ends_with("_INCLUDE_DIR") || name.ends_with("_STATIC");
    let harmless = [
        "RUST_LOG",
        "RUST_BACKTRACE",
        "RUST_LIB_BACKTRACE",
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_JOBS",
        "CARGO_BUILD_BUILD_DIR",
    ];
    !harmless.contains(&name)
        && (EXACT.contains(&name)
            || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            || is_dependency_setting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_artefacts_of_own_packages_need_the_build_folder() {
        let own = BTreeSet::from(["mine".to_owned()]);
        for path in ["/release/build/mine-0123456789abcdef/out/table.bin", "/release/mine-tool\0", "/tmp/x"] {
            assert!(is_own_artefact(path.as_bytes(), &own), "{path}");
        }
        for path in [
            "/release/build/openssl-sys-0123456789abcdef/out/ssl\0/release/mine",
            "/debug/build/theirs/01/out",
        ] {
            assert!(!is_own_artefact(path.as_bytes(), &own), "{path}");
        }
    }

    #[test]
    fn variables_that_change_code_are_told_from_those_that_do_not() {
        for name in ["RUSTFLAGS", "CARGO_PROFILE_BENCH_LTO", "CC_x86_64_unknown_linux_gnu", "OPENSSL_LIB_DIR"]
        {
            assert!(matters_to_builds(name), "{name}");
        }
        for name in ["HOME", "RUST_BACKTRACE", "CARGO_TARGET_DIR", "CARGO_BUILD_JOBS"] {
            assert!(!matters_to_builds(name), "{name}");
        }
    }
}
