//! What the environment says: every setting with its default and its range. A bad value is refused, never ignored.

use std::{
    ffi::OsString,
    fmt::Display,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} {problem}")]
pub struct Mistake {
    name: &'static str,
    problem: String,
}

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `ADDRESS` and `PORT`: where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// `WORKERS`: threads of the runtime; as many as processors when unset.
    pub workers: Option<usize>,
    /// `TELEGRAM_SECRET`: what the header `X-Telegram-Bot-Api-Secret-Token` must say; anybody may post when unset.
    pub secret: Option<String>,
    /// `DATABASE`: the SQLite file, made and filled when it does not exist; in memory when unset.
    pub database: Option<PathBuf>,
    /// `POOL`: connections to SQLite.
    pub pool: usize,
    /// `POOL_TIMEOUT_MS`: how long a request waits for one of them.
    pub pool_timeout: Duration,
    /// `CACHE`, `CACHE_ENTRIES`, `CACHE_TTL_S`: the layers of cached answers.
    pub cache: Cache,
    /// `REDIS_URL`, `REDIS_TIMEOUT_MS`: the cache that several bots share; `None` when it is unset or not among the layers.
    pub redis: Option<Redis>,
    /// `SINGLE_FLIGHT`: whether identical requests at the same time are answered once.
    pub single_flight: bool,
    /// `DRAIN_S`: how long requests in flight are waited for when it is asked to stop.
    pub drain: Duration,
    /// The deliberate faults.
    pub faults: Faults,
}

/// Which answers are kept where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cache {
    /// In the memory of this process.
    pub memory: bool,
    /// Answers worked out before the first request.
    pub precomputed: bool,
    /// The most answers in memory.
    pub entries: u64,
    /// How long an answer stays good, in memory and in Redis.
    pub ttl: Duration,
}

/// The shared cache.
#[derive(Clone, PartialEq, Eq)]
pub struct Redis {
    /// `redis://[user:password@]host[:port][/database]`.
    pub url: String,
    /// The longest that one command, or connecting, may take.
    pub timeout: Duration,
}

impl std::fmt::Debug for Redis {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// What makes it worse on purpose, so that a gate can be watched catching it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// `DELAY_MS`: every message waits this long without using the processor.
    pub delay: Duration,
    /// `EXTRA_WORK_US`: every message keeps a processor busy this long.
    pub work: Duration,
    /// `LEAK_BYTES_PER_REQUEST`: memory that every message takes and never gives back.
    pub leak_bytes: usize,
    /// `RSS_EXTRA_MB` (millions of bytes): resident memory taken at the start.
    pub ballast_bytes: usize,
}

const MEBI: u64 = 1 << 20;

impl Settings {
    /// Reads every setting through `variable` (`std::env::var_os` in the program).
    ///
    /// # Errors
    /// The first setting whose value cannot be used.
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, Mistake> {
        let source = Source { variable: &variable };
        let layers = layers(&source)?;
        Ok(Self {
            listen: SocketAddr::new(
                source.parsed("ADDRESS", "an IP address")?.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
                source.whole("PORT", 0, u64::from(u16::MAX))?.unwrap_or(8080),
            ),
            workers: source.whole("WORKERS", 1, 256)?,
            secret: secret(&source)?,
            database: source.text("DATABASE")?.map(PathBuf::from),
            pool: source.whole("POOL", 1, 256)?.unwrap_or(4),
            pool_timeout: source.millis("POOL_TIMEOUT_MS", 600_000.0)?.unwrap_or(Duration::from_secs(2)),
            cache: Cache {
                memory: layers.memory,
                precomputed: layers.precomputed,
                entries: source.whole("CACHE_ENTRIES", 1, 100_000_000)?.unwrap_or(10_000),
                ttl: Duration::from_secs(source.whole("CACHE_TTL_S", 1, 86_400)?.unwrap_or(300)),
            },
            redis: redis(&source, &layers)?,
            single_flight: source.switch("SINGLE_FLIGHT")?.unwrap_or(true),
            drain: Duration::from_secs_f64(source.number("DRAIN_S", 3_600.0)?.unwrap_or(10.0)),
            faults: Faults {
                delay: source.millis("DELAY_MS", 600_000.0)?.unwrap_or_default(),
                work: source.micros("EXTRA_WORK_US", 10_000_000.0)?.unwrap_or_default(),
                leak_bytes: source.whole("LEAK_BYTES_PER_REQUEST", 0, 64 * MEBI)?.unwrap_or(0),
                ballast_bytes: source.megabytes("RSS_EXTRA_MB", 65_536.0)?.unwrap_or(0),
            },
        })
    }
}

