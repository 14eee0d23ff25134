//! The two revisions built alike: bench executables of base and head, paired by target.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

pub use crate::measure::build_failure::Error;
use crate::{
    cargo::{
        self,
        aligned::{self, Alignment},
        cache::Cache,
        metadata::{Selection, Workspace},
    },
    files,
    hint::Hint,
    measure::{
        differences,
        pairing::Pairing,
        sameness::ChangedFiles,
        side_build::{Obtained, Prepared, Sharing, Workshop},
        trees::{self, BaseChoice, Tree, Trees, TreesRequest},
    },
    model::{
        revision::Revision,
        run::{Side, Warning},
    },
    process::Interrupt,
    progress::{Event, Progress},
};

/// What to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildRequest {
    /// A folder in the repository: where the user works.
    pub directory: PathBuf,
    /// What head is compared with.
    pub base: BaseChoice,
    /// The revision under test; the work tree when `None`.
    pub head: Option<String>,
    /// Globs of ignored files, relative to the root of the repository, that both trees get.
    pub copy: Vec<String>,
    /// Cargo's own flags.
    pub selection: Selection,
    /// Whether code is aligned against layout luck.
    pub alignment: Alignment,
    /// The tollgate binary, which is the compiler wrapper; ourselves when `None`.
    pub wrapper: Option<PathBuf>,
    /// How long one side's build may take.
    pub timeout: Duration,
    /// The folder for the trees of all repositories.
    pub cache: PathBuf,
    /// Whether a repository without a crate will do: then there are trees, and no executables.
    pub crate_is_optional: bool,
}

impl BuildRequest {
    /// The work tree around `directory` and its default base, with cargo's defaults and half an hour for each build.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            base: BaseChoice::Default,
            head: None,
            copy: Vec::new(),
            selection: Selection::default(),
            alignment: Alignment::default(),
            wrapper: None,
            timeout: Duration::from_secs(30 * 60),
            cache: trees::cache_folder(),
            crate_is_optional: false,
        }
    }
}

/// A bench executable, ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchExecutable {
    /// Its package.
    pub package: String,
    /// Its target, as [`TargetPair::target`].
    pub target: String,
    /// The file.
    pub path: PathBuf,
    /// Where `cargo bench` starts it: the root of its package, inside the tree.
    pub directory: PathBuf,
    /// What `cargo bench` adds to its environment.
    pub environment: Vec<(OsString, OsString)>,
}

/// A bench target on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetPair {
    /// Its name, `package/target` where two packages have a target of that name.
    pub target: String,
    /// Base's executable, if base has the target and was built.
    pub base: Option<BenchExecutable>,
    /// Head's executable, if head has the target.
    pub head: Option<BenchExecutable>,
    /// Whether both are the same code and seem to read the same files.
    pub identical: bool,
}

/// A bench target that is not measured.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Its name, `package/target` where two packages have a target of that name.
    pub target: String,
    /// Why, as a fragment: `it runs under libtest's harness …`.
    pub reason: String,
}

/// Both sides' executables. Their trees and worktrees are removed when this is dropped.
#[derive(Debug)]
pub struct Builds {
    /// Every bench target that is measured, sorted by name.
    pub pairs: Vec<TargetPair>,
    /// Every bench target that is not, sorted by name.
    pub skipped: Vec<Skipped>,
    /// What the reader should know.
    pub warnings: Vec<Warning>,
    /// What head is compared with; `None` when nothing was wanted.
    pub base: Option<Revision>,
    /// The revision under test.
    pub head: Revision,
    /// Why base has no executables, if it could not be built: message, compiler errors, hint.
    pub base_failed: Option<String>,
    /// The first line of `rustc -vV` for head.
    pub rustc: String,
    /// Cargo's profile.
    pub profile: String,
    /// What changes code: compiler options, alignment, features.
    pub flags: String,
    /// Whether code was aligned.
    pub alignment: Alignment,
    /// `tollgate` in the user's target folder, for state and results.
    pub state_folder: PathBuf,
    /// The root of the user's work tree.
    pub root: PathBuf,
    trees: Trees,
}

