//! A scenario as a whole: every key resolved, every default filled in, every mistake noted.

use std::{
    collections::BTreeSet,
    path::{Component, Path},
    time::Duration,
};

use super::{
    driver, flows,
    keys::Load,
    metrics, model, service, targets,
    troubles::{Trouble, Troubles},
};
use crate::{
    config::{
        file::File,
        values::{Span, Wait},
    },
    load::scenario::Scenario,
};

/// The longest name of anything, characters.
const MAX_NAME: usize = 120;
/// The longest drain that is the default.
const MAX_DEFAULT_DRAIN: Duration = Duration::from_secs(10);

/// What a reader of the file asks of it beside what it says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Leave<'a> {
    /// The file's folder, in which bodies and data are looked for; without it they are not read.
    pub folder: Option<&'a Path>,
    /// Let services on other machines pass, as if every scenario said `allow_remote = true`.
    pub allow_remote: bool,
}

/// The scenarios of a file in its order; bodies and data are looked for in `folder`, the file's own.
///
/// # Errors
/// All mistakes. In a file that was read with its folder, only files that have changed since can be wrong.
pub fn scenarios(file: &File, folder: &Path) -> Result<Vec<Scenario>, Vec<Trouble>> {
    let leave = Leave { folder: Some(folder), allow_remote: false };
    let troubles = check(file, leave, &BTreeSet::new());
    if troubles.is_empty() { Ok(resolved(file, folder)) } else { Err(troubles) }
}

/// The scenarios of a file that was checked.
#[must_use]
pub(crate) fn resolved(file: &File, folder: &Path) -> Vec<Scenario> {
    let mut ignored = Troubles::default();
    let leave = Leave { folder: Some(folder), allow_remote: false };
    file.load.iter().map(|load| scenario(load, leave, &mut ignored)).collect()
}

/// All mistakes of `[[load]]` and `[targets]` that types do not show. Scenarios in `skip` are left out: something is known to be
/// wrong with their types, and what is missing in them may only have been unreadable.
#[must_use]
pub fn check(file: &File, leave: Leave<'_>, skip: &BTreeSet<usize>) -> Vec<Trouble> {
    let mut troubles = Troubles::default();
    let mut names = BTreeSet::new();
    for (index, load) in file.load.iter().enumerate() {
        let fresh = load.name.as_ref().is_none_or(|name| names.insert(name.as_str()));
        if skip.contains(&index) {
            continue;
        }
        troubles.row("load", index, |troubles| {
            if !fresh {
                troubles.add("name", "another scenario has this name");
            }
            let scenario = scenario(load, leave, troubles);
            flows::check(load, &scenario.flows, leave.folder, troubles);
        });
    }
    targets::check(&file.targets, &mut troubles);
    troubles.into_found()
}

/// One scenario; parts with mistakes have their defaults.
fn scenario(load: &Load, leave: Leave<'_>, troubles: &mut Troubles) -> Scenario {
    let name = match &load.name {
        None => {
            troubles.add("name", "a scenario needs a name");
            String::new()
        }
        Some(name) => {
            check_name(name, "name", troubles);
            name.clone()
        }
    };
    let request_timeout = load.timeout.map_or(Duration::from_secs(30), Span::duration);
    let transport = service::transport(load, leave, troubles);
    let driver = driver::driver(load, leave.allow_remote, troubles);
    let allow_remote = transport.allow_remote;
    Scenario {
        name,
        service: service::service(load, allow_remote, troubles),
        flows: flows::flows(load, troubles),
        model: model::model(load, troubles),
        warmup: load.warmup.map_or(Duration::from_secs(1), Wait::duration),
        window: model::window(load),
        driver,
        transport,
        request_timeout,
        drain: load.drain.map_or(request_timeout.min(MAX_DEFAULT_DRAIN), Wait::duration),
        metrics: metrics::formulas(load, troubles),
        metrics_url: metrics::page(load, allow_remote, troubles),
        gate: metrics::gate(load, troubles),
        alike: load.alike.unwrap_or(20),
        folder: leave.folder.unwrap_or(Path::new("")).to_owned(),
    }
}

/// A name that can be shown in one line.
pub(super) fn check_name(name: &str, key: &str, troubles: &mut Troubles) {
    if name.trim().is_empty() {
        troubles.add(key, "a name must not be empty");
    } else if name.chars().any(char::is_control) {
        troubles.add(key, "a name must not hold control characters");
    } else if name.chars().count() > MAX_NAME {
        troubles.add(key, format!("a name has at most {MAX_NAME} characters"));
    }
}

/// Whether a path stays below the tree that it is relative to.
pub(super) fn stays_inside(path: &str) -> bool {
    let mut depth = 0_i32;
    Path::new(path).components().all(|part| {
        depth += match part {
            Component::Normal(_) => 1,
            Component::CurDir => 0,
            Component::ParentDir => -1,
            Component::RootDir | Component::Prefix(_) => return false,
        };
        depth >= 0
    })
}
