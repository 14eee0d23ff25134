//! What the bot knows: articles and prices in SQLite, asked through a pool of connections.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use deadpool_sqlite::{
    BuildError, Config, InteractError, Object, Pool, PoolError, Runtime,
    rusqlite::{Connection, OptionalExtension, params},
};

use crate::{metrics::Metrics, question::Question};

pub use deadpool_sqlite::rusqlite;

const SCHEMA: &str = include_str!("../data/knowledge.sql");

/// What `PRAGMA user_version` says of a database that this schema made.
const VERSION: i64 = 1;

const WELCOME: &str = "Welcome to the Corner Cafe! Ask me about opening hours, delivery, allergens or anything else, \
                       or write /price and an item. /help shows more.";
const UNKNOWN: &str = "I do not know that, sorry. Try other words, or /help.";

/// Why the knowledge base could not be opened or asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no database, or not one of this bot.
    #[error("could not open the database {path}: {cause}")]
    Open {
        /// The file.
        path: String,
        /// Why.
        cause: String,
    },
    /// The pool refused its settings.
    #[error("could not make the pool of connections: {0}")]
    Pool(#[from] BuildError),
    /// Every connection was in use for too long.
    #[error("no connection to the database became free in time")]
    Busy,
    /// No connection could be had.
    #[error("could not connect to the database: {0}")]
    Connect(String),
    /// The query failed.
    #[error("could not ask the database: {0}")]
    Query(#[from] rusqlite::Error),
    /// The query's thread was lost.
    #[error("a query was broken off: {0}")]
    Lost(String),
}

/// The knowledge base.
pub struct Knowledge {
    pool: Pool,
    metrics: Arc<Metrics>,
    /// A database in memory lives as long as one connection to it.
    _anchor: Mutex<Connection>,
}

/// How the pool is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// Connections that it may open.
    pub size: usize,
    /// Connections that are lent out.
    pub in_use: usize,
    /// Requests that wait for one.
    pub waiting: usize,
}

impl Knowledge {
    /// Opens the database, and fills it when it is new. Without a path it is in memory, and gone with the process.
    ///
    /// Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Open`] or [`Error::Pool`].
    pub fn open(
        path: Option<&Path>,
        size: usize,
        wait: Duration,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        let path = path.map_or_else(in_memory, Path::to_owned);
        let failed = |cause: rusqlite::Error| Error::Open {
            path: path.display().to_string(),
            cause: cause.to_string(),
        };
        let mut anchor = Connection::open(&path).map_err(failed)?;
        prepare(&mut anchor, &path)?;
        let pool = Config::new(&path)
            .builder(Runtime::Tokio1)
            .unwrap_or_else(|never| match never {})
            .max_size(size)
            .wait_timeout(Some(wait))
            .build()?;
        Ok(Self { pool, metrics, _anchor: Mutex::new(anchor) })
    }

    /// Borrows a connection; the next request gets it when it is dropped.
    ///
    /// # Errors
    /// [`Error::Busy`] when none becomes free in time, [`Error::Connect`] when none can be opened.
    pub async fn connection(&self) -> Result<Object, Error> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Timeout(_) => Error::Busy,
            other => Error::Connect(other.to_string()),
        })
    }

    /// Looks an answer up.
    ///
    /// # Errors
    /// No connection, or the query failed.
    pub async fn answer(&self, question: &Question) -> Result<String, Error> {
        match question.clone() {
            Question::Start => Ok(WELCOME.to_owned()),
            Question::Help => self.ask(help).await,
            Question::Price(item) => self.ask(move |connection| price(connection, &item)).await,
            Question::Words(words) => self.ask(move |connection| article(connection, &words)).await,
        }
    }

    /// The questions that are asked most, most asked first: worth working out before anybody asks.
    ///
    /// # Errors
    /// As [`Knowledge::answer`].
    pub async fn popular(&self) -> Result<Vec<String>, Error> {
        self.ask(|connection| {
            let mut query = connection.prepare_cached("SELECT text FROM popular ORDER BY rank")?;
            query.query_map([], |row| row.get(0))?.collect()
        })
        .await
    }

    /// How the pool is used at this moment.
    #[must_use]
    pub fn pool_use(&self) -> PoolUse {
        let status = self.pool.status();
        let in_use = status.size.saturating_sub(status.available);
        PoolUse { size: status.max_size, in_use, waiting: status.waiting }
    }

    async fn ask<T, F>(&self, query: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let connection = self.connection().await?;
        self.metrics.sqlite_queries.add(1);
        match connection.interact(move |connection| query(connection)).await {
            Ok(result) => Ok(result?),
            Err(InteractError::Panic(_)) => Err(Error::Lost("it panicked".to_owned())),
            Err(InteractError::Cancelled) => Err(Error::Lost("the runtime stops".to_owned())),
        }
    }
}

