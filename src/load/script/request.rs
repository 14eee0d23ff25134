//! One request: its constant parts made ready, its templates to be filled in.

use bytes::Bytes;
use hyper::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
    http::uri::PathAndQuery,
};
use minijinja::Value;

use super::{
    failure::Part,
    template::{Template, Templates, percent_safe},
};

/// The longest path with query that HTTP libraries take.
const MAX_PATH_BYTES: usize = 65_000;

/// Headers that describe how the message is framed; the generator sets them itself.
const FRAMING: [&str; 5] = ["content-length", "transfer-encoding", "connection", "upgrade", "te"];

/// The path of a request.
#[derive(Debug)]
pub(super) enum PathText {
    Constant(PathAndQuery),
    Rendered(Template),
}

/// The body of a request.
#[derive(Debug)]
pub(super) enum BodyText {
    Constant(Bytes),
    Rendered(Template),
}

/// A request whose values are still missing.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: PathText,
    pub(super) constant_headers: HeaderMap,
    pub(super) rendered_headers: Vec<(HeaderName, Template)>,
    pub(super) body: BodyText,
}

/// A request whose values are there.
pub(super) struct Filled {
    pub(super) path: PathAndQuery,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Request {
    /// Every template with the part that it is in.
    pub(super) fn templates(&self) -> Vec<(Part, &Template)> {
        let path = match &self.path {
            PathText::Constant(_) => None,
            PathText::Rendered(template) => Some((Part::Path, template)),
        };
        let body = match &self.body {
            BodyText::Constant(_) => None,
            BodyText::Rendered(template) => Some((Part::Body, template)),
        };
        let headers =
            self.rendered_headers.iter().map(|(name, text)| (Part::Header(name.as_str().to_owned()), text));
        path.into_iter().chain(headers).chain(body).collect()
    }

    /// Fills in the values; `names` is asked for only where something is rendered. The error says which part cannot be sent.
    pub(super) fn fill(
        &self,
        templates: &Templates,
        names: impl FnOnce() -> Value,
    ) -> Result<Filled, (Part, String)> {
        if let (PathText::Constant(path), [], BodyText::Constant(body)) =
            (&self.path, &*self.rendered_headers, &self.body)
        {
            let headers = self.constant_headers.clone();
            return Ok(Filled { path: path.clone(), headers, body: body.clone() });
        }
        let names = names();
        let render = |part: &Part, template: &Template| {
            templates
                .render(template, &names)
                .map_err(|error| (part.clone(), super::template::sentence(&error)))
        };
        let path = match &self.path {
            PathText::Constant(path) => path.clone(),
            PathText::Rendered(template) => {
                let text = render(&Part::Path, template)?;
                sendable_path(&text).map_err(|message| (Part::Path, message))?
            }
        };
        let mut headers = self.constant_headers.clone();
        for (name, template) in &self.rendered_headers {
            let part = Part::Header(name.as_str().to_owned());
            let text = render(&part, template)?;
            headers.append(name.clone(), header_value(&text).map_err(|message| (part, message))?);
        }
        let body = match &self.body {
            BodyText::Constant(body) => body.clone(),
            BodyText::Rendered(template) => Bytes::from(render(&Part::Body, template)?),
        };
        Ok(Filled { path, headers, body })
    }
}

/// The method of a name; only those that a client asks a service with.
pub(super) fn method(name: &str) -> Result<Method, String> {
    match name {
        "GET" => Ok(Method::GET),
        "POST" => Ok(Method::POST),
        "PUT" => Ok(Method::PUT),
        "PATCH" => Ok(Method::PATCH),
        "DELETE" => Ok(Method::DELETE),
        "HEAD" => Ok(Method::HEAD),
        "OPTIONS" => Ok(Method::OPTIONS),
        other => Err(format!(
            "`{other}` is not one of `GET`, `POST`, `PUT`, `PATCH`, `DELETE`, `HEAD` and `OPTIONS`"
        )),
    }
}

/// A path as it may be sent: it begins with a slash, so that it can never name another host.
pub(super) fn sendable_path(text: &str) -> Result<PathAndQuery, String> {
    if !text.starts_with('/') {
        return Err("a path begins with `/`; the host is that of `url`".into());
    }
    let path = percent_safe(text);
    if path.len() > MAX_PATH_BYTES {
        return Err(format!("the path is longer than {MAX_PATH_BYTES} bytes"));
    }
    PathAndQuery::try_from(path).map_err(|error| format!("it cannot be sent: {error}"))
}

/// The name of a header that a scenario may set.
pub(super) fn header_name(name: &str) -> Result<HeaderName, String> {
    let parsed = HeaderName::try_from(name).map_err(|_| "this is no name of a header".to_owned())?;
    if FRAMING.contains(&parsed.as_str()) {
        return Err("the header frames the message and is set by the generator".into());
    }
    Ok(parsed)
}

/// The value of a header: no line break and no other control character can get into a request by it.
pub(super) fn header_value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_bytes(text.as_bytes())
        .map_err(|_| "the value holds a line break or another control character".into())
}
