//! An HTTP server of known behaviour on loopback: one thread a connection, an answer by whatever a test says.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// What became of a request.
pub(crate) enum Reply {
    /// These bytes, then the next request.
    Keep(Vec<u8>),
    /// These bytes, then the end of the connection.
    Close(Vec<u8>),
    /// The connection is reset.
    Reset,
    /// The same bytes again and again until the client goes.
    Endless(Vec<u8>),
}

/// Which request of its connection it is, from 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) request: u64,
}

/// A server; it ends with this value, its threads when their clients go.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Server {
    /// Starts one that answers as `reply` says; it is given the head of the request.
    pub(crate) fn start(reply: impl Fn(Asked, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::<AtomicU64>::default();
        let over = Arc::<AtomicBool>::default();
        let (count, stop, reply) = (Arc::clone(&connections), Arc::clone(&over), Arc::new(reply));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                count.fetch_add(1, Ordering::Relaxed);
                let reply = Arc::clone(&reply);
                // A client that goes in the middle of an answer is no matter for the server.
                thread::spawn(move || stream.and_then(|stream| serve(stream, &*reply)));
            }
        });
        Self { address, connections, over }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

/// An answer with this body.
pub(crate) fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn serve(mut stream: TcpStream, reply: &dyn Fn(Asked, &str) -> Reply) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut buffer = Vec::new();
    for request in 0.. {
        let Some(head) = read_head(&mut stream, &mut buffer)? else { return Ok(()) };
        match reply(Asked { request }, &head) {
            Reply::Keep(bytes) => stream.write_all(&bytes)?,
            Reply::Close(bytes) => {
                stream.write_all(&bytes)?;
                return Ok(());
            }
            Reply::Reset => {
                rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
                return Ok(());
            }
            Reply::Endless(bytes) => loop {
                stream.write_all(&bytes)?;
            },
        }
    }
    Ok(())
}

/// Reads one request and gives its head; `None` at the end of the connection.
fn read_head(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<String>> {
    let mut chunk = [0; 4096];
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .map_or(0, |length| length.trim().parse().unwrap());
            if buffer.len() >= end + 4 + length {
                buffer.drain(..end + 4 + length);
                return Ok(Some(head));
            }
        }
        match stream.read(&mut chunk)? {
            0 => return Ok(None),
            count => buffer.extend_from_slice(&chunk[..count]),
        }
    }
}
