//! The middle layer: answers that several bots share in Redis.
//!
//! It may be away at any time: connecting and every command have a time limit, and after a failure Redis is left alone for a
//! second, so that a dead server costs one request a second its time limit and the others nothing.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use redis::{
    AsyncCommands, AsyncConnectionConfig, Client, RedisError, RedisResult, Value, aio::MultiplexedConnection,
    from_redis_value,
};

use crate::{metrics::Metrics, question::LONGEST_TEXT, settings};

/// How long a server that failed is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// Other programs may use the same server; another version of the bot may answer otherwise.
const PREFIX: &str = concat!("example-bot:", env!("CARGO_PKG_VERSION"), ":");

/// The shared cache.
pub struct Redis {
    client: Client,
    timeout: Duration,
    ttl_seconds: u64,
    link: Mutex<Link>,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct Link {
    connection: Option<MultiplexedConnection>,
    not_before: Option<Instant>,
}

/// What asking Redis came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It has the answer.
    Answer(Arc<str>),
    /// It was asked and has none.
    Nothing,
    /// It was not asked, or could not answer.
    Away,
}

impl Redis {
    /// Does not connect yet; see [`Redis::reach`].
    ///
    /// # Errors
    /// The URL is not one of Redis.
    pub fn new(settings: &settings::Redis, ttl: Duration, metrics: Arc<Metrics>) -> RedisResult<Self> {
        Ok(Self {
            client: Client::open(settings.url.as_str())?,
            timeout: settings.timeout,
            ttl_seconds: ttl.as_secs().max(1),
            link: Mutex::default(),
            metrics,
        })
    }

    /// Connects now; whether it worked.
    pub async fn reach(&self) -> bool {
        self.connection().await.is_some()
    }

    /// Whether there is a connection that is thought to work.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.link().connection.is_some()
    }

    /// Looks an answer up.
    pub async fn get(&self, key: &str) -> Found {
        let Some(mut connection) = self.connection().await else { return Found::Away };
        match connection.get::<_, Value>(format!("{PREFIX}{key}")).await {
            // What others may have written there is no answer of ours if Telegram would not take it.
            Ok(value) => match from_redis_value::<Option<String>>(value) {
                Ok(Some(text)) if !text.is_empty() && text.chars().count() <= LONGEST_TEXT => {
                    Found::Answer(Arc::from(text))
                }
                _ => Found::Nothing,
            },
            Err(error) => {
                self.failed(&error);
                Found::Away
            }
        }
    }

    /// Keeps an answer; that it could not be kept is only counted.
    pub async fn put(&self, key: &str, answer: &str) {
        let Some(mut connection) = self.connection().await else { return };
        let kept: RedisResult<()> =
            connection.set_ex(format!("{PREFIX}{key}"), answer, self.ttl_seconds).await;
        if let Err(error) = kept {
            self.failed(&error);
        }
    }

    async fn connection(&self) -> Option<MultiplexedConnection> {
        {
            let mut link = self.link();
            if let Some(connection) = &link.connection {
                return Some(connection.clone());
            }
            let now = Instant::now();
            if link.not_before.is_some_and(|then| now < then) {
                self.metrics.redis_skipped.add(1);
                return None;
            }
            // Taken before the attempt: meanwhile the other requests do without.
            link.not_before = Some(now + PAUSE);
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(Some(self.timeout));
        // The whole of it has the limit too: a server that accepts and then is silent, a slow name server.
        let attempt = self.client.get_multiplexed_async_connection_with_config(&config);
        if let Ok(Ok(connection)) = tokio::time::timeout(self.timeout, attempt).await {
            *self.link() = Link { connection: Some(connection.clone()), not_before: None };
            return Some(connection);
        }
        self.metrics.redis_errors.add(1);
        None
    }

    fn failed(&self, error: &RedisError) {
        self.metrics.redis_errors.add(1);
        // An error that the server said (wrong type, out of memory) leaves the connection good.
        if error.is_timeout()
            || error.is_io_error()
            || error.is_connection_dropped()
            || error.is_unrecoverable_error()
        {
            *self.link() = Link { connection: None, not_before: Some(Instant::now() + PAUSE) };
        }
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        // Nothing panics while it holds the lock; if it did, the pair would still be whole.
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
