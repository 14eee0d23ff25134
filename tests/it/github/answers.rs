//! What the double does with a request, by the rules that GitHub's description does not tell.

use super::{
    contract::{Contract, Place},
    http::{Reply, Request},
    state::{Account, Check, Comment, ID, PERSON, Pull, READER, REPOSITORY, State},
};
use serde_json::{Value, json};

const REPO: &str = "/repos/{owner}/{repo}/";
const MAX_COMMENT: usize = 65_536;

pub(crate) fn answer(state: &mut State, request: &Request, place: &Place) -> Reply {
    if let Some(moved) = moved(state, request, place) {
        return moved;
    }
    let token = request.headers.get("authorization").and_then(|text| text.strip_prefix("Bearer "));
    let Some(account) = token.and_then(|token| state.account(token)) else {
        return said(401, "Bad credentials");
    };
    let token = token.unwrap_or_default();
    if place.names.get("repo").is_some_and(|repo| format!("{}/{repo}", place.names["owner"]) != REPOSITORY) {
        return said(404, "Not Found");
    }
    if request.method != "GET" && token == READER {
        return said(403, "Resource not accessible by integration");
    }
    let number = |name: &str| place.names[name].parse::<u64>().unwrap();
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let rest = place.template.strip_prefix(REPO).unwrap_or(place.template);
    match (request.method.as_str(), rest) {
        ("GET", "/user") => user(token, &account),
        ("GET", "issues/{issue_number}/comments") => {
            let issue = number("issue_number");
            let all = state.comments.iter().filter(|comment| comment.issue == issue);
            let all = all.map(|comment| comment_json(state, comment)).collect();
            page(state, request, all)
        }
        ("POST", "issues/{issue_number}/comments") => {
            create_comment(state, number("issue_number"), &account, &body)
        }
        (method, "issues/comments/{comment_id}") => one_comment(state, method, number("comment_id"), &body),
        ("GET", "issues/{issue_number}/events") => {
            let all = state.labelled.iter().map(event_json).collect();
            page(state, request, all)
        }
        ("GET", "pulls/{pull_number}") => match pull(state, number("pull_number")) {
            Some(pull) => Reply::json(200, &pull_json(state, "pulls/get", pull)),
            None => said(404, "Not Found"),
        },
        ("GET", "pulls") => {
            let asked = |pull: &&Pull| {
                request
                    .query
                    .get("head")
                    .is_none_or(|head| *head == format!("{}:{}", pull.owner, pull.branch))
                    && request.query.get("state").is_none_or(|state| state == pull.state || state == "all")
            };
            let all =
                state.pulls.iter().filter(asked).map(|pull| one_of_list(state, "pulls/list", pull)).collect();
            page(state, request, all)
        }
        ("GET", "commits/{commit_sha}/pulls") => {
            // A commit that only a fork has belongs to no pull request here
            let sha = &place.names["commit_sha"];
            let of = |pull: &&Pull| pull.head == *sha && pull.owner == "octo-org";
            let operation = "repos/list-pull-requests-associated-with-commit";
            let all = state.pulls.iter().filter(of).map(|pull| one_of_list(state, operation, pull)).collect();
            page(state, request, all)
        }
        ("GET", "git/commits/{commit_sha}") => commit(state, &place.names["commit_sha"]),
        ("GET", "collaborators/{username}/permission") => permission(state, &place.names["username"]),
        ("GET", "commits/{ref}/check-runs") => {
            let of = |check: &&Check| check.head == place.names["ref"];
            let all: Vec<Value> =
                state.checks.iter().filter(of).map(|check| check_json(state, check)).collect();
            let total = all.len();
            page_of(state, request, all, |page| json!({ "total_count": total, "check_runs": page }))
        }
        ("POST" | "PATCH", "check-runs" | "check-runs/{check_run_id}") if token == PERSON => {
            said(403, "You must authenticate via a GitHub App.")
        }
        ("POST", "check-runs") => create_check(state, body),
        ("PATCH", "check-runs/{check_run_id}") => update_check(state, number("check_run_id"), &body),
        (method, path) => {
            state.violations.push(format!("the double does not know {method} {path}"));
            said(500, "unknown")
        }
    }
}

