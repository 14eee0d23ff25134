//! The page's server: one thread, loopback only, at most two events a second to each reader.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use hyper::body::Frame;
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

use super::{
    board::{Board, Cursor},
    document::{self, POLICY},
    guard::Guard,
};

/// A reader hears news at most this often.
const BETWEEN_EVENTS: Duration = Duration::from_millis(500);

/// A comment goes out when there was nothing to say for so long, so that a dead connection is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Readers at once; more are turned away, so that nobody can make the page a load of its own.
const MOST_READERS: usize = 32;

/// How long the end waits for readers that are slow to take it.
const FAREWELL: Duration = Duration::from_secs(1);

/// What the run and its server share. The run only ever takes the board's lock for a moment, and never waits for a reader.
#[derive(Debug)]
pub(super) struct Shared {
    board: Mutex<Board>,
    /// Counts changes of the board.
    changed: watch::Sender<u64>,
    closing: watch::Sender<bool>,
    stop: AtomicBool,
    readers: AtomicUsize,
    /// The run's own report, once it is over: readers hear it with the end, since the server goes with the run.
    report: OnceLock<String>,
    guard: Guard,
}

impl Shared {
    pub(super) fn new(board: Board, guard: Guard) -> Self {
        Self {
            board: Mutex::new(board),
            changed: watch::Sender::new(0),
            closing: watch::Sender::new(false),
            stop: AtomicBool::new(false),
            readers: AtomicUsize::new(0),
            report: OnceLock::new(),
            guard,
        }
    }

    /// Changes the board and tells the readers.
    pub(super) fn change(&self, how: impl FnOnce(&mut Board)) {
        how(&mut self.board());
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Keeps the report that readers may save; it is told with the end.
    pub(super) fn keep_report(&self, report: String) {
        // A run ends once; a second report would be the same.
        let _ = self.report.set(report);
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        // A board on which somebody panicked is still a board to look at.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody pressed stop.
    pub(super) fn wants_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Lets the server end once its readers have heard the last news.
    pub(super) fn close(&self) {
        self.closing.send_replace(true);
    }
}

/// Serves until [`Shared::close`].
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut closing = shared.closing.subscribe();
    let farewell = shared.closing.subscribe();
    let ends = async move {
        let _ = closing.wait_for(|closing| *closing).await;
    };
    let server = axum::serve(listener, router(shared)).with_graceful_shutdown(ends);
    tokio::select! {
        _ = server => {}
        () = patience(farewell) => {}
    }
}

async fn patience(mut closing: watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
    sleep(FAREWELL).await;
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/page.css", get(async || typed("text/css; charset=utf-8", document::STYLE)))
        .route("/page.js", get(async || typed("text/javascript; charset=utf-8", document::SCRIPT)))
        .route("/api/state", get(state))
        .route("/report", get(report))
        .route("/shell", get(async || typed("text/html; charset=utf-8", document::saved(&Value::Null))))
        .route("/events", get(events))
        .route("/stop", post(stop))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), watch_the_door))
        .with_state(shared)
}

/// Turns away who may not talk to us, and tells the browser how careful to be.
async fn watch_the_door(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let mut response = if shared.guard.admits(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "this page answers to localhost only\n").into_response()
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn typed(kind: &'static str, body: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, kind)], body.into()).into_response()
}

async fn page(State(shared): State<Arc<Shared>>) -> Response {
    typed("text/html; charset=utf-8", document::live(shared.guard.token()))
}

async fn state(State(shared): State<Arc<Shared>>) -> Response {
    let state = shared.board().state();
    typed("application/json", state.to_string())
}

async fn report(State(shared): State<Arc<Shared>>) -> Response {
    let state = shared.board().state();
    let mut response = typed("text/html; charset=utf-8", document::saved(&state));
    let attached = HeaderValue::from_static("attachment; filename=\"tollgate-load.html\"");
    response.headers_mut().insert(header::CONTENT_DISPOSITION, attached);
    response
}

async fn stop(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    if !shared.guard.knows_token(request.headers()) {
        return (StatusCode::FORBIDDEN, "the token is missing or wrong: load the page again\n")
            .into_response();
    }
    shared.stop.store(true, Ordering::Relaxed);
    shared.change(Board::stopping);
    (StatusCode::ACCEPTED, "stopping\n").into_response()
}

async fn events(State(shared): State<Arc<Shared>>) -> Response {
    let Some(seat) = Seat::take(&shared) else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many readers\n").into_response();
    };
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(feed(shared, sender, seat));
    typed("text/event-stream", Body::new(Stream { receiver }))
}

/// A reader's place; given back when it goes.
struct Seat(Arc<Shared>);

impl Seat {
    fn take(shared: &Arc<Shared>) -> Option<Self> {
        let free = |readers: usize| (readers < MOST_READERS).then_some(readers + 1);
        shared.readers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free).ok()?;
        Some(Self(Arc::clone(shared)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.readers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Tells one reader the news. One that does not read gets them late and all at once; nobody waits for it but this task.
async fn feed(shared: Arc<Shared>, sender: mpsc::Sender<Bytes>, _seat: Seat) {
    let mut changed = shared.changed.subscribe();
    let mut closing = shared.closing.subscribe();
    let mut cursor = Cursor::default();
    loop {
        changed.mark_unchanged();
        let (news, over) = {
            let board = shared.board();
            (board.news(&mut cursor), board.is_over())
        };
        let news = if over { with_report(news, &shared) } else { news };
        let name = if over { "over" } else { "news" };
        if sender.send(format!("event: {name}\ndata: {news}\n\n").into()).await.is_err() || over {
            return;
        }
        tokio::select! {
            () = sleep(BETWEEN_EVENTS) => {}
            _ = closing.wait_for(|closing| *closing) => {}
            () = sender.closed() => return,
        }
        loop {
            let change = tokio::select! {
                change = timeout(KEEP_ALIVE, changed.changed()) => change,
                _ = closing.wait_for(|closing| *closing) => {
                    // Closed without an end: whoever reads it finds the connection gone.
                    if !shared.board().is_over() {
                        return;
                    }
                    break;
                }
                () = sender.closed() => return,
            };
            match change {
                Ok(Ok(())) => break,
                Ok(Err(_)) => return,
                Err(_) if sender.send(Bytes::from_static(b": still here\n\n")).await.is_err() => return,
                Err(_) => {}
            }
        }
    }
}

/// The end, with the run's own report where there is one.
fn with_report(mut news: Value, shared: &Shared) -> Value {
    if let (Some(report), Some(news)) = (shared.report.get(), news.as_object_mut()) {
        news.insert("report".to_owned(), Value::String(report.clone()));
    }
    news
}

/// The body of an answer that comes in parts.
struct Stream {
    receiver: mpsc::Receiver<Bytes>,
}

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.receiver.poll_recv(context).map(|part| part.map(|part| Ok(Frame::data(part))))
    }
}
