//! One connection of HTTP/1.1 or HTTP/2, and one exchange on it with its moments.
//!
//! An HTTP/1.1 connection is driven by the very task that waits for its answer: no message passes between tasks, which is most of
//! what a request costs.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Instant,
};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Request, StatusCode,
    body::{Body as _, Incoming},
    client::conn::{TrySendError, http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::{fault::Fault, stream::Stream, target::Target};
use crate::{load::clock, model::load::ErrorKind};

/// The longest body that is read.
pub(crate) const LONGEST_BODY: u64 = 16 << 20;

/// A request as it is sent.
pub(crate) type Sent = Request<Full<Bytes>>;

/// The sending half of an HTTP/2 connection; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Http2 {
    sender: http2::SendRequest<Full<Bytes>>,
    /// How many requests the server takes at a time.
    streams: Arc<AtomicUsize>,
}

impl Http2 {
    /// Whether no more requests can be sent on it.
    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// How many requests the server takes at a time.
    pub(crate) fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Empty unless it was wanted.
    pub(crate) body: Bytes,
    /// How long the body was.
    pub(crate) bytes: u64,
    /// When its head was there.
    pub(crate) first_byte: Instant,
}

/// An exchange that broke.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) fault: Fault,
    /// The request, where not a byte of it was sent.
    pub(crate) unsent: Option<Box<Sent>>,
    /// Whether the head of an answer was there.
    pub(crate) answered: bool,
}

/// A connection.
#[derive(Debug)]
pub(crate) enum Wire {
    /// With its driver.
    Http1(Box<Http1>),
    /// Its driver is a task of its own.
    Http2(Http2),
}

type Driver = http1::Connection<TokioIo<Stream>, Full<Bytes>>;

/// HTTP/1.1.
#[derive(Debug)]
pub(crate) struct Http1 {
    sender: http1::SendRequest<Full<Bytes>>,
    /// Gone once it is over: only its being dropped tells the sender that nobody takes requests any more, and gives back one that was
    /// handed over in the last moment.
    driver: Option<Driver>,
    /// Nothing has been asked since the last answer, after which the driver was left waiting for whatever comes next.
    watched: bool,
    nudge: Option<(Arc<Nudge>, Waker)>,
}

/// Wakes the task of a connection, unless that is at work: then it goes round once more. Driver and answer wake each other several
/// times a request, and would have the task scheduled again each time.
#[derive(Debug)]
struct Nudge {
    task: Waker,
    at_work: AtomicBool,
    again: AtomicBool,
}

impl Wake for Nudge {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.at_work.load(Ordering::SeqCst) {
            self.again.store(true, Ordering::SeqCst);
        } else {
            self.task.wake_by_ref();
        }
    }
}

/// Rounds of one visit to a connection; then other tasks have their turn.
const ROUNDS: u32 = 16;

impl Wire {
    /// Opens a connection.
    pub(crate) async fn open(target: &Target) -> Result<Self, Fault> {
        let stream = TokioIo::new(target.connect().await?);
        if target.http2 {
            return open_http2(stream).await.map(Self::Http2);
        }
        // One plain write for a request that is small, instead of gathering its parts.
        let mut builder = http1::Builder::new();
        let (sender, driver) =
            builder.writev(false).handshake(stream).await.map_err(|error| Fault::exchange(&error))?;
        Ok(Self::Http1(Box::new(Http1 { sender, driver: Some(driver), watched: false, nudge: None })))
    }

    /// Looks whether the connection, on which nothing is under way, is still there.
    pub(crate) fn poll_idle(&mut self, context: &mut Context<'_>) -> bool {
        match self {
            Self::Http1(wire) => {
                if !std::mem::take(&mut wire.watched) {
                    wire.drive(context);
                }
                wire.driver.is_some() && !wire.sender.is_closed()
            }
            Self::Http2(wire) => !wire.is_closed(),
        }
    }

    /// Whether the connection takes a request at once, as far as is known.
    pub(crate) fn is_ready(&self) -> bool {
        match self {
            Self::Http1(wire) => wire.driver.is_some() && wire.sender.is_ready(),
            Self::Http2(wire) => wire.sender.is_ready(),
        }
    }

    /// Looks whether the connection takes a request; `false` when it is closed, or about to be.
    pub(crate) async fn ready(&mut self) -> bool {
        match self {
            // Between an answer and the next request, one look at what has come is enough: a connection that takes no request then never will.
            Self::Http1(wire) => {
                poll_fn(|context| {
                    wire.drive(context);
                    Poll::Ready(wire.driver.is_some() && wire.sender.is_ready())
                })
                .await
            }
            Self::Http2(wire) => wire.sender.ready().await.is_ok(),
        }
    }

