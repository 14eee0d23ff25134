//! What the bot counts, and the Prometheus page that shows it.

use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering},
};

/// A number that only rises, or a gauge that is raised and lowered.
#[derive(Debug, Default)]
pub struct Number(AtomicU64);

impl Number {
    /// Adds to it.
    pub fn add(&self, amount: u64) {
        // Each number stands for itself: no other memory is published with it.
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// Takes away from it; only for gauges.
    pub fn take(&self, amount: u64) {
        self.0.fetch_sub(amount, Ordering::Relaxed);
    }

    /// Its value.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How often one layer of the cache had what it was asked for.
#[derive(Debug, Default)]
pub struct Layer {
    /// It had it.
    pub hits: Number,
    /// It was asked and did not have it.
    pub misses: Number,
}

impl Layer {
    /// Counts one look-up.
    pub fn count(&self, hit: bool) {
        if hit { self.hits.add(1) } else { self.misses.add(1) }
    }
}

/// Everything that is counted. An answer is looked up in one of three ways, so their sum is the number of answers:
/// from a cache (`cache_hits`), from SQLite (`cache_misses`), or together with an identical request (`shared`).
#[derive(Debug, Default)]
pub struct Metrics {
    /// Webhook requests by the status of their answer; see [`STATUSES`].
    requests: [Number; STATUSES.len()],
    /// Webhook requests that are being answered.
    pub in_flight: Number,
    /// Answers that some layer of the cache had.
    pub cache_hits: Number,
    /// Answers that no layer had.
    pub cache_misses: Number,
    /// Answers that were worked out by an identical request at the same time.
    pub shared: Number,
    /// The memory of the process.
    pub memory: Layer,
    /// Redis.
    pub redis: Layer,
    /// What was worked out beforehand.
    pub precomputed: Layer,
    /// Commands to Redis (or attempts to connect) that failed.
    pub redis_errors: Number,
    /// Times that Redis was left alone because it had just failed.
    pub redis_skipped: Number,
    /// Queries that SQLite was asked.
    pub sqlite_queries: Number,
}

/// The statuses that a webhook answers with.
const STATUSES: [u16; 6] = [200, 400, 401, 408, 413, 503];

/// What is read at the moment of the page rather than counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gauges {
    /// Connections that the pool may open.
    pub pool_size: u64,
    /// Connections that are lent out.
    pub pool_in_use: u64,
    /// Requests that wait for a connection.
    pub pool_waiting: u64,
    /// Answers in memory.
    pub memory_entries: u64,
    /// Whether Redis is connected; `None` when the bot does without it.
    pub redis_up: Option<bool>,
}

impl Metrics {
    /// Counts an answered webhook request.
    pub fn answered(&self, status: u16) {
        if let Some(index) = STATUSES.iter().position(|known| *known == status) {
            self.requests[index].add(1);
        }
    }

    /// The page in Prometheus' text format.
    #[must_use]
    pub fn page(&self, gauges: &Gauges) -> String {
        let mut page = Page(String::with_capacity(4096));
        page.head("bot_requests_total", "counter", "Webhook requests by the status of their answer.");
        for (status, number) in STATUSES.iter().zip(&self.requests) {
            page.labelled("bot_requests_total", "status", &status.to_string(), number.get());
        }
        page.plain(
            "bot_in_flight",
            "gauge",
            "Webhook requests that are being answered.",
            self.in_flight.get(),
        );
        page.plain("bot_cache_hits_total", "counter", "Answers that some layer had.", self.cache_hits.get());
        page.plain(
            "bot_cache_misses_total",
            "counter",
            "Answers that no layer had.",
            self.cache_misses.get(),
        );
        page.plain(
            "bot_shared_total",
            "counter",
            "Answers worked out by an identical request.",
            self.shared.get(),
        );
        self.layers(&mut page);
        page.plain("bot_cache_entries", "gauge", "Answers in memory.", gauges.memory_entries);
        if let Some(up) = gauges.redis_up {
            page.plain("bot_redis_up", "gauge", "Whether Redis is connected.", u64::from(up));
            page.plain(
                "bot_redis_errors_total",
                "counter",
                "Commands to Redis that failed.",
                self.redis_errors.get(),
            );
            page.plain(
                "bot_redis_skipped_total",
                "counter",
                "Times that Redis was left alone.",
                self.redis_skipped.get(),
            );
        }
        page.plain(
            "bot_sqlite_queries_total",
            "counter",
            "Queries that SQLite was asked.",
            self.sqlite_queries.get(),
        );
        page.plain("bot_pool_size", "gauge", "Connections that the pool may open.", gauges.pool_size);
        page.plain("bot_pool_in_use", "gauge", "Connections that are lent out.", gauges.pool_in_use);
        page.plain("bot_pool_waiting", "gauge", "Requests that wait for a connection.", gauges.pool_waiting);
        page.0
    }

    fn layers(&self, page: &mut Page) {
        let layers = [("memory", &self.memory), ("redis", &self.redis), ("precomputed", &self.precomputed)];
        page.head("bot_cache_layer_hits_total", "counter", "Look-ups that a layer had.");
        for (name, layer) in layers {
            page.labelled("bot_cache_layer_hits_total", "layer", name, layer.hits.get());
        }
        page.head("bot_cache_layer_misses_total", "counter", "Look-ups that a layer did not have.");
        for (name, layer) in layers {
            page.labelled("bot_cache_layer_misses_total", "layer", name, layer.misses.get());
        }
    }
}

struct Page(String);

impl Page {
    // Writing to a `String` cannot fail.
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn plain(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.head(name, kind, help);
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn labelled(&mut self, name: &str, label: &str, of: &str, value: u64) {
        let _ = writeln!(self.0, "{name}{{{label}=\"{of}\"}} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::{Gauges, Metrics};

    #[test]
    fn the_page_names_every_number_once_and_counters_end_in_total() {
        let metrics = Metrics::default();
        metrics.answered(200);
        metrics.answered(200);
        metrics.answered(413);
        metrics.memory.count(true);
        let page = metrics.page(&Gauges { pool_size: 4, redis_up: Some(false), ..Gauges::default() });
        for line in [
            "bot_requests_total{status=\"200\"} 2",
            "bot_requests_total{status=\"413\"} 1",
            "bot_pool_size 4",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is missing in\n{page}");
        }
        assert!(page.contains("bot_cache_layer_hits_total{layer=\"memory\"} 1\n"));
        let mut series: Vec<_> = page.lines().filter(|line| !line.starts_with('#')).collect();
        let count = series.len();
        series.sort_unstable();
        series.dedup_by_key(|line| line.split(' ').next());
        assert_eq!(series.len(), count);
        for line in page.lines().filter(|line| line.starts_with("# TYPE")) {
            assert_eq!(line.ends_with(" counter"), line.contains("_total "), "{line}");
        }
    }

    #[test]
    fn without_redis_the_page_does_not_speak_of_its_state() {
        assert!(!Metrics::default().page(&Gauges::default()).contains("bot_redis_up"));
    }
}
