//! The server: its parts put together, its routes, and an orderly end.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use serde_json::json;
use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    answers::Answers,
    burden::Burden,
    cache::{Memory, Precomputed, Redis},
    flights::Flights,
    knowledge::{self, Knowledge},
    metrics::Metrics,
    settings::Settings,
    webhook,
};

/// Why the bot could not start, or broke down.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken, not ours, or not allowed.
    #[error("could not listen on {address}: {cause}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        cause: io::Error,
    },
    /// The knowledge base.
    #[error(transparent)]
    Knowledge(#[from] knowledge::Error),
    /// The URL of Redis.
    #[error("could not use REDIS_URL: {0}")]
    Redis(#[from] redis::RedisError),
    /// Taking connections failed.
    #[error("could not go on serving: {0}")]
    Serve(io::Error),
}

/// What every request can reach.
pub struct App {
    /// Where answers come from.
    pub answers: Answers,
    /// What makes it worse on purpose.
    pub burden: Burden,
    /// What the secret header must say.
    pub secret: Option<String>,
    draining: AtomicBool,
}

/// A bot that listens.
pub struct Bot {
    app: Arc<App>,
    listener: TcpListener,
    address: SocketAddr,
    drain: Duration,
    warnings: Vec<String>,
}

impl Bot {
    /// Takes the port, opens the knowledge base, works out what is worked out beforehand, and connects to Redis. Requests that
    /// come before [`Bot::serve`] wait.
    ///
    /// # Errors
    /// The port or the database cannot be had. That Redis is away is a warning.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        let failed = |cause| Error::Listen { address: settings.listen, cause };
        let listener = TcpListener::bind(settings.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let answers = answers(&settings).await?;
        let mut warnings = Vec::new();
        if let Some(redis) = &answers.redis
            && !redis.reach().await
        {
            warnings.push("Redis does not answer: doing without until it does".to_owned());
        }
        let burden = Burden::new(settings.faults);
        let app =
            Arc::new(App { answers, burden, secret: settings.secret, draining: AtomicBool::new(false) });
        Ok(Self { app, listener, address, drain: settings.drain, warnings })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it does without.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Its parts.
    #[must_use]
    pub fn app(&self) -> Arc<App> {
        Arc::clone(&self.app)
    }

    /// Answers requests until `stop` ends, then those in flight. Returns whether all of them were answered in time.
    ///
    /// # Errors
    /// Taking connections failed.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<bool, Error> {
        let Self { app, listener, drain, .. } = self;
        let (stopping, stopped) = oneshot::channel();
        let state = Arc::clone(&app);
        let stop = async move {
            stop.await;
            state.draining.store(true, Ordering::Relaxed);
            // Nobody listens any more when serving has failed meanwhile.
            let _ = stopping.send(());
        };
        // Small answers must not wait for the acknowledgement of the one before. A socket that refuses only loses speed.
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let server = axum::serve(listener, routes(app)).with_graceful_shutdown(stop);
        let too_late = async {
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(drain).await;
        };
        tokio::select! {
            served = server => served.map(|()| true).map_err(Error::Serve),
            () = too_late => Ok(false),
        }
    }
}

async fn answers(settings: &Settings) -> Result<Answers, Error> {
    let metrics = Arc::new(Metrics::default());
    let database = settings.database.as_deref();
    let knowledge = Knowledge::open(database, settings.pool, settings.pool_timeout, Arc::clone(&metrics))?;
    let precomputed = match settings.cache.precomputed {
        true => Some(Precomputed::work_out(&knowledge).await?),
        false => None,
    };
    let redis = match &settings.redis {
        Some(redis) => Some(Redis::new(redis, settings.cache.ttl, Arc::clone(&metrics))?),
        None => None,
    };
    let memory = settings.cache.memory.then(|| Memory::new(settings.cache.entries, settings.cache.ttl));
    let flights = settings.single_flight.then(Flights::default);
    Ok(Answers { memory, redis, precomputed, flights, knowledge, metrics })
}

fn routes(app: Arc<App>) -> Router {
    Router::new()
        .route("/webhook", post(webhook::receive))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .with_state(app)
}

/// Ready from the first moment that it answers; not any more when it is about to stop.
async fn health(State(app): State<Arc<App>>) -> Response {
    let redis = match app.answers.redis.as_ref().map(Redis::is_up) {
        None => "off",
        Some(true) => "up",
        Some(false) => "away",
    };
    let (status, word) = match app.draining.load(Ordering::Relaxed) {
        false => (StatusCode::OK, "ready"),
        true => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
    };
    let body = json!({ "status": word, "redis": redis }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let page = app.answers.metrics.page(&app.answers.gauges());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page).into_response()
}
