//! Who sends the requests: `driver` and what goes with it, and what the one of several machines cannot do.

use super::{
    keys::{Driver as Name, Load},
    service::{is_this_machine, parse_url},
    troubles::Troubles,
};
use crate::load::scenario::{Driver, Locust};

/// The most workers of a scenario, on all machines together.
const MAX_WORKERS: u32 = 1_000;
/// The workers on this machine where no hosts are given.
const DEFAULT_WORKERS: u32 = 2;

/// The driver of a scenario.
pub(super) fn driver(load: &Load, may_be_remote: bool, troubles: &mut Troubles) -> Driver {
    if load.driver != Some(Name::Locust) {
        needs_locust(load, troubles);
        return Driver::Tollgate;
    }
    cannot(load, troubles);
    let hosts = u32::try_from(load.hosts.len()).unwrap_or(u32::MAX);
    let workers = load.workers.unwrap_or(if hosts > 0 { 0 } else { DEFAULT_WORKERS });
    if workers.saturating_add(hosts) == 0 {
        troubles.add("workers", "there must be at least one, here or in `hosts`");
    } else if workers.saturating_add(hosts) > MAX_WORKERS {
        troubles.add("workers", format!("with `hosts` there are at most {MAX_WORKERS}"));
    }
    if hosts > 0 {
        remote(load, may_be_remote || load.allow_remote == Some(true), troubles);
    }
    let address = load.master.as_deref().map(|master| troubles.noted("master", address(master)));
    let (master, port) = address.flatten().map_or((None, None), |(master, port)| (Some(master), port));
    let program = load.locust.clone().unwrap_or_else(|| "locust".to_owned());
    if program.trim().is_empty() || program.chars().any(char::is_control) {
        troubles.add("locust", "this is no name or path of a program");
    }
    Driver::Locust(Locust { program, workers, hosts: load.hosts.clone(), master, port })
}

/// Keys about a driver that is not asked for.
fn needs_locust(load: &Load, troubles: &mut Troubles) {
    let given = [
        ("workers", load.workers.is_some()),
        ("hosts", !load.hosts.is_empty()),
        ("master", load.master.is_some()),
        ("locust", load.locust.is_some()),
    ];
    for (key, _) in given.iter().filter(|(_, given)| *given) {
        troubles.add(key, "this is about Locust: say `driver = \"locust\"`");
    }
}

/// What is asked of other machines.
fn remote(load: &Load, allowed: bool, troubles: &mut Troubles) {
    if !allowed {
        let message = "workers on other machines send load from there: say `allow_remote = true`, or pass `--allow-remote`";
        troubles.add("hosts", message);
    }
    for host in &load.hosts {
        if !is_host(host) {
            let message =
                format!("`{host}` is not a host such as `user@10.0.0.7` or `ssh://user@10.0.0.7:2222`");
            troubles.add("hosts", message);
        }
    }
    if load.master.is_none() {
        let message = "the hosts must reach this machine: give its address as `master = \"10.0.0.5\"`";
        troubles.add("hosts", message);
    }
    let url = load.url.as_deref().unwrap_or("http://127.0.0.1:{port}");
    let loopback = parse_url(url).is_ok_and(|uri| uri.host().is_some_and(is_this_machine));
    if loopback {
        let key = if load.url.is_some() { "url" } else { "hosts" };
        let message = format!(
            "on another host `{url}` is that host itself: give a `url` with an address of this machine that they reach"
        );
        troubles.add(key, message);
    }
}

/// What ssh takes as a destination: a name, also one of its configuration, or a URI, which may have a port.
fn is_host(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@._-:[]%".contains(c);
    let (destination, is_uri) = text.strip_prefix("ssh://").map_or((text, false), |rest| (rest, true));
    let name = destination.rsplit_once('@').map_or(destination, |(_, name)| name);
    let port = name.rsplit_once(':').filter(|(before, _)| !before.contains(':') || before.ends_with(']'));
    // A name that begins with a dash would be an option of ssh. A port without `ssh://` would be part of the name.
    let dashed = [destination, name].iter().any(|part| part.is_empty() || part.starts_with('-'));
    let bad_port = port.is_some_and(|(_, port)| !is_uri || !port.parse().is_ok_and(|port: u16| port > 0));
    !dashed && !bad_port && destination.chars().all(plain)
}

/// An address, and the port behind its last colon.
fn address(text: &str) -> Result<(String, Option<u16>), String> {
    let bad = || format!("`{text}` is not an address such as `10.0.0.5` or `10.0.0.5:5557`");
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host, Some(port.parse().ok().filter(|port: &u16| *port > 0).ok_or_else(bad)?))
        }
        _ => (text, None),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-:%".contains(c);
    if host.is_empty() || host.starts_with('-') || !host.chars().all(plain) {
        return Err(bad());
    }
    Ok((host.to_owned(), port))
}

/// What Locust cannot do as the scenario says it.
fn cannot(load: &Load, troubles: &mut Troubles) {
    let keys = [
        ("users", load.users.is_some(), "Locust follows due times here: give a `rate`"),
        ("think", load.think.is_some(), "Locust follows due times here: give a `rate`"),
        ("http2", load.http2 == Some(true), "Locust speaks HTTP/1.1 only"),
        ("unix_socket", load.unix_socket.is_some(), "Locust connects to a host and port only"),
        ("keep_alive", load.keep_alive == Some(false), "the connections of Locust are kept"),
        (
            "tls_ca",
            load.tls_ca.is_some(),
            "Locust trusts what its Python trusts; `tls_insecure = true` trusts anything",
        ),
    ];
    for (key, _, why) in keys.iter().filter(|(_, given, _)| *given) {
        troubles.add(key, format!("not with `driver = \"locust\"`: {why}"));
    }
    for (index, stage) in load.stage.iter().enumerate() {
        if stage.users.is_some() {
            troubles.row("stage", index, |troubles| {
                troubles.add("users", "not with `driver = \"locust\"`: it follows due times, give a `rate`");
            });
        }
    }
    const BODY: &str = "not with `driver = \"locust\"`: it looks at the status only";
    for (index, request) in load.request.iter().enumerate() {
        if request.expect.as_ref().is_some_and(|expect| expect.0.body.is_some()) {
            troubles.row("request", index, |troubles| troubles.add_at(&["expect", "body"], BODY));
        }
    }
    for (index, flow) in load.flow.iter().enumerate() {
        troubles.row("flow", index, |troubles| {
            if flow.step.len() > 1 {
                let why = "not with `driver = \"locust\"`: its requests do not depend on answers, so a flow has one step";
                troubles.add("step", why);
            }
            for (index, step) in flow.step.iter().enumerate() {
                troubles.row("step", index, |troubles| {
                    if step.expect.as_ref().is_some_and(|expect| expect.0.body.is_some()) {
                        troubles.add_at(&["expect", "body"], BODY);
                    }
                    if !step.capture.is_empty() {
                        troubles.add("capture", "not with `driver = \"locust\"`: it keeps nothing of an answer");
                    }
                });
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn a_master_has_an_address_and_may_have_a_port() {
        let read = |text: &str| address(text).unwrap();
        assert_eq!(read("10.0.0.5"), ("10.0.0.5".into(), None));
        assert_eq!(read("box.example:5557"), ("box.example".into(), Some(5557)));
        assert_eq!(read("[fe80::1]:9"), ("fe80::1".into(), Some(9)));
        assert_eq!(read("::1"), ("::1".into(), None));
        for bad in ["", ":1", "a:0", "a:x", "-oProxy", "a b", "a;b:1"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
