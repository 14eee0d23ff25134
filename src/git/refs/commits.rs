//! What the repository knows of commits that stored data speak of: whether it has them, and how they lie to each other.

use std::{cell::RefCell, collections::HashMap, path::Path};

use git2::{Oid, Repository};

use super::failure::Error;

/// Whether one commit is in another's past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinship {
    /// They are the same commit.
    Same,
    /// The first is in the second's past.
    Ancestor,
    /// The second is in the first's past.
    Descendant,
    /// Neither, as far as this clone can see.
    Unrelated,
    /// This clone lacks one of them.
    Unknown,
}

/// Answers questions about commits, remembering what it found.
pub struct Commits {
    repository: Repository,
    kinships: RefCell<HashMap<(String, String), Kinship>>,
}

impl Commits {
    /// The commits of the repository that `directory` belongs to.
    ///
    /// # Errors
    /// When there is no repository.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let repository = Repository::discover(directory)
            .map_err(|source| Error::Open { directory: directory.to_owned(), source })?;
        Ok(Self { repository, kinships: RefCell::default() })
    }

    /// The top folder of the work tree; `None` in a bare repository.
    #[must_use]
    pub fn work_tree(&self) -> Option<&Path> {
        self.repository.workdir()
    }

    /// The repository's folder that all of its work trees share (`.git`).
    #[must_use]
    pub fn common_dir(&self) -> &Path {
        self.repository.commondir()
    }

    /// Whether the clone lacks old commits on purpose.
    #[must_use]
    pub fn is_shallow(&self) -> bool {
        self.repository.is_shallow()
    }

    /// Whether this clone has the commit `rev` (40 hexadecimal digits).
    #[must_use]
    pub fn contains(&self, rev: &str) -> bool {
        self.find(rev).is_some()
    }

    /// The commit that `revision` (`HEAD`, a branch, a tag, the start of an id) means here.
    #[must_use]
    pub fn resolve(&self, revision: &str) -> Option<String> {
        let object = self.repository.revparse_single(revision).ok()?;
        Some(object.peel_to_commit().ok()?.id().to_string())
    }

    /// The user's name as git knows it: `Jane Doe <jane@example.org>`.
    #[must_use]
    pub fn user(&self) -> Option<String> {
        let user = self.repository.signature().ok()?;
        Some(format!("{} <{}>", user.name().ok()?, user.email().ok()?))
    }

    /// How `rev` lies to `other`.
    #[must_use]
    pub fn kinship(&self, rev: &str, other: &str) -> Kinship {
        if rev == other {
            return Kinship::Same;
        }
        let key = (rev.to_owned(), other.to_owned());
        if let Some(&known) = self.kinships.borrow().get(&key) {
            return known;
        }
        let found = self.look_up(rev, other);
        self.kinships.borrow_mut().insert(key, found);
        found
    }

    /// How many commits `head` has that `rev` has not; `None` when this clone cannot say.
    #[must_use]
    pub fn distance(&self, rev: &str, head: &str) -> Option<usize> {
        let (rev, head) = (self.find(rev)?, self.find(head)?);
        Some(self.repository.graph_ahead_behind(head, rev).ok()?.0)
    }

    fn look_up(&self, rev: &str, other: &str) -> Kinship {
        let (Some(rev), Some(other)) = (self.find(rev), self.find(other)) else { return Kinship::Unknown };
        let descends = |commit, ancestor| self.repository.graph_descendant_of(commit, ancestor);
        match (descends(other, rev), descends(rev, other)) {
            (Ok(true), _) => Kinship::Ancestor,
            (_, Ok(true)) => Kinship::Descendant,
            (Ok(false), Ok(false)) => Kinship::Unrelated,
            _ => Kinship::Unknown,
        }
    }

    fn find(&self, rev: &str) -> Option<Oid> {
        let id = Oid::from_str(rev).ok().filter(|_| rev.len() == 40)?;
        Some(self.repository.find_commit(id).ok()?.id())
    }
}
