//! Base and head are asked the same sampled questions and must answer alike: a head that answers something else may be fast.
//!
//! Alike means: the same status, an answer as the scenario expects it (its status and body pattern) where base's is, and a body of
//! the same size. The size is not compared where the scenario has a pattern for the body, nor where base itself answers the same
//! question twice with bodies of different size: those hold times, ids and the like.

use std::path::Path;

use crate::{
    hint::Hint,
    load::{
        generator,
        http::{target::Target, wire::Wire},
        scenario::Scenario,
        script::{Answer, Prepared, Script},
    },
    model::load::ErrorKind,
    process::Interrupt,
};

use super::services::told;

/// Differences that are told.
const TOLD: usize = 3;
/// How much of a body is told, characters.
const EXCERPT: usize = 120;
/// No more questions than this are asked, whatever the scenario says.
const MOST_QUESTIONS: u32 = 1_000;

/// What to ask, and whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Questions<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) script: &'a Script,
    pub(super) url: &'a str,
    pub(super) socket: Option<&'a Path>,
}

/// A question that got no answer.
struct Unanswered {
    kind: ErrorKind,
    /// Whether it may be asked again: not a byte of it was sent, or it changes nothing.
    repeatable: bool,
}

/// What was answered to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    /// Which of the script's endpoints.
    endpoint: usize,
    /// `GET /x`.
    question: String,
    status: u16,
    bytes: u64,
    /// What was wrong with it, by the scenario.
    fault: Option<ErrorKind>,
    /// The beginning of the body.
    excerpt: String,
}

impl Questions<'_> {
    /// Asks the first sessions of the script, one question after the other.
    ///
    /// # Errors
    /// A sentence when a question got no answer.
    pub(super) fn ask(&self, interrupt: &Interrupt) -> Result<Vec<Reply>, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(tokio::runtime::LocalOptions::default())
            .map_err(|error| format!("could not ask questions: {error}"))?;
        let replies = runtime.block_on(self.ask_all(interrupt));
        runtime.shutdown_background();
        replies
    }

    async fn ask_all(&self, interrupt: &Interrupt) -> Result<Vec<Reply>, String> {
        let mut transport = self.scenario.transport.clone();
        transport.tls_ca = transport.tls_ca.map(|path| self.scenario.folder.join(path));
        let target =
            Target::new(self.url, self.socket, &transport).await.map_err(|error: generator::Error| {
                let hint = error.hint();
                told(&error, hint)
            })?;
        let wanted = self.scenario.alike.min(MOST_QUESTIONS) as usize;
        let mut replies = Vec::new();
        let mut wire = None;
        for number in 0..wanted as u64 {
            let mut session = self.script.session(number);
            while let Some(prepared) = session.next() {
                if replies.len() >= wanted || interrupt.requested().is_some() {
                    return Ok(replies);
                }
                let (endpoint, question) =
                    (prepared.endpoint, format!("{} {}", prepared.method, prepared.path));
                let (status, bytes, answer) =
                    self.exchange(&target, &mut wire, prepared).await.map_err(|kind| {
                        format!("`{}` got no answer ({})", excerpt(question.as_bytes()), kind.as_str())
                    })?;
                let excerpt = excerpt(&answer.body);
                let fault = session.take(&answer).err();
                replies.push(Reply { endpoint, question, status, bytes, fault, excerpt });
            }
        }
        Ok(replies)
    }

    /// One question on a connection that is kept; once more on a new one when the server had closed it.
    async fn exchange(
        &self,
        target: &Target,
        wire: &mut Option<Wire>,
        prepared: Prepared,
    ) -> Result<(u16, u64, Answer), ErrorKind> {
        let kept = wire.take();
        let retry = kept.is_some().then(|| prepared.clone());
        match (self.try_exchange(target, wire, kept, prepared).await, retry) {
            // Not one that may have been taken: to be asked twice could make the two sides differ.
            (Err(Unanswered { kind: ErrorKind::Reset, repeatable: true }), Some(again)) => {
                self.try_exchange(target, wire, None, again).await.map_err(|unanswered| unanswered.kind)
            }
            (done, _) => done.map_err(|unanswered| unanswered.kind),
        }
    }

    async fn try_exchange(
        &self,
        target: &Target,
        wire: &mut Option<Wire>,
        kept: Option<Wire>,
        prepared: Prepared,
    ) -> Result<(u16, u64, Answer), Unanswered> {
        let idempotent = prepared.method.is_idempotent();
        let unanswered = |kind| Unanswered { kind, repeatable: false };
        let request = target.request(prepared).ok_or(unanswered(ErrorKind::Protocol))?;
        let asked = async {
            let mut open = match kept {
                Some(open) => open,
                None => Wire::open(target).await.map_err(|fault| unanswered(fault.kind))?,
            };
            if !open.ready().await {
                return Err(Unanswered { kind: ErrorKind::Reset, repeatable: true });
            }
            let whole = open.exchange(request, true).await.map_err(|broken| Unanswered {
                kind: broken.fault.kind,
                repeatable: broken.unsent.is_some() || idempotent && !broken.answered,
            })?;
            Ok((open, whole))
        };
        let limit = self.scenario.request_timeout;
        let (open, whole) =
            tokio::time::timeout(limit, asked).await.map_err(|_| unanswered(ErrorKind::Timeout))??;
        if target.keep_alive {
            *wire = Some(open);
        }
        let answer = Answer { status: whole.status, headers: whole.headers, body: whole.body };
        Ok((answer.status.as_u16(), whole.bytes, answer))
    }
}

