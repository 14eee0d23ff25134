//! The client: one request at a time over octocrab, whose own repetitions are not compiled in.
//!
//! What changes nothing twice (reading, replacing, deleting) is repeated after a back-off. What creates is repeated only after
//! the caller has looked whether the first try did arrive. Rate limits are waited out, all waits together within
//! [`Options::patience`]. Pages are asked for by their number, so that no answer can lead elsewhere.

use super::{
    address,
    answer::{Answer, asked, chain, has_next, refusal},
};
use crate::{
    github::{
        failure::Error,
        limits::{backoff, limited},
        token::Token,
    },
    progress::{Event, Progress},
    text::escape,
};
use http_body_util::{BodyExt, Limited};
use hyper::{Method, Uri, header::HeaderName, header::LOCATION};
use octocrab::Octocrab;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    cell::Cell,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

/// The most that is read of one answer.
const MAX_ANSWER: usize = 32 << 20;
/// The most entries that GitHub gives at once.
const PER_PAGE: usize = 100;
/// GitHub takes 2,500 comments on a pull request; events may be more.
const MAX_PAGES: usize = 100;
/// How often something is tried again.
const REPEATS: u32 = 3;
/// How often an answer may point elsewhere: a repository that was renamed.
const MAX_MOVES: usize = 3;
/// The most characters of GitHub's message that are shown.
const MESSAGE: usize = 300;

/// How the client talks.
#[derive(Debug, Clone)]
pub struct Options {
    /// The API's address, perhaps with a path: `https://api.github.com`, `https://HOST/api/v3`.
    pub api_url: String,
    /// Seconds since 1970 when the client is made, to understand when a rate limit ends.
    pub now: u64,
    /// The most that all waits together may take.
    pub patience: Duration,
    /// The first wait after a failure; each further one is twice as long.
    pub backoff: Duration,
    /// The most that one request may take.
    pub call: Duration,
}

impl Options {
    /// Options as users get them: a minute of patience.
    #[must_use]
    pub fn new(api_url: impl Into<String>, now: u64) -> Self {
        Self {
            api_url: api_url.into(),
            now,
            patience: Duration::from_secs(61),
            backoff: Duration::from_secs(1),
            call: Duration::from_secs(30),
        }
    }
}

/// A client of one GitHub with one token.
pub struct Client<'a> {
    octocrab: Octocrab,
    runtime: Runtime,
    token: Token,
    host: String,
    options: Options,
    started: Instant,
    /// What is left of the patience.
    left: Cell<Duration>,
    progress: &'a dyn Progress,
    stop: &'a dyn Fn() -> bool,
}

/// A request, ready to be sent again.
struct Request<'r> {
    method: Method,
    path: String,
    body: Option<&'r Value>,
}

/// What to do after a try.
enum Step {
    Done(Answer),
    Again(Duration),
}

impl<'a> Client<'a> {
    /// A client. `stop` says whether the user has had enough; waiting ends then.
    ///
    /// # Errors
    /// When the address is none, or would carry the token in the clear to another machine.
    pub fn new(
        token: Token,
        options: Options,
        progress: &'a dyn Progress,
        stop: &'a dyn Fn() -> bool,
    ) -> Result<Self, Error> {
        let host = address::checked(&options.api_url)?;
        let start = |why: &dyn std::fmt::Display| Error::Start(why.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| start(&error))?;
        let octocrab = {
            // The client's worker is started as it is built
            let _inside = runtime.enter();
            let (connect, call) = (Duration::from_secs(10).min(options.call), options.call);
            Octocrab::builder()
                .base_uri(options.api_url.trim_end_matches('/'))
                .map_err(|error| start(&chain(&error)))?
                .personal_token(token.expose().to_owned())
                .add_header(HeaderName::from_static("accept"), "application/vnd.github+json".to_owned())
                .set_connect_timeout(Some(connect))
                .set_read_timeout(Some(call))
                .set_write_timeout(Some(call))
                .build()
                .map_err(|error| start(&chain(&error)))?
        };
        let left = Cell::new(options.patience);
        Ok(Self { octocrab, runtime, token, host, options, started: Instant::now(), left, progress, stop })
    }

