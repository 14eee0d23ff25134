//! HTTP/1.1, a thread a connection, until a signal ends it.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::atomic::{AtomicU64, Ordering},
};

static ANSWERED: AtomicU64 = AtomicU64::new(0);

fn main() {
    let port: u16 = std::env::var("PORT").expect("a port").parse().expect("a number");
    let ballast = tiny::ballast();
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("a free port");
    println!("listening on {port} with {} bytes", ballast.len());
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || serve(stream));
    }
}

fn serve(stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut stream = stream;
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
        while line != "\r\n" && line != "\n" {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
        }
        let number = ANSWERED.fetch_add(1, Ordering::Relaxed);
        let (status, body) = tiny::answer(&path, number);
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}