impl Builds {
    /// The differences between the two trees that may reach a program without changing its code; none without a base.
    #[must_use]
    pub fn changed_files(&self) -> ChangedFiles {
        let base = self.trees.base.as_ref();
        base.map(|base| ChangedFiles::between(&base.digests, &self.trees.head.digests)).unwrap_or_default()
    }

    /// Where the tree of a side is; `None` for a base that was not wanted.
    #[must_use]
    pub fn tree(&self, side: Side) -> Option<&Path> {
        match side {
            Side::Base => self.trees.base.as_ref().map(|tree| tree.folder.as_path()),
            Side::Head => Some(&self.trees.head.folder),
        }
    }
}

/// Builds both revisions (or head alone, where the request wants no base).
///
/// A base that does not build is no error: [`Builds::base_failed`] says so.
///
/// # Errors
/// When a revision is unknown, head does not build, the disk refuses, or the user wants us to stop.
pub fn build_both(
    request: &BuildRequest,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Builds, Error> {
    let wanted = TreesRequest {
        directory: &request.directory,
        base: &request.base,
        head: request.head.as_deref(),
        copy: &request.copy,
        cache: &request.cache,
    };
    let mut trees = trees::make(&wanted, progress, interrupt)?;
    let mut warnings = std::mem::take(&mut trees.warnings);
    if request.crate_is_optional && lacks_crate(&trees) && names_nothing(&request.selection) {
        return without_crate(trees, warnings);
    }
    let head = prepare(Side::Head, &trees.head, &trees, request, interrupt)?
        .map_err(|source| head_failed(&trees.head, source))?;
    let base =
        trees.base.as_ref().map(|tree| prepare(Side::Base, tree, &trees, request, interrupt)).transpose()?;
    let (base, base_error) = parted(base);
    check_names(request, base.as_ref(), &head)?;

    let shop = workshop(request, &trees, base.as_ref(), &head, &mut warnings, interrupt)?;
    // Two repositories may share a target folder; the trees are locked already.
    let lock = trees::wait_for_lock(&shop.folder.join("build.lock"), progress, interrupt)?;
    Cache::new(shop.folder.join("exe")).sweep()?;
    let (base_built, head_built) = obtain_both(&shop, base.as_ref(), &head, progress, interrupt)?;
    drop(lock);
    let (base_built, build_error) = parted(base_built);
    if let Some(base) = &base {
        warnings.extend(differences::between(base, &head, base_built.as_ref(), &head_built));
    }

    let base_failed = trees.base.as_ref().zip(base_error.or(build_error));
    let pairing = Pairing { trees: &trees, base: base_built.as_ref(), head: &head_built };
    Ok(Builds {
        pairs: pairing.pairs()?,
        skipped: pairing.skipped(),
        warnings,
        base: trees.base.as_ref().map(|tree| tree.revision.clone()),
        head: trees.head.revision.clone(),
        base_failed: base_failed.map(|(tree, error)| base_failure(tree, &error)),
        rustc: head_built.set.rustc.clone(),
        profile: request.selection.profile().to_owned(),
        flags: flags(&head_built, shop.alignment, &request.selection),
        alignment: shop.alignment,
        state_folder: shop.folder.clone(),
        root: trees.root.clone(),
        trees,
    })
}

/// Whether neither tree has a manifest where cargo would look for one.
fn lacks_crate(trees: &Trees) -> bool {
    let folders: Vec<&Path> = trees.prefix.ancestors().collect();
    let has = |tree: &Tree| folders.iter().any(|folder| tree.folder.join(folder).join("Cargo.toml").exists());
    !has(&trees.head) && !trees.base.as_ref().is_some_and(has)
}

/// Whether no flag asks for a package or bench target.
fn names_nothing(selection: &Selection) -> bool {
    selection.packages.is_empty() && selection.benches.is_empty()
}

/// Two trees and nothing of cargo's: for services in other languages.
fn without_crate(trees: Trees, warnings: Vec<Warning>) -> Result<Builds, Error> {
    let folder = trees.root.join("target/tollgate");
    files::atomic::write(&folder.join(".gitignore"), b"*\n")?;
    Ok(Builds {
        pairs: Vec::new(),
        skipped: Vec::new(),
        warnings,
        base: trees.base.as_ref().map(|tree| tree.revision.clone()),
        head: trees.head.revision.clone(),
        base_failed: None,
        rustc: String::new(),
        profile: String::new(),
        flags: String::new(),
        // Nobody has asked a compiler whether it takes the flags.
        alignment: Alignment::AsBuilt,
        state_folder: folder,
        root: trees.root.clone(),
        trees,
    })
}

/// A result whose error is the code's own fault, and need not end the check.
type OfTheCode<T> = Result<T, cargo::Error>;

/// Keeps errors that are not the code's own fault apart.
fn of_the_code<T>(result: Result<T, cargo::Error>) -> Result<OfTheCode<T>, Error> {
    match result {
        Err(error) if !error.is_of_the_code() => Err(error.into()),
        result => Ok(result),
    }
}

fn parted<T>(result: Option<OfTheCode<T>>) -> (Option<T>, Option<cargo::Error>) {
    match result {
        Some(Ok(value)) => (Some(value), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    }
}

fn prepare<'a>(
    side: Side,
    tree: &'a Tree,
    trees: &Trees,
    request: &BuildRequest,
    interrupt: &Interrupt,
) -> Result<OfTheCode<Prepared<'a>>, Error> {
    of_the_code(Prepared::new(side, tree, trees, &request.selection, interrupt))
}

