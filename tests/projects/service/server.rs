//! A small HTTP service for the tests of `load::service`: std alone, compiled by `rustc` once.
//!
//! `server` listens on 127.0.0.1 at the variable `PORT`, or on the Unix socket that is its first argument. `server burn MS` uses so
//! much processor time and ends.

use std::{
    fs::read_to_string,
    io::{Read, Write},
    net::TcpListener,
    os::unix::net::UnixListener,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

static HITS: AtomicU64 = AtomicU64::new(0);
static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Uses processor time in this thread, by the kernel's own account.
fn burn(ms: u64) {
    let used = || -> u64 {
        let text = read_to_string("/proc/thread-self/schedstat").unwrap();
        text.split(' ').next().unwrap().parse().unwrap()
    };
    let begin = used();
    let mut x = 1_u64;
    while used() - begin < ms * 1_000_000 {
        for _ in 0..100_000 {
            x = std::hint::black_box(x.wrapping_mul(31).wrapping_add(7));
        }
    }
}

fn answer(path: &str) -> (u16, String) {
    let (path, number) = path.split_once('?').unwrap_or((path, "0"));
    let number: u64 = number.parse().unwrap_or(0);
    match path {
        "/hit" => drop(HITS.fetch_add(number, Ordering::SeqCst)),
        "/metrics" => {
            let hits = HITS.load(Ordering::SeqCst);
            let text = format!(
                "# TYPE hits counter\nhits_total{{cache=\"memory\"}} {hits}\nmisses_total 100\nhits_total{{cache=\"disk\"}} 1e3\n\
                 lookups_total {}\npool_size 7\nbroken line here\n",
                hits + 100
            );
            return (200, text);
        }
        // In a thread that has ended when somebody looks.
        "/burn" => std::thread::spawn(move || burn(number)).join().unwrap(),
        "/child" => {
            let us = std::env::current_exe().unwrap();
            let status = Command::new(us).args(["burn", &number.to_string()]).status().unwrap();
            assert!(status.success());
        }
        "/keep" => KEPT.lock().unwrap().push(vec![1; usize::try_from(number).unwrap()]),
        "/environment" => {
            let padding = std::env::var("TOLLGATE_PADDING").unwrap();
            return (200, format!("{} {}", padding.len(), std::env::var("GREETING").unwrap_or_default()));
        }
        "/exit" => {
            eprintln!("asked to go");
            std::process::exit(i32::try_from(number).unwrap());
        }
        "/ready" | "/" => {}
        _ => return (404, "no".into()),
    }
    (200, "ok".into())
}

fn serve(mut stream: impl Read + Write) {
    let (mut text, mut part) = (String::new(), [0; 4096]);
    while !text.contains("\r\n\r\n") {
        match stream.read(&mut part) {
            Ok(count) if count > 0 => text += &String::from_utf8_lossy(&part[..count]),
            // A knock: nobody asks anything.
            _ => return,
        }
    }
    let (status, body) = answer(text.split(' ').nth(1).unwrap_or("/"));
    let _ = write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [word, ms] = args.as_slice() {
        assert_eq!(word, "burn");
        return burn(ms.parse().unwrap());
    }
    if let Some(path) = args.first() {
        let listener = UnixListener::bind(path).unwrap();
        listener.incoming().for_each(|stream| serve(stream.unwrap()));
    }
    let port = std::env::var("PORT").unwrap();
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    println!("listening on {port}");
    listener.incoming().for_each(|stream| serve(stream.unwrap()));
}
