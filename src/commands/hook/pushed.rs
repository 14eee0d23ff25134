//! From the lines of a push to the commits that are judged: each once, and only a bounded number.

use crate::{
    git::{
        self,
        push::{Base, Line, Pusher, is_id},
    },
    model::revision::Revision,
    text::{escape, plural},
};
use std::collections::BTreeSet;

/// More lines are not looked at: each takes git a few calls.
const MOST_LINES: usize = 40;
/// More commits are not judged: the budget is shared, and two builds each take their time.
const MOST_COMMITS: usize = 4;

/// A commit that is pushed, and what it is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// What is pushed, as the user named it.
    pub name: String,
    /// The commit.
    pub head: Revision,
    /// What the remote has.
    pub base: Revision,
}

/// Names in a sentence before "and 3 more".
const MOST_NAMES: usize = 5;

/// What pre-commit says of a push in place of the lines, which it keeps to itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PreCommit {
    /// `PRE_COMMIT_REMOTE_NAME`
    pub remote: Option<String>,
    /// `PRE_COMMIT_REMOTE_URL`
    pub url: Option<String>,
    /// `PRE_COMMIT_LOCAL_BRANCH`
    pub local_ref: Option<String>,
    /// `PRE_COMMIT_REMOTE_BRANCH`
    pub remote_ref: Option<String>,
    /// `PRE_COMMIT_FROM_REF`; absent when all of the history is new.
    pub from: Option<String>,
    /// `PRE_COMMIT_TO_REF`; absent when all of the history is new.
    pub to: Option<String>,
}

impl PreCommit {
    /// The line that git gave, as far as it can be known; `None` when this is no push of pre-commit's.
    pub(super) fn line(&self) -> Option<Line> {
        let remote_ref = self.remote_ref.clone()?;
        let local_ref = self.local_ref.clone()?;
        let id = |text: &Option<String>| text.clone().filter(|text| is_id(text));
        let zeros = || "0".repeat(40);
        Some(Line {
            local_ref,
            local: id(&self.to).unwrap_or_else(zeros),
            remote_ref,
            remote: id(&self.from).unwrap_or_else(zeros),
        })
    }
}

/// Finds the commits to judge. The second value says what is left out, a sentence each.
///
/// # Errors
/// When git cannot be run.
pub(super) fn pushed(
    pusher: &Pusher<'_>,
    mut lines: Vec<Line>,
) -> Result<(Vec<Pushed>, Vec<String>), git::Error> {
    lines.retain(|line| !line.is_deletion());
    lines.sort_by_key(Line::rank);
    let (mut found, mut notes) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    let unread = lines.len().saturating_sub(MOST_LINES);
    if unread > 0 {
        notes.push(format!("{} not looked at: at most {MOST_LINES} are", are(unread, "more ref")));
    }
    let (mut known, mut nowhere, mut no_commits) = (Vec::new(), Vec::new(), Vec::new());
    let mut surplus = 0;
    for line in lines.iter().take(MOST_LINES) {
        let name = format!("`{}`", escape::terminal(line.name()));
        let Some(head) = pusher.commit(&line.local, line.name())? else {
            no_commits.push(name);
            continue;
        };
        if !seen.insert(head.rev.clone()) {
            continue;
        }
        match pusher.base(line, &head)? {
            Base::Known => known.push(name),
            Base::Nothing => nowhere.push(name),
            Base::Commit(_) if found.len() >= MOST_COMMITS => surplus += 1,
            Base::Commit(base) => found.push(Pushed { name: line.name().to_owned(), head, base }),
        }
    }
    let mut note = |names: &[String], one: &str, many: &str| {
        if !names.is_empty() {
            let words = plural::choose(names.len(), one, many);
            notes.push(format!("{} {words}", plural::list(names, MOST_NAMES)));
        }
    };
    note(
        &known,
        "brings nothing new: the remote has the commit",
        "bring nothing new: the remote has the commits",
    );
    note(
        &nowhere,
        "is not judged: there is nothing to compare with, the remote has no part of it that is known here",
        "are not judged: there is nothing to compare with, the remote has no part of them that is known here",
    );
    note(
        &no_commits,
        "is not judged: it is no commit that is here",
        "are not judged: they are no commits that are here",
    );
    if surplus > 0 {
        notes.push(format!(
            "{} not judged: a push takes the time of at most {MOST_COMMITS}",
            are(surplus, "more commit")
        ));
    }
    Ok((found, notes))
}

fn are(count: usize, noun: &str) -> String {
    format!("{} {}", plural::count(count, noun), plural::choose(count, "is", "are"))
}

#[cfg(test)]
mod tests {
    use super::PreCommit;

    #[test]
    fn what_pre_commit_says_becomes_the_line_that_git_gave() {
        assert_eq!(PreCommit::default().line(), None);
        let (from, to) = ("1".repeat(40), "2".repeat(40));
        let said = PreCommit {
            local_ref: Some("refs/heads/a".into()),
            remote_ref: Some("refs/heads/b".into()),
            from: Some(from.clone()),
            to: Some(to.clone()),
            ..PreCommit::default()
        };
        let line = said.line().unwrap();
        assert_eq!((line.local, line.remote), (to, from));
        let all_new = PreCommit { from: None, to: None, ..said }.line().unwrap();
        assert!(all_new.is_deletion(), "without an id there is nothing to look at");
    }
}