/// A name that every connection of one pool shares, and no other pool.
fn in_memory() -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // SQLite's `memdb` keeps one copy for all connections of the process that name it with a leading slash.
    PathBuf::from(format!("file:/example-bot-{}?vfs=memdb", NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// Fills a new database, and refuses one that is not ours.
fn prepare(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    let failed = |cause: String| Error::Open { path: path.display().to_string(), cause };
    match fill(connection) {
        Ok(None | Some(VERSION)) => Ok(()),
        Ok(Some(_)) => Err(failed("it is in use, but not this bot's".to_owned())),
        Err(cause) => Err(failed(cause.to_string())),
    }
}

/// Returns the version of a database that was filled before; 0 with tables in it is somebody else's.
fn fill(connection: &mut Connection) -> rusqlite::Result<Option<i64>> {
    connection.busy_timeout(Duration::from_secs(10))?;
    // Immediate: of two bots that start on one new file, the second waits and finds it filled.
    let work = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version: i64 = work.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables: i64 = work.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if version != 0 || tables > 0 {
        return Ok(Some(version));
    }
    work.execute_batch(SCHEMA)?;
    work.pragma_update(None, "user_version", VERSION)?;
    work.commit()?;
    Ok(None)
}

fn help(connection: &Connection) -> rusqlite::Result<String> {
    let mut query = connection.prepare_cached("SELECT name FROM items ORDER BY name")?;
    let names: Vec<String> = query.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(format!(
        "/price ITEM tells a price. I know: {}. Or ask me a question in your own words.",
        names.join(", ")
    ))
}

fn price(connection: &Connection, item: &str) -> rusqlite::Result<String> {
    let mut query = connection.prepare_cached("SELECT name, cents, unit FROM items WHERE name = ?1")?;
    let row = |row: &rusqlite::Row<'_>| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?))
    };
    Ok(match query.query_row(params![item], row).optional()? {
        Some((name, cents, unit)) => format!("{name}: {}.{:02} EUR {unit}.", cents / 100, cents % 100),
        None => format!("We do not sell {item}. /help lists what we sell."),
    })
}

fn article(connection: &Connection, words: &[String]) -> rusqlite::Result<String> {
    // Quoted, because words such as OR and NEAR have a meaning there; no word holds a quote, as words are alphanumeric.
    let pattern = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" OR ");
    let mut query = connection.prepare_cached(
        "SELECT body FROM articles WHERE articles MATCH ?1 ORDER BY bm25(articles, 4.0, 6.0, 1.0), rowid LIMIT 1",
    )?;
    Ok(query.query_row(params![pattern], |row| row.get(0)).optional()?.unwrap_or_else(|| UNKNOWN.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc, time::Duration};

    use super::{Error, Knowledge, rusqlite::Connection};
    use crate::{
        metrics::Metrics,
        question::{Question, Request},
    };

    fn open(path: Option<&Path>) -> Result<Knowledge, Error> {
        Knowledge::open(path, 2, Duration::from_secs(30), Arc::new(Metrics::default()))
    }

    async fn answer(knowledge: &Knowledge, text: &str) -> String {
        let Request::Ask(question) = Request::read(text) else { panic!("{text:?} asks nothing") };
        knowledge.answer(&question).await.unwrap()
    }

    #[tokio::test]
    async fn questions_and_prices_are_answered_from_the_database() {
        let knowledge = open(None).unwrap();
        assert_eq!(answer(&knowledge, "/price Espresso").await, "espresso: 2.20 EUR a cup.");
        assert_eq!(
            answer(&knowledge, "/price moon dust").await,
            "We do not sell moon dust. /help lists what we sell."
        );
        assert!(answer(&knowledge, "/help").await.contains("cappuccino"));
        assert!(answer(&knowledge, "When are you open on Sunday?").await.contains("Sunday"));
        assert!(answer(&knowledge, "do you deliver").await.contains("deliver"));
        assert_eq!(answer(&knowledge, "quantum chromodynamics").await, super::UNKNOWN);
    }

    #[tokio::test]
    async fn words_of_the_query_language_are_only_words() {
        let knowledge = open(None).unwrap();
        for text in [
            "OR AND NOT NEAR",
            "title:x* ^y",
            "\" OR 1=1 --",
            "/price '; DROP TABLE items; --",
            "ß İ 你好 🦀",
        ] {
            if let Request::Ask(question) = Request::read(text) {
                knowledge.answer(&question).await.unwrap();
            }
        }
        assert_eq!(answer(&knowledge, "/price espresso").await, "espresso: 2.20 EUR a cup.");
    }

    #[tokio::test]
    async fn every_popular_question_has_an_answer() {
        let knowledge = open(None).unwrap();
        let popular = knowledge.popular().await.unwrap();
        assert!(popular.len() >= 5);
        for text in popular {
            assert_ne!(answer(&knowledge, &text).await, super::UNKNOWN, "{text}");
        }
    }

    #[tokio::test]
    async fn a_file_is_filled_once_and_another_program_s_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bot.sqlite");
        drop(open(Some(&path)).unwrap());
        let again = open(Some(&path)).unwrap();
        assert_eq!(answer(&again, "/price espresso").await, "espresso: 2.20 EUR a cup.");

        let other = folder.path().join("other.sqlite");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE mine (x)").unwrap();
        assert!(open(Some(&other)).is_err_and(|error| error.to_string().contains("not this bot's")));
        let text = folder.path().join("text");
        std::fs::write(&text, "not a database, but long enough to have a header of its own".repeat(20))
            .unwrap();
        assert!(open(Some(&text)).is_err_and(|error| error.to_string().contains("not a database")));
        assert!(open(Some(&folder.path().join("no/such/folder"))).is_err());
    }

    #[tokio::test]
    async fn a_request_that_waits_too_long_for_a_connection_is_told_so() {
        let metrics = Arc::new(Metrics::default());
        let knowledge = Knowledge::open(None, 1, Duration::from_millis(20), Arc::clone(&metrics)).unwrap();
        let lent = knowledge.connection().await.unwrap();
        assert_eq!(knowledge.pool_use().in_use, 1);
        let error = knowledge.answer(&Question::Help).await.unwrap_err();
        assert!(matches!(error, Error::Busy), "{error}");
        drop(lent);
        knowledge.answer(&Question::Help).await.unwrap();
        assert_eq!(metrics.sqlite_queries.get(), 1);
    }
}
