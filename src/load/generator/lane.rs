//! One request after another: a lane is the task of one connection (HTTP/1.1) or of one stream at a time (HTTP/2).
//!
//! A session stays on its lane. Its next request is due when the answer to the one before it was there.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    rc::Rc,
    task::Poll,
    time::Instant,
};

use super::{
    pool::Stream,
    worker::{Slot, Start, Worker},
};
use crate::{
    load::{
        clock,
        http::{
            fault::Fault,
            wire::{Whole, Wire},
        },
        recorder::{Answered, Moments},
        script::{Answer, Prepared},
    },
    model::load::ErrorKind,
};

/// A connection that was used less than this long ago is taken for open: servers close idle ones after seconds. Nanoseconds.
const FRESH: u64 = 10_000_000;

/// The life of a lane: it ends with its runtime.
pub(crate) async fn run(worker: Rc<Worker>, slot: Rc<Slot>) {
    let mut lane = Lane { worker, slot, wire: None, stream: None, used: 0 };
    poll_fn(|context| {
        *lane.slot.waker.borrow_mut() = Some(context.waker().clone());
        Poll::Ready(())
    })
    .await;
    loop {
        let start = lane.wait().await;
        let refused = {
            // Not awaited but polled where it is: to await it would copy all that it may ever hold. The same below.
            let mut serving = pin!(lane.serve(start));
            poll_fn(|context| serving.as_mut().poll(context)).await
        };
        lane.slot.start.set(lane.worker.freed(&lane.slot, refused));
        if refused {
            // A refusal may come without any waiting: let the pacer and the other lanes have their turn.
            tokio::task::yield_now().await;
        }
    }
}

struct Lane {
    worker: Rc<Worker>,
    slot: Rc<Slot>,
    wire: Option<Wire>,
    /// The share in the connection, where it is shared.
    stream: Option<Stream>,
    /// When the connection was last used.
    used: u64,
}

/// How one request ended, beside what was recorded.
enum Ending {
    Well,
    Badly,
    Refused,
}

impl Lane {
    /// Waits for something to start, and drops the connection if the server closes it meanwhile.
    async fn wait(&mut self) -> Start {
        poll_fn(|context| {
            if let Some(start) = self.slot.start.take() {
                return Poll::Ready(start);
            }
            if self.wire.as_mut().is_some_and(|wire| !wire.poll_idle(context)) {
                self.wire = None;
            }
            Poll::Pending
        })
        .await
    }

    /// Runs one session; says whether no connection could be had for it.
    async fn serve(&mut self, start: Start) -> bool {
        let mut session = self.worker.script.session(start.job.number);
        let (mut due, mut handed) = (start.job.due, start.handed);
        let mut first = true;
        loop {
            let prepared = session.next();
            let failed = session.failed();
            // A first request was due whatever comes of it, so a session without any must end as one that failed.
            if prepared.is_none() && failed.is_none() && !first {
                return false;
            }
            if !first {
                due = self.worker.now();
                if due >= self.worker.course.window_end {
                    return false;
                }
                handed = due;
                self.worker.recorder.borrow_mut().scheduled(due, None);
            }
            let Some(prepared) = prepared else {
                let (endpoint, kind) = failed.unwrap_or((0, ErrorKind::Body));
                self.end(endpoint, &Moments { due, handed, ..Moments::default() }, Err(kind), None);
                return false;
            };
            first = false;
            let endpoint = prepared.endpoint;
            self.worker.took_off();
            self.slot.flight.set(Some((endpoint, Moments { due, handed, ..Moments::default() })));
            let answer = {
                let slot = Rc::clone(&self.slot);
                slot.overdue.set(false);
                let mut asking = pin!(self.ask(prepared));
                poll_fn(|context| {
                    if slot.overdue.get() {
                        return Poll::Ready(Err(Fault::of(ErrorKind::Timeout)));
                    }
                    asking.as_mut().poll(context)
                })
                .await
            };
            let ending = match answer {
                Ok(whole) => self.answered(&mut session, whole),
                Err(fault) => {
                    session.abandon();
                    self.broke(fault)
                }
            };
            self.slot.flight.set(None);
            self.slot.deadline.set(None);
            self.worker.landed();
            match ending {
                Ending::Well if !self.worker.ended.get() => {}
                Ending::Refused => return true,
                _ => return false,
            }
        }
    }

    fn answered(&mut self, session: &mut crate::load::script::Session, whole: Whole) -> Ending {
        let end = self.worker.now();
        self.used = end;
        let Some((endpoint, mut moments)) = self.slot.flight.get() else { return Ending::Badly };
        moments.first_byte = self.worker.course.at(whole.first_byte);
        let answered = Answered { end, status: whole.status.as_u16(), bytes: whole.bytes };
        let answer = Answer { status: whole.status, headers: whole.headers, body: whole.body };
        let verdict = session.take(&answer);
        let well = verdict.is_ok();
        self.end(endpoint, &moments, verdict, Some(&answered));
        if well { Ending::Well } else { Ending::Badly }
    }

