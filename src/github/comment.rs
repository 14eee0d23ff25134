//! The one comment of a gate on a pull request: found by its marker and author, replaced in place, never doubled.
//!
//! Two jobs may write at once. Each, after it created a comment, lists again; both keep the oldest of theirs with the newest
//! verdict in it and delete the others, so whatever the order they end with the same one.

use super::{
    client::Client,
    failure::{Error, Refusal},
    marker::Marker,
    repository::Repository,
};
use serde::Deserialize;
use serde_json::json;

/// The most characters of a comment that GitHub takes.
pub const MAX_CHARACTERS: usize = 65_536;
/// Who writes with a job's own token.
const ACTIONS: &str = "github-actions[bot]";

/// A comment as GitHub gives it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Comment {
    /// Its id; later ones are greater.
    pub id: u64,
    /// Its Markdown.
    #[serde(default)]
    pub body: Option<String>,
    /// Its author; `None` for an account that was deleted.
    #[serde(default)]
    pub user: Option<User>,
    /// Its address.
    pub html_url: String,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// Its id, which a new name does not change.
    pub id: u64,
    /// Its name.
    pub login: String,
    /// `User`, `Bot`, `Organization`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A comment of the gate, with what its marker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ours {
    /// The comment.
    pub comment: Comment,
    /// Its marker.
    pub marker: Marker,
}

/// What became of the comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// A new one stands at this address.
    Created(String),
    /// It was replaced.
    Updated(String),
    /// It said the same already.
    Unchanged(String),
    /// A newer run has written it, and it was left alone.
    Newer(String),
}

/// All comments of a pull request, the oldest first.
///
/// # Errors
/// When GitHub refuses.
pub fn list(client: &Client, repository: &Repository, number: u64) -> Result<Vec<Comment>, Error> {
    client.pages(
        &all(repository, number),
        &format!("list the comments of #{number}"),
        |page: Vec<Comment>| page,
    )
}

/// The comments that this gate wrote, those of a job's own token first, then by age. A comment by a person counts only if the
/// token is that person's: anybody can write a marker.
///
/// # Errors
/// When GitHub does not say whose the token is.
pub fn ours(client: &Client, comments: &[Comment], gate: &str) -> Result<Vec<Ours>, Error> {
    let marked = comments.iter().filter_map(|comment| {
        let marker = Marker::read(comment.body.as_deref()?).filter(|marker| marker.gate == gate)?;
        Some(Ours { comment: comment.clone(), marker })
    });
    let (bots, people): (Vec<Ours>, Vec<Ours>) =
        marked.partition(|ours| ours.author().is_some_and(|user| user.kind == "Bot"));
    let mut found = bots;
    if !people.is_empty() {
        let me = own_id(client)?;
        found.extend(
            people.into_iter().filter(|ours| me.is_some() && ours.author().map(|user| user.id) == me),
        );
    }
    found.sort_by_key(|ours| (ours.author().is_none_or(|user| user.login != ACTIONS), ours.comment.id));
    Ok(found)
}

impl Ours {
    fn author(&self) -> Option<&User> {
        self.comment.user.as_ref()
    }
}

/// Whose the token is; `None` for the token of a job or an App, which may not ask.
fn own_id(client: &Client) -> Result<Option<u64>, Error> {
    match client.get::<User>("/user", "ask whose the token is") {
        Ok(user) => Ok(Some(user.id)),
        Err(error) if matches!(error.refusal(), Some(Refusal::Permission | Refusal::NotFound)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes the comment: over the first of `before` that can be written, else a new one. `body` ends in the lines of `marker`.
///
/// # Errors
/// When GitHub refuses.
pub fn write(
    client: &Client,
    repository: &Repository,
    number: u64,
    before: &[Ours],
    (body, marker): (&str, &Marker),
) -> Result<Written, Error> {
    for ours in before {
        match replace(client, repository, ours, (body, marker)) {
            // Deleted meanwhile, or another program's
            Err(error) if error.is_missing() || error.refusal() == Some(Refusal::Permission) => {}
            other => return other,
        }
    }
    let doing = format!("comment on #{number}");
    let existing = || {
        let own = list(client, repository, number)?;
        let is_mine = |comment: &Comment| comment.body.as_deref().is_some_and(|text| same(text, body));
        Ok(own.into_iter().find(is_mine))
    };
    let created: Comment =
        client.create(&all(repository, number), &json!({ "body": body }), &doing, existing)?;
    settle(client, repository, number, &created, (body, marker))
}

fn replace(
    client: &Client,
    repository: &Repository,
    ours: &Ours,
    (body, marker): (&str, &Marker),
) -> Result<Written, Error> {
    let path = one(repository, ours.comment.id);
    // It may be long since the list was read
    let now: Comment = client.get(&path, "read the comment again")?;
    let text = now.body.as_deref().unwrap_or_default();
    if Marker::read(text).is_some_and(|theirs| theirs.gate == marker.gate && marker.is_older_than(&theirs)) {
        return Ok(Written::Newer(now.html_url));
    }
    if same(text, body) {
        return Ok(Written::Unchanged(now.html_url));
    }
    let done: Comment = client.patch(&path, &json!({ "body": body }), "update the comment")?;
    Ok(Written::Updated(done.html_url))
}

/// After a comment was created: one of its author's comments stays, with the newest verdict in it.
fn settle(
    client: &Client,
    repository: &Repository,
    number: u64,
    created: &Comment,
    (body, marker): (&str, &Marker),
) -> Result<Written, Error> {
    let mut all: Vec<Ours> = list(client, repository, number)?
        .into_iter()
        .filter(|comment| {
            comment.user.as_ref().map(|user| user.id) == created.user.as_ref().map(|user| user.id)
        })
        .filter_map(|comment| {
            let marker =
                Marker::read(comment.body.as_deref()?).filter(|theirs| theirs.gate == marker.gate)?;
            Some(Ours { comment, marker })
        })
        .collect();
    all.sort_by_key(|ours| ours.comment.id);
    // A list that does not have it yet shows no double either
    let Some(kept) = all.first() else { return Ok(Written::Created(created.html_url.clone())) };
    let newest =
        all.iter().reduce(|best, next| if next.marker.is_older_than(&best.marker) { best } else { next });
    let text = newest.and_then(|newest| newest.comment.body.as_deref()).unwrap_or(body);
    if !kept.comment.body.as_deref().is_some_and(|body| same(body, text)) {
        let path = one(repository, kept.comment.id);
        client.patch::<Comment>(&path, &json!({ "body": text }), "update the comment")?;
    }
    for double in &all[1..] {
        client.delete(&one(repository, double.comment.id), "delete a second comment")?;
    }
    let address = kept.comment.html_url.clone();
    Ok(match (kept.comment.id == created.id, same(text, body)) {
        (true, true) => Written::Created(address),
        (_, true) => Written::Updated(address),
        _ => Written::Newer(address),
    })
}

/// Whether two texts are the same but for the ends of lines, which GitHub may change.
fn same(one: &str, other: &str) -> bool {
    one.trim_end().lines().map(str::trim_end).eq(other.trim_end().lines().map(str::trim_end))
}

fn all(repository: &Repository, number: u64) -> String {
    repository.path(&format!("issues/{number}/comments"))
}

fn one(repository: &Repository, id: u64) -> String {
    repository.path(&format!("issues/comments/{id}"))
}
