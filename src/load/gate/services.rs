//! The servers of both revisions: built by the user's own step, alike, each side in a build folder of its own that stays.
//!
//! The build step is a command of the user, run in each revision's tree. Where it calls cargo, it finds our compiler wrapper (code
//! aligned, paths of the trees made the same) and a target folder that outlives the trees, so that dependencies are built once;
//! the tree's own `target` leads there too. Both folders, like both trees, have names of equal length.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    cargo::{
        aligned::{Alignment, Wrapper},
        config,
    },
    files::{self, tree::text_digest},
    hint::Hint,
    load::{
        scenario::{Launch, Scenario},
        service,
    },
    measure::sameness::{ChangedFiles, are_identical},
    model::run::Side,
    process::Interrupt,
    progress::{Event, Progress},
};

/// Where and how servers are built.
#[derive(Debug, Clone)]
pub struct Shop {
    /// `tollgate` in the user's target folder: build folders and logs.
    pub folder: PathBuf,
    /// The tollgate binary, which is the compiler wrapper.
    pub wrapper: PathBuf,
    /// Whether code is aligned.
    pub alignment: Alignment,
    /// How long one build may take.
    pub timeout: Duration,
}

/// The trees of a check.
#[derive(Debug, Clone, Copy)]
pub struct Trees<'a> {
    /// Base's; `None` where head is measured alone.
    pub base: Option<&'a Path>,
    /// Head's.
    pub head: &'a Path,
    /// What differs between them.
    pub changed: &'a ChangedFiles,
}

impl Trees<'_> {
    /// The tree of a side.
    #[must_use]
    pub fn of(&self, side: Side) -> Option<&Path> {
        match side {
            Side::Base => self.base,
            Side::Head => Some(self.head),
        }
    }
}

/// Why a server could not be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The build step failed, or was interrupted.
    #[error(transparent)]
    Service(#[from] service::Error),
    /// Our own files.
    #[error("could not prepare the build folder of a service")]
    Folder(#[from] files::Error),
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Service(error) => error.hint(),
            Self::Folder(_) => Some(
                "make room on the disk, or point `CARGO_TARGET_DIR` to a folder that can be written".into(),
            ),
        }
    }
}

/// Both sides' servers, each build step run once a side.
#[derive(Debug)]
pub struct Services<'a> {
    shop: &'a Shop,
    trees: Trees<'a>,
    /// What became of each build step on each side; the message of one that failed.
    built: BTreeMap<(Side, String), Result<(), String>>,
}

impl<'a> Services<'a> {
    /// Nothing is built yet.
    #[must_use]
    pub fn new(shop: &'a Shop, trees: Trees<'a>) -> Self {
        Self { shop, trees, built: BTreeMap::new() }
    }