/// A repository with a new name: reading is sent on for good, writing for now.
fn moved(state: &State, request: &Request, place: &Place) -> Option<Reply> {
    let old = state.old_name?;
    let name = format!("{}/{}", place.names.get("owner")?, place.names.get("repo")?);
    let rest =
        request.path.split_once(&format!("/repos/{old}/")).map(|(_, rest)| rest).filter(|_| name == old)?;
    let query: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let to = format!("{}{}/repositories/{ID}/{rest}{query}", state.url, state.base);
    let status = if request.method == "GET" { 301 } else { 307 };
    let body = json!({ "message": "Moved Permanently", "url": to, "documentation_url": "https://docs.github.com/rest" });
    Some(Reply::json(status, &body).with("location", to))
}

pub(crate) fn said(status: u16, message: &str) -> Reply {
    let body = json!({ "message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string() });
    Reply::json(status, &body)
}

fn example(operation: &str) -> Value {
    Contract::of_github().example(operation)
}

fn account_json(account: &Account) -> Value {
    let mut user = example("repos/get-collaborator-permission-level")["user"].clone();
    user["login"] = json!(account.login);
    user["id"] = json!(account.id);
    user["type"] = json!(account.kind);
    user
}

fn user(token: &str, account: &Account) -> Reply {
    if token != PERSON {
        return said(403, "Resource not accessible by integration");
    }
    let mut user = example("users/get-authenticated");
    user["login"] = json!(account.login);
    user["id"] = json!(account.id);
    Reply::json(200, &user)
}

/// A page of a list, with links in their numeric form.
fn page(state: &State, request: &Request, all: Vec<Value>) -> Reply {
    page_of(state, request, all, Value::Array)
}

fn page_of(state: &State, request: &Request, all: Vec<Value>, wrap: impl Fn(Vec<Value>) -> Value) -> Reply {
    let number =
        |name: &str, default: usize| request.query.get(name).map_or(default, |text| text.parse().unwrap());
    let (size, at) = (number("per_page", 30).min(100), number("page", 1));
    let total = all.len();
    let reply = Reply::json(200, &wrap(all.into_iter().skip((at - 1) * size).take(size).collect()));
    if at * size >= total {
        return reply;
    }
    let rest = request.path.rsplit_once(REPOSITORY).map_or("", |(_, rest)| rest);
    let next = format!(
        "<{}{}/repositories/{ID}{rest}?per_page={size}&page={}>; rel=\"next\"",
        state.url,
        state.base,
        at + 1
    );
    reply.with("link", next)
}

fn comment_json(state: &State, comment: &Comment) -> Value {
    let mut value = example("issues/create-comment");
    value["id"] = json!(comment.id);
    value["body"] = json!(comment.body);
    value["user"] = account_json(&comment.by);
    value["html_url"] =
        json!(format!("{}/{REPOSITORY}/pull/{}#issuecomment-{}", state.url, comment.issue, comment.id));
    value
}

fn too_long(body: &Value) -> Option<Reply> {
    let text = body["body"].as_str().unwrap_or_default();
    (text.chars().count() > MAX_COMMENT).then(|| {
        let error = json!({ "resource": "IssueComment", "code": "unprocessable", "field": "data", "message": "Body is too long" });
        Reply::json(422, &json!({ "message": "Validation Failed", "errors": [error], "documentation_url": "https://docs.github.com" }))
    })
}

fn create_comment(state: &mut State, issue: u64, by: &Account, body: &Value) -> Reply {
    match pull(state, issue) {
        None => return said(404, "Not Found"),
        Some(pull) if pull.is_locked => {
            return said(403, "Unable to create comment because issue is locked.");
        }
        Some(_) => {}
    }
    if let Some(refused) = too_long(body) {
        return refused;
    }
    state.say(issue, by, body["body"].as_str().unwrap());
    Reply::json(201, &comment_json(state, state.comments.last().unwrap()))
}

fn one_comment(state: &mut State, method: &str, id: u64, body: &Value) -> Reply {
    let Some(at) = state.comments.iter().position(|comment| comment.id == id) else {
        return said(404, "Not Found");
    };
    match method {
        "DELETE" => {
            state.comments.remove(at);
            return Reply::empty(204);
        }
        "PATCH" => {
            if let Some(refused) = too_long(body) {
                return refused;
            }
            state.comments[at].body = body["body"].as_str().unwrap().to_owned();
        }
        _ => {}
    }
    Reply::json(200, &comment_json(state, &state.comments[at]))
}

fn event_json((by, label): &(Account, String)) -> Value {
    let mut event = example("issues/list-events")[0].clone();
    event["event"] = json!("labeled");
    event["actor"] = account_json(by);
    event["label"] = json!({ "name": label, "color": "ededed" });
    event
}

fn pull(state: &State, number: u64) -> Option<&Pull> {
    state.pulls.iter().find(|pull| pull.number == number)
}

fn one_of_list(state: &State, operation: &str, pull: &Pull) -> Value {
    filled(state, example(operation)[0].clone(), pull)
}

fn pull_json(state: &State, operation: &str, pull: &Pull) -> Value {
    filled(state, example(operation), pull)
}

fn filled(state: &State, mut value: Value, pull: &Pull) -> Value {
    let label = |(id, name): (usize, &String)| json!({ "id": id, "node_id": "x", "url": state.url, "name": name, "description": null, "color": "ededed", "default": false });
    // The description's own example of a team lacks what the description requires of one
    value["requested_teams"] = json!([]);
    value["number"] = json!(pull.number);
    value["state"] = json!(pull.state);
    value["locked"] = json!(pull.is_locked);
    value["merge_commit_sha"] = json!(pull.merge);
    value["labels"] = pull.labels.iter().enumerate().map(label).collect();
    value["head"]["sha"] = json!(pull.head);
    value["head"]["ref"] = json!(pull.branch);
    value["head"]["label"] = json!(format!("{}:{}", pull.owner, pull.branch));
    value["head"]["repo"]["full_name"] = json!(format!("{}/hello", pull.owner));
    value["base"]["repo"]["full_name"] = json!(REPOSITORY);
    value
}

fn commit(state: &State, sha: &str) -> Reply {
    let Some(parents) = state.commits.get(sha) else { return said(404, "Not Found") };
    let mut value = example("git/get-commit");
    value["sha"] = json!(sha);
    value["parents"] =
        parents.iter().map(|sha| json!({ "sha": sha, "url": state.url, "html_url": state.url })).collect();
    Reply::json(200, &value)
}

fn permission(state: &State, login: &str) -> Reply {
    let permission = state.permissions.get(login).copied().unwrap_or("read");
    let mut value = example("repos/get-collaborator-permission-level");
    value["permission"] = json!(permission);
    value["role_name"] = json!(permission);
    value["user"]["login"] = json!(login);
    // Missing in the description's own example
    value["user"]["role_name"] = json!(permission);
    Reply::json(200, &value)
}

fn check_json(state: &State, check: &Check) -> Value {
    let mut value = example("checks/create");
    value["id"] = json!(check.id);
    value["head_sha"] = json!(check.head);
    for key in ["name", "external_id", "status", "conclusion", "details_url"] {
        value[key] = check.body.get(key).cloned().unwrap_or(Value::Null);
    }
    value["html_url"] = json!(format!("{}/{REPOSITORY}/runs/{}", state.url, check.id));
    value["output"] = json!({
        "title": check.body["output"]["title"],
        "summary": check.body["output"]["summary"],
        "text": null,
        "annotations_count": check.annotations.len(),
        "annotations_url": format!("{}/{REPOSITORY}/check-runs/{}/annotations", state.url, check.id),
    });
    value
}

fn unfinished(body: &Value) -> bool {
    body["status"] == "completed" && body["conclusion"].is_null()
}

fn create_check(state: &mut State, body: Value) -> Reply {
    if unfinished(&body) {
        return said(422, "conclusion is missing");
    }
    let id = state.next();
    let annotations = body["output"]["annotations"].as_array().cloned().unwrap_or_default();
    state.checks.push(Check { id, head: body["head_sha"].as_str().unwrap().to_owned(), body, annotations });
    Reply::json(201, &check_json(state, state.checks.last().unwrap()))
}

fn update_check(state: &mut State, id: u64, body: &Value) -> Reply {
    if unfinished(body) {
        return said(422, "conclusion is missing");
    }
    let Some(at) = state.checks.iter().position(|check| check.id == id) else {
        return said(404, "Not Found");
    };
    let check = &mut state.checks[at];
    for (key, value) in body.as_object().unwrap() {
        check.body[key] = value.clone();
    }
    // Further annotations are added to those that are there
    check.annotations.extend(body["output"]["annotations"].as_array().cloned().unwrap_or_default());
    Reply::json(200, &check_json(state, &state.checks[at]))
}
