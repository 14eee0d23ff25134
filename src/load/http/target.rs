//! Where requests go: one host of the scenario, resolved and checked before the first request, and how to connect to it.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Uri,
    header::{CONNECTION, HOST, HeaderValue},
    http::uri::{self, Authority, PathAndQuery, Scheme},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use super::{
    fault::Fault,
    stream::{Plain, Stream},
    tls,
    wire::Sent,
};
use crate::{
    load::{generator::Error, scenario::Transport, script::Prepared},
    model::load::ErrorKind,
};

/// One service.
#[derive(Debug)]
pub(crate) struct Target {
    /// `host` or `host:port`, as the URL says it.
    pub(crate) authority: Authority,
    /// The same for a `Host` header.
    pub(crate) host: HeaderValue,
    /// Whether requests go through TLS.
    pub(crate) secure: Option<Secure>,
    /// The path of the URL, without a slash at its end; it goes before the path of every request.
    pub(crate) base: String,
    /// HTTP/2 instead of HTTP/1.1.
    pub(crate) http2: bool,
    /// Whether a connection is used again.
    pub(crate) keep_alive: bool,
    way: Way,
}

/// How TLS is done.
pub(crate) struct Secure {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Secure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secure").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum Way {
    Tcp {
        addresses: Vec<SocketAddr>,
        preferred: AtomicUsize,
    },
    #[cfg(unix)]
    Unix(PathBuf),
    /// To whoever takes the other ends.
    #[cfg(test)]
    Memory(tokio::sync::mpsc::UnboundedSender<tokio::io::DuplexStream>),
}

