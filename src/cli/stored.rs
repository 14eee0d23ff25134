//! `tollgate baseline`: what was typed becomes requests, reports become text.

use super::{
    Door,
    args::baseline::{AcceptArgs, BaselineAction, FetchArgs, PruneArgs, SaveArgs, ShowArgs, StoreArg},
    resolve::selection,
};
use crate::{
    commands::{
        baseline::{self, World, accept, fetch, list, prune, save, show, text, verify},
        failure::Failure,
        run,
    },
    config::resolve::{Flags, Settings},
    git::Repository,
    machine::fingerprint,
    model::{
        environment::EnvironmentKey,
        outcome::{ErrorClass, Outcome},
    },
    progress::Progress,
    store::{load::From as Store, prune::Effect},
};
use std::path::Path;

/// Where the reviewed files are, from the top of the work tree.
const BASELINES: &str = "baselines";

/// `tollgate baseline …`.
pub(super) fn baseline(door: &Door, action: BaselineAction) -> Result<Outcome, Failure> {
    let here = door.here()?;
    let remote = |door: &Door, named: Option<String>| -> Result<Option<String>, Failure> {
        Ok(Some(named.unwrap_or(door.settings(Flags::default())?.remote)))
    };
    match action {
        BaselineAction::Save(args) => save(door, &here, &args),
        BaselineAction::List(args) => {
            fetch_first(door, &here, &args.fetch)?;
            let request = list::Request { directory: &here, current: None, from: Store::Both };
            let report = door.with_world(|world| list::list(&request, world))?;
            door.tell(&text::listed(&report), report.outcome())
        }
        BaselineAction::Show(args) => show(door, &here, args),
        BaselineAction::Accept(args) => accept(door, &here, args),
        BaselineAction::Prune(args) => {
            let send =
                if args.push { save::Send::To(remote(door, args.remote.clone())?) } else { save::Send::No };
            prune(door, &here, &args, send)
        }
        BaselineAction::Verify(args) => {
            let request = verify::Request { directory: &here, from: args.store.into() };
            let verified = door.with_world(|world| verify::verify(&request, world))?;
            door.tell(&text::verified(&verified), verify::outcome(&verified))
        }
    }
}

/// Fetches run records where that was asked for.
fn fetch_first(door: &Door, here: &Path, args: &FetchArgs) -> Result<(), Failure> {
    if args.fetch {
        let remote = args.remote.clone().map_or_else(
            || door.settings(Flags::default()).map(|settings| settings.remote),
            Result::<_, Failure>::Ok,
        )?;
        door.with_world(|world| fetch::fetch(here, Some(&remote), world))?;
    }
    Ok(())
}

fn save(door: &Door, here: &Path, args: &SaveArgs) -> Result<Outcome, Failure> {
    let flags = Flags {
        head: args.head.clone(),
        budget_seconds: args.budget.map(|span| span.0),
        filter: args.filter.clone(),
        pin: args.pin,
        as_built: args.build.as_built,
        selection: selection(args.build.clone()),
        ..Flags::default()
    };
    let settings = door.settings(flags)?;
    let send = match args.push {
        true => save::Send::To(Some(args.remote.clone().unwrap_or_else(|| settings.remote.clone()))),
        false => save::Send::No,
    };
    if let Some(file) = &args.from {
        let report = door.with_world(|world| {
            save::save(&save_request(here, args, save::Source::File(file), send), world)
        })?;
        return door.tell(&text::saved(&report), report.outcome());
    }
    let mut outcome = Outcome::Pass;
    for number in 1..=args.runs {
        let settings = as_committed(here, settings.clone())?;
        let done = measure(door, here, &settings, args.processes, number)?;
        if done.run.interrupted.is_some() {
            door.console.remark(&format!("{}; nothing of this run was stored", done.summary()));
            return Ok(outcome.join(done.outcome()));
        }
        // One push at the end takes all of them.
        let send = if number == args.runs { send.clone() } else { save::Send::No };
        let request = save_request(here, args, save::Source::Run(&done.run), send);
        let report = door.with_world(|world| save::save(&request, world))?;
        outcome = outcome.join(door.tell(&text::saved(&report), report.outcome())?);
    }
    Ok(outcome)
}