/// The names in `CACHE`.
struct Layers {
    memory: bool,
    precomputed: bool,
    redis: bool,
    named: bool,
}

fn layers(source: &Source<'_>) -> Result<Layers, Mistake> {
    let Some(text) = source.text("CACHE")? else {
        return Ok(Layers { memory: true, precomputed: true, redis: true, named: false });
    };
    let mut layers = Layers { memory: false, precomputed: false, redis: false, named: false };
    match text.as_str() {
        "off" => return Ok(layers),
        "on" => return Ok(Layers { memory: true, precomputed: true, redis: true, named: false }),
        _ => {}
    }
    for name in text.split(',').map(str::trim) {
        match name {
            "memory" => layers.memory = true,
            "precomputed" => layers.precomputed = true,
            "redis" => (layers.redis, layers.named) = (true, true),
            _ => {
                let expected = "on, off, or some of memory,redis,precomputed with commas between them";
                return Err(source.mistake("CACHE", &text, expected));
            }
        }
    }
    Ok(layers)
}

fn redis(source: &Source<'_>, layers: &Layers) -> Result<Option<Redis>, Mistake> {
    let url = source.text("REDIS_URL")?;
    let timeout = source.millis("REDIS_TIMEOUT_MS", 60_000.0)?.unwrap_or(Duration::from_millis(50));
    if timeout.is_zero() {
        return Err(source.mistake("REDIS_TIMEOUT_MS", "0", "more than 0"));
    }
    match url {
        None if layers.named => {
            Err(Mistake { name: "CACHE", problem: "names redis, but REDIS_URL is not set".to_owned() })
        }
        None => Ok(None),
        Some(url) => {
            // Not repeated in the message: it may hold a password.
            ::redis::Client::open(url.as_str()).map_err(|cause| Mistake {
                name: "REDIS_URL",
                problem: format!("cannot be used: {cause}"),
            })?;
            Ok(layers.redis.then_some(Redis { url, timeout }))
        }
    }
}

fn secret(source: &Source<'_>) -> Result<Option<String>, Mistake> {
    let Some(secret) = source.text("TELEGRAM_SECRET")? else { return Ok(None) };
    // The characters and the length that Telegram's setWebhook takes; anything else could never match.
    let fits =
        secret.len() <= 256 && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if fits {
        return Ok(Some(secret));
    }
    let problem = "must be 1 to 256 of the characters A-Z, a-z, 0-9, _ and -".to_owned();
    Err(Mistake { name: "TELEGRAM_SECRET", problem })
}

/// Variables by name, with a sentence for each that cannot be read.
struct Source<'a> {
    variable: &'a dyn Fn(&str) -> Option<OsString>,
}

