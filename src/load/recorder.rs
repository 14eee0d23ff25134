//! What one worker records: every request that was due ends in exactly one of completed, failed, unfinished.
//!
//! Times are arguments, nanoseconds from the start of the warm-up. What was due before the window is left out of the trial, and
//! shows in the running second only.
//!
//! Latencies are those of completed requests. A request that ran into its time limit, or had no answer at the deadline, is in
//! them as "at least what it waited": leaving it out would flatter the server. Other failures are no latencies (a refusal is
//! fast) and count as errors only.

use hdrhistogram::Histogram;

use crate::model::load::{Clocks, Distribution, Endpoint, ErrorKind, LONGEST_NS, Requests};

/// The moments of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Moments {
    /// When it was due.
    pub(crate) due: u64,
    /// From when on it waited for a connection: when the pacer handed it on.
    pub(crate) handed: u64,
    /// When it had a connection, or began to open one.
    pub(crate) taken: u64,
    /// How long it took to open one; 0 where one was open.
    pub(crate) connect: u64,
    /// When it was sent; 0 while it was not.
    pub(crate) sent: u64,
    /// When the head of the answer was there; 0 while it was not.
    pub(crate) first_byte: u64,
}

/// An answer that was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answered {
    /// When its last byte was there.
    pub(crate) end: u64,
    /// Its status.
    pub(crate) status: u16,
    /// Its body's length.
    pub(crate) bytes: u64,
}

/// One second of one worker.
#[derive(Debug, Clone)]
pub(crate) struct Slice {
    /// Became due in it.
    pub(crate) scheduled: u64,
    /// Ended well in it.
    pub(crate) completed: u64,
    /// Failed in it.
    pub(crate) errors: u64,
    /// Sent and not answered at its end.
    pub(crate) in_flight: u64,
    /// Due and not sent at its end.
    pub(crate) backlog: u64,
    /// Response times of what ended well in it, nanoseconds; small counters, below 1 µs all alike.
    pub(crate) latency: Histogram<u32>,
}

impl Default for Slice {
    fn default() -> Self {
        let latency = match Histogram::new_with_bounds(1_000, LONGEST_NS, 3) {
            Ok(histogram) => histogram,
            Err(_) => unreachable!("the bounds and three digits are within the library's range"),
        };
        Self { scheduled: 0, completed: 0, errors: 0, in_flight: 0, backlog: 0, latency }
    }
}

impl Slice {
    /// Empties it for the next second, without giving memory back.
    pub(crate) fn clear(&mut self) {
        (self.scheduled, self.completed, self.errors, self.in_flight, self.backlog) = (0, 0, 0, 0, 0);
        self.latency.reset();
    }

    /// Adds another worker's.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.scheduled += other.scheduled;
        self.completed += other.completed;
        self.errors += other.errors;
        self.in_flight += other.in_flight;
        self.backlog += other.backlog;
        // The bounds are the same, so adding cannot fail.
        let _ = self.latency.add(&other.latency);
    }
}

/// What became of the requests to one endpoint.
#[derive(Debug, Clone, Default)]
struct Tally {
    requests: Requests,
    /// Left empty where there is one endpoint: then it is that of all requests.
    response_time: Distribution,
}

/// What a worker recorded over the window.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    window_start: u64,
    scheduled: u64,
    clocks: Clocks,
    endpoints: Vec<Tally>,
    received_bytes: u64,
    late: u64,
    slice: Box<Slice>,
}

impl Recorder {
    /// Records what is due from `window_start` on, by so many endpoints.
    pub(crate) fn new(window_start: u64, endpoints: usize) -> Self {
        Self {
            window_start,
            scheduled: 0,
            clocks: Clocks::default(),
            endpoints: vec![Tally::default(); endpoints.max(1)],
            received_bytes: 0,
            late: 0,
            slice: Box::default(),
        }
    }

    /// A request became due; if the pacer had to hand it on, it was so late. A later step of a session is due when it is ready.
    pub(crate) fn scheduled(&mut self, due: u64, lag: Option<u64>) {
        self.slice.scheduled += 1;
        if due >= self.window_start {
            self.scheduled += 1;
            if let Some(lag) = lag {
                self.clocks.send_lag.record(lag);
            }
        }
    }

    /// Requests that the pacer had not handed on when the window ended; they stay on the schedule.
    pub(crate) fn late(&mut self, count: u64) {
        self.late += count;
    }

    /// A request was answered as expected.
    pub(crate) fn completed(&mut self, endpoint: usize, moments: &Moments, answer: &Answered) {
        let response = answer.end.saturating_sub(moments.due);
        self.slice.completed += 1;
        self.slice.latency.saturating_record(response.clamp(1_000, LONGEST_NS));
        if moments.due < self.window_start {
            return;
        }
        self.received_bytes += answer.bytes;
        self.clocks.response_time.record(response);
        self.clocks.service_time.record(answer.end.saturating_sub(moments.sent));
        self.clocks.first_byte.record(moments.first_byte.saturating_sub(moments.sent));
        self.waited(moments);
        let several = self.endpoints.len() > 1;
        let tally = self.tally(endpoint);
        if several {
            tally.response_time.record(response);
        }
        tally.requests.completed += 1;
        *tally.requests.statuses.entry(answer.status).or_default() += 1;
    }

