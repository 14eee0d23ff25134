//! A server of known latency, for `bench/load truth`: `known mixed|freeze` prints its port and answers until it is killed.
//!
//! `mixed` takes 5, 20, 80 or 300 ms, dealt by the number of the request. `freeze` answers at once, but stands still from the third to
//! the fourth second after its first request. `GET /late` says by how much its own answers were late since the last time,
//! as lines of a share and microseconds, and begins to count anew.
//!
//! It has a processor of its own and never sleeps on it: what sleeps wakes late, and what wakes for each of 20,000 answers a second has no
//! time left for them.

#![allow(clippy::print_stdout, reason = "a program that prints its port")]

use std::{
    cell::RefCell,
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    error::Error,
    fmt::Write as _,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    runtime::LocalOptions,
    sync::oneshot,
};

/// Connections that may wait to be accepted: a burst of them must not be told to try again in a second.
const BACKLOG: u32 = 4_096;

/// Whom to wake, with its place in [`Known::waiting`].
type Due = Reverse<(Instant, u64)>;

#[derive(Default)]
struct Known {
    freezes: bool,
    count: u64,
    first: Option<Instant>,
    late: Vec<Duration>,
    due: BinaryHeap<Due>,
    waiting: HashMap<u64, oneshot::Sender<()>>,
    waits: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let freezes = match std::env::args().nth(1).as_deref() {
        Some("mixed") => false,
        Some("freeze") => true,
        _ => return Err("usage: known mixed|freeze".into()),
    };
    let known = Rc::new(RefCell::new(Known { freezes, ..Known::default() }));
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_io().build_local(LocalOptions::default())?.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.bind("127.0.0.1:0".parse()?)?;
        let listener = socket.listen(BACKLOG)?;
        println!("{}", listener.local_addr()?.port());
        let clock = Rc::clone(&known);
        tokio::task::spawn_local(async move {
            loop {
                clock.borrow_mut().wake();
                tokio::task::yield_now().await;
            }
        });
        loop {
            let (stream, _) = listener.accept().await?;
            // A client that goes in the middle of an answer is no matter for the server.
            tokio::task::spawn_local(serve(stream, Rc::clone(&known)));
        }
    })
}

async fn serve(mut stream: TcpStream, known: Rc<RefCell<Known>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut asked, mut chunk) = (Vec::new(), [0; 2_048]);
    loop {
        let length = stream.read(&mut chunk).await?;
        if length == 0 {
            return Ok(());
        }
        let came = Instant::now();
        asked.extend_from_slice(&chunk[..length]);
        if !asked.ends_with(b"\r\n\r\n") {
            continue;
        }
        if asked.starts_with(b"GET /late") {
            let body = known.borrow_mut().told();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all((head + &body).as_bytes()).await?;
        } else {
            let wanted = known.borrow_mut().latency(came);
            if !wanted.is_zero() {
                let ring = known.borrow_mut().wait_until(came + wanted);
                let _ = ring.await;
            }
            known.borrow_mut().late.push(came.elapsed().saturating_sub(wanted));
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nknown").await?;
        }
        asked.clear();
    }
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

    fn wait_until(&mut self, due: Instant) -> oneshot::Receiver<()> {
        let (sender, ring) = oneshot::channel();
        self.waits += 1;
        self.due.push(Reverse((due, self.waits)));
        self.waiting.insert(self.waits, sender);
        ring
    }

    /// Wakes those whose time has come.
    fn wake(&mut self) {
        let now = Instant::now();
        while let Some(Reverse((_, number))) =
            self.due.peek().filter(|Reverse((due, _))| *due <= now).copied()
        {
            self.due.pop();
            if let Some(sender) = self.waiting.remove(&number) {
                let _ = sender.send(());
            }
        }
    }

    fn told(&mut self) -> String {
        self.late.sort_unstable();
        let mut text = String::new();
        for thousandths in [500, 900, 950, 990, 999] {
            let place = (self.late.len() * thousandths / 1_000).min(self.late.len().saturating_sub(1));
            let late = self.late.get(place).map_or(0, Duration::as_micros);
            let _ = writeln!(text, "{} {late}", thousandths as f64 / 1_000.0);
        }
        self.late.clear();
        (self.count, self.first) = (0, None);
        text
    }
}
