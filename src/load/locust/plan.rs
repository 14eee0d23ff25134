//! What Locust is to ask: the same arrivals and sessions as our own generator has, made here and handed over as a list.

use std::collections::HashMap;

use super::failure::Error;
use crate::{
    load::{
        generator::{
            Drive,
            desk::{Desk, Offer},
        },
        scenario::{Locust, Model},
        script::Prepared,
    },
    sources::locustfile::{LocustPlan, LocustRequest},
};

/// The most requests of a trial, warm-up included.
const MOST_REQUESTS: usize = 2_000_000;

/// The most bytes that different requests may have together.
const MOST_BYTES: usize = 64 << 20;

/// The most users where nothing is said: as many connections are open at once.
const MOST_USERS: f64 = 1_000.0;

/// The fewest users of a worker where nothing is said.
const LEAST_USERS_PER_WORKER: f64 = 10.0;

/// The plan of a trial; the master writes `slices`.
pub(super) fn plan(drive: &Drive<'_>, locust: &Locust, slices: &str) -> Result<LocustPlan, Error> {
    let scenario = drive.scenario;
    let Model::Rate { stages, arrivals, connections } = &scenario.model else {
        return Err(too_much("it follows due times, and users have none".into()));
    };
    let offer = Offer::new(stages, *arrivals, (scenario.warmup, scenario.window), drive.seed);
    let expected = offer.curve.total() + offer.warmup.total();
    if expected > MOST_REQUESTS as f64 {
        return Err(too_much(format!("{expected:.0} requests are more than {MOST_REQUESTS}")));
    }
    let workers = workers(locust);
    let users = connections.map_or_else(|| users(offer.curve.peak(), workers), |most| most.max(workers));
    let window_start = u64::try_from(scenario.warmup.as_nanos()).unwrap_or(u64::MAX);
    let mut desk = Desk::new(&offer, window_start, 0, 1);
    let mut requests = Requests::default();
    let (mut schedule, mut warmup_requests) = (Vec::new(), 0);
    while desk.release(u64::MAX).is_some() {
        let Some(job) = desk.take() else { break };
        if schedule.len() == MOST_REQUESTS {
            return Err(too_much(format!("there are more than {MOST_REQUESTS} requests")));
        }
        warmup_requests += usize::from(job.due < window_start);
        schedule.push((job.due, requests.choice(drive, job.number)?));
    }
    Ok(LocustPlan {
        name: scenario.name.clone(),
        url: drive.url.to_owned(),
        names: drive.script.endpoints().to_vec(),
        requests: requests.all,
        schedule,
        warmup_requests,
        users,
        workers,
        warmup_seconds: scenario.warmup.as_secs_f64(),
        window_seconds: scenario.window.as_secs_f64(),
        drain_seconds: scenario.drain.as_secs_f64(),
        timeout_seconds: scenario.request_timeout.as_secs_f64(),
        insecure: scenario.transport.tls_insecure,
        slices: slices.to_owned(),
    })
}

/// Workers on all machines.
pub(super) fn workers(locust: &Locust) -> u32 {
    locust.workers.saturating_add(u32::try_from(locust.hosts.len()).unwrap_or(u32::MAX)).max(1)
}

/// As many as requests can be under way while each takes a second.
fn users(peak: f64, workers: u32) -> u32 {
    let least = LEAST_USERS_PER_WORKER * f64::from(workers);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "above 0; saturates")]
    let users = peak.ceil().min(MOST_USERS).max(least) as u32;
    users
}

fn too_much(reason: String) -> Error {
    Error::Plan { reason }
}

/// The different requests of a schedule: most schedules have few.
#[derive(Default)]
struct Requests {
    all: Vec<LocustRequest>,
    places: HashMap<LocustRequest, u32>,
    bytes: usize,
}

impl Requests {
    /// The place of the request of a session.
    fn choice(&mut self, drive: &Drive<'_>, number: u64) -> Result<u32, Error> {
        let mut session = drive.script.session(number);
        let request = match session.next() {
            Some(prepared) => asked(&prepared, session.expected_statuses()),
            // One that cannot be made counts as an error, as it does in our own generator.
            None => LocustRequest {
                name: session.failed().map_or(0, |(endpoint, _)| endpoint),
                method: String::new(),
                path: "/".into(),
                headers: Vec::new(),
                body: Vec::new(),
                statuses: Vec::new(),
            },
        };
        if let Some(place) = self.places.get(&request) {
            return Ok(*place);
        }
        let headers: usize = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.bytes += request.path.len() + request.body.len() + headers;
        if self.bytes > MOST_BYTES {
            let most = MOST_BYTES >> 20;
            return Err(too_much(format!("its different requests are larger than {most} MiB together")));
        }
        let place = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(request.clone());
        self.places.insert(request, place);
        Ok(place)
    }
}

fn asked(prepared: &Prepared, statuses: Vec<(u16, u16)>) -> LocustRequest {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut headers: Vec<(String, String)> = prepared
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
        .collect();
    if !headers.iter().any(|(name, _)| name == "accept-encoding") {
        // Locust would ask for packed answers, which our own generator does not.
        headers.push(("accept-encoding".into(), "identity".into()));
    }
    LocustRequest {
        name: prepared.endpoint,
        method: prepared.method.as_str().to_owned(),
        path: prepared.path.as_str().to_owned(),
        headers,
        body: prepared.body.to_vec(),
        statuses,
    }
}

#[cfg(test)]
mod tests {
    use super::users;

    #[test]
    fn users_are_as_many_as_a_second_has_requests_within_bounds() {
        assert_eq!((users(5.0, 2), users(200.4, 2), users(1e5, 2), users(1e5, 500)), (20, 201, 1_000, 5_000));
    }
}
