//! Which commit is meant: by name, or by the rule for the default base.

use git2::{ErrorCode, ObjectType, Oid};

use crate::{
    git::{Error, Repository},
    model::revision::Revision,
};

/// A commit with its tree and what people call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// 40 hexadecimal digits.
    pub rev: String,
    /// Its tree, 40 hexadecimal digits.
    pub tree: String,
    /// `main`, `HEAD~1`, `merge base with origin/main`.
    pub label: String,
}

impl Commit {
    /// The commit as the model names it.
    #[must_use]
    pub fn revision(&self) -> Revision {
        Revision { rev: Some(self.rev.clone()), tree: Some(self.tree.clone()), label: self.label.clone() }
    }
}

/// The commit that `text` names as git understands it; a branch that only the remote `origin` has is found too.
///
/// # Errors
/// When there is none, or it names something else than a commit.
pub fn resolve(repository: &Repository, text: &str) -> Result<Commit, Error> {
    let handle = repository.handle();
    for name in [text.to_owned(), format!("origin/{text}")] {
        match handle.revparse_single(&name) {
            Ok(object) => {
                let commit = object.peel_to_commit().map_err(|_| Error::NotACommit {
                    text: name.clone(),
                    kind: object.kind().unwrap_or(ObjectType::Any).str().to_owned(),
                })?;
                return Ok(describe(&commit, name));
            }
            Err(missing) if matches!(missing.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec) => {}
            Err(ambiguous) if ambiguous.code() == ErrorCode::Ambiguous => break,
            Err(other) => return Err(repository.failed("look up a revision")(other)),
        }
    }
    Err(unknown(repository, text))
}

/// The commit that HEAD stands on.
///
/// # Errors
/// When HEAD cannot be read.
pub fn head(repository: &Repository) -> Result<Commit, Error> {
    resolve(repository, "HEAD")
}

/// What is compared with the base: the files as they are, or a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head<'a> {
    /// The work tree; `changed` when it differs from HEAD.
    WorkTree {
        /// Whether it differs from HEAD.
        changed: bool,
    },
    /// A commit.
    Commit(&'a Commit),
}

/// The commit to compare with when nobody says: the merge base with the default branch.
///
/// When head itself lies on the default branch, the merge base is head: then a changed work tree is compared with HEAD, and
/// anything else with its first parent.
///
/// # Errors
/// When there is no default branch, no common commit, or no parent.
pub fn default_base(repository: &Repository, of: Head<'_>) -> Result<Commit, Error> {
    let (start, name) = match of {
        Head::WorkTree { .. } => (head(repository)?, "HEAD"),
        Head::Commit(commit) => (commit.clone(), commit.label.as_str()),
    };
    let branch = default_branch(repository)?;
    let base = merge_base(repository, &start, &branch)?;
    if base.rev != start.rev {
        return Ok(base);
    }
    match of {
        Head::WorkTree { changed: true } => Ok(start),
        _ => first_parent(repository, &start, name),
    }
}

/// The short name of the default branch (`main`), as far as it is known here.
#[must_use]
pub fn default_branch_name(repository: &Repository) -> Option<String> {
    let label = default_branch(repository).ok()?.label;
    Some(label.strip_prefix("origin/").unwrap_or(&label).to_owned())
}

/// The default branch of `origin` as far as it is known here, else the usual names.
fn default_branch(repository: &Repository) -> Result<Commit, Error> {
    let handle = repository.handle();
    let remote_head = handle.find_reference("refs/remotes/origin/HEAD").ok();
    let named = remote_head.and_then(|r| r.symbolic_target().ok().flatten().map(str::to_owned));
    let configured = handle.config().and_then(|c| c.get_string("init.defaultBranch")).ok();
    let usual =
        ["refs/remotes/origin/main", "refs/remotes/origin/master", "refs/heads/main", "refs/heads/master"];
    let names = named.into_iter().chain(usual.map(str::to_owned));
    for name in names.chain(configured.map(|branch| format!("refs/heads/{branch}"))) {
        if let Ok(commit) = handle.find_reference(&name).and_then(|found| found.peel_to_commit()) {
            let short = name.trim_start_matches("refs/remotes/").trim_start_matches("refs/heads/");
            return Ok(describe(&commit, short.to_owned()));
        }
    }
    Err(Error::NoDefaultBranch { shallow: repository.is_shallow() })
}

fn merge_base(repository: &Repository, start: &Commit, branch: &Commit) -> Result<Commit, Error> {
    let failed = repository.failed("find the merge base");
    let handle = repository.handle();
    let (one, other) = (oid(&start.rev).map_err(&failed)?, oid(&branch.rev).map_err(&failed)?);
    match handle.merge_base(one, other) {
        Ok(found) if found == other => Ok(branch.clone()),
        Ok(found) => {
            let commit = handle.find_commit(found).map_err(&failed)?;
            Ok(describe(&commit, format!("merge base with {}", branch.label)))
        }
        Err(none) if none.code() == ErrorCode::NotFound => Err(Error::NoMergeBase {
            head: format!("`{}`", start.label),
            branch: branch.label.clone(),
            shallow: repository.is_shallow(),
        }),
        Err(other) => Err(failed(other)),
    }
}

fn first_parent(repository: &Repository, of: &Commit, name: &str) -> Result<Commit, Error> {
    let failed = repository.failed("find the parent of a commit");
    let commit = repository.handle().find_commit(oid(&of.rev).map_err(&failed)?).map_err(&failed)?;
    match commit.parent(0) {
        Ok(parent) => Ok(describe(&parent, format!("{name}~1"))),
        Err(_) => Err(Error::NoParent {
            rev: of.rev.get(..9).unwrap_or(&of.rev).to_owned(),
            shallow: repository.is_shallow(),
        }),
    }
}

fn oid(rev: &str) -> Result<Oid, git2::Error> {
    Oid::from_str(rev)
}

fn describe(commit: &git2::Commit<'_>, label: String) -> Commit {
    Commit { rev: commit.id().to_string(), tree: commit.tree_id().to_string(), label }
}

fn unknown(repository: &Repository, text: &str) -> Error {
    Error::UnknownRevision {
        text: text.to_owned(),
        near: near(repository, text),
        shallow: repository.is_shallow(),
    }
}

/// The three branches and tags whose names are most like `text`, if they are like it at all.
fn near(repository: &Repository, text: &str) -> Vec<String> {
    /// Below this the names have nothing to do with each other.
    const ALIKE: f64 = 0.8;
    let Ok(references) = repository.handle().references() else { return Vec::new() };
    let mut names: Vec<(f64, String)> = references
        .flatten()
        .filter_map(|reference| reference.shorthand().ok().map(str::to_owned))
        .map(|name| {
            let bare = name.rsplit_once('/').map_or(name.as_str(), |(_, last)| last);
            let alike = strsim::jaro_winkler(text, &name).max(strsim::jaro_winkler(text, bare));
            (alike, name)
        })
        .filter(|(alike, _)| *alike >= ALIKE)
        .collect();
    names.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    names.dedup_by(|a, b| a.1 == b.1);
    names.into_iter().take(3).map(|(_, name)| name).collect()
}