    fn broke(&mut self, fault: Fault) -> Ending {
        self.wire = None;
        self.stream = None;
        if let Some(shortage) = fault.shortage {
            self.worker.lacked(shortage);
        }
        let Some((endpoint, moments)) = self.slot.flight.get() else { return Ending::Badly };
        self.end(endpoint, &moments, Err(fault.kind), None);
        if moments.sent == 0 { Ending::Refused } else { Ending::Badly }
    }

    fn end(
        &self,
        endpoint: usize,
        moments: &Moments,
        verdict: Result<(), ErrorKind>,
        answered: Option<&Answered>,
    ) {
        let mut recorder = self.worker.recorder.borrow_mut();
        match (verdict, answered) {
            (Ok(()), Some(answered)) => recorder.completed(endpoint, moments, answered),
            (Ok(()), None) => {
                recorder.failed(endpoint, moments, ErrorKind::Protocol, None, self.worker.now());
            }
            (Err(kind), _) => recorder.failed(endpoint, moments, kind, answered, self.worker.now()),
        }
    }

    /// Sends a request and reads the answer; once more on a fresh connection if the server had closed the idle one.
    async fn ask(&mut self, prepared: Prepared) -> Result<Whole, Fault> {
        let wants_body = prepared.wants_body;
        let mut request = self.worker.target.request(prepared).ok_or(Fault::of(ErrorKind::Protocol))?;
        let mut second = false;
        loop {
            // Boxed, since it is large: every request would carry the room for it.
            let reused = self.is_fresh() || Box::pin(self.connect()).await?;
            let now = self.worker.now();
            let repeatable = reused && !second && now.saturating_sub(self.used) >= FRESH;
            let spare = (repeatable && request.method().is_idempotent()).then(|| Box::new(request.clone()));
            self.mark(|moments| {
                if moments.taken == 0 {
                    moments.taken = now.max(1);
                }
                moments.sent = now;
            });
            self.slot.deadline.set(Some(now.saturating_add(self.worker.course.timeout)));
            let Some(wire) = &mut self.wire else { return Err(Fault::of(ErrorKind::Connect)) };
            let exchanged = {
                let mut exchange = pin!(wire.exchange(request, wants_body));
                poll_fn(|context| exchange.as_mut().poll(context)).await
            };
            match exchanged {
                Ok(whole) => {
                    self.stream = None;
                    if self.worker.pool.is_some() || !self.worker.target.keep_alive {
                        self.wire = None;
                    }
                    return Ok(whole);
                }
                Err(broken) => {
                    self.wire = None;
                    self.stream = None;
                    let idle_closed =
                        reused && !second && !broken.answered && broken.fault.kind == ErrorKind::Reset;
                    request = match broken.unsent.or(spare) {
                        Some(again) if idle_closed => *again,
                        _ => return Err(broken.fault),
                    };
                    second = true;
                    if let Some((endpoint, moments)) = self.slot.flight.get() {
                        self.worker.recorder.borrow_mut().retried(endpoint, moments.due);
                    }
                }
            }
        }
    }

    /// Whether the connection takes a request as it is, right after an answer; one that was idle must be looked at.
    fn is_fresh(&self) -> bool {
        let handed = self.slot.flight.get().map_or(u64::MAX, |(_, moments)| moments.handed);
        let own = self.wire.as_ref().filter(|_| self.worker.pool.is_none());
        handed.saturating_sub(self.used) < FRESH && own.is_some_and(Wire::is_ready)
    }

    /// Makes sure of a connection; says whether it had been used before.
    async fn connect(&mut self) -> Result<bool, Fault> {
        if let Some(pool) = &self.worker.pool {
            let stream = pool.stream().await;
            let reused = stream.is_open();
            let began = self.begin_connecting();
            self.wire = Some(stream.wire(&self.worker.target).await?);
            self.stream = Some(stream);
            self.connected(began, reused);
            return Ok(reused);
        }
        if let Some(wire) = &mut self.wire {
            if wire.ready().await {
                return Ok(true);
            }
            self.wire = None;
        }
        let began = self.begin_connecting();
        self.wire = Some(Wire::open(&self.worker.target).await?);
        self.connected(began, false);
        Ok(false)
    }

    fn begin_connecting(&self) -> Instant {
        let began = clock::now();
        let now = self.worker.course.at(began);
        self.mark(|moments| moments.taken = now.max(1));
        self.slot.deadline.set(Some(now.saturating_add(self.worker.course.timeout)));
        began
    }

    fn connected(&mut self, began: Instant, reused: bool) {
        if !reused {
            let took = self.worker.now().saturating_sub(self.worker.course.at(began));
            self.mark(|moments| moments.connect = took.max(1));
        }
    }

    fn mark(&self, change: impl FnOnce(&mut Moments)) {
        if let Some((endpoint, mut moments)) = self.slot.flight.get() {
            change(&mut moments);
            self.slot.flight.set(Some((endpoint, moments)));
        }
    }
}
