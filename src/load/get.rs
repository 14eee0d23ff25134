//! A small blocking GET: is the service ready, what does its metrics page say. The load itself never travels this way.
//!
//! HTTP/1.1 over TCP, TLS or a Unix socket, one connection a request, the whole bounded in time and size. It follows no redirects.

use std::{
    fmt,
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::trust::Trust;

/// How long a read may take before we look up whether to go on at all.
const SLICE: Duration = Duration::from_millis(50);
/// The longest head of an answer, bytes.
const MOST_HEAD_BYTES: usize = 64 * 1024;

/// Where to ask for what.
#[derive(Debug, Clone)]
pub(super) struct Place {
    host: String,
    port: u16,
    tls: bool,
    /// As the `Host` header has it.
    authority: String,
    /// Path and query.
    path: String,
    socket: Option<PathBuf>,
    trust: Trust,
}

impl Place {
    /// The place of a whole URL, or of a path on the service at `base`, which may listen on a Unix socket instead.
    pub(super) fn new(base: &str, target: &str, socket: Option<&Path>) -> Result<Self, String> {
        if target.contains("://") {
            return Self::parse(target);
        }
        let mut place = Self::parse(base)?;
        if !target.is_empty() {
            let slash = if target.starts_with('/') { "" } else { "/" };
            place.path = format!("{}{slash}{target}", place.path.trim_end_matches('/'));
        }
        if let Some(bad) = place.path.chars().find(|c| c.is_ascii_control() || *c == ' ' || !c.is_ascii()) {
            return Err(format!("the path holds the character {bad:?}, which must be percent-encoded"));
        }
        place.socket = socket.map(Path::to_owned);
        Ok(place)
    }

    fn parse(url: &str) -> Result<Self, String> {
        let uri: hyper::Uri = url.parse().map_err(|error| format!("it is no URL: {error}"))?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err("it does not begin with `http://` or `https://`".into()),
        };
        let authority = uri.authority().ok_or("it names no host")?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err("it names no host".into());
        }
        let port = match authority.as_str().rsplit_once(':') {
            Some((_, digits)) if !digits.contains(']') => {
                digits.parse().map_err(|_| format!("`{digits}` is no port"))?
            }
            _ if tls => 443,
            _ => 80,
        };
        let authority = authority.as_str().rsplit('@').next().unwrap_or_default().to_owned();
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { host, port, tls, authority, path, socket: None, trust: Trust::default() })
    }

    /// The same place, asked with what the scenario says of certificates.
    pub(super) fn trusting(self, trust: &Trust) -> Self {
        Self { trust: trust.clone(), ..self }
    }

    /// Opens and closes a connection.
    pub(super) fn knock(&self, limit: Duration) -> io::Result<()> {
        Wire::open(self, Instant::now() + limit).map(drop)
    }

    /// Whether the host is this machine by name or number.
    pub(super) fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.socket {
            Some(socket) => write!(formatter, "{} on the socket {}", self.path, socket.display()),
            None => {
                let scheme = if self.tls { "https" } else { "http" };
                write!(formatter, "{scheme}://{}{}", self.authority, self.path)
            }
        }
    }
}

/// What bounds a request.
pub(super) struct Bounds<'a> {
    /// How long it may take in all.
    pub(super) time: Duration,
    /// The most bytes of a body; more is an error.
    pub(super) body_bytes: usize,
    /// Asked a few times a second; the request is given up when it says no.
    pub(super) goes_on: &'a mut dyn FnMut() -> bool,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// Its status.
    pub(super) status: u16,
    /// Its body.
    pub(super) body: Vec<u8>,
}

/// Asks once.
pub(super) fn get(place: &Place, accept: &str, bounds: &mut Bounds<'_>) -> io::Result<Answer> {
    let deadline = Instant::now() + bounds.time;
    let mut wire = Wire::open(place, deadline)?;
    let (path, authority) = (&place.path, &place.authority);
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nAccept: {accept}\r\nUser-Agent: tollgate\r\nConnection: close\r\n\r\n"
    );
    let mut source = Source { wire: wire.stream(place)?, deadline, buffer: Vec::new() };
    source.send(request.as_bytes(), bounds)?;
    let (status, framing) = source.head(bounds)?;
    let body = source.body(framing, bounds)?;
    Ok(Answer { status, body })
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the answer is no HTTP: {what}"))
}

/// How the end of a body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
    UntilClosed,
}

enum Wire {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixStream),
}

