//! Puts load on a URL with the generator alone, no scenario file and no judging, and prints what it cost: for `bench/load`.
//!
//! `drive URL rate=20000|users=32 SECONDS [connections=N] [workers=N] [warmup=SECONDS]`
//!
//! `drive URL alone=32 SECONDS` asks as 32 users do, by hyper alone: no schedule, no records, one clock reading a request. It is the
//! least that any generator on hyper can cost.

#![allow(clippy::print_stdout, reason = "a program that prints figures")]

use std::{
    error::Error,
    future::{Future as _, poll_fn},
    path::PathBuf,
    pin::{Pin, pin},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    Request,
    body::Body as _,
    client::conn::http1,
    header::{HOST, HeaderValue},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, runtime::LocalOptions};
use tollgate::{
    load::{
        generator::{Drive, drive},
        scenario::{Arrivals, Body, Driver, Expect, Flow, Model, Scenario, Service, Stage, Step, Transport},
        script::Script,
        watch::{Deaf, Unwatched},
    },
    model::{
        load::{Distribution, Trial},
        run::Side,
    },
    process::Interrupt,
};

const USAGE: &str =
    "usage: drive URL rate=20000|users=32|alone=32 SECONDS [connections=N] [workers=N] [warmup=SECONDS]";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, load, seconds, more @ ..] = arguments.as_slice() else { return Err(USAGE.into()) };
    let option = |name: &str| -> Option<f64> {
        more.iter().chain([load]).find_map(|word| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
    };
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts from the command line"
    )]
    let whole = |name: &str| option(name).map(|value| value as u32);
    if let Some(connections) = whole("alone") {
        return alone(url, connections, Duration::from_secs_f64(seconds.parse()?));
    }
    let stages = |level| vec![Stage { level, duration: Duration::from_secs(86_400), ramp: false }];
    let model = match (option("rate"), option("users")) {
        (Some(rate), None) => Model::Rate {
            stages: stages(rate),
            arrivals: Arrivals::Constant,
            connections: whole("connections"),
        },
        (None, Some(users)) => Model::Users { stages: stages(users), think: Duration::ZERO },
        _ => return Err(USAGE.into()),
    };
    let scenario =
        scenario(model, Duration::from_secs_f64(seconds.parse()?), option("warmup").unwrap_or(0.0));
    let script = Script::compile(&scenario.flows, &scenario.folder, 1)?;
    let workers = whole("workers").map(|count| count as usize);
    let asked =
        Drive { scenario: &scenario, script: &script, url, socket: None, side: Side::Head, seed: 1, workers };
    let trial = drive(&asked, &mut Unwatched, &Deaf, &Interrupt::install()?)?;
    print(&trial);
    Ok(())
}

fn alone(url: &str, connections: u32, seconds: Duration) -> Result<(), Box<dyn Error>> {
    let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let end = Instant::now() + seconds;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().build_local(LocalOptions::default())?;
    let completed: u64 = runtime.block_on(async {
        let users: Vec<_> =
            (0..connections).map(|_| tokio::task::spawn_local(alone_user(address.clone(), end))).collect();
        let mut completed = 0;
        for user in users {
            completed += user.await.unwrap_or(Ok(0)).unwrap_or(0);
        }
        completed
    });
    println!("scheduled {completed} completed {completed}");
    Ok(())
}

/// One connection, driven by the task that waits for its answers, as the generator does.
async fn alone_user(address: String, end: Instant) -> Result<u64, Box<dyn Error>> {
    let stream = TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    let mut builder = http1::Builder::new();
    let (mut sender, mut driver) = builder.writev(false).handshake(TokioIo::new(stream)).await?;
    let host = HeaderValue::from_str(&address)?;
    let mut count = 0;
    while Instant::now() < end {
        {
            let mut request = Request::new(Empty::<Bytes>::new());
            request.headers_mut().insert(HOST, host.clone());
            let mut answer = pin!(async {
                let mut body = sender.send_request(request).await?.into_body();
                while let Some(frame) = body.frame().await {
                    frame?;
                    if body.is_end_stream() {
                        break;
                    }
                }
                Ok::<_, hyper::Error>(())
            });
            poll_fn(|context| {
                let _ = Pin::new(&mut driver).poll(context);
                answer.as_mut().poll(context)
            })
            .await?;
        }
        count += 1;
        // The connection is ready again once its driver has seen the end of the answer.
        poll_fn(|context| {
            let _ = Pin::new(&mut driver).poll(context);
            sender.poll_ready(context)
        })
        .await?;
    }
    Ok(count)
}

fn scenario(model: Model, window: Duration, warmup: f64) -> Scenario {
    let step = Step {
        name: "GET /".into(),
        method: "GET".into(),
        path: "/".into(),
        headers: Vec::new(),
        body: Body::None,
        expect: Expect { status: Vec::new(), body: None },
        capture: Vec::new(),
    };
    Scenario {
        name: "drive".into(),
        service: Service::Running(String::new()),
        flows: vec![Flow { name: "one".into(), weight: 1.0, steps: vec![step], data: None }],
        model,
        warmup: Duration::from_secs_f64(warmup),
        window,
        driver: Driver::Tollgate,
        transport: Transport {
            http2: false,
            keep_alive: true,
            unix_socket: None,
            tls_ca: None,
            tls_insecure: false,
            allow_remote: false,
        },
        request_timeout: Duration::from_secs(10),
        drain: Duration::from_secs(5),
        metrics: Vec::new(),
        metrics_url: String::new(),
        gate: Vec::new(),
        alike: 0,
        folder: PathBuf::from("."),
    }
}

fn print(trial: &Trial) {
    let requests = &trial.requests;
    println!(
        "scheduled {} completed {} errors {:?} unfinished {} retried {} in_flight {}",
        requests.scheduled,
        requests.completed,
        requests.error_kinds,
        requests.unfinished,
        requests.retried,
        trial.in_flight_peak
    );
    println!("requests_per_second {:.0} worker_cpu {:.3}", trial.throughput(), trial.generator_cpu);
    let show = |name: &str, sample: &Distribution| {
        let list = [0.5, 0.9, 0.95, 0.99, 0.999, 1.0]
            .map(|q| sample.quantile(q).map_or(0.0, |value| value.ns / 1e3));
        println!(
            "{name:14} us p50 {:.0} p90 {:.0} p95 {:.0} p99 {:.0} p99.9 {:.0} max {:.0}",
            list[0], list[1], list[2], list[3], list[4], list[5]
        );
    };
    show("response_time", &trial.clocks.response_time);
    show("service_time", &trial.clocks.service_time);
    show("send_lag", &trial.clocks.send_lag);
    println!("void {:?}", trial.void);
}
