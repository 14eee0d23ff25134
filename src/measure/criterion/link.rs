//! One connection to a bench process: messages in, requests out, never blocked for longer than a heartbeat.

use super::protocol::{
    BENCH_HELLO_BYTES, Malformed, Message, RUNNER_HELLO, Request, Version, parse_hello, take,
};
use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

/// How long a wait for a bench lasts before its process and the user's patience are looked at again.
pub const HEARTBEAT: Duration = Duration::from_millis(100);

/// What came of waiting for one heartbeat.
#[derive(Debug)]
pub enum Heard<T> {
    /// This.
    Got(T),
    /// Nothing yet.
    Silence,
    /// The other end is closed.
    Closed,
}

/// A door for one process: a port of its own, so that whoever connects is that process.
#[derive(Debug)]
pub struct Door {
    address: SocketAddr,
    guest: Receiver<std::io::Result<TcpStream>>,
}

impl Door {
    /// Opens a port on the loopback interface.
    ///
    /// # Errors
    /// When the system has no port or thread left.
    pub fn open() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (sender, guest) = channel();
        std::thread::Builder::new().name("door".into()).spawn(move || {
            let _ = sender.send(listener.accept().map(|(stream, _)| stream));
        })?;
        Ok(Self { address, guest })
    }

    /// The port to connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Waits one heartbeat for the process to connect.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn wait(&self) -> std::io::Result<Heard<Link>> {
        match self.guest.recv_timeout(HEARTBEAT) {
            Ok(stream) => Link::new(stream?).map(Heard::Got),
            Err(RecvTimeoutError::Timeout) => Ok(Heard::Silence),
            Err(RecvTimeoutError::Disconnected) => Ok(Heard::Closed),
        }
    }
}

impl Drop for Door {
    /// Nobody may ever have come: the thread that waits for somebody is let go by coming ourselves.
    fn drop(&mut self) {
        if matches!(self.guest.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty)) {
            let _ = TcpStream::connect_timeout(&self.address, HEARTBEAT);
        }
    }
}

/// A connection.
#[derive(Debug)]
pub struct Link {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Link {
    fn new(stream: TcpStream) -> std::io::Result<Self> {
        stream.set_read_timeout(Some(HEARTBEAT))?;
        stream.set_write_timeout(Some(Duration::from_secs(10)))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Says hello: until then a bench waits within its first `Criterion::default()`.
    ///
    /// # Errors
    /// When the other end is closed.
    pub fn greet(&mut self) -> std::io::Result<()> {
        self.stream.write_all(RUNNER_HELLO)
    }

    /// Waits one heartbeat for the answer to our hello.
    ///
    /// # Errors
    /// When it is not criterion's.
    pub fn hello(&mut self) -> Result<Heard<Version>, Malformed> {
        let nothing = if self.buffer.len() < BENCH_HELLO_BYTES { self.read() } else { None };
        if let Some(nothing) = nothing {
            return Ok(nothing);
        }
        let Some(bytes) = self.buffer.first_chunk::<BENCH_HELLO_BYTES>() else { return Ok(Heard::Silence) };
        let version = parse_hello(bytes)?;
        self.buffer.drain(..BENCH_HELLO_BYTES);
        Ok(Heard::Got(version))
    }

    /// Waits one heartbeat for a message.
    ///
    /// # Errors
    /// When what came is none.
    pub fn receive(&mut self) -> Result<Heard<Message>, Malformed> {
        loop {
            if let Some(message) = take(&mut self.buffer)? {
                return Ok(Heard::Got(message));
            }
            if let Some(nothing) = self.read() {
                return Ok(nothing);
            }
        }
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When the other end is closed.
    pub fn send(&mut self, request: &Request) -> std::io::Result<()> {
        self.stream.write_all(&request.frame())
    }

    /// Reads once; says why when nothing came.
    fn read<T>(&mut self) -> Option<Heard<T>> {
        let mut bytes = [0; 16 * 1024];
        acknowledge_at_once(&self.stream);
        match self.stream.read(&mut bytes) {
            Ok(0) => Some(Heard::Closed),
            Ok(count) => {
                self.buffer.extend_from_slice(&bytes[..count]);
                None
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Some(Heard::Silence),
                _ => Some(Heard::Closed),
            },
        }
    }
}

/// Acknowledges what came and what comes next without delay.
///
/// criterion writes the length of a message and its body in two small writes, and the kernel holds the second back until the
/// first is acknowledged (Nagle's algorithm), which we would do 40 ms later: 0.18 s a slot were measured so, 0.09 s with this. The
/// kernel forgets the setting whenever we write, so it is set again before each read.
#[cfg(target_os = "linux")]
fn acknowledge_at_once(stream: &TcpStream) {
    let _ = rustix::net::sockopt::set_tcp_quickack(stream, true);
}

/// See above.
#[cfg(not(target_os = "linux"))]
fn acknowledge_at_once(_stream: &TcpStream) {}

#[cfg(test)]
mod tests {
    use super::{Door, Heard, Link};
    use crate::measure::criterion::protocol::{Message, RUNNER_HELLO, Request};
    use std::{
        io::{Read, Write},
        net::TcpStream,
    };

    fn connected() -> (TcpStream, Link) {
        let door = Door::open().unwrap();
        let bench = TcpStream::connect(("127.0.0.1", door.port())).unwrap();
        loop {
            match door.wait().unwrap() {
                Heard::Got(link) => return (bench, link),
                Heard::Silence => {}
                Heard::Closed => panic!("the door is shut"),
            }
        }
    }

    fn heard<T>(mut wait: impl FnMut() -> Heard<T>) -> Option<T> {
        loop {
            match wait() {
                Heard::Got(value) => return Some(value),
                Heard::Silence => {}
                Heard::Closed => return None,
            }
        }
    }

    #[test]
    fn a_bench_is_greeted_and_its_messages_come_in_order_however_they_are_cut() {
        let (mut bench, mut link) = connected();
        link.greet().unwrap();
        let mut hello = [0; 18];
        bench.read_exact(&mut hello).unwrap();
        assert_eq!(&hello, RUNNER_HELLO);

        let finished =
            [b"\0\0\0\x21".as_slice(), b"\xa1\x76FinishedBenchmarkGroup\xa1\x65group\x61g"].concat();
        let said = [b"Criterion\0\x05\x01\0\x01\0\x01".as_slice(), &finished, &finished].concat();
        let writer = std::thread::spawn(move || {
            for byte in said {
                bench.write_all(&[byte]).unwrap();
            }
            bench
        });
        assert_eq!(heard(|| link.hello().unwrap()), Some([0, 5, 1]));
        for _ in 0..2 {
            assert_eq!(heard(|| link.receive().unwrap()), Some(Message::GroupFinished));
        }
        let mut bench = writer.join().unwrap();
        link.send(&Request::Continue).unwrap();
        let mut request = [0; 13];
        bench.read_exact(&mut request).unwrap();
        assert_eq!(&request, b"\0\0\0\x09\x68Continue");
        drop(bench);
        assert_eq!(heard(|| link.receive().unwrap()), None);
    }

    #[test]
    fn a_door_that_nobody_came_to_can_be_closed() {
        let door = Door::open().unwrap();
        assert!(matches!(door.wait().unwrap(), Heard::Silence));
        let port = door.port();
        drop(door);
        // Its thread has gone and the port with it, at once or as soon as the thread is scheduled.
        while TcpStream::connect(("127.0.0.1", port)).is_ok() {
            std::thread::yield_now();
        }
    }
}
