//! GitHub's own description of its REST, cut to what Tollgate uses (`openapi.json`, by `cut.mjs`): what a request and an answer must be.

use super::http::{Reply, Request};
use jsonschema::Validator;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, OnceLock},
};

/// The description.
pub(crate) struct Contract {
    whole: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// Which operation a request is.
#[derive(Debug)]
pub(crate) struct Place {
    /// The path as the description writes it.
    pub(crate) template: &'static str,
    method: String,
    /// What stands for the names in braces.
    pub(crate) names: BTreeMap<String, String>,
}

impl Contract {
    pub(crate) fn of_github() -> &'static Self {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(|| Self {
            whole: serde_json::from_str(include_str!("openapi.json")).unwrap(),
            validators: Mutex::default(),
        })
    }

    /// The example of an operation's answer.
    pub(crate) fn example(&self, operation: &str) -> Value {
        self.whole["examples"][operation].clone()
    }

    /// What a request is, or in what it breaks the description. `id` is the number under which the repository is known too.
    pub(crate) fn request(&'static self, request: &Request, base: &str, id: &str) -> Result<Place, String> {
        let path = request.path.strip_prefix(base).ok_or("it is not below the API's address")?;
        let numbered = path.strip_prefix(&format!("/repositories/{id}/"));
        let path = numbered.map_or(path.to_owned(), |rest| format!("/repos/octo-org/hello/{rest}"));
        let paths = self.whole["paths"].as_object().unwrap();
        let method = request.method.to_ascii_lowercase();
        let (template, names) = paths
            .keys()
            .find_map(|template| Some((template.as_str(), matched(template, &path)?)))
            .ok_or("there is no such path in the cut of the description")?;
        let operation = paths[template].get(&method).ok_or("there is no such method for this path")?;
        let place = Place { template, method, names };
        self.parameters(request, operation, &place)?;
        self.body(request, operation, &place)?;
        let has = |name: &str| request.headers.get(name).is_some_and(|value| !value.is_empty());
        match ["user-agent", "x-github-api-version"].iter().find(|name| !has(name)) {
            Some(missing) => Err(format!("the header `{missing}` is missing")),
            None => Ok(place),
        }
    }

    fn parameters(&self, request: &Request, operation: &Value, place: &Place) -> Result<(), String> {
        let known = operation["parameters"].as_array().unwrap();
        for name in request.query.keys() {
            if !known.iter().any(|one| one["in"] == "query" && one["name"] == name.as_str()) {
                return Err(format!("there is no parameter `{name}`"));
            }
        }
        for one in known {
            let name = one["name"].as_str().unwrap();
            let text = if one["in"] == "path" { place.names.get(name) } else { request.query.get(name) };
            let Some(text) = text else {
                if one["required"] == true {
                    return Err(format!("the parameter `{name}` is missing"));
                }
                continue;
            };
            let value = match one["schema"]["type"].as_str() {
                Some("integer") => text.parse::<i64>().map_or(json!(text), |number| json!(number)),
                _ => json!(text),
            };
            let key = format!("{} {} {name}", place.method, place.template);
            self.check(&key, &one["schema"], &value).map_err(|why| format!("parameter `{name}`: {why}"))?;
        }
        // Only the text says it
        match request.query.get("per_page").map(|text| text.parse::<u32>()) {
            Some(Ok(0 | 101..) | Err(_)) => Err("`per_page` is 1 to 100".to_owned()),
            _ => Ok(()),
        }
    }

    fn body(&self, request: &Request, operation: &Value, place: &Place) -> Result<(), String> {
        let schema = &operation["body"];
        if schema.is_null() {
            return if request.body.is_empty() { Ok(()) } else { Err("it takes no body".to_owned()) };
        }
        let body: Value =
            serde_json::from_slice(&request.body).map_err(|error| format!("the body is no JSON: {error}"))?;
        self.check(&format!("{} {} body", place.method, place.template), schema, &body)?;
        // The description lets unknown keys pass, so a misspelt one would too
        let known = schema["properties"].as_object().ok_or("the description has no keys for the body")?;
        match body.as_object().unwrap().keys().find(|key| !known.contains_key(*key)) {
            Some(unknown) => Err(format!("there is no key `{unknown}` in the body")),
            None => Ok(()),
        }
    }

    /// In what an answer breaks the description.
    pub(crate) fn answer(&self, place: &Place, reply: &Reply) -> Result<(), String> {
        let Reply::Full { status, body, .. } = reply else { return Ok(()) };
        let responses = &self.whole["paths"][place.template][&place.method]["responses"];
        match (responses.get(status.to_string()), status) {
            // Said of all operations in GitHub's general pages
            (None, 301 | 307 | 401 | 403 | 404 | 422 | 429 | 500..) => Ok(()),
            (None, _) => Err(format!("there is no status {status} here")),
            (Some(Value::Null), _) if body.is_empty() => Ok(()),
            (Some(Value::Null), _) => Err("there is no body here".to_owned()),
            (Some(schema), _) => {
                let value: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
                self.check(&format!("{} {} {status}", place.method, place.template), schema, &value)
            }
        }
    }

    fn check(&self, key: &str, schema: &Value, value: &Value) -> Result<(), String> {
        let validator = {
            let mut known = self.validators.lock().unwrap();
            let make = || {
                let root = json!({ "allOf": [schema], "components": self.whole["components"] });
                Arc::new(jsonschema::validator_for(&root).unwrap())
            };
            Arc::clone(known.entry(key.to_owned()).or_insert_with(make))
        };
        let faults: Vec<String> = validator
            .iter_errors(value)
            .take(5)
            .map(|error| {
                format!(
                    "{}: {}",
                    error.instance_path(),
                    error.to_string().chars().take(300).collect::<String>()
                )
            })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
    }
}