/// Something that answers are read from.
pub(super) trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Wire {
    fn open(place: &Place, deadline: Instant) -> io::Result<Self> {
        #[cfg(unix)]
        if let Some(socket) = &place.socket {
            let stream = std::os::unix::net::UnixStream::connect(socket)?;
            stream.set_read_timeout(Some(SLICE))?;
            stream.set_write_timeout(Some(SLICE))?;
            return Ok(Self::Unix(stream));
        }
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in (place.host.as_str(), place.port).to_socket_addrs()? {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            match TcpStream::connect_timeout(&address, left) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(SLICE))?;
                    stream.set_write_timeout(Some(SLICE))?;
                    return Ok(Self::Tcp(stream));
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn stream<'a>(&'a mut self, place: &Place) -> io::Result<Box<dyn Stream + 'a>> {
        let raw: Box<dyn Stream + 'a> = match self {
            Self::Tcp(stream) => Box::new(stream),
            #[cfg(unix)]
            Self::Unix(stream) => Box::new(stream),
        };
        if place.tls {
            super::probe_tls::wrap(raw, &place.host, place.is_loopback(), &place.trust)
        } else {
            Ok(raw)
        }
    }
}

struct Source<'a> {
    wire: Box<dyn Stream + 'a>,
    deadline: Instant,
    buffer: Vec<u8>,
}

impl Source<'_> {
    fn send(&mut self, mut bytes: &[u8], bounds: &mut Bounds<'_>) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.wire.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => bytes = &bytes[count..],
                Err(error) => self.patience(error, bounds)?,
            }
        }
        while let Err(error) = self.wire.flush() {
            self.patience(error, bounds)?;
        }
        Ok(())
    }

    /// Passes over an error that only says "not yet", while there is time and reason to go on.
    fn patience(&self, error: io::Error, bounds: &mut Bounds<'_>) -> io::Result<()> {
        use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
        if !matches!(error.kind(), Interrupted | TimedOut | WouldBlock) {
            return Err(error);
        }
        if Instant::now() >= self.deadline {
            let text = format!("no whole answer within {} s", bounds.time.as_secs_f64());
            return Err(io::Error::new(TimedOut, text));
        }
        if (bounds.goes_on)() { Ok(()) } else { Err(io::Error::new(Interrupted, "it was given up")) }
    }

    /// Reads some more; false at the end of the stream.
    fn fill(&mut self, bounds: &mut Bounds<'_>) -> io::Result<bool> {
        let mut part = [0_u8; 16 * 1024];
        loop {
            // A server that sends a byte now and then must not outlast the deadline either.
            if Instant::now() >= self.deadline {
                self.patience(io::ErrorKind::TimedOut.into(), bounds)?;
            }
            match self.wire.read(&mut part) {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    self.buffer.extend_from_slice(&part[..count]);
                    return Ok(true);
                }
                // What TLS servers do that close without saying so.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
                Err(error) => self.patience(error, bounds)?,
            }
        }
    }

    fn head(&mut self, bounds: &mut Bounds<'_>) -> io::Result<(u16, Framing)> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                self.buffer.drain(..end + 4);
                let (status, framing) = parse_head(&head)?;
                if (100..200).contains(&status) {
                    continue;
                }
                return Ok((status, framing));
            }
            if self.buffer.len() > MOST_HEAD_BYTES {
                return Err(malformed("its head does not end"));
            }
            if !self.fill(bounds)? {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the connection was closed without an answer",
                ));
            }
        }
    }

    fn body(&mut self, framing: Framing, bounds: &mut Bounds<'_>) -> io::Result<Vec<u8>> {
        match framing {
            Framing::Length(length) => {
                check_size(length, bounds)?;
                self.need(length, bounds)?;
                Ok(self.buffer.drain(..length).collect())
            }
            Framing::UntilClosed => {
                while check_size(self.buffer.len(), bounds).is_ok() && self.fill(bounds)? {}
                check_size(self.buffer.len(), bounds)?;
                Ok(std::mem::take(&mut self.buffer))
            }
            Framing::Chunked => self.chunks(bounds),
        }
    }

    fn chunks(&mut self, bounds: &mut Bounds<'_>) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                if let Some(end) = find(&self.buffer, b"\r\n") {
                    break end;
                }
                self.need(self.buffer.len() + 1, bounds)?;
                if self.buffer.len() > MOST_HEAD_BYTES && find(&self.buffer, b"\r\n").is_none() {
                    return Err(malformed("a chunk has no size"));
                }
            };
            let line = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
            let digits = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(digits, 16).map_err(|_| malformed("a chunk has no size"))?;
            self.buffer.drain(..end + 2);
            if size == 0 {
                return Ok(body);
            }
            check_size(body.len().saturating_add(size), bounds)?;
            self.need(size + 2, bounds)?;
            body.extend(self.buffer.drain(..size));
            self.buffer.drain(..2);
        }
    }

    /// Reads until the buffer holds so many bytes.
    fn need(&mut self, bytes: usize, bounds: &mut Bounds<'_>) -> io::Result<()> {
        while self.buffer.len() < bytes {
            if !self.fill(bounds)? {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the connection was closed before the answer was whole",
                ));
            }
        }
        Ok(())
    }
}