/// The beginning of a text, on one line and harmless; what is packed or a picture says nothing to a reader.
fn excerpt(bytes: &[u8]) -> String {
    if bytes.starts_with(&[0x1f, 0x8b]) || bytes.iter().take(EXCERPT).any(|byte| *byte == 0) {
        return "bytes that are no text".into();
    }
    let text: String =
        String::from_utf8_lossy(&bytes[..bytes.len().min(4 * EXCERPT)]).chars().take(EXCERPT).collect();
    let more = if bytes.len() > text.len() { "…" } else { "" };
    format!("{}{more}", text.escape_debug())
}

/// How head answers otherwise than base, whose answers of one or two rounds are given; `None` when it does not.
pub(super) fn difference(
    scenario: &Scenario,
    script: &Script,
    base: &[Vec<Reply>],
    head: &[Reply],
) -> Option<String> {
    let first = base.first()?;
    let again = base.get(1).unwrap_or(first);
    let patterned = |endpoint: usize| {
        let name = script.endpoints().get(endpoint);
        let steps = scenario.flows.iter().flat_map(|flow| &flow.steps);
        steps.into_iter().any(|step| Some(&step.name) == name && step.expect.body.is_some())
    };
    let mut differences = Vec::new();
    for (at, (base, head)) in first.iter().zip(head).enumerate() {
        let steady =
            again.get(at).is_some_and(|again| again.bytes == base.bytes) && !patterned(base.endpoint);
        let wrong = base.fault.is_none() && head.fault.is_some();
        if base.status != head.status || wrong || (steady && base.bytes != head.bytes) {
            let difference = sentence(base, head);
            // Sessions may ask the same.
            if !differences.contains(&difference) {
                differences.push(difference);
            }
        }
    }
    if differences.is_empty() && first.len() != head.len() {
        differences.push(format!("base answered {} questions and head {}", first.len(), head.len()));
    }
    let more = differences.len().saturating_sub(TOLD);
    let told = differences.iter().take(TOLD).cloned().collect::<Vec<_>>().join("; ");
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    (!differences.is_empty()).then(|| {
        format!(
            "base and head do not answer alike: {told}{more}\nhelp: where they are meant to differ, set `alike = 0` in the \
             scenario; where only sizes vary, give `expect` a pattern for the body"
        )
    })
}

fn sentence(base: &Reply, head: &Reply) -> String {
    let of = |reply: &Reply| {
        let fault =
            reply.fault.map_or(String::new(), |kind| format!(", not as expected ({})", kind.as_str()));
        format!("status {} with {} bytes{fault}", reply.status, reply.bytes)
    };
    format!(
        "`{}` got {} from base and {} from head, beginning `{}`",
        excerpt(base.question.as_bytes()),
        of(base),
        of(head),
        head.excerpt
    )
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader, Write as _},
        net::{TcpListener, TcpStream},
        time::Duration,
    };

    use super::{Questions, excerpt};
    use crate::{
        load::{scenario::example, script::Script},
        process::Interrupt,
    };

    /// Answers one request, and no more on this connection.
    fn serve(stream: &TcpStream, answer: &str) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        while reader.read_line(&mut line)? > 0 && line.trim() != "" {
            line.clear();
        }
        let mut writer = stream;
        writer.write_all(answer.as_bytes())
    }

    #[test]
    fn what_is_no_text_is_not_shown() {
        assert_eq!(excerpt(b"\x1f\x8b\x08packed"), "bytes that are no text");
        assert_eq!(excerpt(b"\x89PNG\0\0"), "bytes that are no text");
        assert_eq!(excerpt("a \u{1b}[31mline\n\u{fc}".as_bytes()), "a \\u{1b}[31mline\\n\u{fc}");
    }

    #[test]
    fn a_service_that_ends_its_connections_is_asked_all_questions() {
        let old = "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok";
        let named = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
        for answer in [old, named] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            std::thread::spawn(move || {
                listener.incoming().flatten().for_each(|stream| drop(serve(&stream, answer)));
            });
            let mut scenario = example::scenario("old");
            scenario.alike = 5;
            // One that waits on a connection that is over would fail by this, as it is not asked again.
            scenario.request_timeout = Duration::from_secs(10);
            let script = Script::compile(&scenario.flows, &scenario.folder, 7).unwrap();
            let questions = Questions { scenario: &scenario, script: &script, url: &url, socket: None };
            let replies = questions.ask(&Interrupt::new()).unwrap();
            assert_eq!(replies.len(), 5);
            assert!(replies.iter().all(|reply| reply.status == 200 && reply.fault.is_none()));
        }
    }
}