impl Source<'_> {
    fn mistake(&self, name: &'static str, value: &str, expected: impl Display) -> Mistake {
        let shown: String = value.chars().take(60).collect();
        Mistake { name, problem: format!("is {shown:?}, but it must be {expected}") }
    }

    fn text(&self, name: &'static str) -> Result<Option<String>, Mistake> {
        let Some(value) = (self.variable)(name) else { return Ok(None) };
        let problem = match value.into_string() {
            Ok(text) if text.trim().is_empty() => "is set but empty: leave it unset for its default",
            Ok(text) => return Ok(Some(text.trim().to_owned())),
            Err(_) => "is not UTF-8",
        };
        Err(Mistake { name, problem: problem.to_owned() })
    }

    fn parsed<T: FromStr>(&self, name: &'static str, expected: &str) -> Result<Option<T>, Mistake> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.mistake(name, &text, expected))
    }

    fn whole<T: TryFrom<u64>>(
        &self,
        name: &'static str,
        least: u64,
        most: u64,
    ) -> Result<Option<T>, Mistake> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let within = text.parse::<u64>().ok().filter(|number| (least..=most).contains(number));
        match within.and_then(|number| T::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(self.mistake(name, &text, format_args!("a whole number from {least} to {most}"))),
        }
    }

    fn number(&self, name: &'static str, most: f64) -> Result<Option<f64>, Mistake> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(number) if (0.0..=most).contains(&number) => Ok(Some(number)),
            _ => Err(self.mistake(name, &text, format_args!("a number from 0 to {most}"))),
        }
    }

    fn millis(&self, name: &'static str, most: f64) -> Result<Option<Duration>, Mistake> {
        Ok(self.number(name, most)?.map(|number| Duration::from_secs_f64(number / 1e3)))
    }

    fn micros(&self, name: &'static str, most: f64) -> Result<Option<Duration>, Mistake> {
        Ok(self.number(name, most)?.map(|number| Duration::from_secs_f64(number / 1e6)))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to at most 65,536 million"
    )]
    fn megabytes(&self, name: &'static str, most: f64) -> Result<Option<usize>, Mistake> {
        Ok(self.number(name, most)?.map(|number| (number * 1e6) as usize))
    }

    fn switch(&self, name: &'static str) -> Result<Option<bool>, Mistake> {
        match self.text(name)?.as_deref() {
            None => Ok(None),
            Some("on") => Ok(Some(true)),
            Some("off") => Ok(Some(false)),
            Some(other) => Err(self.mistake(name, other, "on or off")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsString, time::Duration};

    use super::Settings;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let find = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        Settings::read(find).map_err(|mistake| mistake.to_string())
    }

    #[test]
    fn without_a_setting_everything_has_its_default() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert!(settings.cache.memory && settings.cache.precomputed && settings.single_flight);
        assert!(settings.redis.is_none() && settings.secret.is_none() && settings.database.is_none());
        assert_eq!(settings.faults, super::Faults::default());
    }

    #[test]
    fn each_part_can_be_switched() {
        let settings = read(&[
            ("PORT", "0"),
            ("CACHE", "off"),
            ("POOL", "1"),
            ("SINGLE_FLIGHT", "off"),
            ("LEAK_BYTES_PER_REQUEST", "4096"),
            ("EXTRA_WORK_US", "12.5"),
            ("DELAY_MS", "2"),
            ("RSS_EXTRA_MB", "0.25"),
            ("REDIS_URL", "redis://127.0.0.1:1/"),
        ])
        .unwrap();
        assert_eq!(settings.listen.port(), 0);
        assert!(!settings.cache.memory && !settings.cache.precomputed && !settings.single_flight);
        assert!(settings.redis.is_none(), "CACHE=off leaves Redis out too");
        assert_eq!((settings.pool, settings.faults.leak_bytes), (1, 4096));
        assert_eq!(settings.faults.work, Duration::from_nanos(12_500));
        assert_eq!(settings.faults.delay, Duration::from_millis(2));
        assert_eq!(settings.faults.ballast_bytes, 250_000);
        let some = read(&[("CACHE", "memory, precomputed")]).unwrap();
        assert!(some.cache.memory && some.cache.precomputed);
    }

    #[test]
    fn a_bad_value_is_refused_with_its_name_and_what_it_must_be() {
        for (name, value, expected) in [
            ("PORT", "http", "a whole number from 0 to 65535"),
            ("PORT", "70000", "a whole number from 0 to 65535"),
            ("ADDRESS", "localhost", "an IP address"),
            ("POOL", "0", "a whole number from 1 to 256"),
            ("POOL", "-1", "a whole number from 1 to 256"),
            ("CACHE", "none", "on, off, or some of"),
            ("CACHE", "memory,disk", "on, off, or some of"),
            ("CACHE", "redis", "REDIS_URL is not set"),
            ("CACHE", "", "is set but empty"),
            ("SINGLE_FLIGHT", "yes", "on or off"),
            ("DELAY_MS", "NaN", "a number from 0"),
            ("EXTRA_WORK_US", "-3", "a number from 0"),
            ("RSS_EXTRA_MB", "1e9", "a number from 0"),
            ("LEAK_BYTES_PER_REQUEST", "1KB", "a whole number from 0"),
            ("REDIS_URL", "http://localhost", "cannot be used"),
            ("REDIS_TIMEOUT_MS", "0", "more than 0"),
            ("TELEGRAM_SECRET", "with space", "1 to 256 of the characters"),
            ("WORKERS", "none", "a whole number from 1"),
        ] {
            let message = read(&[(name, value)]).unwrap_err();
            assert!(message.starts_with(name) && message.contains(expected), "{name}={value}: {message}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let bad = read(&[("REDIS_URL", "redis://:hunter2@host:notaport/")]).unwrap_err();
        assert!(!bad.contains("hunter2"), "{bad}");
        let good = read(&[("REDIS_URL", "redis://:hunter2@127.0.0.1:1/")]).unwrap();
        assert!(!format!("{:?}", good.redis).contains("hunter2"));
    }
}