    /// A request failed at `now`; `answer` when there was one.
    pub(crate) fn failed(
        &mut self,
        endpoint: usize,
        moments: &Moments,
        kind: ErrorKind,
        answer: Option<&Answered>,
        now: u64,
    ) {
        self.slice.errors += 1;
        if moments.due < self.window_start {
            return;
        }
        self.received_bytes += answer.map_or(0, |answer| answer.bytes);
        self.waited(moments);
        if kind == ErrorKind::Timeout {
            self.censored(endpoint, moments, now);
        }
        let requests = &mut self.tally(endpoint).requests;
        requests.errors += 1;
        *requests.error_kinds.entry(kind).or_default() += 1;
        if let Some(answer) = answer {
            *requests.statuses.entry(answer.status).or_default() += 1;
        }
    }

    /// A request was due and sent, or only due, and nobody waits for it any longer.
    pub(crate) fn unfinished(&mut self, endpoint: usize, moments: &Moments, now: u64) {
        if moments.due < self.window_start {
            return;
        }
        if moments.taken == 0 {
            self.clocks.pool_wait.record_at_least(now.saturating_sub(moments.handed));
        } else {
            self.waited(moments);
        }
        self.censored(endpoint, moments, now);
        self.tally(endpoint).requests.unfinished += 1;
    }

    /// A request was sent a second time.
    pub(crate) fn retried(&mut self, endpoint: usize, due: u64) {
        if due >= self.window_start {
            self.tally(endpoint).requests.retried += 1;
        }
    }

    fn waited(&mut self, moments: &Moments) {
        self.clocks.pool_wait.record(moments.taken.saturating_sub(moments.handed));
        if moments.connect > 0 {
            self.clocks.connect.record(moments.connect);
        }
    }

    fn censored(&mut self, endpoint: usize, moments: &Moments, now: u64) {
        let response = now.saturating_sub(moments.due);
        self.clocks.response_time.record_at_least(response);
        if self.endpoints.len() > 1 {
            self.tally(endpoint).response_time.record_at_least(response);
        }
        if moments.sent > 0 {
            self.clocks.service_time.record_at_least(now.saturating_sub(moments.sent));
        }
    }

    fn tally(&mut self, endpoint: usize) -> &mut Tally {
        let last = self.endpoints.len() - 1;
        &mut self.endpoints[endpoint.min(last)]
    }

    /// Takes the running second and puts an empty one in its place.
    pub(crate) fn turn(&mut self, empty: Box<Slice>) -> Box<Slice> {
        std::mem::replace(&mut self.slice, empty)
    }

    /// What was recorded, to be merged with the other workers'.
    pub(crate) fn finish(mut self) -> Recorded {
        if let [only] = &mut *self.endpoints {
            only.response_time = self.clocks.response_time.clone();
        }
        let endpoints: Vec<(Requests, Distribution)> = self
            .endpoints
            .into_iter()
            .map(|mut tally| {
                let requests = &mut tally.requests;
                requests.scheduled = requests.completed + requests.errors + requests.unfinished;
                (tally.requests, tally.response_time)
            })
            .collect();
        let mut requests = Requests::default();
        for (part, _) in &endpoints {
            requests.merge(part);
        }
        debug_assert_eq!(requests.scheduled, self.scheduled, "a request that was due got lost");
        requests.scheduled = self.scheduled;
        Recorded {
            requests,
            clocks: self.clocks,
            endpoints,
            received_bytes: self.received_bytes,
            late: self.late,
        }
    }
}

/// What workers recorded, whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recorded {
    /// All requests.
    pub(crate) requests: Requests,
    /// All clocks.
    pub(crate) clocks: Clocks,
    /// Requests and response time by endpoint.
    pub(crate) endpoints: Vec<(Requests, Distribution)>,
    /// Bytes of bodies.
    pub(crate) received_bytes: u64,
    /// Requests that the pacer had not handed on when the window ended.
    pub(crate) late: u64,
}

impl Recorded {
    /// Adds another worker's.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.requests.merge(&other.requests);
        self.clocks.merge(&other.clocks);
        self.received_bytes += other.received_bytes;
        self.late += other.late;
        if self.endpoints.len() < other.endpoints.len() {
            self.endpoints.resize_with(other.endpoints.len(), Default::default);
        }
        for ((requests, times), (their_requests, their_times)) in
            self.endpoints.iter_mut().zip(&other.endpoints)
        {
            requests.merge(their_requests);
            times.merge(their_times);
        }
    }

    /// Its endpoints under their names.
    pub(crate) fn named(&self, names: &[String]) -> Vec<Endpoint> {
        let parts = self.endpoints.iter().zip(names);
        parts
            .map(|((requests, times), name)| Endpoint {
                name: name.clone(),
                requests: requests.clone(),
                response_time: times.clone(),
            })
            .collect()
    }
}