/// What stands for the names of a template in a path.
fn matched(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let (parts, words): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    if parts.len() != words.len() {
        return None;
    }
    let mut names = BTreeMap::new();
    for (part, word) in parts.iter().zip(words) {
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) if !word.is_empty() => {
                names.insert(name.to_owned(), word.to_owned());
            }
            _ if *part == word => {}
            _ => return None,
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::{Contract, Place};
    use crate::github::http::{Reply, Request};
    use serde_json::{Value, json};

    fn request(
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<Value>,
    ) -> Result<Place, String> {
        let headers = [("user-agent", "x"), ("x-github-api-version", "2022-11-28")];
        let owned = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: owned(query),
            headers: owned(&headers),
            body: body.map_or_else(Vec::new, |body| body.to_string().into_bytes()),
        };
        Contract::of_github().request(&request, "", "1296269")
    }

    #[test]
    fn a_request_that_github_does_not_know_is_refused() {
        let comments = "/repos/o/r/issues/1/comments";
        let one = "/repos/o/r/issues/comments/1";
        let text = || Some(json!({ "body": "x" }));
        request("POST", comments, &[], text()).unwrap();
        request("PATCH", one, &[], text()).unwrap();
        request(
            "GET",
            "/repositories/1296269/issues/1/comments",
            &[("per_page", "100"), ("page", "2")],
            None,
        )
        .unwrap();
        for (method, path, body, told) in [
            ("POST", one, text(), "no such method"),
            ("POST", comments, None, "no JSON"),
            ("POST", comments, Some(json!({})), "body"),
            ("POST", comments, Some(json!({ "body": "x", "bodies": 1 })), "no key `bodies`"),
            ("POST", "/repos/o/r/issues/one/comments", text(), "issue_number"),
            ("GET", "/repos/o/r/commentary", None, "no such path"),
            ("POST", "/repos/o/r/check-runs", Some(json!({ "name": "x" })), "head_sha"),
            (
                "POST",
                "/repos/o/r/check-runs",
                Some(json!({ "name": "x", "head_sha": "a", "status": "done" })),
                "done",
            ),
        ] {
            let error = request(method, path, &[], body).unwrap_err();
            assert!(error.contains(told), "{method} {path}: {error}");
        }
        for query in [[("per_page", "500")], [("per_page", "many")], [("perpage", "5")]] {
            assert!(request("GET", comments, &query, None).is_err(), "{query:?}");
        }
        let annotation = json!({ "path": "a", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "m" });
        let check = |summary: String, annotations: usize| {
            let output = json!({ "title": "t", "summary": summary, "annotations": vec![annotation.clone(); annotations] });
            Some(
                json!({ "name": "x", "head_sha": "a", "status": "completed", "conclusion": "success", "output": output }),
            )
        };
        request("POST", "/repos/o/r/check-runs", &[], check("s".repeat(65_535), 50)).unwrap();
        assert!(request("POST", "/repos/o/r/check-runs", &[], check("s".repeat(65_536), 1)).is_err());
        assert!(request("POST", "/repos/o/r/check-runs", &[], check("s".to_owned(), 51)).is_err());
    }

    #[test]
    fn an_answer_that_lacks_something_is_no_answer_of_githubs() {
        let place =
            request("POST", "/repos/o/r/issues/1/comments", &[], Some(json!({ "body": "x" }))).unwrap();
        let contract = Contract::of_github();
        let mut comment = contract.example("issues/create-comment");
        contract.answer(&place, &Reply::json(201, &comment)).unwrap();
        assert!(
            contract.answer(&place, &Reply::json(200, &comment)).is_err(),
            "a comment is created with 201"
        );
        comment.as_object_mut().unwrap().remove("html_url");
        assert!(contract.answer(&place, &Reply::json(201, &comment)).unwrap_err().contains("html_url"));
    }
}
