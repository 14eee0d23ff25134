//! Pull requests: which one a commit belongs to, where it stands, and whether a measured commit is of it.

use super::{client::Client, event::WorkflowRun, failure::Error, repository::Repository};
use serde::Deserialize;

/// A pull request as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    /// Its number.
    pub number: u64,
    /// Whether it is open: neither merged nor closed.
    pub is_open: bool,
    /// Its head commit.
    pub head: String,
    /// The commit that merges it with its base, where GitHub knows one.
    pub merge: Option<String>,
    /// The names of its labels.
    pub labels: Vec<String>,
    /// Whether it comes from another repository.
    pub is_fork: bool,
}

/// What a measured commit is to a head commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measured {
    /// The head itself.
    Head,
    /// A merge of the head with something, which is what `pull_request` jobs check out.
    Merge,
    /// Another commit.
    Other,
}

#[derive(Deserialize)]
struct Answer {
    number: u64,
    state: String,
    #[serde(default)]
    merge_commit_sha: Option<String>,
    #[serde(default)]
    labels: Vec<Label>,
    head: End,
    base: End,
}

#[derive(Deserialize)]
struct Label {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct End {
    sha: String,
    #[serde(default)]
    repo: Option<Repo>,
}

#[derive(Deserialize)]
struct Repo {
    full_name: String,
}

#[derive(Deserialize)]
struct Commit {
    #[serde(default)]
    parents: Vec<Parent>,
}

#[derive(Deserialize)]
struct Parent {
    sha: String,
}

impl From<Answer> for Pull {
    fn from(answer: Answer) -> Self {
        let name = |end: &End| end.repo.as_ref().map(|repo| repo.full_name.clone());
        Self {
            number: answer.number,
            is_open: answer.state == "open",
            is_fork: name(&answer.head) != name(&answer.base),
            head: answer.head.sha,
            merge: answer.merge_commit_sha,
            labels: answer.labels.into_iter().map(|label| label.name).collect(),
        }
    }
}

/// A pull request by its number.
///
/// # Errors
/// When GitHub refuses.
pub fn get(client: &Client, repository: &Repository, number: u64) -> Result<Pull, Error> {
    let doing = format!("read pull request #{number} of {repository}");
    client.get::<Answer>(&repository.path(&format!("pulls/{number}")), &doing).map(Pull::from)
}

/// The open pull request that a workflow run was of: one whose head is the run's commit, else the one of its branch, whose
/// head has moved on since. Of several the oldest.
///
/// # Errors
/// When GitHub refuses.
pub fn of_run(client: &Client, repository: &Repository, run: &WorkflowRun) -> Result<Option<Pull>, Error> {
    let doing = format!("look for the pull request of {}", run.head.get(..9).unwrap_or(&run.head));
    let list = |path: &str| -> Result<Vec<Pull>, Error> {
        let all = client.pages(&repository.path(path), &doing, |page: Vec<Answer>| page)?;
        let open = all.into_iter().map(Pull::from).filter(|pull| pull.is_open);
        Ok(open.collect())
    };
    let mut found = match list(&format!("commits/{}/pulls", run.head)) {
        // A commit of a fork may be unknown here
        Err(error) if error.is_missing() || error.refusal().is_some() => Vec::new(),
        other => other?,
    };
    found.retain(|pull| pull.head == run.head);
    if let (true, Some(owner)) = (found.is_empty(), &run.owner) {
        found = list(&format!("pulls?state=open&head={}", encoded(&format!("{owner}:{}", run.branch))))?;
    }
    found.sort_by_key(|pull| (pull.head != run.head, pull.number));
    Ok(found.into_iter().next())
}

/// What the measured commit `rev` is to the head commit `head`.
///
/// # Errors
/// When GitHub refuses for another reason than that it does not know the commit.
pub fn measured(client: &Client, repository: &Repository, rev: &str, head: &str) -> Result<Measured, Error> {
    if rev.eq_ignore_ascii_case(head) {
        return Ok(Measured::Head);
    }
    let doing = format!("look at the measured commit {}", rev.get(..9).unwrap_or(rev));
    match client.get::<Commit>(&repository.path(&format!("git/commits/{rev}")), &doing) {
        Ok(commit) if commit.parents.iter().any(|parent| parent.sha.eq_ignore_ascii_case(head)) => {
            Ok(Measured::Merge)
        }
        Ok(_) => Ok(Measured::Other),
        Err(error) if error.is_missing() => Ok(Measured::Other),
        Err(error) => Err(error),
    }
}

/// A text for the value of a query.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn a_branch_with_any_name_stays_one_value_of_the_query() {
        assert_eq!(encoded("ada:fix/a&b=c #1 ü"), "ada%3Afix%2Fa%26b%3Dc%20%231%20%C3%BC");
    }
}