fn head_failed(tree: &Tree, source: cargo::Error) -> Error {
    Error::Head { head: tree.revision.describe(), source }
}

fn base_failure(tree: &Tree, error: &cargo::Error) -> String {
    let hint = error.hint().map(|hint| format!("\nhelp: {hint}")).unwrap_or_default();
    format!("could not build base {}: {error}{hint}", tree.revision.describe())
}

/// Flags that name nothing on either side are mistakes.
fn check_names(
    request: &BuildRequest,
    base: Option<&Prepared<'_>>,
    head: &Prepared<'_>,
) -> Result<(), Error> {
    let sides: Vec<&Prepared<'_>> = base.into_iter().chain([head]).collect();
    let words = if base.is_some() { "base and head" } else { "head" };
    let unknown = |kind, name: &str, names: BTreeSet<&str>| Error::UnknownName {
        kind,
        name: name.to_owned(),
        near: near(name, &names),
        sides: words,
    };
    let packages = || sides.iter().flat_map(|side| &side.workspace.packages);
    for name in &request.selection.packages {
        if !sides.iter().any(|side| side.choice.packages.contains(name)) {
            return Err(unknown("package", name, packages().map(|package| package.name.as_str()).collect()));
        }
    }
    for name in &request.selection.benches {
        let one = Selection { benches: vec![name.clone()], ..request.selection.clone() };
        let found = |side: &&Prepared<'_>| {
            let choice = side.workspace.choose(&one, &side.invocation.directory);
            choice.is_ok_and(|choice| !choice.chosen.is_empty() || !choice.skipped.is_empty())
        };
        if !sides.iter().any(found) {
            let benches = packages().flat_map(|package| &package.benches);
            return Err(unknown("bench target", name, benches.map(|bench| bench.name.as_str()).collect()));
        }
    }
    Ok(())
}

/// The three names most like `name`, if any is.
fn near(name: &str, names: &BTreeSet<&str>) -> Vec<String> {
    let mut alike: Vec<_> = names.iter().map(|known| (strsim::jaro_winkler(name, known), *known)).collect();
    alike.retain(|(alike, _)| *alike >= 0.75);
    alike.sort_by(|a, b| b.0.total_cmp(&a.0));
    alike.into_iter().take(3).map(|(_, known)| known.to_owned()).collect()
}

fn workshop<'a>(
    request: &'a BuildRequest,
    trees: &Trees,
    base: Option<&Prepared<'_>>,
    head: &Prepared<'_>,
    warnings: &mut Vec<Warning>,
    interrupt: &Interrupt,
) -> Result<Workshop<'a>, Error> {
    let folder = users_target(&head.workspace, &trees.head.folder, &trees.root).join("tollgate");
    // A repository that does not ignore its target folder must not find our files in its next status.
    files::atomic::write(&folder.join(".gitignore"), b"*\n")?;
    let wrapper = match &request.wrapper {
        Some(program) => program.clone(),
        None => std::env::current_exe().map_err(Error::OwnBinary)?,
    };
    Ok(Workshop {
        folder,
        selection: &request.selection,
        alignment: alignment(request, base, head, warnings, interrupt)?,
        wrapper,
        timeout: request.timeout,
        outside: trees.outside.stamp()?,
    })
}

