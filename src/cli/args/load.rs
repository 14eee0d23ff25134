//! `tollgate load`.

use super::output::OutputArgs;
use crate::{
    commands::load::LONG_SECONDS,
    config::values::{Span, Wait},
};
use clap::{ArgGroup, ValueEnum};

/// How requests at a rate are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ArrivalsArg {
    /// At constant distance.
    Constant,
    /// A Poisson process.
    Poisson,
}

/// Load on a service: a URL with a rate or users, or the scenarios of `tollgate.toml`.
#[derive(Debug, Clone, clap::Args)]
#[command(group(ArgGroup::new("search").args(["stress", "full"])))]
pub struct LoadArgs {
    /// What to load; without it the scenarios of `tollgate.toml` run on the work tree.
    #[arg(value_name = "URL")]
    pub url: Option<String>,
    /// Only the scenario with this name (repeatable).
    #[arg(long = "scenario", value_name = "NAME", conflicts_with = "url")]
    pub scenarios: Vec<String>,
    /// Is it sane? A few growing levels of load in 2 to 3 minutes, until one is too much; a URL needs no rate.
    #[arg(long, conflicts_with_all = ["stress", "full", "soak", "rate", "users", "connections", "arrivals"])]
    pub quick: bool,
    /// Steady load for so long, at least 10m: does memory grow, do answers become slower?
    #[arg(long, value_name = "DURATION", conflicts_with = "duration", value_parser = soak)]
    pub soak: Option<Span>,
    /// Search for the highest rate that still meets the target, some minutes: what gives first, and how it comes back from more.
    #[arg(long, conflicts_with_all = ["soak", "users", "warmup"])]
    pub stress: bool,
    /// The same, then ten steady minutes at half of that rate, judged over time; about 13 minutes.
    #[arg(long, conflicts_with_all = ["soak", "users", "warmup"])]
    pub full: bool,
    /// With `--stress` or `--full`: the target is a p95 below this (default: the tier that `[targets]` requires, else `production`).
    #[arg(long, value_name = "DURATION", requires = "search")]
    pub target_p95: Option<Span>,
    /// With `--stress` or `--full`: no higher rate is tried but the overload at the end (default: what the generator can give).
    #[arg(long, value_name = "N", requires = "search", value_parser = rate)]
    pub max_rate: Option<f64>,
    /// Allow a host that is not this machine.
    #[arg(long)]
    pub allow_remote: bool,
    /// The seed of arrivals and values (default: drawn at random and recorded).
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Show the run live in a browser, on this port of this machine or the next free one (default 3001).
    #[arg(long, visible_alias = "monitoring", value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "3001")]
    pub monitor: Option<u16>,
    /// What is sent to the URL.
    #[command(flatten)]
    pub plain: PlainArgs,
    /// Where results go.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Flags of a URL.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Options of a URL")]
pub struct PlainArgs {
    /// Open loop: requests a second, sent when they are due, whatever the service does. Of a search: the first that is tried (default 50).
    #[arg(long, value_name = "N", requires = "url", conflicts_with = "users", value_parser = rate)]
    pub rate: Option<f64>,
    /// Closed loop: users, each of whom waits for its answer before it asks again.
    #[arg(long, value_name = "N", requires = "url", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub users: Option<u32>,
    /// How long is recorded (default 10s); with --quick how long all levels take, of scenarios too (default 150s); of a search each
    /// probe (default 3s).
    #[arg(long, value_name = "DURATION")]
    pub duration: Option<Span>,
    /// Load before that, which is not recorded (default 1s); with --quick before each level (default a tenth of it, at most 2s).
    #[arg(long, value_name = "DURATION")]
    pub warmup: Option<Wait>,
    /// The method (default `GET`, with a body `POST`).
    #[arg(short = 'X', long, value_name = "METHOD", requires = "url")]
    pub method: Option<String>,
    /// A header, `name: value` (repeatable); its value may hold `{{ number }}` and `{{ random }}`.
    #[arg(short = 'H', long = "header", value_name = "HEADER", requires = "url")]
    pub headers: Vec<String>,
    /// The body: a text, which may hold `{{ number }}` and `{{ random }}`, or `@FILE`, which is sent as it is.
    #[arg(short = 'd', long, value_name = "TEXT|@FILE", requires = "url")]
    pub body: Option<String>,
    /// The longest that one request may take (default 30s).
    #[arg(long, value_name = "DURATION", requires = "url")]
    pub timeout: Option<Span>,
    /// With a rate: at most so many connections; a request that finds none free waits, and the wait counts.
    #[arg(long, value_name = "N", requires = "rate", conflicts_with = "users", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub connections: Option<u32>,
    /// With a rate: how requests are spread (default `constant`).
    #[arg(long, value_enum, value_name = "HOW", requires = "rate", conflicts_with = "users")]
    pub arrivals: Option<ArrivalsArg>,
    /// HTTP/2: by prior knowledge, with TLS by ALPN.
    #[arg(long, requires = "url")]
    pub http2: bool,
    /// A new connection for every request.
    #[arg(long, requires = "url")]
    pub no_keep_alive: bool,
    /// Trust any certificate.
    #[arg(long, requires = "url")]
    pub insecure: bool,
}

/// A positive number of requests a second, at most ten million.
fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1e7 => Ok(rate),
        _ => Err("a rate is a number above 0 and at most 10000000".into()),
    }
}