    /// Makes the server of a scenario, unless that was done; the inner error is the message of a step that failed.
    ///
    /// # Errors
    /// The signal when the user wants us to stop.
    pub fn build(
        &mut self,
        scenario: &Scenario,
        launch: &Launch,
        side: Side,
        progress: &dyn Progress,
        interrupt: &Interrupt,
    ) -> Result<Result<(), String>, &'static str> {
        let Some(tree) = self.trees.of(side) else { return Ok(Ok(())) };
        let key = (side, format!("{:?} {:?} {:?}", launch.build, launch.directory, launch.environment));
        if let Some(done) = self.built.get(&key) {
            return Ok(done.clone());
        }
        if !launch.build.is_empty() {
            progress.tell(Event::Phase(format!(
                "building the service of {} ({})",
                scenario.name,
                side.as_str()
            )));
        }
        let done = match self.run_build(launch, tree, side, interrupt) {
            Ok(()) => Ok(()),
            Err(Error::Service(service::Error::Interrupted { signal })) => return Err(signal),
            Err(error) => Err(told(&error, error.hint())),
        };
        self.built.insert(key, done.clone());
        Ok(done)
    }

    fn run_build(
        &self,
        launch: &Launch,
        tree: &Path,
        side: Side,
        interrupt: &Interrupt,
    ) -> Result<(), Error> {
        let folder = self.build_folder(side);
        std::fs::create_dir_all(&folder).map_err(files::Error::at("create the folder", &folder))?;
        for place in [tree.to_owned(), tree.join(&launch.directory)] {
            lead(&place.join("target"), &folder);
        }
        let log = self.log(side, "build");
        if let Some(parent) = log.parent() {
            std::fs::create_dir_all(parent).map_err(files::Error::at("create the folder", parent))?;
        }
        let launch = self.with_environment(launch, side);
        Ok(service::build(&launch, tree, &log, self.shop.timeout, interrupt)?)
    }

    /// The launch of a side: with the variables that make cargo build as it is built here.
    #[must_use]
    pub fn with_environment(&self, launch: &Launch, side: Side) -> Launch {
        let mut launch = launch.clone();
        let Some(tree) = self.trees.of(side) else { return launch };
        let folder = self.build_folder(side);
        let mut variables = vec![("CARGO_TARGET_DIR".into(), Some(folder.clone().into_os_string()))];
        variables.extend(self.wrapper(tree, &tree.join(&launch.directory), &folder).environment());
        let text = |(name, value): (std::ffi::OsString, Option<std::ffi::OsString>)| {
            Some((name.into_string().ok()?, value?.into_string().ok()?))
        };
        // What the user sets wins over what we set.
        let own = std::mem::take(&mut launch.environment);
        launch.environment = variables.into_iter().filter_map(text).chain(own).collect();
        launch
    }

    fn wrapper(&self, tree: &Path, directory: &Path, build_folder: &Path) -> Wrapper {
        let mut flags: Vec<String> =
            self.shop.alignment.flags().iter().map(|flag| (*flag).to_owned()).collect();
        for (path, name) in [(tree, "/tollgate/tree"), (build_folder, "/tollgate/build")] {
            flags.push(format!("--remap-path-prefix={}={name}", path.display()));
        }
        Wrapper {
            program: self.shop.wrapper.clone(),
            flags,
            next: config::wrapper(directory, &[]),
            records: self.shop.folder.join("load").join("records"),
        }
    }

    /// The tree of a side.
    #[must_use]
    pub fn tree(&self, side: Side) -> Option<&'a Path> {
        match side {
            Side::Base => self.trees.base,
            Side::Head => Some(self.trees.head),
        }
    }

    /// Where a log of a side goes.
    #[must_use]
    pub fn log(&self, side: Side, name: &str) -> PathBuf {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' };
        let name: String = name.chars().map(plain).take(80).collect();
        self.shop.folder.join("load").join(format!("{}-{name}.log", side.as_str()))
    }

    /// The build folder of a side. Cargo does not count the wrapper's flags, so each set of flags has its own. So has each repository: servers run from
    /// it, and where several repositories share a target folder, a build of one must not put its server in the place of another's.
    fn build_folder(&self, side: Side) -> PathBuf {
        let place = text_digest(&self.trees.head.display().to_string());
        let name = format!("load-{}-{}-{}", self.shop.alignment.as_str(), side.as_str(), &place[..8]);
        self.shop.folder.join("build").join(name)
    }

    /// Whether both sides' servers are the same code, read the same files and are started alike.
    #[must_use]
    pub fn are_identical(&self, launch: &Launch) -> bool {
        let Some(base_tree) = self.trees.base else { return false };
        let words = launch.command.iter().chain(launch.environment.iter().map(|(_, value)| value));
        if self.trees.changed.may_be_named_in(words) {
            return false;
        }
        let base = self.executable(launch, base_tree, Side::Base);
        let head = self.executable(launch, self.trees.head, Side::Head);
        let (Some(base), Some(head)) = (base, head) else { return false };
        let folders = [
            (base_tree.to_owned(), self.trees.head.to_owned()),
            (self.build_folder(Side::Base), self.build_folder(Side::Head)),
        ];
        // What cannot be read is measured.
        are_identical(&base, &head, &folders, self.trees.changed).unwrap_or(false)
    }

    /// The file whose code is the server's: the one that the scenario names, else the program of its command where that is a
    /// machine's own executable that was built here. A script is the same however the code that it starts has changed.
    fn executable(&self, launch: &Launch, tree: &Path, side: Side) -> Option<PathBuf> {
        let inside = |path: &Path| {
            let real = path.canonicalize().ok()?;
            let folders = [tree.to_owned(), self.build_folder(side)];
            let ours = folders.iter().filter_map(|folder| folder.canonicalize().ok());
            ours.into_iter().any(|folder| real.starts_with(folder)).then_some(real)
        };
        if let Some(named) = &launch.executable {
            return inside(&tree.join(named));
        }
        let program = Path::new(launch.command.first()?);
        if program.components().count() < 2 {
            return None;
        }
        let places = [tree.join(&launch.directory).join(program), tree.join(program)];
        places.iter().filter_map(|place| inside(place)).find(|path| is_machine_code(path))
    }
}