/// Where cargo would build in the user's work tree, seen from head's tree.
fn users_target(workspace: &Workspace, tree: &Path, root: &Path) -> PathBuf {
    match workspace.target_directory.strip_prefix(tree) {
        Ok(inside) => root.join(inside),
        Err(_) => workspace.target_directory.clone(),
    }
}

/// Aligned when that is wanted, makes sense on this processor, and both compilers take the flags.
fn alignment(
    request: &BuildRequest,
    base: Option<&Prepared<'_>>,
    head: &Prepared<'_>,
    warnings: &mut Vec<Warning>,
    interrupt: &Interrupt,
) -> Result<Alignment, Error> {
    if request.alignment == Alignment::AsBuilt || !head.rustc.host.starts_with("x86_64") {
        return Ok(Alignment::AsBuilt);
    }
    for side in [Some(head), base.filter(|base| base.rustc != head.rustc)].into_iter().flatten() {
        if !aligned::is_accepted(&side.invocation, interrupt)? {
            let message = format!(
                "{} does not take the flags that align code, so both sides are measured as built: a change of layout alone may look like a change of speed",
                side.rustc.version
            );
            warnings.push(Warning::new("as_built", message));
            return Ok(Alignment::AsBuilt);
        }
    }
    Ok(Alignment::Aligned)
}

type BothObtained = (Option<OfTheCode<Obtained>>, Obtained);

fn obtain_both(
    shop: &Workshop<'_>,
    base: Option<&Prepared<'_>>,
    head: &Prepared<'_>,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<BothObtained, Error> {
    // Remembers, per repository, that one shared folder was not enough, so that it is not tried in vain every time.
    let flag = shop.folder.join("build").join(format!("separate-{}", repository_key(head)));
    let mut sharing = if flag.exists() { Sharing::Separate } else { Sharing::Shared };
    loop {
        let head_built = of_the_code(shop.obtain(head, sharing, progress, interrupt))?;
        let head_built = head_built.map_err(|source| head_failed(head.tree, source))?;
        let base_built = base.map(|base| {
            lend_lock_file(head, base)?;
            of_the_code(shop.obtain(base, sharing, progress, interrupt))
        });
        let base_built = base_built.transpose()?;
        let needs = |built: &Obtained| built.set.needs_folder;
        let base_needs = base_built.as_ref().and_then(|built| built.as_ref().ok()).is_some_and(needs);
        if sharing == Sharing::Separate || base.is_none() || !(needs(&head_built) || base_needs) {
            return Ok((base_built, head_built));
        }
        progress
            .tell(Event::Note("a benchmark reads its build folder: building the sides separately".into()));
        files::atomic::write(&flag, b"")?;
        sharing = Sharing::Separate;
    }
}

fn repository_key(side: &Prepared<'_>) -> String {
    let state = side.tree.folder.parent().unwrap_or(&side.tree.folder);
    files::tree::text_digest(&state.to_string_lossy())[..16].to_owned()
}

/// A repository without a lock file gets one in its first build; the other side takes the same dependencies.
fn lend_lock_file(from: &Prepared<'_>, to: &Prepared<'_>) -> Result<(), Error> {
    let (lock, other) = (from.workspace.root.join("Cargo.lock"), to.workspace.root.join("Cargo.lock"));
    if lock.is_file() && !other.exists() {
        files::tree::copy_entry(&lock, &other)?;
    }
    Ok(())
}

fn flags(head: &Obtained, alignment: Alignment, selection: &Selection) -> String {
    let mut flags = head.set.code_flags.clone();
    flags.extend(alignment.flags().chunks(2).map(|pair| pair.join(" ")));
    let mut features: Vec<&str> = selection.features.iter().flat_map(|list| list.split([',', ' '])).collect();
    features.retain(|feature| !feature.is_empty());
    features.sort_unstable();
    if !features.is_empty() {
        flags.push(format!("--features {}", features.join(",")));
    }
    flags.extend(selection.all_features.then(|| "--all-features".to_owned()));
    flags.extend(selection.no_default_features.then(|| "--no-default-features".to_owned()));
    flags.join(" ")
}