    /// Reads a thing.
    ///
    /// # Errors
    /// When GitHub refuses, or no answer comes that can be understood.
    pub fn get<T: DeserializeOwned>(&self, path: &str, doing: &str) -> Result<T, Error> {
        let request = Request { method: Method::GET, path: path.to_owned(), body: None };
        self.understood(&self.repeated(&request, doing)?, doing)
    }

    /// Reads all pages of a list, in GitHub's order. `list` finds the entries in a page (the page itself, or a key of it).
    ///
    /// # Errors
    /// As [`Client::get`], and when the list has no end.
    pub fn pages<P: DeserializeOwned, T>(
        &self,
        path: &str,
        doing: &str,
        list: impl Fn(P) -> Vec<T>,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let mark = if path.contains('?') { '&' } else { '?' };
        for page in 1..=MAX_PAGES {
            let path = format!("{path}{mark}per_page={PER_PAGE}&page={page}");
            let request = Request { method: Method::GET, path, body: None };
            let answer = self.repeated(&request, doing)?;
            all.extend(list(self.understood(&answer, doing)?));
            if !has_next(&answer.headers) {
                return Ok(all);
            }
        }
        let why = format!("the list has more than {MAX_PAGES} pages");
        Err(Error::Answer { doing: doing.to_owned(), host: self.host.clone(), why })
    }

