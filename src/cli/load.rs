//! `tollgate load`: what was typed becomes scenarios, what came of them is shown.

use std::time::Duration;

use super::{
    Door,
    args::load::{ArrivalsArg, LoadArgs, PlainArgs},
    compare::{check_outputs, deliver, remove_old_reports},
};
use crate::{
    commands::{
        failure::Failure,
        load::{
            self,
            plain::{Amount, Plain, scenario},
        },
    },
    config::{
        resolve::{Flags, resolve},
        values::{Span, Wait},
    },
    live::page::{Dashboard, WithPage},
    load::{
        modes::{
            quick::{self, Quick},
            stress::Settings,
        },
        scenario::{Arrivals, Model, Scenario, Stage},
    },
    model::{
        load::Aim,
        outcome::{ErrorClass, Outcome},
        policy::Policy,
        verdict::CheckVerdict,
    },
    report::{self, stress::StressView},
    text::plural,
};

/// The first rate of a search where nobody gave one, requests a second.
const FIRST_RATE: f64 = 50.0;
/// How long a probe of a search records, where nobody said.
const PROBE: Duration = Duration::from_secs(3);
/// The shortest probe.
const SHORTEST_PROBE: Duration = Duration::from_secs(1);
/// The steady window after a search is so many probes long.
const STEADY: u32 = 4;

/// `tollgate load`.
pub(super) fn load(door: &Door, args: &LoadArgs) -> Result<Outcome, Failure> {
    check_outputs(&args.output, &[])?;
    check_times(args)?;
    remove_old_reports(&args.output);
    let flags = Flags { allow_remote: args.allow_remote, ..Flags::default() };
    let settings = resolve(flags, &door.file_with(args.allow_remote)?);
    let scenarios = match &args.url {
        Some(url) => {
            let plain = plain(url, args)?;
            vec![scenario(&plain, &door.here()?)?]
        }
        None => chosen(settings.loads, &args.scenarios)?,
    };
    let scenarios = match args.soak {
        Some(span) => scenarios.into_iter().map(|scenario| soaked(scenario, span.duration())).collect(),
        None => scenarios,
    };
    let stress = search(args, &scenarios, &settings.policy)?;
    let request = load::Request {
        directory: door.here()?,
        scenarios,
        url: args.url.clone(),
        quick: args.quick.then(|| Quick {
            total: args.plain.duration.map_or(quick::DEFAULT, Span::duration),
            warmup: args.plain.warmup.map(Wait::duration),
        }),
        stress,
        policy: settings.policy,
        build_timeout: settings.build_timeout,
        seed: args.seed.unwrap_or_else(|| door.draw_seed()),
        now: door.now,
    };
    let page = args.monitor.map(|port| open_page(door, port, &request)).transpose()?;
    let done = door.with_progress(|progress| match &page {
        Some(page) => load::run(&request, &WithPage::new(page, progress), &door.interrupt),
        None => load::run(&request, progress, &door.interrupt),
    });
    if let Some(page) = page {
        let (words, report) = match &done {
            Ok(done) => (
                format!(
                    "{}: {}. {}The whole result is in its terminal, and can be saved here.",
                    if page.wants_stop() { "The run was stopped from its page" } else { "The run is over" },
                    done.verdict.outcome.as_str(),
                    searches(&done.verdict)
                ),
                Some(report::html::render(&done.verdict)),
            ),
            Err(_) => ("The run failed. Its terminal says why.".to_owned(), None),
        };
        page.finish(&words, report);
    }
    let done = done?;
    let outcome = deliver(door, &done.verdict, &args.output)?;
    if let Some(failure) = &done.not_kept {
        door.console.failure(failure);
        return Ok(outcome.join(failure.outcome()));
    }
    if let Some(folder) = &done.folder {
        let files = "verdict.json, verdict.md, run.json, the services' logs";
        door.console.remark(&format!("kept in {}: {files}", folder.display()));
    }
    Ok(outcome)
}

/// What searches for a breaking point came to, a sentence each.
fn searches(verdict: &CheckVerdict) -> String {
    let views = verdict.stress.iter().map(StressView::of);
    views.map(|view| format!("{}: {}. ", view.name, view.summary)).collect()
}

/// The live page of a run; its alerts watch the target of a search, else the tier that the project demands, else the easiest one.
fn open_page(door: &Door, port: u16, request: &load::Request) -> Result<Dashboard, Failure> {
    let targets = &request.policy.targets;
    let demanded = targets.tiers.iter().find(|tier| Some(&tier.name) == targets.require.as_ref());
    let limits = match &request.stress {
        Some(stress) => stress.aim.limits(),
        None => demanded.or(targets.tiers.first()).map_or_else(Vec::new, |tier| tier.limits.clone()),
    };
    let names: Vec<&str> = request.scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
    let title = request.url.clone().unwrap_or_else(|| plural::list(&names, 4));
    let page = Dashboard::open(port, &title, &limits).map_err(Failure::measurement)?;
    door.console.remark(&format!("live page: {}", page.url()));
    Ok(page)
}

/// The times of a scenario stand in the file, unless it is asked at other levels anyway.
fn check_times(args: &LoadArgs) -> Result<(), Failure> {
    let times = [("--duration", args.plain.duration.is_some()), ("--warmup", args.plain.warmup.is_some())];
    match times.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) if args.url.is_none() && !args.quick => Err(Failure::message(
            ErrorClass::Configuration,
            format!("could not use `{flag}`: it is for a URL, or for `--quick`"),
            "write `window` or `warmup` into the scenario, or give a URL",
        )),
        _ => Ok(()),
    }
}

