//! The local side of a data ref: a commit for every write, whose tree holds write-once files.
//!
//! All reading and writing goes through libgit2's object database, so that neither the work tree nor the index is involved.
//! The ref itself is moved under git's own lock on it, after a look whether it still stands where the write began.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use git2::{
    ErrorCode, FileMode, ObjectType, Oid, Repository, Signature, Time, Tree, build::TreeUpdateBuilder,
};

use super::failure::Error;

/// How often a local compare-and-swap is tried: each failure means that another writer got through.
const ATTEMPTS: usize = 100;
/// The pause before another try; git holds a ref's lock for about a millisecond.
const PAUSE: Duration = Duration::from_millis(10);
/// How old a ref's lock file must be to count as left behind by a killed process.
const STALE: Duration = Duration::from_secs(60);
/// The most files that are listed; retention keeps far fewer.
const MAX_FILES: usize = 1_000_000;
/// The deepest folder that is listed; ours are three deep.
const MAX_DEPTH: usize = 8;

/// A ref whose tree holds write-once files.
pub struct Archive {
    pub(super) repository: Repository,
    pub(super) name: String,
}

/// A commit that the ref pointed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip(pub(super) Oid);

impl std::fmt::Display for Tip {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path in the tree, parts separated by `/`.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A file that is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its path in the tree.
    pub path: String,
    id: Oid,
}

/// What a commit on the ref says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its one line.
    pub subject: String,
    /// Its time, seconds since 1970-01-01T00:00:00Z.
    pub time: u64,
}

/// What an append did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Where the ref stands now.
    pub tip: Tip,
    /// How many files are new; the others were there already.
    pub written: usize,
}

/// Whether a compare-and-swap went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swap {
    /// The ref stands at the new commit.
    Done,
    /// It no longer stood where it was expected; nothing was changed.
    Moved,
}

impl Archive {
    /// The ref `name` (in full) of the repository that `directory` belongs to. The ref need not exist yet.
    ///
    /// # Errors
    /// When there is no repository.
    pub fn open(directory: &Path, name: &str) -> Result<Self, Error> {
        let repository = Repository::discover(directory)
            .map_err(|source| Error::Open { directory: directory.to_owned(), source })?;
        Ok(Self { repository, name: name.to_owned() })
    }

    /// The ref's full name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The repository's folder that all of its work trees share (`.git`).
    #[must_use]
    pub fn common_dir(&self) -> &Path {
        self.repository.commondir()
    }

    /// Where the ref stands; `None` while it does not exist.
    ///
    /// # Errors
    /// When it cannot be read, or is no direct ref to a commit.
    pub fn tip(&self) -> Result<Option<Tip>, Error> {
        self.tip_of(&self.name)
    }

    pub(super) fn tip_of(&self, name: &str) -> Result<Option<Tip>, Error> {
        match self.repository.find_reference(name) {
            Ok(reference) => {
                let commit =
                    reference.peel_to_commit().map_err(Error::git(format!("read the commit of `{name}`")))?;
                Ok(Some(Tip(commit.id())))
            }
            Err(missing) if missing.code() == ErrorCode::NotFound => Ok(None),
            Err(source) => Err(Error::Git { step: format!("read `{name}`"), source }),
        }
    }