/// Baselines that wait to be committed do not make the code another one: then HEAD is measured.
fn as_committed(here: &Path, settings: Settings) -> Result<Settings, Failure> {
    let repository = Repository::discover(here).map_err(Failure::configuration)?;
    let only_baselines = settings.head.is_none()
        && repository.differs_only_below(Path::new(BASELINES)).map_err(Failure::configuration)?;
    let head = if only_baselines { Some("HEAD".to_owned()) } else { settings.head.clone() };
    Ok(Settings { head, ..settings })
}

fn save_request<'a>(
    here: &'a Path,
    args: &SaveArgs,
    run: save::Source<'a>,
    send: save::Send,
) -> save::Request<'a> {
    save::Request { directory: here, run, stands_for: args.stands_for.clone(), to: args.store.into(), send }
}

fn measure(
    door: &Door,
    here: &Path,
    settings: &Settings,
    processes: u32,
    number: u32,
) -> Result<run::Done, Failure> {
    let request = run::Request {
        directory: here.to_owned(),
        executable: door.executable()?,
        settings: settings.clone(),
        processes,
        command: None,
        seed: door.draw_seed(),
        // Runs of one call that fall into the same second are still different runs.
        now: door.now + u64::from(number - 1),
    };
    door.with_progress(|progress| run::run(&request, progress, &door.interrupt))
}

fn show(door: &Door, here: &Path, args: ShowArgs) -> Result<Outcome, Failure> {
    fetch_first(door, here, &args.fetch)?;
    let environment = args.environment.as_deref().map(key).transpose()?;
    let request =
        show::Request { directory: here, benchmark: args.benchmark, environment, from: args.store.into() };
    let report = door.with_world(|world| show::show(&request, world))?;
    door.tell(&text::shown(&report), Outcome::Pass)
}

fn accept(door: &Door, here: &Path, args: AcceptArgs) -> Result<Outcome, Failure> {
    let request = accept::Request {
        directory: here,
        benchmarks: args.benchmarks,
        metric: args.metric,
        environment: args.environment.as_deref().map(key).transpose()?,
        rev: args.rev,
        by: args.by,
        reason: args.reason,
        from: Store::Both,
    };
    let report = door.with_world(|world| accept::accept(&request, world))?;
    door.tell(&text::accepted(&report), Outcome::Pass)
}

fn prune(door: &Door, here: &Path, args: &PruneArgs, send: save::Send) -> Result<Outcome, Failure> {
    let drop_environments =
        args.drop_environment.iter().map(|text| key(text)).collect::<Result<Vec<_>, _>>()?;
    let request = prune::Request {
        directory: here,
        place: args.store.into(),
        newest: args.keep,
        max_age_seconds: args.max_age_days.map(|days| u64::from(days) * 86_400),
        drop_environments,
        unknown_commits: if args.unknown_commits {
            prune::UnknownCommits::Drop
        } else {
            prune::UnknownCommits::Keep
        },
        send,
        effect: if args.dry_run { Effect::Preview } else { Effect::Apply },
    };
    let report = door.with_world(|world| prune::prune(&request, world))?;
    door.tell(&text::pruned(&report), Outcome::Pass)
}

fn key(text: &str) -> Result<EnvironmentKey, Failure> {
    EnvironmentKey::parse(text).ok_or_else(|| {
        let message = format!("`{text}` is not an environment key");
        Failure::message(
            ErrorClass::Configuration,
            message,
            "`tollgate baseline list` shows the keys: 16 hexadecimal digits",
        )
    })
}

impl Door {
    pub(super) fn with_world<T>(
        &self,
        job: impl FnOnce(&World<'_>) -> Result<T, baseline::Error>,
    ) -> Result<T, Failure> {
        self.with_progress(|progress: &dyn Progress| {
            let key_of = |environment: &_| fingerprint::key(environment);
            let world = World { interrupt: &self.interrupt, progress, now: self.now, key_of: &key_of };
            job(&world).map_err(Failure::from)
        })
    }

    fn tell(&self, text: &str, outcome: Outcome) -> Result<Outcome, Failure> {
        self.print(text.as_bytes())?;
        Ok(outcome)
    }
}

impl From<StoreArg> for Store {
    fn from(store: StoreArg) -> Self {
        match store {
            StoreArg::Files => Self::WorkTree,
            StoreArg::History => Self::History,
            StoreArg::Both => Self::Both,
        }
    }
}