fn check_size(bytes: usize, bounds: &Bounds<'_>) -> io::Result<()> {
    if bytes <= bounds.body_bytes {
        return Ok(());
    }
    let text = format!("the answer is longer than {} KiB", bounds.body_bytes / 1024);
    Err(io::Error::new(io::ErrorKind::FileTooLarge, text))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn parse_head(head: &str) -> io::Result<(u16, Framing)> {
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    if !words.next().is_some_and(|version| version.starts_with("HTTP/1.")) {
        return Err(malformed("it does not begin with `HTTP/1.`"));
    }
    let status =
        words.next().and_then(|word| word.parse().ok()).filter(|status| (100..1000).contains(status));
    let status = status.ok_or_else(|| malformed("it has no status"))?;
    let mut framing = Framing::UntilClosed;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("transfer-encoding") && value.to_ascii_lowercase().contains("chunked") {
            framing = Framing::Chunked;
        } else if name.eq_ignore_ascii_case("content-length") && framing != Framing::Chunked {
            framing =
                Framing::Length(value.trim().parse().map_err(|_| malformed("its length is no number"))?);
        }
    }
    if matches!(status, 204 | 304) || (100..200).contains(&status) {
        framing = Framing::Length(0);
    }
    Ok((status, framing))
}

#[cfg(test)]
mod tests {
    use super::{Answer, Bounds, Place, get};
    use std::{
        io::{Read, Write},
        net::TcpListener,
        time::Duration,
    };

    /// Answers one request with these bytes, then closes; returns where.
    fn server(answer: Vec<u8>) -> Place {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0_u8; 2048];
            let count = stream.read(&mut request).unwrap();
            assert!(request[..count].starts_with(b"GET /m?x=1 HTTP/1.1\r\n"));
            let _ = stream.write_all(&answer);
        });
        Place::new(&format!("http://127.0.0.1:{port}"), "/m?x=1", None).unwrap()
    }

    fn ask(answer: &[u8]) -> std::io::Result<Answer> {
        let mut goes_on = || true;
        let mut bounds = Bounds { time: Duration::from_secs(60), body_bytes: 20, goes_on: &mut goes_on };
        get(&server(answer.to_vec()), "*/*", &mut bounds)
    }

    #[test]
    fn a_body_ends_by_length_by_chunks_or_with_the_connection() {
        let body = |text: &str| ask(text.as_bytes()).unwrap().body;
        assert_eq!(body("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcdef"), b"abc");
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";
        assert_eq!(body(chunked), b"abc0123456789");
        assert_eq!(body("HTTP/1.0 200 OK\r\n\r\nall of it"), b"all of it");
        let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(ask(early.as_bytes()).unwrap(), Answer { status: 404, body: Vec::new() });
    }

    #[test]
    fn an_answer_that_is_broken_or_too_long_is_an_error_that_says_so() {
        let error = |text: &str| ask(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(error("SSH-2.0-x\r\n\r\n"), "the answer is no HTTP: it does not begin with `HTTP/1.`");
        assert_eq!(error(""), "the connection was closed without an answer");
        let cut = error("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc");
        assert_eq!(cut, "the connection was closed before the answer was whole");
        assert!(error("HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\n").contains("longer than"));
        assert!(error(&format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(99))).contains("longer than"));
        let endless = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n";
        assert!(error(endless).contains("longer than"));
        assert!(error("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n").contains("no number"));
    }

    #[test]
    fn a_request_is_given_up_when_nobody_wants_it_any_more() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = Place::new(&format!("http://{}", listener.local_addr().unwrap()), "/", None).unwrap();
        let mut asked = 0;
        let mut goes_on = || {
            asked += 1;
            asked < 3
        };
        let mut bounds = Bounds { time: Duration::from_secs(600), body_bytes: 20, goes_on: &mut goes_on };
        assert_eq!(get(&place, "*/*", &mut bounds).unwrap_err().to_string(), "it was given up");
        assert_eq!(asked, 3);
    }

    #[test]
    fn urls_are_taken_apart() {
        let place = |base: &str, target: &str| Place::new(base, target, None).map(|place| place.to_string());
        assert_eq!(place("http://[::1]:8080/api/", "ready?x").unwrap(), "http://[::1]:8080/api/ready?x");
        assert_eq!(place("http://a", "https://b/metrics").unwrap(), "https://b/metrics");
        for bad in ["", "a", "ftp://a/", "http://", "http://a:99999/", "http://:80/"] {
            assert!(place(bad, "/").is_err(), "{bad}");
        }
        assert!(place("http://a", "/x\r\nHost: evil").is_err());
    }
}
