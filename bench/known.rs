//! A server of known latency, for `bench/load truth`: `known mixed|freeze` prints its port and answers until it is killed.
//!
//! `mixed` takes 5, 20, 80 or 300 ms, dealt by the number of the request. `freeze` answers at once, but stands still from the third to
//! the fourth second after its first request. `GET /late` says by how much its own answers were late since the last time,
//! as lines of a share and microseconds, and begins to count anew.

#![allow(clippy::print_stdout, reason = "a program that prints its port")]

use std::{
    error::Error,
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// A thread a connection needs little.
const STACK: usize = 64 << 10;

#[derive(Default)]
struct Known {
    freezes: bool,
    count: u64,
    first: Option<Instant>,
    late: Vec<Duration>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let freezes = match std::env::args().nth(1).as_deref() {
        Some("mixed") => false,
        Some("freeze") => true,
        _ => return Err("usage: known mixed|freeze".into()),
    };
    let known = Arc::new(Mutex::new(Known { freezes, ..Known::default() }));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    for stream in listener.incoming() {
        let (known, stream) = (Arc::clone(&known), stream?);
        // A client that goes in the middle of an answer is no matter for the server.
        thread::Builder::new().stack_size(STACK).spawn(move || serve(stream, &known))?;
    }
    Ok(())
}

fn serve(mut stream: TcpStream, known: &Mutex<Known>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut asked, mut chunk) = (Vec::new(), [0; 2_048]);
    loop {
        let length = stream.read(&mut chunk)?;
        if length == 0 {
            return Ok(());
        }
        let came = Instant::now();
        asked.extend_from_slice(&chunk[..length]);
        if !asked.ends_with(b"\r\n\r\n") {
            continue;
        }
        if asked.starts_with(b"GET /late") {
            let body = lock(known).told();
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
        } else {
            let wanted = lock(known).latency(came);
            if !wanted.is_zero() {
                thread::sleep(wanted);
            }
            lock(known).late.push(came.elapsed().saturating_sub(wanted));
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nknown")?;
        }
        asked.clear();
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Known {
    fn latency(&mut self, now: Instant) -> Duration {
        if self.freezes {
            let start = *self.first.get_or_insert(now) + Duration::from_secs(3);
            let end = start + Duration::from_secs(1);
            return if now < start { Duration::ZERO } else { end.saturating_duration_since(now) };
        }
        // `bench/load` and the tests of the generator know the same kinds and shares.
        let number = self.count;
        self.count += 1;
        Duration::from_millis(match (number * 389) % 1_000 {
            0..880 => 5,
            880..985 => 20,
            985..998 => 80,
            _ => 300,
        })
    }

    fn told(&mut self) -> String {
        self.late.sort_unstable();
        let mut text = String::new();
        for thousandths in [500, 900, 950, 990, 999] {
            let place = (self.late.len() * thousandths / 1_000).min(self.late.len().saturating_sub(1));
            let late = self.late.get(place).map_or(0, Duration::as_micros);
            let _ = writeln!(text, "{} {late}", thousandths as f64 / 1_000.0);
        }
        *self = Self { freezes: self.freezes, ..Self::default() };
        text
    }
}
