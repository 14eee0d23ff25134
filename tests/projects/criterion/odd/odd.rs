//! Three benchmarks, of which `suspect` does what the environment variable `MISBEHAVE` says; each process appends its name and
//! benchmark to the file named by `ORDER_LOG` when its turn comes.

use criterion::{Bencher, Criterion};
use std::{
    collections::HashSet,
    fs::OpenOptions,
    hint::black_box,
    io::Write,
    net::{TcpListener, TcpStream},
    os::fd::{FromRawFd, IntoRawFd},
    sync::Mutex,
    time::Duration,
};

extern "C" {
    fn fork() -> i32;
}

static SEEN: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
static HELD: Mutex<Option<TcpListener>> = Mutex::new(None);

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// Whether this is the first time that the process gets here.
fn first_time(name: &'static str) -> bool {
    SEEN.lock().unwrap().get_or_insert_with(HashSet::new).insert(name)
}

/// Appends a line in one write, which is atomic between processes.
fn log(name: &'static str) {
    let path = variable("ORDER_LOG");
    if path.is_empty() || !first_time(name) {
        return;
    }
    let side = variable("SIDE");
    let padding = variable("TOLLGATE_PADDING").len();
    let line = format!("{side} {} {name} {padding}\n", std::process::id());
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(line.as_bytes()).unwrap();
}

/// Our end of the connection to the runner.
fn connection() -> TcpStream {
    let port: u16 = variable("CARGO_CRITERION_PORT").parse().unwrap();
    for descriptor in 3..64 {
        // Safety: none is needed here; a descriptor that is not ours to close is leaked below.
        let stream = unsafe { TcpStream::from_raw_fd(descriptor) };
        if stream.peer_addr().is_ok_and(|peer| peer.port() == port) {
            return stream;
        }
        let _ = stream.into_raw_fd();
    }
    panic!("no connection");
}

fn misbehave() {
    match variable("MISBEHAVE").as_str() {
        "" => {}
        "panic" => panic!("\u{1b}[31mthe index is out of bounds\u{1b}[0m"),
        "hang" => loop {
            std::thread::sleep(Duration::from_secs(1));
        },
        "exit" => std::process::exit(0),
        "segfault" => std::process::abort(),
        "garbage" => connection().write_all(&[0xff; 4096]).unwrap(),
        "nonsense" => connection().write_all(b"\0\0\0\x05hello").unwrap(),
        "fork" => {
            if first_time("fork") {
                let _ = unsafe { fork() };
            }
        }
        "port" => {
            let port: u16 = variable("PORT").parse().unwrap();
            let mut held = HELD.lock().unwrap();
            if held.is_none() {
                *held = Some(TcpListener::bind(("127.0.0.1", port)).expect("the port is taken"));
            }
        }
        "once" => {
            if OpenOptions::new().create_new(true).write(true).open(variable("ONCE")).is_ok() {
                panic!("only this once");
            }
        }
        "late" => {}
        other => panic!("unknown: {other}"),
    }
}

fn work(bencher: &mut Bencher, name: &'static str) {
    log(name);
    if name == "suspect" {
        misbehave();
    }
    let twice = variable("SLOW") == name;
    bencher.iter(|| {
        for n in 0..if twice { 6000_u64 } else { 2000 } {
            black_box(n);
        }
    });
}

fn main() {
    if variable("MISBEHAVE") == "start" {
        eprintln!("no configuration");
        std::process::exit(2);
    }
    let names: &[&'static str] = match variable("BENCHES").as_str() {
        "" => &["first", "suspect", "last"],
        "fewer" => &["suspect", "last"],
        "other" => &["first", "last", "other"],
        "reversed" => &["last", "suspect", "first"],
        "none" => &[],
        "unconfigured" => &["first"],
        "endless" => &[],
        other => panic!("unknown: {other}"),
    };
    let mut criterion = Criterion::default();
    if variable("BENCHES") != "unconfigured" {
        criterion = criterion.configure_from_args();
    }
    let mut number = 0_u64;
    while variable("BENCHES") == "endless" {
        number += 1;
        criterion.bench_function(&format!("again {number}"), |bencher| work(bencher, "again"));
    }
    for &name in names {
        criterion.bench_function(name, |bencher| work(bencher, name));
    }
    criterion.final_summary();
    if variable("MISBEHAVE") == "late" {
        eprintln!("could not clean up");
        std::process::exit(3);
    }
}
