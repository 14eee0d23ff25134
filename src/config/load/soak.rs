//! `soak` of a scenario: what may grow in a long window.

use super::keys::{Load, Soak};
use crate::{
    config::values::{Percent, Size, Wait},
    model::soak::{Allowances, Allowed},
};

/// What the scenarios of a file allow; those that say nothing have the defaults and are left out.
pub(crate) fn soak(loads: &[Load]) -> Vec<Allowances> {
    let written = loads.iter().filter_map(|load| Some((load.name.clone()?, load.soak.as_ref()?)));
    written.map(|(scenario, soak)| allowances(scenario, soak)).collect()
}

fn allowances(scenario: String, soak: &Soak) -> Allowances {
    let allowed = |share: Option<Percent>, floor: Option<f64>, default: Allowed| Allowed {
        per_hour: share.map_or(default.per_hour, |share| share.0),
        floor_per_hour: floor.unwrap_or(default.floor_per_hour),
    };
    Allowances {
        scenario,
        memory: allowed(soak.memory, soak.memory_floor.map(|Size(bytes)| bytes), Allowed::MEMORY),
        // Whole nanoseconds, so that `50us` is the number that is the default.
        latency: allowed(
            soak.latency,
            soak.latency_floor.map(|Wait(seconds)| (seconds * 1e9).round()),
            Allowed::LATENCY,
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        config::{
            read::parse,
            resolve::{Flags, resolve},
        },
        model::soak::{Allowances, Allowed},
    };

    const URL: &str = "url = \"http://localhost:1\"";

    #[test]
    fn what_may_grow_is_read_by_scenario_with_the_defaults_for_what_is_not_written() {
        let load = |name: &str, keys: &str| {
            format!("[[load]]\nname = \"{name}\"\n{URL}\nrate = 1\n{keys}\n[[load.request]]\npath = \"/\"\n")
        };
        let own = "soak = { memory = \"2%\", memory_floor = \"4MiB\", latency = \"10%\", latency_floor = \"50us\" }";
        let text = load("a", own) + &load("b", "soak = { memory = 0 }") + &load("c", "");
        let allowances = resolve(Flags::default(), &parse(&text).unwrap()).policy.soak;
        let names: Vec<&str> = allowances.iter().map(|allowances| allowances.scenario.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let allowed = |per_hour, floor_per_hour| Allowed { per_hour, floor_per_hour };
        assert_eq!(
            Allowances::of(&allowances, "a"),
            (allowed(0.02, 4.0 * 1_048_576.0), allowed(0.1, Allowed::LATENCY.floor_per_hour))
        );
        assert_eq!(Allowances::of(&allowances, "b"), (allowed(0.0, 1_048_576.0), Allowed::LATENCY));
        assert_eq!(Allowances::of(&allowances, "c"), (Allowed::MEMORY, Allowed::LATENCY));
        for (keys, beginning) in [
            ("soak = { memory = \"a lot\" }", "5: key `load.soak.memory`: `a lot` is not a share"),
            (
                "soak = { memory_floor = \"1ms\" }",
                "5: key `load.soak.memory_floor`: `1ms` is no amount of memory",
            ),
            ("soak = { latency = 5 }", "5: key `load.soak.latency`: `5` without a `%`"),
            (
                "soak = { latency_floor = \"1MiB\" }",
                "5: key `load.soak.latency_floor`: `1MiB` is not a duration",
            ),
            ("soak = { memmory = \"1%\" }", "5: unknown key `load.soak.memmory`"),
            ("soak = \"2%\"", "5: key `load.soak`"),
        ] {
            let found = parse(&load("a", keys)).expect_err(keys);
            let found: Vec<_> =
                found.iter().map(|mistake| format!("{}: {}", mistake.line, mistake.message)).collect();
            assert!(found.len() == 1 && found[0].starts_with(beginning), "{found:?}");
        }
    }
}