fn plain(url: &str, load: &LoadArgs) -> Result<Plain, Failure> {
    let (quick, args): (_, &PlainArgs) = (load.quick, &load.plain);
    let rate = args.rate.or((load.stress || load.full).then_some(FIRST_RATE));
    let amount = match (rate, args.users) {
        (Some(rate), _) => Amount::Rate {
            rate,
            arrivals: match args.arrivals {
                Some(ArrivalsArg::Poisson) => Arrivals::Poisson,
                Some(ArrivalsArg::Constant) | None => Arrivals::Constant,
            },
            connections: args.connections,
        },
        (None, Some(users)) => Amount::Users(users),
        // Its levels say how much.
        (None, None) if quick => {
            Amount::Rate { rate: quick::URL_RATES[0], arrivals: Arrivals::Constant, connections: None }
        }
        (None, None) => {
            let message = format!("could not load `{url}`: nobody said how much");
            let hint = "give `--rate N` (requests a second) or `--users N`, `--quick`, or `--stress` to search for what it bears";
            return Err(Failure::message(ErrorClass::Configuration, message, hint));
        }
    };
    Ok(Plain {
        url: url.to_owned(),
        amount,
        duration: args.duration.map_or(Duration::from_secs(10), Span::duration),
        warmup: args.warmup.map_or(Duration::from_secs(1), Wait::duration),
        method: args.method.as_ref().map(|method| method.to_ascii_uppercase()),
        headers: args.headers.clone(),
        body: args.body.clone(),
        timeout: args.timeout.map_or(Duration::from_secs(30), Span::duration),
        http2: args.http2,
        keep_alive: !args.no_keep_alive,
        insecure: args.insecure,
        allow_remote: load.allow_remote,
    })
}

/// How the rate that services bear is searched for, if that was asked for.
fn search(args: &LoadArgs, scenarios: &[Scenario], policy: &Policy) -> Result<Option<Settings>, Failure> {
    if !(args.stress || args.full) {
        return Ok(None);
    }
    let refuse =
        |message: String, hint: &str| Err(Failure::message(ErrorClass::Configuration, message, hint));
    let users = |scenario: &&Scenario| matches!(scenario.model, Model::Users { .. });
    if let Some(scenario) = scenarios.iter().find(users) {
        let message = format!(
            "could not search for the rate that `{}` bears: it has users, who wait for a slow service",
            scenario.name
        );
        return refuse(message, "name scenarios with a `rate` by `--scenario`");
    }
    let probe = args.plain.duration.map_or(PROBE, Span::duration);
    if probe < SHORTEST_PROBE {
        let message = "could not search with such a `--duration`: a probe takes at least `1s`".to_owned();
        return refuse(message, "leave it out: a probe takes 3s then");
    }
    let start = args.plain.rate.or(args.url.as_ref().map(|_| FIRST_RATE));
    if let (Some(start), Some(most)) = (start, args.max_rate)
        && args.plain.rate.is_some()
        && start > most
    {
        return refuse("could not search from a `--rate` above `--max-rate`".to_owned(), "swap them");
    }
    let steady = if args.full { Duration::from_secs_f64(load::LONG_SECONDS) } else { probe * STEADY };
    let p95_ns = args.target_p95.map(|span| span.0 * 1e9);
    Ok(Some(Settings {
        aim: Aim::of(&policy.targets).with_p95(p95_ns),
        start,
        most: args.max_rate,
        probe,
        steady,
    }))
}

/// A scenario with the load of its last stage for so long.
fn soaked(scenario: Scenario, window: Duration) -> Scenario {
    let last = |stages: &[Stage]| {
        let level = stages.last().map_or(0.0, |stage| stage.level);
        vec![Stage { level, duration: window, ramp: false }]
    };
    let model = match scenario.model {
        Model::Rate { stages, arrivals, connections } => {
            Model::Rate { stages: last(&stages), arrivals, connections }
        }
        Model::Users { stages, think } => Model::Users { stages: last(&stages), think },
    };
    Scenario { model, window, ..scenario }
}

/// The scenarios of the file that are wanted; all of them without names.
fn chosen(all: Vec<Scenario>, names: &[String]) -> Result<Vec<Scenario>, Failure> {
    let known: Vec<String> = all.iter().map(|scenario| format!("`{}`", scenario.name)).collect();
    let refuse = |message: String| {
        let hint = if known.is_empty() {
            "write a `[[load]]` in `tollgate.toml` (docs/load.md), or give a URL: `tollgate load http://127.0.0.1:8080/ --rate 200`"
                .to_owned()
        } else {
            format!("the scenarios are {}", known.join(", "))
        };
        Err(Failure::message(ErrorClass::Configuration, message, hint))
    };
    if let Some(name) = names.iter().find(|name| !all.iter().any(|scenario| scenario.name == **name)) {
        return refuse(format!("could not find the scenario `{name}`"));
    }
    if all.is_empty() {
        return refuse("there is no load scenario".to_owned());
    }
    Ok(all.into_iter().filter(|scenario| names.is_empty() || names.contains(&scenario.name)).collect())
}
