//! The files of the two revisions, side by side at paths of equal length outside the repository.
//!
//! Outside, because cargo looks upward for workspaces and configuration, and because the user's work tree is not ours to
//! touch. Equally long, because the length of a path in an executable or in its environment moves code and stack. Each tree
//! is a linked worktree; head's gets the files of the work tree as they are on disk.

use std::{
    env, fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use globset::{GlobBuilder, GlobMatcher};

use crate::{
    cargo::outside::{self, Outside, Source},
    files::{
        self,
        lock::Lock,
        scratch::{self, Scratch},
        tree::{self, Digests},
    },
    git::{
        Repository, content,
        revision::{self, Commit, Head},
        snapshot::{self, Snapshot},
        worktree::{self, Absent, Content, Worktree},
    },
    measure::builds::Error,
    model::{
        revision::Revision,
        run::{Side, Warning},
    },
    process::Interrupt,
    progress::{Event, Progress},
};

/// What head is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum BaseChoice {
    /// The merge base with the default branch, or what comes before head when head is on it.
    #[default]
    Default,
    /// A revision by name.
    Revision(String),
    /// Nothing: only head is wanted.
    Nothing,
}

/// Which trees are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreesRequest<'a> {
    /// A folder in the repository: where the user works.
    pub directory: &'a Path,
    /// What head is compared with.
    pub base: &'a BaseChoice,
    /// The revision under test; the work tree when `None`.
    pub head: Option<&'a str>,
    /// Globs of ignored files, relative to the root of the repository, that both trees get.
    pub copy: &'a [String],
    /// The folder for trees of all repositories.
    pub cache: &'a Path,
}

/// One revision's files.
#[derive(Debug)]
pub struct Tree {
    /// The root folder.
    pub folder: PathBuf,
    /// Which revision it is.
    pub revision: Revision,
    /// What is in it, links and submodules included, sorted by path.
    pub digests: Digests,
}

/// The trees of a check. Removed with their entries in the repository when this is dropped.
#[derive(Debug)]
pub struct Trees {
    /// The root of the user's work tree.
    pub root: PathBuf,
    /// Where the user works below the root.
    pub prefix: PathBuf,
    /// What head is compared with, when that was wanted.
    pub base: Option<Tree>,
    /// The revision under test.
    pub head: Tree,
    /// What the trees need from beside the repository.
    pub outside: Outside,
    /// What the reader should know.
    pub warnings: Vec<Warning>,
    // Dropped in this order: worktrees, the folder around them, the lock.
    _worktrees: Vec<Worktree>,
    _folder: Scratch,
    _lock: Lock,
}

/// The folder for trees: `$TOLLGATE_CACHE_DIR`, else `tollgate` in the user's folder for caches.
#[must_use]
pub fn cache_folder() -> PathBuf {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
    if let Some(own) = variable("TOLLGATE_CACHE_DIR") {
        return own;
    }
    let home = env::home_dir().unwrap_or_else(env::temp_dir);
    let caches = if cfg!(target_os = "macos") {
        home.join("Library/Caches")
    } else if cfg!(windows) {
        absolute("LOCALAPPDATA").unwrap_or_else(|| home.join("AppData/Local"))
    } else {
        absolute("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache"))
    };
    caches.join("tollgate")
}

/// Makes the trees, after cleaning up what a killed run left.
///
/// # Errors
/// When a revision is unknown, git or the disk refuses, or the user wants us to stop.
pub fn make(
    request: &TreesRequest<'_>,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Trees, Error> {
    let repository = Repository::discover(request.directory)?;
    let (state, lock) = claim(&repository, request.cache, progress, interrupt)?;
    worktree::sweep(&repository, &state)?;
    scratch::remove(&state)?;
    let folder = Scratch::adopt(state);

    let plan = Plan::new(&repository, request, folder.path(), interrupt)?;
    let outside = plan.outside(&repository)?;
    let parent = parent(&repository, folder.path(), &outside);
    outside.make_links(&parent)?;
    let names = names(&outside);
    let mut maker = Maker {
        repository: &repository,
        interrupt,
        copy: request.copy,
        made: Vec::new(),
        warnings: Vec::new(),
    };
    maker.warnings.extend(plan.warnings());
    let head = maker.head(&plan, &parent.join(&names.1))?;
    let base =
        plan.base.as_ref().map(|base| maker.commit(base, Side::Base, &parent.join(&names.0))).transpose()?;
    maker.copy_ignored(base.as_deref().into_iter().chain([head.as_path()]))?;
    let base = plan.base.as_ref().zip(base);
    Ok(Trees {
        root: repository.root().to_owned(),
        prefix: repository.prefix().to_owned(),
        base: base.map(|(commit, folder)| finish(folder, commit.revision())).transpose()?,
        head: finish(head, plan.head_revision())?,
        outside,
        warnings: maker.warnings,
        _worktrees: maker.made,
        _folder: folder,
        _lock: lock,
    })
}