    /// Sends a request and reads its answer to the end.
    pub(crate) async fn exchange(&mut self, request: Sent, wants_body: bool) -> Result<Whole, Broken> {
        match self {
            Self::Http1(wire) => {
                let Http1 { sender, driver, watched, nudge } = &mut **wire;
                *watched = false;
                if let Some((nudge, _)) = nudge {
                    // To hand the request to the driver wakes that, and it is polled right below.
                    nudge.at_work.store(true, Ordering::SeqCst);
                }
                let sent = pin!(sender.try_send_request(request));
                let mut answer = pin!(receive(sent, wants_body));
                let whole = poll_fn(|context| {
                    let (nudge, waker) = nudge.get_or_insert_with(|| Nudge::new(context));
                    nudge.rounds(|| {
                        let context = &mut Context::from_waker(waker);
                        // The driver first: it writes the request, reads the head, then the body that the answer asked for.
                        poll_driver(driver, context);
                        answer.as_mut().poll(context)
                    })
                })
                .await;
                let woken =
                    nudge.as_ref().is_some_and(|(nudge, _)| nudge.again.swap(false, Ordering::SeqCst));
                *watched = whole.is_ok() && !woken;
                whole
            }
            Self::Http2(wire) => receive(pin!(wire.sender.try_send_request(request)), wants_body).await,
        }
    }
}

impl Nudge {
    fn new(context: &Context<'_>) -> (Arc<Self>, Waker) {
        let task = context.waker().clone();
        let nudge = Arc::new(Self { task, at_work: AtomicBool::new(false), again: AtomicBool::new(false) });
        (Arc::clone(&nudge), Waker::from(nudge))
    }

    /// Does `work` until it is done or nothing has woken it meanwhile.
    fn rounds<T>(&self, mut work: impl FnMut() -> Poll<T>) -> Poll<T> {
        self.at_work.store(true, Ordering::SeqCst);
        let mut end = Poll::Pending;
        for _ in 0..ROUNDS {
            self.again.store(false, Ordering::SeqCst);
            end = work();
            if end.is_ready() || !self.again.load(Ordering::SeqCst) {
                break;
            }
        }
        self.at_work.store(false, Ordering::SeqCst);
        if end.is_pending() && self.again.swap(false, Ordering::SeqCst) {
            self.task.wake_by_ref();
        }
        end
    }
}

impl Http1 {
    fn drive(&mut self, context: &mut Context<'_>) {
        let Self { driver, nudge, .. } = self;
        let (nudge, waker) = nudge.get_or_insert_with(|| Nudge::new(context));
        let _: Poll<()> = nudge.rounds(|| {
            poll_driver(driver, &mut Context::from_waker(waker));
            Poll::Pending
        });
    }
}

fn poll_driver(driver: &mut Option<Driver>, context: &mut Context<'_>) {
    if driver.as_mut().is_some_and(|driver| Pin::new(driver).poll(context).is_ready()) {
        *driver = None;
    }
}

async fn open_http2(stream: TokioIo<Stream>) -> Result<Http2, Fault> {
    let (sender, driver) = http2::Builder::new(TokioExecutor::new())
        .handshake(stream)
        .await
        .map_err(|error| Fault::exchange(&error))?;
    let streams = Arc::new(AtomicUsize::new(driver.current_max_send_streams()));
    let known = Arc::clone(&streams);
    tokio::task::spawn_local(async move {
        let mut driver = pin!(driver);
        // How it ends shows in the exchanges on it.
        let _ = poll_fn(|context| {
            let end = driver.as_mut().poll(context);
            known.store(driver.current_max_send_streams(), Ordering::Relaxed);
            end
        })
        .await;
    });
    Ok(Http2 { sender, streams })
}

async fn receive(
    answer: Pin<&mut impl Future<Output = Result<hyper::Response<Incoming>, TrySendError<Sent>>>>,
    wants_body: bool,
) -> Result<Whole, Broken> {
    let answer = match answer.await {
        Ok(answer) => answer,
        Err(mut error) => {
            let unsent = error.take_message().map(Box::new);
            return Err(Broken { fault: Fault::exchange(error.error()), unsent, answered: false });
        }
    };
    let first_byte = clock::now();
    let (head, mut incoming) = answer.into_parts();
    let (body, bytes) = if incoming.is_end_stream() {
        (Bytes::new(), 0)
    } else {
        read(&mut incoming, wants_body).await.map_err(|fault| Broken {
            fault,
            unsent: None,
            answered: true,
        })?
    };
    Ok(Whole { status: head.status, headers: head.headers, body, bytes, first_byte })
}

/// Reads a body to its end and keeps it if it is wanted.
async fn read(incoming: &mut Incoming, wants_body: bool) -> Result<(Bytes, u64), Fault> {
    let mut only = Bytes::new();
    let mut joined: Option<BytesMut> = None;
    let mut bytes = 0_u64;
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| Fault::exchange(&error))?;
        let Ok(data) = frame.into_data() else { continue };
        bytes += data.len() as u64;
        if bytes > LONGEST_BODY {
            return Err(Fault::of(ErrorKind::TooLarge));
        }
        if wants_body {
            match &mut joined {
                Some(joined) => joined.extend_from_slice(&data),
                None if only.is_empty() => only = data,
                None => {
                    let mut both = BytesMut::with_capacity(only.len() + data.len());
                    both.extend_from_slice(&only);
                    both.extend_from_slice(&data);
                    joined = Some(both);
                }
            }
        }
        // Of a body of known length the end is known with its last byte.
        if incoming.is_end_stream() {
            break;
        }
    }
    Ok((joined.map_or(only, BytesMut::freeze), bytes))
}
