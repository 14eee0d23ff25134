use std::{path::Path, time::Duration};

use crate::{
    config::{
        file::File,
        load::scenarios,
        read::{self, parse},
        resolve::{Flags, resolve},
    },
    load::scenario::{Arrivals, Body, CaptureFrom, Driver, Expect, Model, Ready, Scenario, Service, Stage},
    model::targets::Part,
};

/// The least that a scenario says.
const LEAST: &str =
    "[[load]]\nname = \"a\"\nurl = \"http://127.0.0.1:8080\"\nrate = 200\n[[load.request]]\npath = \"/\"\n";

fn scenario(text: &str) -> Scenario {
    let file = parse(text).unwrap_or_else(|mistakes| panic!("{mistakes:#?}\n{text}"));
    let mut all = resolve(Flags::default(), &file).loads;
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn mistakes(text: &str) -> Vec<String> {
    let found = parse(text).expect_err(text);
    found.into_iter().map(|mistake| format!("{}: {}", mistake.line, mistake.message)).collect()
}

/// The one mistake of a scenario that is right but for `keys` of its own and `request` keys.
fn mistake(keys: &str, request: &str) -> String {
    let text = format!("[[load]]\nname = \"a\"\n{keys}\n[[load.request]]\npath = \"/\"\n{request}\n");
    let found = mistakes(&text);
    assert_eq!(found.len(), 1, "{found:#?}\n{text}");
    found.into_iter().next().unwrap()
}

const URL: &str = "url = \"http://localhost:1\"";

#[test]
fn the_least_scenario_has_the_documented_defaults() {
    let found = scenario(LEAST);
    assert_eq!(found.service, Service::Running("http://127.0.0.1:8080".into()));
    assert_eq!((found.warmup, found.window), (Duration::from_secs(1), Duration::from_secs(5)));
    assert_eq!((found.request_timeout, found.drain), (Duration::from_secs(30), Duration::from_secs(10)));
    let stages = vec![Stage { level: 200.0, duration: Duration::from_secs(5), ramp: false }];
    assert_eq!(found.model, Model::Rate { stages, arrivals: Arrivals::Constant, connections: None });
    assert_eq!((found.metrics_url.as_str(), found.alike), ("/metrics", 20));
    assert!(found.transport.keep_alive && !found.transport.http2 && !found.transport.allow_remote);
    assert!(found.gate.is_empty() && found.metrics.is_empty());
    let step = &found.flows[0].steps[0];
    assert_eq!((step.name.as_str(), step.method.as_str(), &step.body), ("GET /", "GET", &Body::None));
    assert_eq!(step.expect, Expect { status: vec![], body: None });
}

#[test]
fn a_service_of_ours_is_read_whole() {
    let text = r#"
[[load]]
name = "chat"
command = "target/release/bot --port {port} 'two words'"
build = ["cargo", "build", "--release"]
directory = "services/bot"
env = { LOG = "warn" }
ready = { log = "listening on" }
ready_timeout = "1m"
stop_timeout = "2s"
executable = "target/release/bot"
users = 50
think = "100ms"
warmup = "0s"
window = "8s"
timeout = "2s"
keep_alive = false
http2 = true
gate = ["latency.p99", "cache_hit_rate", "throughput"]
alike = 0
[load.metrics]
cache_hit_rate = "hits / (hits + misses)"
pool = { formula = "pool_in_use", unit = "connections" }
[[load.request]]
path = "/x"
"#;
    let found = scenario(text);
    let Service::Command(launch) = &found.service else { panic!("{found:?}") };
    assert_eq!(launch.command, ["target/release/bot", "--port", "{port}", "two words"]);
    assert_eq!(launch.build, ["cargo", "build", "--release"]);
    assert_eq!(launch.url, "http://127.0.0.1:{port}");
    assert_eq!(launch.ready, Ready::Log("listening on".into()));
    assert_eq!((launch.ready_timeout.as_secs(), launch.stop_timeout.as_secs()), (60, 2));
    assert_eq!(launch.executable.as_deref(), Some(Path::new("target/release/bot")));
    assert_eq!(launch.environment, [("LOG".into(), "warn".into())]);
    assert!(found.warmup.is_zero() && found.drain == Duration::from_secs(2) && found.alike == 0);
    let Model::Users { stages, think } = &found.model else { panic!("{found:?}") };
    assert!((stages[0].level - 50.0).abs() < 1e-9 && *think == Duration::from_millis(100));
    let directions: Vec<_> =
        found.metrics.iter().map(|own| (own.name.as_str(), own.higher_is_better)).collect();
    assert_eq!(directions, [("cache_hit_rate", true), ("pool", false)]);
    for (written, ready) in [
        ("\"/health\"", Ready::Url("/health".into())),
        ("{ url = \"http://127.0.0.1:{port}/up\" }", Ready::Url("http://127.0.0.1:{port}/up".into())),
        ("{ port = true }", Ready::Port),
    ] {
        let found = scenario(&text.replace("{ log = \"listening on\" }", written));
        assert!(matches!(&found.service, Service::Command(launch) if launch.ready == ready), "{written}");
    }
}

#[test]
fn requests_and_flows_become_flows_in_this_order() {
    let text = r#"
[[load]]
name = "shop"
url = "http://localhost:1"
rate = 10.5
arrivals = "poisson"
connections = 4
[[load.request]]
name = "home"
path = "/"
weight = 3
expect = "2xx"
[[load.flow]]
data = { file = "users.csv", order = "file" }
[[load.flow.step]]
path = "/login"
body = "user={{ user }}"
headers = { Accept = "text/plain" }
expect = { status = [200, "300-302"], body = "token" }
capture = { token = "$.token", id = { regex = "id=(.)" }, place = { header = "Location" } }
[[load.flow.step]]
method = "put"
path = "/{{ id }}"
body_file = "bodies/x.json"
expect = [201, 204]
"#;
    let found = scenario(text);
    assert_eq!(found.flows.len(), 2);
    assert_eq!(
        (found.flows[0].name.as_str(), found.flows[0].steps[0].expect.status.as_slice()),
        ("home", &[(200, 299)][..])
    );
    assert!((found.flows[0].weight - 3.0).abs() < 1e-9);
    let flow = &found.flows[1];
    assert_eq!(flow.name, "flow 1");
    let data = flow.data.as_ref().unwrap();
    assert!(data.in_order && data.file == Path::new("users.csv"));
    let [login, put] = flow.steps.as_slice() else { panic!("{flow:?}") };
    assert_eq!((login.method.as_str(), login.name.as_str()), ("POST", "POST /login"));
    let status = vec![(200, 200), (300, 302)];
    assert_eq!(login.expect, Expect { status, body: Some("token".into()) });
    let from: Vec<_> = login.capture.iter().map(|capture| &capture.from).collect();
    let expected = [
        CaptureFrom::Regex("id=(.)".into()),
        CaptureFrom::Header("Location".into()),
        CaptureFrom::JsonPath("$.token".into()),
    ];
    assert_eq!(from, expected.iter().collect::<Vec<_>>());
    assert_eq!((put.method.as_str(), &put.body), ("PUT", &Body::File("bodies/x.json".into())));
    let Model::Rate { arrivals, connections, .. } = found.model else { panic!() };
    assert_eq!((arrivals, connections), (Arrivals::Poisson, Some(4)));
}

#[test]
fn stages_last_as_long_as_the_window_unless_it_is_given() {
    let stages = "[[load.stage]]\nrate = 100\nduration = \"10s\"\nramp = true\n[[load.stage]]\nrate = 0\nduration = \"1500ms\"\n";
    let text = LEAST.replace("rate = 200\n", "") + stages;
    let found = scenario(&text);
    assert_eq!(found.window, Duration::from_millis(11_500));
    let Model::Rate { stages, .. } = &found.model else { panic!() };
    assert!(stages[0].ramp && !stages[1].ramp && stages.len() == 2);
    let found = scenario(&text.replace("name", "window = \"3s\"\nname"));
    assert_eq!(found.window, Duration::from_secs(3));
}

#[test]
fn every_kind_of_mistake_is_named_with_its_line_and_key() {
    let cases = [
        (URL, "", "1: key `load`: how much load?"),
        ("rate = 1", "", "1: key `load`: who is under load?"),
        (&format!("{URL}\nrate = 1\nusers = 2"), "", "5: key `load.users`: there is a `rate` already"),
        (&format!("{URL}\nrate = -1"), "", "4: key `load.rate`: `-1` is no rate"),
        (&format!("{URL}\nrate = nan"), "", "4: key `load.rate`"),
        (&format!("{URL}\nusers = 0"), "", "4: key `load.users`"),
        (&format!("{URL}\nrate = 1\nthink = \"1s\""), "", "5: key `load.think`"),
        (&format!("{URL}\nusers = 1\nconnections = 1"), "", "5: key `load.connections`"),
        (
            &format!("{URL}\nrate = 1\nready = \"/\""),
            "",
            "5: key `load.ready`: this is about a service that Tollgate starts",
        ),
        (
            &format!("{URL}\nrate = 1\ngate = [\"latency.p101\"]"),
            "",
            "5: key `load.gate`: there is no metric `latency.p101`",
        ),
        (&format!("{URL}\nrate = 1\ngate = [\"throughput\"]"), "", "5: key `load.gate`: at a fixed rate"),
        (&format!("{URL}\nusers = 1\ngate = [\"knee\"]"), "", "5: key `load.gate`: users wait"),
        (
            &format!("{URL}\nrate = 1\ndriver = \"locust\"\ngate = [\"knee\"]"),
            "",
            "6: key `load.gate`: a `knee` is searched for by Tollgate's own generator",
        ),
        (
            &format!("{URL}\nrate = 1\nmetrics = {{ cpu = \"a\" }}"),
            "",
            "5: key `load.metrics.cpu`: every scenario has",
        ),
        (
            &format!("{URL}\nrate = 1\nmetrics = {{ a = \"\" }}"),
            "",
            "5: key `load.metrics.a`: there is no formula",
        ),
        (
            &format!("{URL}\nrate = 1\nmetrics = {{ a = \"hits / (\" }}"),
            "",
            "5: key `load.metrics.a`: `hits / (` is no formula: column ",
        ),
        (&format!("{URL}\nrate = 1\nmetrics_url = \"metrics\""), "", "5: key `load.metrics_url`"),
        (
            &format!("{URL}\nrate = 1\nmetrics_url = \"http://example.org/m\""),
            "",
            "5: key `load.metrics_url`: `example.org` is not this machine",
        ),
        (&format!("{URL}\nrate = 1\ntls_insecure = true"), "", "5: key `load.tls_insecure`"),
        (&format!("{URL}\nrate = 1\nunix_socket = \"x.sock\""), "", "5: key `load.unix_socket`"),
        (
            "url = \"http://example.org\"\nrate = 1",
            "",
            "3: key `load.url`: `example.org` is not this machine: say `allow_remote",
        ),
        ("url = \"http://localhost/a\"\nrate = 1", "", "3: key `load.url`: the address ends with"),
        ("url = \"http://localhost:{port}\"\nrate = 1", "", "3: key `load.url`: there is no `{port}`"),
        ("url = \"ftp://localhost\"\nrate = 1", "", "3: key `load.url`: `ftp://localhost` is not an address"),
        ("command = \"a && b\"\nrate = 1", "", "3: key `load.command`: `&` means something to a shell"),
        ("command = []\nrate = 1", "", "3: key `load.command`: the command is empty"),
        ("command = \"a\"\ndirectory = \"../x\"\nrate = 1", "", "4: key `load.directory`"),
        ("command = \"a\"\nexecutable = \"/bin/a\"\nrate = 1", "", "4: key `load.executable`"),
        ("command = \"a\"\nenv = { PORT = \"1\" }\nrate = 1", "", "4: key `load.env.PORT`"),
        ("command = \"a\"\nready = { port = false }\nrate = 1", "", "4: key `load.ready`: give one of"),
        (
            "command = \"a\"\nready = { log = \"(\" }\nrate = 1",
            "",
            "4: key `load.ready.log`: not a regular expression",
        ),
        (
            &format!("{URL}\nrate = 1"),
            "method = \"FETCH\"",
            "7: key `load.request.method`: `FETCH` is not one of",
        ),
        (
            &format!("{URL}\nrate = 1"),
            "weight = 0",
            "7: key `load.request.weight`: a weight is a number above 0",
        ),
        (&format!("{URL}\nrate = 1"), "weight = inf", "7: key `load.request.weight`"),
        (
            &format!("{URL}\nrate = 1"),
            "name = \"a\\u0007\"",
            "7: key `load.request.name`: a name must not hold control",
        ),
        (
            &format!("{URL}\nrate = 1"),
            "body = \"{{ user }}\"",
            "7: key `load.request.body`: there is no `user`",
        ),
        (
            &format!("{URL}\nrate = 1"),
            "body = \"{{ user\"",
            "7: key `load.request.body`: the text cannot be read as a template",
        ),
        (
            &format!("{URL}\nrate = 1"),
            "body = \"\"\nbody_file = \"x\"",
            "8: key `load.request.body_file`: there is a `body` already",
        ),
        (
            &format!("{URL}\nrate = 1"),
            "body_file = \"/etc/passwd\"",
            "7: key `load.request.body_file`: `/etc/passwd` is outside",
        ),
        (
            &format!("{URL}\nrate = 1"),
            "data = \"../x.csv\"",
            "7: key `load.request.data`: `../x.csv` is outside",
        ),
        (
            &format!("{URL}\nrate = 1"),
            "headers = { X = \"a\\nb\" }",
            "7: key `load.request.headers.X`: the value holds a line break",
        ),
        (
            &format!("{URL}\nrate = 1"),
            "expect = { body = \"[\" }",
            "7: key `load.request.expect.body`: not a regular expression",
        ),
        (&format!("{URL}\nrate = 1"), "expect = \"6xx\"", "7: key `load.request.expect`: `6xx` is no status"),
        (
            &format!("{URL}\nrate = 1"),
            "expect = []",
            "7: key `load.request.expect`: the list of statuses is empty",
        ),
        (
            &format!("{URL}\nrate = 1"),
            "expect = { statos = 200 }",
            "7: unknown key `load.request.expect.statos`",
        ),
        (&format!("{URL}\nrate = 1"), "wieght = 2", "7: unknown key `load.request.wieght`"),
        (
            &format!("{URL}\nrate = 1\nwindow = \"soon\""),
            "",
            "5: key `load.window`: `soon` is not a duration",
        ),
    ];
    for (keys, request, expected) in cases {
        let found = mistake(keys, request);
        assert!(found.starts_with(expected), "expected {expected}\n   found {found}");
    }
}

#[test]
fn mistakes_of_flows_and_stages_are_found_where_they_are() {
    let text = r#"[[load]]
url = "http://localhost:1"
[[load.stage]]
rate = 5
[[load.stage]]
users = 5
duration = "1s"
[[load.stage]]
duration = "1s"
[[load.flow]]
name = "x"
[[load.flow.step]]
capture = { token = "..", b = { header = "a", json = "$" } }
[[load.flow.step]]
path = "/{{ tokn }}"
[[load.flow]]
name = "x"
"#;
    let found = mistakes(text);
    let expected = [
        "1: key `load.name`: a scenario needs a name",
        "3: key `load.stage.duration`",
        "4: key `load.stage.rate`: other stages count `users`",
        "8: key `load.stage`: a stage needs a `rate` or `users`",
        "12: key `load.flow.step.path`: a request needs a path",
        "13: key `load.flow.step.capture.token`: not a JSONPath",
        "13: key `load.flow.step.capture.b`: give one of",
        "15: key `load.flow.step.path`: there is no `tokn`",
        "16: key `load.flow.step`: a flow needs at least one",
        "17: key `load.flow.name`: another flow has this name",
    ];
    for part in expected {
        assert!(found.iter().any(|mistake| mistake.starts_with(part)), "{part}\n{found:#?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn a_wrong_type_hides_no_mistake_of_another_scenario() {
    let text = format!(
        "{LEAST}weight = \"x\"\nexpect = true\n[[load]]\nname = \"a\"\nurl = \"http://localhost:1\"\nrate = 1\n[[load.request]]\npath = \"x\"\n"
    );
    let found = mistakes(&text);
    let starts = [
        "7: key `load.request.weight`",
        "8: key `load.request.expect`",
        "10: key `load.name`: another",
        "14: key `load.request.path`",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (mistake, start) in found.iter().zip(starts) {
        assert!(mistake.starts_with(start), "{start}\n{found:#?}");
    }
}

#[test]
fn files_are_looked_for_beside_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tollgate.toml");
    std::fs::write(&path, format!("{LEAST}data = \"d.csv\"\nbody = \"{{{{ user }}}}\"\nbody_file = \"b\"\n"))
        .unwrap();
    let message = read::read(&path).unwrap_err().to_string();
    assert!(message.contains("could not read `d.csv`") && message.contains("line 7"), "{message}");
    assert!(message.contains("body_file") && message.contains("line 9"), "{message}");
    std::fs::write(&path, format!("{LEAST}data = \"d.csv\"\nbody = \"{{{{ user }}}}\"\n")).unwrap();
    std::fs::write(folder.path().join("d.csv"), "name\nann\n").unwrap();
    let message = read::read(&path).unwrap_err().to_string();
    assert!(message.contains("there is no `user`: known here are `name`"), "{message}");
    std::fs::write(folder.path().join("d.csv"), "user\nann\n").unwrap();
    let file = read::read(&path).unwrap();
    assert_eq!(file.folder, folder.path());
    let settings = resolve(Flags { allow_remote: true, ..Flags::default() }, &file);
    assert_eq!(settings.loads[0].folder, folder.path());
    assert!(settings.loads[0].transport.allow_remote);
    assert_eq!(scenarios(&file, folder.path()).unwrap().len(), 1);
    std::fs::remove_file(folder.path().join("d.csv")).unwrap();
    let troubles = scenarios(&file, folder.path()).unwrap_err();
    assert_eq!(troubles[0].key(), "load.request.data");
}

#[test]
fn another_machine_must_be_allowed_by_the_file_or_by_its_reader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tollgate.toml");
    let text = LEAST.replace("127.0.0.1", "192.0.2.1");
    std::fs::write(&path, &text).unwrap();
    read::read(&path).unwrap_err();
    read::read_with(&path, true).unwrap();
    std::fs::write(&path, text.replace("rate", "allow_remote = true\nrate")).unwrap();
    assert!(resolve(Flags::default(), &read::read(&path).unwrap()).loads[0].transport.allow_remote);
}

#[test]
fn tiers_change_the_standard_ones_or_stand_beside_them() {
    let file: File = parse(
        "[targets]\nrequire = \"ours\"\n[[targets.tier]]\nname = \"production\"\np95 = \"150ms\"\np99 = \"1s\"\n[[targets.tier]]\nname = \"ours\"\nerrors = \"0.1%\"\nusers = 5\n",
    )
    .unwrap();
    let targets = resolve(Flags::default(), &file).policy.targets;
    let names: Vec<&str> = targets.tiers.iter().map(|tier| tier.name.as_str()).collect();
    assert_eq!(names, ["minimum viable", "production", "battle-tested", "ours"]);
    let limit = |tier: usize, part| {
        targets.tiers[tier].limits.iter().find(|limit| limit.part == part).map(|limit| limit.limit)
    };
    let close = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-9 * expected;
    assert!(close(limit(1, Part::LatencyP95), 1.5e8) && close(limit(1, Part::LatencyP99), 1e9));
    assert!(close(limit(1, Part::ErrorRate), 0.02) && close(limit(3, Part::ErrorRate), 0.001));
    assert_eq!((limit(3, Part::LatencyP95), targets.require.as_deref()), (None, Some("ours")));
    let only =
        parse("[targets]\nstandard = false\n[[targets.tier]]\nname = \"ours\"\np50 = \"1ms\"\n").unwrap();
    assert_eq!(resolve(Flags::default(), &only).policy.targets.tiers.len(), 1);
}

#[test]
fn targets_that_mean_nothing_are_refused() {
    let found = mistakes(
        "[targets]\nrequire = \"gold\"\n[[targets.tier]]\np95 = \"1s\"\n[[targets.tier]]\nname = \"a\"\n[[targets.tier]]\nname = \"a\"\nerrors = \"200%\"\nusers = 0\nthroughput = -1\n[[targets.tier]]\nname = \"b\"\np95 = 0\n",
    );
    let starts = [
        "2: key `targets.require`: there is no tier `gold`",
        "3: key `targets.tier.name`: a tier needs a name",
        "5: key `targets.tier`: a tier needs at least one limit",
        "8: key `targets.tier.name`: another tier",
        "9: key `targets.tier.errors`",
        "10: key `targets.tier.users`",
        "11: key `targets.tier.throughput`",
        "14: key `targets.tier.p95`",
    ];
    for start in starts {
        assert!(found.iter().any(|mistake| mistake.starts_with(start)), "{start}\n{found:#?}");
    }
}

#[test]
fn locust_is_asked_for_with_two_workers_here_or_with_hosts() {
    let here = scenario(&LEAST.replace("rate =", "driver = \"locust\"\nrate ="));
    let Driver::Locust(locust) = here.driver else { panic!("{:?}", here.driver) };
    assert_eq!((locust.program.as_str(), locust.workers, locust.port), ("locust", 2, None));
    let keys = "driver = \"locust\"\nhosts = [\"me@10.0.0.7\", \"box\", \"ssh://me@box:2222\", \"ssh://[fe80::1]:22\", \"fe80::1\"]\nmaster = \"10.0.0.5:5557\"\nallow_remote = true\nrate =";
    let there = scenario(&LEAST.replace("rate =", keys).replace("127.0.0.1", "10.0.0.5"));
    let Driver::Locust(locust) = there.driver else { panic!("{:?}", there.driver) };
    assert_eq!((locust.workers, locust.hosts.len(), locust.port), (0, 5, Some(5557)));
    assert_eq!(locust.master.as_deref(), Some("10.0.0.5"));
    assert_eq!(scenario(LEAST).driver, Driver::Tollgate);
}

#[test]
fn what_locust_cannot_do_is_refused_with_its_line() {
    // The lines count from `[[load]]`; the driver is on the third.
    for (keys, request, words) in [
        ("rate = 1\nhttp2 = true", "", "5: key `load.http2`: not with `driver = \"locust\"`"),
        ("users = 5", "", "4: key `load.users`: not with"),
        ("rate = 1\nkeep_alive = false", "", "5: key `load.keep_alive`: not with"),
        ("rate = 1\nunix_socket = \"/tmp/s\"", "", "5: key `load.unix_socket`: not with"),
        ("rate = 1", "expect = { body = \"x\" }", "8: key `load.request.expect.body`: not with"),
        ("rate = 1\nworkers = 0", "", "5: key `load.workers`: there must be at least one"),
        ("rate = 1\nmaster = \"a b\"", "", "5: key `load.master`: `a b` is not an address"),
    ] {
        let found = mistake(&format!("driver = \"locust\"\n{keys}\n{URL}"), request);
        assert!(found.starts_with(words), "{found}");
    }
    let hosts = "driver = \"locust\"\nrate = 1\nmaster = \"10.0.0.5\"\nallow_remote = true\nurl = \"http://10.0.0.5:1\"";
    for host in [
        "-oProxyCommand=x",
        "me@-x",
        "ssh://",
        "ssh://-x",
        "ssh://me@box:0",
        "ssh://me@box:99999",
        "me@box:2222",
        "a/b",
        "a b",
    ] {
        let found = mistake(&format!("{hosts}\nhosts = [\"{host}\"]"), "");
        assert!(found.contains("is not a host such as `user@10.0.0.7` or `ssh://"), "{host}: {found}");
    }
    assert!(mistake(&format!("{URL}\nrate = 1\nworkers = 2"), "").contains("say `driver = \"locust\"`"));
}