/// Lets the tree's own target folder lead to one that stays, where the tree has none.
fn lead(link: &Path, folder: &Path) {
    #[cfg(unix)]
    if link.symlink_metadata().is_err() {
        // Without it a program named by its path in `target` is not found, and the message says where it was looked for.
        let _ = std::os::unix::fs::symlink(folder, link);
    }
    #[cfg(not(unix))]
    let _ = (link, folder);
}

fn is_machine_code(path: &Path) -> bool {
    use std::io::Read;
    let mut magic = [0; 4];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    let known = [*b"\x7fELF", [0xcf, 0xfa, 0xed, 0xfe], [0xce, 0xfa, 0xed, 0xfe], [0xca, 0xfe, 0xba, 0xbe]];
    read.is_ok() && (known.contains(&magic) || magic.starts_with(b"MZ"))
}

/// An error with its causes and what to do next, for a row.
pub(in crate::load) fn told(error: &dyn std::error::Error, hint: Option<String>) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let said = source.to_string();
        // Transparent errors say what their cause says.
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = source.source();
    }
    match hint {
        Some(hint) => format!("{text}\nhelp: {hint}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_causes_once_and_its_help() {
        let io = std::io::Error::other("no room");
        let error = Error::Folder(files::Error::at("create the folder", Path::new("/x"))(io));
        let text = told(&error, error.hint());
        assert!(text.starts_with("could not prepare the build folder of a service: "), "{text}");
        assert_eq!(text.matches("no room").count(), 1, "{text}");
        assert!(text.contains("\nhelp: "), "{text}");
    }

    #[test]
    fn repositories_that_share_a_target_folder_build_their_servers_apart() {
        let shop = Shop {
            folder: "/shared/target/tollgate".into(),
            wrapper: "tollgate".into(),
            alignment: Alignment::Aligned,
            timeout: Duration::from_secs(1),
        };
        let changed = ChangedFiles::default();
        let folders = |head: &str| {
            let trees = Trees { base: None, head: Path::new(head), changed: &changed };
            let services = Services::new(&shop, trees);
            [Side::Base, Side::Head].map(|side| services.build_folder(side).display().to_string())
        };
        let (one, other) = (folders("/cache/a/head"), folders("/cache/b/head"));
        assert_eq!(one, folders("/cache/a/head"));
        assert!(one[0] != one[1] && one.iter().all(|folder| !other.contains(folder)), "{one:?} {other:?}");
        assert_eq!(one[0].len(), one[1].len());
    }

    #[test]
    fn scripts_are_no_machine_code() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("run.sh");
        std::fs::write(&script, "#!/bin/sh\nexec node server.js\n").unwrap();
        assert!(!is_machine_code(&script));
        assert!(is_machine_code(&std::env::current_exe().unwrap()));
    }
}
