//! What a scenario allows to grow in a long window, from `tollgate.toml` through the run file to a judgement offline.

use std::{fs, path::Path};

use crate::support::{
    server::{Reply, Server, ok},
    tollgate::{Ran, command, ran},
};
use serde_json::{Value, json};

fn tollgate(folder: &Path, args: &[&str]) -> Ran {
    ran(&command(folder).env("TOLLGATE_CACHE_DIR", folder.join("cache")).args(args).output().unwrap())
}

/// Puts half an hour in the place of the window that was measured: the memory grows by 12 MiB an hour from 200 MiB on.
fn stretch(run: &mut Value) {
    // On a busy machine the generator may have been late.
    run["load"][0]["void"] = Value::Null;
    let trial = &mut run["load"][0]["trials"][0];
    trial["valid"] = json!(true);
    trial["void"] = Value::Null;
    let second = |at: u32| {
        let jitter = f64::from(at * 7_919 % 13) * 1e3;
        json!({
            "start_seconds": f64::from(at), "seconds": 1.0, "scheduled": 20, "completed": 20, "errors": 0,
            "latency_ns": [1e6, 2e6, 3e6 + jitter, 4e6], "in_flight": 0, "backlog": 0, "cpu": null,
            "rss_bytes": 209_715_200 + u64::from(at) * 12 * 1_048_576 / 3_600, "metrics": {},
        })
    };
    trial["seconds"] = json!(1_800.0);
    trial["intervals"] = (0..1_800).map(second).collect();
}

#[test]
fn a_growth_that_the_scenario_allows_is_let_pass_here_and_offline() {
    let server = Server::start(|_, _| Reply::Keep(ok("fine")));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = format!(
        "[[load]]\nname = \"chat\"\nurl = \"{}\"\nrate = 20\nwarmup = \"0s\"\nwindow = \"1s\"\nsoak = {{ memory = \"10%\", latency_floor = \"1ms\" }}\n[[load.request]]\npath = \"/\"\n",
        server.url()
    );
    fs::write(folder.join("tollgate.toml"), text).unwrap();
    tollgate(folder, &["load", "--format", "json"]);
    let kept = fs::read(folder.join("target/tollgate/load/run.json")).unwrap();
    let mut run: Value = serde_json::from_slice(&kept).unwrap();
    let written = json!([{
        "scenario": "chat", "memory": 0.1, "memory_floor": 1_048_576.0, "latency": 0.05, "latency_floor": 1e6,
    }]);
    assert_eq!(run["policy"]["soak"], written);

    stretch(&mut run);
    let judge = |name: &str, run: &Value, code: i32| {
        fs::write(folder.join(name), run.to_string()).unwrap();
        let first = tollgate(folder, &["judge", name, "--format", "json"]).exits(code);
        // The verdict carries what is allowed: judged again, it has the same bytes.
        fs::write(folder.join("again.json"), &first.stdout).unwrap();
        let again = tollgate(folder, &["judge", "again.json", "--format", "json"]).exits(code);
        assert_eq!(again.stdout, first.stdout);
        first
    };
    let allowed = judge("allowed.json", &run, 0);
    assert!(!allowed.stdout.contains("memory_grows"), "{}", allowed.stdout);

    run["policy"].as_object_mut().unwrap().remove("soak");
    let default = judge("default.json", &run, 1);
    assert!(default.stdout.contains("memory grows by 12.0 MiB an hour"), "{}", default.stdout);
    assert!(default.stdout.contains("memory_grows"), "{}", default.stdout);
}
