//! What a push brings: the lines that git gives its pre-push hook, and the commit that each of them is to be compared with.
//!
//! Asked of the git program and not of libgit2, so that it holds in every repository that git can push from. Nothing is
//! fetched: what is not here is not compared with.

use std::path::{Path, PathBuf};

use crate::{
    git::{Error, command},
    model::revision::Revision,
    process::{self, Interrupt, Spec},
};

/// More of the input is not read: a mirror of a very large repository has 100,000 refs.
pub const MOST_BYTES: usize = 32 << 20;
/// The longest object id that is taken for one; SHA-256 has 64 digits.
const MOST_DIGITS: usize = 128;
/// Branches of a remote that stand for its default one when it does not say.
const USUAL: [&str; 2] = ["main", "master"];

/// One ref of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What is pushed as the user named it: a ref, `HEAD~`, or `(delete)`.
    pub local_ref: String,
    /// The object that is pushed; zeros for a deletion.
    pub local: String,
    /// The ref of the remote.
    pub remote_ref: String,
    /// What the remote has there now; zeros for nothing.
    pub remote: String,
}

/// The lines of a push.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    /// Those that were understood.
    pub lines: Vec<Line>,
    /// How many were not.
    pub malformed: usize,
}

impl Line {
    /// Whether the ref is deleted.
    #[must_use]
    pub fn is_deletion(&self) -> bool {
        is_zero(&self.local)
    }

    /// What is pushed, in short: `feature`, `v1.0`, `HEAD~`.
    #[must_use]
    pub fn name(&self) -> &str {
        short(&self.local_ref)
    }

    /// Branches first, then tags, then the rest.
    #[must_use]
    pub fn rank(&self) -> u8 {
        match self.remote_ref.as_str() {
            name if name.starts_with("refs/heads/") => 0,
            name if name.starts_with("refs/tags/") => 1,
            _ => 2,
        }
    }
}

/// Reads `LOCAL-REF LOCAL-OID REMOTE-REF REMOTE-OID` lines. What the user named may hold blanks (`HEAD@{1 day ago}`), so a line is
/// read from its end.
#[must_use]
pub fn parse(bytes: &[u8]) -> Lines {
    let mut read = Lines::default();
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match parse_line(&String::from_utf8_lossy(line)) {
            Some(line) => read.lines.push(line),
            None => read.malformed += 1,
        }
    }
    read
}

fn parse_line(line: &str) -> Option<Line> {
    let mut parts = line.trim_end_matches('\r').rsplitn(4, ' ');
    let (remote, remote_ref, local, local_ref) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let sound = is_id(remote) && is_id(local) && !remote_ref.is_empty() && !local_ref.is_empty();
    sound.then(|| Line {
        local_ref: local_ref.to_owned(),
        local: local.to_owned(),
        remote_ref: remote_ref.to_owned(),
        remote: remote.to_owned(),
    })
}

/// Whether a text is an object id. Only such texts become arguments of git.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (40..=MOST_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether an id stands for nothing, whatever its length.
#[must_use]
pub fn is_zero(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte == b'0')
}

fn short(name: &str) -> &str {
    ["refs/heads/", "refs/tags/", "refs/"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

/// What a pushed commit is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// This commit.
    Commit(Revision),
    /// The remote has the commit already.
    Known,
    /// The remote has nothing that is here too.
    Nothing,
}

/// A repository that something is pushed from.
#[derive(Debug)]
pub struct Pusher<'a> {
    directory: PathBuf,
    pub(in crate::git) interrupt: &'a Interrupt,
    remote: Option<String>,
}

impl<'a> Pusher<'a> {
    /// Asks in `directory`. `remote` and `url` are the arguments of the hook: for a push to a URL both are the URL, and then the
    /// remote with that URL is meant if there is one.
    ///
    /// # Errors
    /// When git cannot be run.
    pub fn new(
        directory: &Path,
        remote: Option<&str>,
        url: Option<&str>,
        interrupt: &'a Interrupt,
    ) -> Result<Self, Error> {
        let mut pusher = Self { directory: directory.to_owned(), interrupt, remote: None };
        pusher.remote = pusher.remote_name(remote, url)?;
        Ok(pusher)
    }

    /// Whether object ids are SHA-1, the only ones that the rest of Tollgate can read.
    ///
    /// # Errors
    /// When git cannot be run.
    pub fn is_sha1(&self) -> Result<bool, Error> {
        let format = self.ask(&["rev-parse", "--show-object-format"])?;
        // A git that does not know the question knows only one answer.
        Ok(format.is_none_or(|format| format == "sha1"))
    }

    /// The commit that an object is or points to, with its tree; `None` when it is not here or is none.
    ///
    /// # Errors
    /// When git cannot be run.
    pub fn commit(&self, id: &str, label: &str) -> Result<Option<Revision>, Error> {
        if !is_id(id) || is_zero(id) {
            return Ok(None);
        }
        let (commit, tree) = (format!("{id}^{{commit}}"), format!("{id}^{{tree}}"));
        let Some(found) = self.ask(&["rev-parse", "--quiet", &commit, &tree])? else { return Ok(None) };
        let mut ids = found.lines().filter(|line| is_id(line)).map(str::to_owned);
        let (rev, tree) = (ids.next(), ids.next());
        Ok(rev.zip(tree).map(|(rev, tree)| Revision {
            rev: Some(rev),
            tree: Some(tree),
            label: label.to_owned(),
        }))
    }