/// A duration that is long enough to be judged over time.
fn soak(text: &str) -> Result<Span, String> {
    let span = text.parse::<Span>().map_err(|error| error.to_string())?;
    if span.0 < LONG_SECONDS {
        return Err("a soak takes at least `10m`: less shows no slow leak".into());
    }
    Ok(span)
}

#[cfg(test)]
mod tests {
    use crate::cli::args::{Cli, Command};
    use clap::Parser;

    fn parse(args: &[&str]) -> Result<super::LoadArgs, clap::Error> {
        match Cli::try_parse_from([&["tollgate", "load"], args].concat())?.command {
            Command::Load(args) => Ok(*args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_url_takes_a_rate_or_users() {
        let args =
            parse(&["http://h/", "--rate", "0.5", "-H", "a: b", "-H", "c: d", "--warmup", "0s"]).unwrap();
        assert_eq!((args.plain.rate, args.plain.headers.len()), (Some(0.5), 2));
        assert!(args.plain.warmup.is_some_and(|wait| wait.0 == 0.0));
        assert!(parse(&["--soak", "10m"]).unwrap().soak.is_some_and(|span| (span.0 - 600.0).abs() < 1e-9));
        assert_eq!(parse(&["http://h/", "--users", "8"]).unwrap().plain.users, Some(8));
    }

    #[test]
    fn a_quick_look_needs_no_rate_and_takes_none() {
        let quick = |args: &[&str]| parse(&[&["--quick"], args].concat()).map(|args| args.quick);
        for args in [&[][..], &["http://h/"], &["--duration", "9s", "--warmup", "0s"], &["--scenario", "a"]] {
            assert!(quick(args).unwrap(), "{args:?}");
        }
        for args in [
            &["--soak", "10m"][..],
            &["--stress"],
            &["--full"],
            &["http://h/", "--rate", "1"],
            &["http://h/", "--users", "1"],
            &["http://h/", "--connections", "3"],
            &["http://h/", "--arrivals", "poisson"],
        ] {
            assert!(quick(args).is_err(), "{args:?}");
        }
    }

    #[test]
    fn a_search_needs_no_rate() {
        let args = parse(&["http://h/", "--stress", "--target-p95", "80ms", "--max-rate", "900"]).unwrap();
        assert!(args.stress && !args.full && args.plain.rate.is_none());
        assert_eq!((args.target_p95.map(|span| span.0), args.max_rate), (Some(0.08), Some(900.0)));
        assert!(parse(&["--full", "--scenario", "chat"]).unwrap().full);
    }

    #[test]
    fn a_page_has_its_port_and_takes_no_url_for_one() {
        let monitor = |args: &[&str]| parse(args).map(|args| (args.monitor, args.url));
        assert_eq!(monitor(&["--monitor"]).unwrap(), (Some(3001), None));
        assert_eq!(monitor(&["--monitoring=8300"]).unwrap(), (Some(8300), None));
        let url = Some("http://h/".to_owned());
        assert_eq!(monitor(&["--monitor", "http://h/", "--rate", "1"]).unwrap(), (Some(3001), url));
        assert_eq!(monitor(&[]).unwrap(), (None, None));
        assert!(monitor(&["--monitor=70000"]).is_err());
    }

    #[test]
    fn what_makes_no_sense_together_is_refused() {
        for args in [
            &["http://h/", "--rate", "1", "--users", "1"][..],
            &["--rate", "1"],
            &["http://h/", "--rate", "0"],
            &["http://h/", "--rate", "nan"],
            &["http://h/", "--users", "0"],
            &["http://h/", "--users", "2", "--connections", "3"],
            &["http://h/", "--scenario", "a"],
            &["--body", "x"],
            &["--soak", "2m"],
            &["http://h/", "--rate", "1", "--soak", "1h", "--duration", "1h"],
            &["http://h/", "--stress", "--users", "3"],
            &["http://h/", "--stress", "--soak", "1h"],
            &["http://h/", "--stress", "--full"],
            &["http://h/", "--stress", "--warmup", "1s"],
            &["http://h/", "--rate", "5", "--target-p95", "1s"],
            &["http://h/", "--full", "--max-rate", "0"],
        ] {
            assert!(parse(args).is_err(), "{args:?}");
        }
    }
}
