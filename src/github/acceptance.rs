//! Accepting a regression on the pull request: `/tollgate accept <benchmark glob> <reason>` in a comment, or a label.
//!
//! Only people who may write to the repository can accept, and GitHub is asked for that. What others wrote is not shown
//! anywhere; that they tried is.

use super::{
    client::Client,
    comment::{Comment, User},
    failure::{Error, Refusal},
    marker::Marker,
    repository::{Repository, is_login},
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The label that accepts everything.
pub const LABEL: &str = "tollgate: accepted";
/// The command.
const COMMAND: &str = "/tollgate accept";
/// The most commands that are looked at, the newest first.
const MAX_COMMANDS: usize = 100;
/// The most people whose rights are asked for.
const MAX_PEOPLE: usize = 25;
/// The most characters of a glob.
const MAX_GLOB: usize = 500;
/// The most characters of a reason.
const MAX_REASON: usize = 500;

/// Something that somebody with write access accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Glob over benchmark ids.
    pub benchmark: String,
    /// The login of who accepted it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The address of the comment.
    pub url: Option<String>,
}

/// What was accepted on a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// What counts.
    pub accepted: Vec<Accepted>,
    /// Why something does not count, one sentence each; names in it are GitHub's logins.
    pub notes: Vec<String>,
}

/// A command in a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Command {
    glob: String,
    reason: String,
}

#[derive(Deserialize)]
struct Permission {
    #[serde(default)]
    permission: String,
}

#[derive(Deserialize)]
struct IssueEvent {
    #[serde(default)]
    event: String,
    #[serde(default)]
    actor: Option<User>,
    #[serde(default)]
    label: Option<Label>,
}

#[derive(Deserialize)]
struct Label {
    #[serde(default)]
    name: Option<String>,
}

/// Who may write, asked once each.
struct People<'c> {
    client: &'c Client<'c>,
    repository: &'c Repository,
    known: BTreeMap<String, bool>,
}

/// What was accepted in these comments and by the label, if it is among `labels`.
///
/// # Errors
/// When GitHub refuses to tell who may write, or who set the label.
pub fn gather(
    client: &Client,
    repository: &Repository,
    number: u64,
    comments: &[Comment],
    labels: &[String],
) -> Result<Found, Error> {
    let mut people = People { client, repository, known: BTreeMap::new() };
    let mut found = Found::default();
    let written = comments.iter().rev().flat_map(|comment| {
        let body = comment.body.as_deref().filter(|body| Marker::read(body).is_none());
        commands(body.unwrap_or_default()).into_iter().map(move |command| (comment, command))
    });
    for (comment, command) in written.take(MAX_COMMANDS) {
        found.take(&mut people, comment, command)?;
    }
    if labels.iter().any(|label| label == LABEL) {
        let who = who_labelled(client, repository, number)?;
        match who.filter(|user| user.kind == "User") {
            Some(user) if people.may_write(&user.login)? => found.accepted.push(Accepted {
                benchmark: "*".to_owned(),
                by: user.login,
                reason: format!("the label \"{LABEL}\""),
                url: None,
            }),
            Some(user) => found.notes.push(refused(&format!("the label \"{LABEL}\""), &user.login)),
            None => found.notes.push(format!("the label \"{LABEL}\" does not count: no person set it")),
        }
    }
    found.notes.dedup();
    Ok(found)
}

impl Found {
    fn take(&mut self, people: &mut People, comment: &Comment, command: Command) -> Result<(), Error> {
        let Some(user) = comment.user.as_ref().filter(|user| user.kind == "User") else { return Ok(()) };
        if !people.may_write(&user.login)? {
            self.notes.push(refused(&format!("`{COMMAND}`"), &user.login));
        } else if command.reason.is_empty() {
            let login = &user.login;
            self.notes.push(format!("`{COMMAND}` by {login} does not count without a reason: `{COMMAND} <benchmark glob> <reason>`"));
        } else {
            self.accepted.push(Accepted {
                benchmark: command.glob,
                by: user.login.clone(),
                reason: command.reason,
                url: Some(comment.html_url.clone()),
            });
        }
        Ok(())
    }
}

impl People<'_> {
    fn may_write(&mut self, login: &str) -> Result<bool, Error> {
        if let Some(known) = self.known.get(login) {
            return Ok(*known);
        }
        if !is_login(login) || self.known.len() >= MAX_PEOPLE {
            return Ok(false);
        }
        let path = self.repository.path(&format!("collaborators/{login}/permission"));
        let may = match self.client.get::<Permission>(&path, &format!("ask whether {login} may write")) {
            Ok(answer) => matches!(answer.permission.as_str(), "admin" | "write"),
            Err(error) if error.refusal() == Some(Refusal::NotFound) => false,
            Err(error) => return Err(error),
        };
        self.known.insert(login.to_owned(), may);
        Ok(may)
    }
}

/// Who set the label last.
fn who_labelled(client: &Client, repository: &Repository, number: u64) -> Result<Option<User>, Error> {
    let doing = format!("ask who labelled #{number}");
    let path = repository.path(&format!("issues/{number}/events"));
    let events = client.pages(&path, &doing, |page: Vec<IssueEvent>| page)?;
    let is_ours = |event: &&IssueEvent| {
        let name = event.label.as_ref().and_then(|label| label.name.as_deref());
        event.event == "labeled" && name == Some(LABEL)
    };
    Ok(events.iter().rev().find(is_ours).and_then(|event| event.actor.clone()))
}

fn refused(what: &str, login: &str) -> String {
    format!("{what} by {login} does not count: only people who may write to the repository can accept")
}

/// The commands in a comment: lines of their own, not in a fence and not quoted.
fn commands(body: &str) -> Vec<Command> {
    let mut fenced = false;
    let mut found = Vec::new();
    for line in body.lines() {
        // Four spaces begin code in Markdown
        let indent = line.len() - line.trim_start_matches(' ').len();
        let line = line.trim();
        if line.starts_with("```") || line.starts_with("~~~") {
            fenced = !fenced;
        }
        let rest = line
            .strip_prefix(COMMAND)
            .filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        if let Some(rest) = rest.filter(|_| !fenced && indent < 4) {
            let (glob, reason) = rest.trim().split_once(char::is_whitespace).unwrap_or((rest.trim(), ""));
            let glob = glob.trim_matches('`');
            if !glob.is_empty() && glob.len() <= MAX_GLOB {
                let reason = reason.trim().chars().take(MAX_REASON).collect();
                found.push(Command { glob: glob.to_owned(), reason });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::commands;

    #[test]
    fn a_command_is_a_line_of_its_own_with_a_glob_and_a_reason() {
        let of = |body: &str| -> Vec<(String, String)> {
            commands(body).into_iter().map(|command| (command.glob, command.reason)).collect()
        };
        let one = |glob: &str, reason: &str| vec![(glob.to_owned(), reason.to_owned())];
        assert_eq!(
            of("Fine.\n\n  /tollgate accept num/* it buys safety \r\nbye"),
            one("num/*", "it buys safety")
        );
        assert_eq!(of("/tollgate accept `num/sieve` why"), one("num/sieve", "why"));
        assert_eq!(of("/tollgate accept num/sieve"), one("num/sieve", ""));
        for none in [
            "please /tollgate accept * x",
            "> /tollgate accept * x",
            "```\n/tollgate accept * x\n```",
            "    /tollgate accept * x",
            "/tollgate acceptable * x",
            "/tollgate accept",
        ] {
            assert!(of(none).is_empty(), "{none}");
        }
    }
}