    /// What `commit` is compared with, when `line` pushes it: what the remote has there now or had when it was fetched last, else
    /// the remote's default branch; of each the merge base, so that only what is pushed counts.
    ///
    /// # Errors
    /// When git cannot be run.
    pub fn base(&self, line: &Line, commit: &Revision) -> Result<Base, Error> {
        let rev = commit.rev.as_deref().unwrap_or_default();
        for (id, label) in self.candidates(line)? {
            let Some(theirs) = self.commit(&id, &label)? else { continue };
            let Some(shared) = self.ask(&["merge-base", theirs.rev.as_deref().unwrap_or_default(), rev])?
            else {
                continue;
            };
            let shared = shared.lines().next().unwrap_or_default();
            if shared == rev {
                return Ok(Base::Known);
            }
            if theirs.rev.as_deref() == Some(shared) {
                return Ok(Base::Commit(theirs));
            }
            if let Some(base) = self.commit(shared, &format!("merge base with {label}"))? {
                return Ok(Base::Commit(base));
            }
        }
        Ok(Base::Nothing)
    }

    /// Ids with what they are called, the best first.
    fn candidates(&self, line: &Line) -> Result<Vec<(String, String)>, Error> {
        let mut found = Vec::new();
        let Some(remote) = self.remote.as_deref() else {
            let there = format!("remote/{}", short(&line.remote_ref));
            found.extend((!is_zero(&line.remote)).then(|| (line.remote.clone(), there)));
            return Ok(found);
        };
        let tracked = match line.remote_ref.strip_prefix("refs/heads/") {
            Some(branch) => self.tracked(remote, branch)?,
            None => None,
        };
        let there = format!("{remote}/{}", short(&line.remote_ref));
        if !is_zero(&line.remote) {
            // For a new branch pre-commit says where it leaves the remote's commits, which is no branch of that name.
            let label = if tracked.is_some() { there.clone() } else { format!("what {remote} has") };
            found.push((line.remote.clone(), label));
        }
        found.extend(tracked.map(|id| (id, there)));
        if let Some(id) = self.tracked(remote, "HEAD")? {
            let head = format!("refs/remotes/{remote}/HEAD");
            let name = self.ask(&["symbolic-ref", "--quiet", &head])?;
            let name = name.as_deref().and_then(|name| name.strip_prefix("refs/remotes/"));
            found.push((id, name.map_or_else(|| format!("{remote}/HEAD"), str::to_owned)));
        }
        for branch in USUAL {
            found.extend(self.tracked(remote, branch)?.map(|id| (id, format!("{remote}/{branch}"))));
        }
        Ok(found)
    }

    /// What a branch of the remote was when it was fetched or pushed last.
    fn tracked(&self, remote: &str, branch: &str) -> Result<Option<String>, Error> {
        // A full ref and nothing that could be read as something else.
        let name = format!("refs/remotes/{remote}/{branch}");
        self.ask(&["show-ref", "--verify", "--hash", "--", &name])
            .map(|found| found.and_then(|text| text.lines().next().map(str::to_owned)))
            .map(|id| id.filter(|id| is_id(id)))
    }

    /// The configured remote that is meant.
    fn remote_name(&self, remote: Option<&str>, url: Option<&str>) -> Result<Option<String>, Error> {
        let listed = self.ask(&["config", "--null", "--get-regexp", r"^remote\..*\.(push)?url$"])?;
        let listed = listed.unwrap_or_default();
        let urls: Vec<(&str, &str)> = listed
            .split('\0')
            .filter_map(|entry| entry.split_once('\n'))
            .filter_map(|(key, url)| Some((key.strip_prefix("remote.")?.rsplit_once('.')?.0, url)))
            .collect();
        let named = urls.iter().find(|(name, _)| Some(*name) == remote);
        let of_url = || urls.iter().find(|(_, known)| Some(*known) == url.or(remote));
        Ok(named.or_else(of_url).map(|(name, _)| (*name).to_owned()))
    }

    /// What git prints; `None` when it refuses.
    pub(in crate::git) fn ask(&self, args: &[&str]) -> Result<Option<String>, Error> {
        let finished = process::run(&self.git().args(args.iter().copied()), self.interrupt)?;
        let text = String::from_utf8_lossy(&finished.stdout).trim_end().to_owned();
        Ok(finished.status.success().then_some(text))
    }

    /// The git program, which must not fetch what a partial clone lacks: that could take minutes, and ask for a password.
    pub(in crate::git) fn git(&self) -> Spec {
        command::git(&self.directory).set("GIT_NO_LAZY_FETCH", "1")
    }
}

#[cfg(test)]
mod tests {
    use super::{is_zero, parse};

    const ONE: &str = "1111111111111111111111111111111111111111";
    const ZERO: &str = "0000000000000000000000000000000000000000";

    #[test]
    fn lines_are_read_from_their_end_and_what_is_none_is_counted() {
        let text = format!(
            "refs/heads/a {ONE} refs/heads/b {ZERO}\nHEAD@{{1 day ago}} {ONE} refs/heads/x {ONE}\r\n(delete) {ZERO} refs/heads/c {ONE}\n\n\
             --exec=evil\nrefs/heads/a $(touch x) refs/heads/b {ZERO}\n"
        );
        let read = parse(text.as_bytes());
        assert_eq!((read.lines.len(), read.malformed), (3, 2));
        assert_eq!(
            (read.lines[1].local_ref.as_str(), read.lines[1].name()),
            ("HEAD@{1 day ago}", "HEAD@{1 day ago}")
        );
        assert_eq!(read.lines.iter().map(super::Line::is_deletion).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(read.lines[0].name(), "a");
        assert_eq!(parse(b"\xff\xfe\n\n").malformed, 1);
        assert_eq!(parse(b""), super::Lines::default());
    }

    #[test]
    fn zeros_are_known_by_their_content() {
        assert!(is_zero(ZERO) && is_zero(&"0".repeat(64)));
        assert!(!is_zero("") && !is_zero(ONE) && !is_zero(&format!("{}1", "0".repeat(63))));
    }
}