impl Target {
    /// The target of `url`, or of `socket` under that URL's name.
    ///
    /// # Errors
    /// When the URL is none that we speak, when its host cannot be resolved, when the host is not this machine and the scenario
    /// does not allow that, or when a certificate cannot be read.
    pub(crate) async fn new(url: &str, socket: Option<&Path>, transport: &Transport) -> Result<Self, Error> {
        let bad = |reason: &str| Error::Url { url: url.to_owned(), reason: reason.to_owned() };
        let uri: Uri = url.parse().map_err(|_| bad("it is no URL"))?;
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(bad("it does not start with `http://` or `https://`")),
        };
        let authority = uri.authority().ok_or_else(|| bad("it names no host"))?.clone();
        if authority.as_str().contains('@') {
            return Err(bad("it holds a user name; send an `authorization` header instead"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let way = match socket {
            Some(path) => unix(path)?,
            None => {
                let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
                let addresses = resolve(&host, port).await?;
                local_only(&host, &addresses, transport.allow_remote)?;
                Way::Tcp { addresses, preferred: AtomicUsize::new(0) }
            }
        };
        let secure = if secure {
            let connector =
                tls::connector(transport.tls_ca.as_deref(), transport.tls_insecure, transport.http2)?;
            let name = ServerName::try_from(host).map_err(|_| bad("its host is no name that TLS knows"))?;
            Some(Secure { connector, name })
        } else {
            None
        };
        Ok(Self {
            host: HeaderValue::from_str(authority.as_str()).map_err(|_| bad("its host cannot be sent"))?,
            authority,
            secure,
            base: uri.path().trim_end_matches('/').to_owned(),
            http2: transport.http2,
            keep_alive: transport.keep_alive,
            way,
        })
    }

    /// A service within this process, that is given the other end of every connection.
    #[cfg(test)]
    pub(crate) fn within(listener: tokio::sync::mpsc::UnboundedSender<tokio::io::DuplexStream>) -> Self {
        Self {
            host: HeaderValue::from_static("within"),
            authority: Authority::from_static("within"),
            secure: None,
            base: String::new(),
            http2: false,
            keep_alive: true,
            way: Way::Memory(listener),
        }
    }

    /// A request as it goes over the wire; `None` when its path makes no URI.
    pub(crate) fn request(&self, prepared: Prepared) -> Option<Sent> {
        let Prepared { method, path, mut headers, body, .. } = prepared;
        let uri = self.uri(path, headers.get(HOST))?;
        if self.http2 {
            headers.remove(HOST);
        } else {
            headers.entry(HOST).or_insert_with(|| self.host.clone());
            if !self.keep_alive {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
        }
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Some(request)
    }

    /// The URI of a path; in HTTP/2 it holds the host as well, or the one that the scenario wants instead.
    fn uri(&self, path: PathAndQuery, host: Option<&HeaderValue>) -> Option<Uri> {
        let path = match &*self.base {
            "" => path,
            base => PathAndQuery::from_maybe_shared(Bytes::from([base, path.as_str()].concat())).ok()?,
        };
        if !self.http2 {
            return Some(Uri::from(path));
        }
        let other = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
        let mut parts = uri::Parts::default();
        parts.scheme = Some(if self.secure.is_some() { Scheme::HTTPS } else { Scheme::HTTP });
        parts.authority = Some(other.unwrap_or_else(|| self.authority.clone()));
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).ok()
    }

    /// Opens a stream to it, ready for HTTP.
    pub(crate) async fn connect(&self) -> Result<Stream, Fault> {
        let plain = self.connect_plain().await.map_err(|error| Fault::connect(&error))?;
        let Some(Secure { connector, name }) = &self.secure else { return Ok(Stream::Plain(plain)) };
        let stream = connector.connect(name.clone(), plain).await.map_err(|_| Fault::of(ErrorKind::Tls))?;
        if self.http2 && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(Fault::of(ErrorKind::Tls));
        }
        Ok(Stream::Tls(Box::new(stream)))
    }

    async fn connect_plain(&self) -> io::Result<Plain> {
        match &self.way {
            Way::Tcp { addresses, preferred } => {
                let first = preferred.load(Ordering::Relaxed);
                let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
                for place in (first..addresses.len()).chain(0..first) {
                    match TcpStream::connect(addresses[place]).await {
                        Ok(stream) => {
                            preferred.store(place, Ordering::Relaxed);
                            // A request must not wait for the acknowledgement of the one before it.
                            stream.set_nodelay(true)?;
                            return Ok(Plain::Tcp(stream));
                        }
                        Err(error) => failed = error,
                    }
                }
                Err(failed)
            }
            #[cfg(unix)]
            Way::Unix(path) => Ok(Plain::Unix(tokio::net::UnixStream::connect(path).await?)),
            #[cfg(test)]
            Way::Memory(listener) => {
                let (near, far) = tokio::io::duplex(4 << 10);
                listener.send(far).map_err(|_| io::ErrorKind::ConnectionRefused)?;
                Ok(Plain::Memory(near))
            }
        }
    }
}

#[cfg(unix)]
fn unix(path: &Path) -> Result<Way, Error> {
    Ok(Way::Unix(path.to_owned()))
}

#[cfg(not(unix))]
fn unix(path: &Path) -> Result<Way, Error> {
    Err(Error::Url { url: path.display().to_string(), reason: "this system has no Unix sockets".into() })
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let failed = |source| Error::Resolve { host: host.to_owned(), source };
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await.map_err(failed)?.collect();
    if found.is_empty() {
        return Err(failed(io::Error::new(io::ErrorKind::NotFound, "the name has no address")));
    }
    Ok(found)
}

/// Every address must be this machine's own, unless the scenario allows others.
fn local_only(host: &str, addresses: &[SocketAddr], allow_remote: bool) -> Result<(), Error> {
    let local = |address: &SocketAddr| {
        let address = address.ip().to_canonical();
        address.is_loopback() || address.is_unspecified()
    };
    match addresses.iter().find(|address| !local(address)) {
        Some(address) if !allow_remote => Err(Error::Remote { host: host.to_owned(), address: address.ip() }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::local_only;

    #[test]
    fn only_addresses_of_this_machine_pass_unless_others_are_allowed() {
        for (address, local) in [
            ("127.0.0.1:80", true),
            ("127.9.8.7:80", true),
            ("[::1]:80", true),
            ("[::ffff:127.0.0.1]:80", true),
            ("0.0.0.0:80", true),
            ("10.0.0.1:80", false),
            ("[::ffff:192.0.2.1]:80", false),
            ("[2001:db8::1]:443", false),
        ] {
            let address = [address.parse().unwrap()];
            assert_eq!(local_only("h", &address, false).is_ok(), local, "{address:?}");
            assert!(local_only("h", &address, true).is_ok());
        }
        let mixed = ["127.0.0.1:80".parse().unwrap(), "192.0.2.1:80".parse().unwrap()];
        assert!(local_only("h", &mixed, false).is_err());
    }
}