    /// Every file at `tip`, sorted by path.
    ///
    /// # Errors
    /// When a tree cannot be read, or holds more than anything tollgate writes.
    pub fn list(&self, tip: Tip) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        self.collect(&self.tree(tip)?, "", 0, &mut entries)?;
        entries.sort();
        Ok(entries)
    }

    /// The files at `tip` below the folder `folder`, sorted by path; none when there is no such folder.
    ///
    /// # Errors
    /// As [`Archive::list`].
    pub fn list_below(&self, tip: Tip, folder: &str) -> Result<Vec<Entry>, Error> {
        let found = match self.tree(tip)?.get_path(Path::new(folder)) {
            Ok(found) if found.kind() == Some(ObjectType::Tree) => found,
            Ok(_) => return Ok(Vec::new()),
            Err(missing) if missing.code() == ErrorCode::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(Error::Git { step: format!("look for `{folder}`"), source }),
        };
        let tree = self
            .repository
            .find_tree(found.id())
            .map_err(Error::git(format!("read the folder `{folder}`")))?;
        let mut entries = Vec::new();
        self.collect(&tree, &format!("{folder}/"), 1, &mut entries)?;
        entries.sort();
        Ok(entries)
    }

    /// The names of the folders at the top of the tree at `tip`, sorted.
    ///
    /// # Errors
    /// When the tree cannot be read.
    pub fn folders(&self, tip: Tip) -> Result<Vec<String>, Error> {
        let tree = self.tree(tip)?;
        let folders = tree.iter().filter(|entry| entry.kind() == Some(ObjectType::Tree));
        Ok(folders.map(|entry| String::from_utf8_lossy(entry.name_bytes()).into_owned()).collect())
    }

    /// A file's content.
    ///
    /// # Errors
    /// When it cannot be read or is longer than `max_bytes`.
    pub fn read(&self, entry: &Entry, max_bytes: usize) -> Result<Vec<u8>, Error> {
        let failed =
            |source| Error::Git { step: format!("read `{}` of `{}`", entry.path, self.name), source };
        let objects = self.repository.odb().map_err(failed)?;
        let (length, _) = objects.read_header(entry.id).map_err(failed)?;
        if length > max_bytes {
            return Err(self.too_large(format!("`{}` is {length} bytes long", entry.path)));
        }
        Ok(objects.read(entry.id).map_err(failed)?.data().to_vec())
    }

    /// Adds files in one commit on top of whatever the ref points to by then. Files that are there already are left alone;
    /// when all are, there is no commit.
    ///
    /// # Errors
    /// When a file is there with other content, or the ref cannot be written.
    pub fn append(&self, files: &[File], message: &Message) -> Result<Appended, Error> {
        let failed = || Error::git(format!("write to `{}`", self.name));
        let mut wanted = BTreeMap::new();
        for file in files {
            wanted.insert(file.path.clone(), self.repository.blob(&file.bytes).map_err(failed())?);
        }
        for _ in 0..ATTEMPTS {
            let tip = self.tip()?;
            let fresh = self.missing(tip, &wanted)?;
            if let (Some(tip), true) = (tip, fresh.is_empty()) {
                return Ok(Appended { tip, written: 0 });
            }
            let next = self.commit_on(tip, &fresh, message)?;
            if self.swap(tip, next)? == Swap::Done {
                return Ok(Appended { tip: next, written: fresh.len() });
            }
        }
        Err(Error::Contended { name: self.name.clone(), attempts: ATTEMPTS })
    }

    /// Replaces the ref's whole history by one commit without parent that keeps `entries`, if the ref still stands at
    /// `expected`.
    ///
    /// # Errors
    /// When the ref cannot be written.
    pub fn rewrite(&self, expected: Tip, entries: &[Entry], message: &Message) -> Result<(Swap, Tip), Error> {
        let root = self.root(entries, message)?;
        Ok((self.swap(Some(expected), root)?, root))
    }

    /// A commit without parent that holds just `entries`; no ref points to it.
    pub(super) fn root(&self, entries: &[Entry], message: &Message) -> Result<Tip, Error> {
        let kept = entries.iter().map(|entry| (entry.path.clone(), entry.id)).collect();
        self.commit_on(None, &kept, message)
    }

    /// A commit on top of `parent` whose tree is the parent's plus `files`; no ref points to it.
    pub(super) fn commit_on(
        &self,
        parent: Option<Tip>,
        files: &BTreeMap<String, Oid>,
        message: &Message,
    ) -> Result<Tip, Error> {
        let failed = || Error::git(format!("write to `{}`", self.name));
        let parent = parent.map(|tip| self.repository.find_commit(tip.0)).transpose().map_err(failed())?;
        let tree = match &parent {
            Some(parent) => parent.tree().map_err(failed())?,
            None => {
                let empty = self.repository.treebuilder(None).and_then(|builder| builder.write());
                self.repository.find_tree(empty.map_err(failed())?).map_err(failed())?
            }
        };
        let mut update = TreeUpdateBuilder::new();
        for (path, id) in files {
            update.upsert(path.as_str(), *id, FileMode::Blob);
        }
        let tree = update.create_updated(&self.repository, &tree).map_err(failed())?;
        let tree = self.repository.find_tree(tree).map_err(failed())?;
        let author = self.author(message.time).map_err(failed())?;
        let parents: Vec<_> = parent.iter().collect();
        let id = self.repository.commit(None, &author, &author, &message.subject, &tree, &parents);
        Ok(Tip(id.map_err(failed())?))
    }

    /// Which of `wanted` are not at `tip` yet.
    fn missing(
        &self,
        tip: Option<Tip>,
        wanted: &BTreeMap<String, Oid>,
    ) -> Result<BTreeMap<String, Oid>, Error> {
        let Some(tip) = tip else { return Ok(wanted.clone()) };
        let tree = self.tree(tip)?;
        let mut missing = BTreeMap::new();
        for (path, id) in wanted {
            match tree.get_path(Path::new(path)) {
                Ok(there) if there.id() == *id => {}
                Ok(_) => return Err(Error::Conflict { name: self.name.clone(), path: path.clone() }),
                Err(absent) if absent.code() == ErrorCode::NotFound => {
                    missing.insert(path.clone(), *id);
                }
                Err(source) => return Err(Error::Git { step: format!("look for `{path}`"), source }),
            }
        }
        Ok(missing)
    }

    /// Moves the ref from `expected` to `next`, if it still stands at `expected`.
    fn swap(&self, expected: Option<Tip>, next: Tip) -> Result<Swap, Error> {
        self.swap_all(&[(&self.name, expected, Some(next))])
    }

    /// Moves several refs together (`None` as the new place deletes), if each still stands where it is expected.
    ///
    /// The comparison is made under git's own locks on them: libgit2's `reference_matching` checks the creation of a ref
    /// before it takes the lock, so that of two writers who create it one would be lost.
    pub(super) fn swap_all(&self, moves: &[(&str, Option<Tip>, Option<Tip>)]) -> Result<Swap, Error> {
        let failed = || Error::git(format!("move `{}`", self.name));
        let mut transaction = self.repository.transaction().map_err(failed())?;
        for (name, _, _) in moves {
            if !self.lock_ref(&mut transaction, name)? {
                return Ok(Swap::Moved);
            }
        }
        for &(name, expected, next) in moves {
            if self.tip_of(name)? != expected {
                return Ok(Swap::Moved);
            }
            match next {
                Some(next) => {
                    let author = self.author(0).map_err(failed())?;
                    transaction.set_target(name, next.0, Some(&author), "tollgate").map_err(failed())?;
                }
                None if expected.is_some() => transaction.remove(name).map_err(failed())?,
                None => {}
            }
        }
        transaction.commit().map_err(failed())?;
        Ok(Swap::Done)
    }

    /// Takes git's lock on a ref, and clears away one that a killed process left behind. `false` when another process has it.
    fn lock_ref(&self, transaction: &mut git2::Transaction<'_>, name: &str) -> Result<bool, Error> {
        let lock = lock_file(self.common_dir(), name);
        for _ in 0..ATTEMPTS {
            match transaction.lock_ref(name) {
                Ok(()) => return Ok(true),
                Err(held) if held.code() == ErrorCode::Locked => {}
                Err(source) => return Err(Error::Git { step: format!("lock `{name}`"), source }),
            }
            if is_stale(&lock) {
                crate::files::scratch::remove(&lock)?;
            } else {
                thread::sleep(PAUSE);
            }
        }
        if lock.exists() { Err(Error::Locked { name: name.to_owned(), lock }) } else { Ok(false) }
    }

    pub(super) fn tree(&self, tip: Tip) -> Result<Tree<'_>, Error> {
        let tree = self.repository.find_commit(tip.0).and_then(|commit| commit.tree());
        tree.map_err(Error::git(format!("read the tree of `{}`", self.name)))
    }

    /// Gathers the files below `tree`. Links and submodules are no files of ours, and are passed over.
    fn collect(
        &self,
        tree: &Tree<'_>,
        prefix: &str,
        depth: usize,
        entries: &mut Vec<Entry>,
    ) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(self.too_large(format!("folders more than {MAX_DEPTH} deep")));
        }
        for entry in tree {
            let path = format!("{prefix}{}", String::from_utf8_lossy(entry.name_bytes()));
            match entry.kind() {
                Some(ObjectType::Tree) => {
                    let folder = self.repository.find_tree(entry.id());
                    let folder = folder.map_err(Error::git(format!("read the folder `{path}`")))?;
                    self.collect(&folder, &format!("{path}/"), depth + 1, entries)?;
                }
                Some(ObjectType::Blob) => entries.push(Entry { path, id: entry.id() }),
                _ => {}
            }
            if entries.len() > MAX_FILES {
                return Err(self.too_large(format!("more than {MAX_FILES} files")));
            }
        }
        Ok(())
    }

    fn too_large(&self, what: String) -> Error {
        Error::TooLarge { name: self.name.clone(), what }
    }

    /// The user's name where git knows it, else the tool's: machines that record runs often have none.
    fn author(&self, time: u64) -> Result<Signature<'static>, git2::Error> {
        let time = Time::new(i64::try_from(time).unwrap_or(i64::MAX), 0);
        if let Ok(user) = self.repository.signature()
            && let (Ok(name), Ok(email)) = (user.name(), user.email())
        {
            return Signature::new(name, email, &time);
        }
        Signature::new("tollgate", "tollgate@localhost", &time)
    }
}

impl Entry {
    pub(super) fn id(&self) -> Oid {
        self.id
    }
}

/// Git's lock file of a ref.
fn lock_file(common_dir: &Path, name: &str) -> PathBuf {
    common_dir.join(format!("{name}.lock"))
}

/// Whether a lock file is so old that nobody can be holding it: git keeps one for milliseconds.
fn is_stale(lock: &Path) -> bool {
    let written = std::fs::metadata(lock).and_then(|found| found.modified());
    written.is_ok_and(|written| written.elapsed().is_ok_and(|age| age > STALE))
}