/// The repository's own folder in the cache, and the lock on it. The lock stands beside the folder, so that all in the folder
/// may be swept.
fn claim(
    repository: &Repository,
    cache: &Path,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<(PathBuf, Lock), Error> {
    fs::create_dir_all(cache).map_err(files::Error::at("create the folder", cache))?;
    let cache = cache.canonicalize().map_err(files::Error::at("open the folder", cache))?;
    let root = repository.root();
    let digest = tree::text_digest(&root.to_string_lossy());
    let name = root.file_name().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let name: String = name.chars().map(plain).take(40).collect();
    let name = format!("{name}-{}", &digest[..16]);
    let lock = wait_for_lock(&cache.join(format!("{name}.lock")), progress, interrupt)?;
    Ok((cache.join(name), lock))
}

/// Takes a lock, telling once who holds it meanwhile.
pub(in crate::measure) fn wait_for_lock(
    path: &Path,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Lock, Error> {
    let mut told = false;
    let taken = Lock::acquire(path, "tollgate", |holder| {
        if !told {
            progress.tell(Event::Note(format!("waiting for {holder} to finish with this repository")));
            told = true;
        }
        if interrupt.requested().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match (taken, interrupt.requested()) {
        (Err(files::Error::Held { .. }), Some(signal)) => Err(Error::Interrupted(signal)),
        (taken, _) => Ok(taken?),
    }
}

/// Which commits, and what is in the work tree.
struct Plan {
    root: PathBuf,
    base: Option<Commit>,
    head: Commit,
    /// Head's files when it is the work tree.
    work_tree: Option<Snapshot>,
}

impl Plan {
    fn new(
        repository: &Repository,
        request: &TreesRequest<'_>,
        scratch: &Path,
        interrupt: &Interrupt,
    ) -> Result<Self, Error> {
        let (head, work_tree) = match request.head {
            Some(name) => (revision::resolve(repository, name)?, None),
            None => {
                let head = revision::head(repository)?;
                (head, Some(snapshot::take(repository.root(), scratch, interrupt)?))
            }
        };
        let of = match &work_tree {
            Some(snapshot) => Head::WorkTree { changed: snapshot.changed },
            None => Head::Commit(&head),
        };
        let base = match request.base {
            BaseChoice::Default => Some(revision::default_base(repository, of)?),
            BaseChoice::Revision(name) => Some(revision::resolve(repository, name)?),
            BaseChoice::Nothing => None,
        };
        Ok(Self { root: repository.root().to_owned(), base, head, work_tree })
    }

    fn head_revision(&self) -> Revision {
        match &self.work_tree {
            None => self.head.revision(),
            Some(snapshot) => Revision {
                rev: (!snapshot.changed).then(|| self.head.rev.clone()),
                tree: Some(snapshot.tree.clone()),
                label: "work tree".into(),
            },
        }
    }

    fn warnings(&self) -> Option<Warning> {
        let said = self.work_tree.as_ref()?.unreadable.as_ref()?;
        let message = format!("some files of the work tree could not be read and are left out: {said}");
        Some(Warning::new("work_tree_unreadable", message))
    }

    /// The neighbours that either tree needs.
    fn outside(&self, repository: &Repository) -> Result<Outside, Error> {
        let mut outside = Outside::default();
        for commit in self.base.iter().chain(self.work_tree.is_none().then_some(&self.head)) {
            let content = content::of_commit(repository, commit, &outside::may_name_neighbours)?;
            outside.add(&self.root, &content.files);
            for (link, target) in &content.links {
                outside.add_link(&self.root, link, target);
            }
        }
        let Some(snapshot) = &self.work_tree else { return Ok(outside) };
        let named = snapshot.paths.iter().filter(|path| outside::may_name_neighbours(path));
        let sources = named.filter_map(|path| Some((path.clone(), fs::read(self.root.join(path)).ok()?)));
        outside.add(&self.root, &sources.collect::<Vec<Source>>());
        for path in &snapshot.paths {
            if let Ok(target) = fs::read_link(self.root.join(path)) {
                outside.add_link(&self.root, path, &target);
            }
        }
        Ok(outside)
    }
}

/// The folder of the trees: as far below the state folder as neighbours are above the root, under the same names.
fn parent(repository: &Repository, state: &Path, outside: &Outside) -> PathBuf {
    let above = repository.root().ancestors().skip(1).take(outside.climb.saturating_sub(1));
    let mut names: Vec<_> = above.filter_map(Path::file_name).collect();
    names.reverse();
    state.join(names.into_iter().collect::<PathBuf>())
}

/// The names of the two trees, equally long, and none that a neighbour has.
fn names(outside: &Outside) -> (String, String) {
    let mut suffix = String::new();
    let taken = |name: &str| outside.links.contains_key(&Path::new("..").join(name));
    while taken(&format!("base{suffix}")) || taken(&format!("head{suffix}")) {
        suffix.push('_');
    }
    (format!("base{suffix}"), format!("head{suffix}"))
}

/// Makes trees and remembers what has to be undone.
struct Maker<'a> {
    repository: &'a Repository,
    interrupt: &'a Interrupt,
    copy: &'a [String],
    made: Vec<Worktree>,
    warnings: Vec<Warning>,
}

impl Maker<'_> {
    fn head(&mut self, plan: &Plan, folder: &Path) -> Result<PathBuf, Error> {
        let Some(snapshot) = &plan.work_tree else { return self.commit(&plan.head, Side::Head, folder) };
        self.worktree(&plan.head, folder, Content::Nothing)?;
        for path in &snapshot.paths {
            if let Some(signal) = self.interrupt.requested() {
                return Err(Error::Interrupted(signal));
            }
            tree::copy_entry(&plan.root.join(path), &folder.join(path))?;
        }
        Ok(folder.to_owned())
    }

    fn commit(&mut self, commit: &Commit, side: Side, folder: &Path) -> Result<PathBuf, Error> {
        let absent = self.worktree(commit, folder, Content::Files)?;
        let side = side.as_str();
        if let Some(first) = absent.lfs.first() {
            let (count, first) = (absent.lfs.len(), first.display());
            let message = format!(
                "{count} Git LFS files of {side} are only pointers, such as `{first}`: run `git lfs fetch --all`"
            );
            self.warnings.push(Warning::new("lfs_missing", message));
        }
        for (path, reason) in absent.submodules {
            let message =
                format!("submodule `{}` of {side} could not be checked out: {reason}", path.display());
            self.warnings.push(Warning::new("submodule_missing", message));
        }
        Ok(folder.to_owned())
    }

    fn worktree(&mut self, commit: &Commit, folder: &Path, content: Content) -> Result<Absent, Error> {
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent).map_err(files::Error::at("create the folder", parent))?;
        }
        let (worktree, absent) = Worktree::add(self.repository, commit, folder, content, self.interrupt)?;
        self.made.push(worktree);
        Ok(absent)
    }

    /// Gives the trees what git does not have: the lock file of a repository that ignores it, and what the user listed.
    fn copy_ignored<'a>(&mut self, trees: impl Iterator<Item = &'a Path>) -> Result<(), Error> {
        let root = self.repository.root();
        let mut wanted: Vec<PathBuf> =
            self.repository.prefix().ancestors().map(|folder| folder.join("Cargo.lock")).collect();
        wanted.retain(|lock| root.join(lock).is_file());
        wanted.extend(self.listed()?);
        for tree in trees {
            for path in &wanted {
                if fs::symlink_metadata(tree.join(path)).is_err() {
                    tree::copy_entry(&root.join(path), &tree.join(path))?;
                }
            }
        }
        Ok(())
    }

    /// The files that the user's globs match; a glob that matches a folder means all in it.
    fn listed(&mut self) -> Result<Vec<PathBuf>, Error> {
        if self.copy.is_empty() {
            return Ok(Vec::new());
        }
        let root = self.repository.root();
        let globs: Vec<GlobMatcher> = self.copy.iter().map(|glob| matcher(glob)).collect::<Result<_, _>>()?;
        let files = tree::list(root, &|folder| {
            folder.ends_with(".git") || root.join(folder).join("CACHEDIR.TAG").is_file()
        })?;
        let matches = |glob: &GlobMatcher, path: &Path| path.ancestors().any(|part| glob.is_match(part));
        for (glob, text) in globs.iter().zip(self.copy) {
            if !files.iter().any(|path| matches(glob, path)) {
                let message = format!("`{text}` in `measure.copy` matches no file");
                self.warnings.push(Warning::new("copy_matched_nothing", message));
            }
        }
        Ok(files.into_iter().filter(|path| globs.iter().any(|glob| matches(glob, path))).collect())
    }
}

fn matcher(glob: &str) -> Result<GlobMatcher, Error> {
    let trimmed = glob.trim_end_matches('/').trim_start_matches("./");
    let built = GlobBuilder::new(trimmed).literal_separator(true).build();
    let built = built.map_err(|source| crate::cargo::Error::Glob { glob: glob.to_owned(), source });
    Ok(built.map_err(Error::from)?.compile_matcher())
}

fn finish(folder: PathBuf, revision: Revision) -> Result<Tree, Error> {
    let paths = tree::list(&folder, &|path| path.ends_with(".git"))?;
    // `.git` is a file in a linked worktree; it says where the repository is, not what is in the tree.
    let paths: Vec<_> = paths.into_iter().filter(|path| !path.ends_with(".git")).collect();
    let digests = tree::digests(&folder, &paths)?;
    Ok(Tree { folder, revision, digests })
}