    /// Replaces parts of a thing; doing it twice is doing it once.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn patch<T: DeserializeOwned>(&self, path: &str, body: &Value, doing: &str) -> Result<T, Error> {
        let request = Request { method: Method::PATCH, path: path.to_owned(), body: Some(body) };
        self.understood(&self.repeated(&request, doing)?, doing)
    }

    /// Deletes a thing; one that is gone already counts as deleted.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn delete(&self, path: &str, doing: &str) -> Result<(), Error> {
        let request = Request { method: Method::DELETE, path: path.to_owned(), body: None };
        match self.repeated(&request, doing) {
            Err(error) if !error.is_missing() => Err(error),
            _ => Ok(()),
        }
    }

    /// Creates a thing, once. After a try that failed, `existing` looks whether it did arrive, before it is sent again.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn create<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
        doing: &str,
        existing: impl Fn() -> Result<Option<T>, Error>,
    ) -> Result<T, Error> {
        let request = Request { method: Method::POST, path: path.to_owned(), body: Some(body) };
        let mut attempt = 0;
        loop {
            let tried = self.once(&request).and_then(|answer| match (200..300).contains(&answer.status) {
                // A created thing whose description was cut off exists all the same
                true if serde_json::from_slice::<Value>(&answer.bytes).is_err() => {
                    Err("the answer broke off".to_owned())
                }
                _ => Ok(answer),
            });
            match self.step(tried, attempt, doing)? {
                Step::Done(answer) => return self.understood(&answer, doing),
                Step::Again(wait) => self.wait(wait, doing)?,
            }
            if let Some(found) = existing()? {
                return Ok(found);
            }
            attempt += 1;
        }
    }

    /// Sends what may be sent twice, until there is an answer or no hope.
    fn repeated(&self, request: &Request, doing: &str) -> Result<Answer, Error> {
        let mut attempt = 0;
        loop {
            match self.step(self.once(request), attempt, doing)? {
                Step::Done(answer) => return Ok(answer),
                Step::Again(wait) => self.wait(wait, doing)?,
            }
            attempt += 1;
        }
    }

    /// What follows from a try.
    fn step(&self, tried: Result<Answer, String>, attempt: u32, doing: &str) -> Result<Step, Error> {
        let doing = || doing.to_owned();
        let answer = match tried {
            Ok(answer) => answer,
            Err(why) if attempt >= REPEATS || (self.stop)() || why.contains("certificate") => {
                return Err(Error::Transport { doing: doing(), host: self.host.clone(), why });
            }
            Err(_) => return Ok(Step::Again(backoff(self.options.backoff, attempt, None))),
        };
        if (200..300).contains(&answer.status) {
            return Ok(Step::Done(answer));
        }
        let message = self.message(&answer);
        let asked = asked(&answer, &message);
        if let Some(wait) = limited(&asked, self.now()) {
            let left = self.left.get();
            return match wait <= left && attempt < REPEATS {
                true => Ok(Step::Again(wait)),
                false => Err(Error::Limited { doing: doing(), wait, left }),
            };
        }
        match answer.status >= 500 && attempt < REPEATS {
            true => Ok(Step::Again(backoff(self.options.backoff, attempt, Some(&asked)))),
            false => Err(Error::Refused {
                doing: doing(),
                status: answer.status,
                refusal: refusal(answer.status, &message),
                message,
            }),
        }
    }

    /// One request with its answer, redirections of a renamed repository followed on the same host.
    fn once(&self, request: &Request) -> Result<Answer, String> {
        let mut path = request.path.clone();
        for _ in 0..MAX_MOVES {
            let answer = self.send(&request.method, &path, request.body)?;
            let to = matches!(answer.status, 301 | 302 | 307 | 308).then(|| self.moved(&answer)).flatten();
            match to {
                Some(moved) => path = moved,
                None => return Ok(answer),
            }
        }
        Err("it points from one address to the next".to_owned())
    }

    fn send(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Answer, String> {
        let call = async {
            let sent = match *method {
                Method::GET => self.octocrab._get(path).await,
                Method::POST => self.octocrab._post(path, body).await,
                Method::PATCH => self.octocrab._patch(path, body).await,
                _ => self.octocrab._delete(path, body).await,
            };
            let (head, body) = sent.map_err(|error| chain(&error))?.into_parts();
            let bytes = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| chain(&*error))?;
            Ok(Answer { status: head.status.as_u16(), headers: head.headers, bytes: bytes.to_bytes().into() })
        };
        let timed = async { tokio::time::timeout(self.options.call, call).await };
        let done = self.runtime.block_on(timed);
        let late = || format!("nothing came within {} s", self.options.call.as_secs_f64());
        done.unwrap_or_else(|_| Err(late())).map_err(|why: String| self.shown(&why))
    }

    /// The path that an answer points to, if that is on the same host.
    fn moved(&self, answer: &Answer) -> Option<String> {
        let to: Uri = answer.headers.get(LOCATION)?.to_str().ok()?.parse().ok()?;
        let same = to.authority().is_none_or(|authority| authority.as_str() == self.host);
        same.then(|| to.path_and_query().map(ToString::to_string)).flatten()
    }

    fn understood<T: DeserializeOwned>(&self, answer: &Answer, doing: &str) -> Result<T, Error> {
        serde_json::from_slice(&answer.bytes).map_err(|error| Error::Answer {
            doing: doing.to_owned(),
            host: self.host.clone(),
            why: self.shown(&error.to_string()),
        })
    }

    /// Waits, and takes it off the patience.
    fn wait(&self, wait: Duration, doing: &str) -> Result<(), Error> {
        let left = self.left.get();
        if wait > left {
            return Err(Error::Limited { doing: doing.to_owned(), wait, left });
        }
        self.left.set(left - wait);
        if wait >= Duration::from_secs(1) {
            let seconds = wait.as_secs();
            self.progress.tell(Event::Note(format!(
                "{} did not let us {doing}; trying again in {seconds} s",
                self.host
            )));
        }
        let until = Instant::now() + wait;
        while let Some(rest) = until.checked_duration_since(Instant::now()).filter(|_| !(self.stop)()) {
            let slice = rest.min(Duration::from_millis(100));
            self.runtime.block_on(async { tokio::time::sleep(slice).await });
        }
        if (self.stop)() {
            let why = "interrupted".to_owned();
            return Err(Error::Transport { doing: doing.to_owned(), host: self.host.clone(), why });
        }
        Ok(())
    }

    fn now(&self) -> u64 {
        self.options.now + self.started.elapsed().as_secs()
    }

    /// What GitHub said, in one line.
    fn message(&self, answer: &Answer) -> String {
        self.shown(&answer.message())
    }

    /// A text of others, fit for a message: bounded, visible, without the token.
    fn shown(&self, text: &str) -> String {
        let text: String = self.token.redact(text).chars().take(MESSAGE).collect();
        escape::visible(&text)
    }
}
