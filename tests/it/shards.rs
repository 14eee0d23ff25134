//! Verdicts of a matrix merged from the command line, and artifacts whose verdicts lie.

use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::{TempDir, tempdir};
use tollgate::{commands::merge::merge, format::verdict_v1, github::artifact, hint::Hint as _};

use crate::support::{fixtures, tollgate::tollgate};

const NOW: u64 = 1_800_000_000;

/// A run file of the calm benchmarks of the frozen run, those but `ids` left out by a filter.
fn run_of(ids: &[&str]) -> Value {
    let mut run: Value = serde_json::from_slice(&fixtures::bytes("tollgate/1/run.json")).unwrap();
    run["policy"]["waivers"] = json!([]);
    run["policy"]["renames"] = json!([]);
    run["policy"]["rules"] = json!([]);
    let measurements = run["measurements"].as_array_mut().unwrap();
    measurements.retain(|measurement| {
        let id = measurement["id"].as_str().unwrap();
        ["hash/fnv", "num/fact", "num/sieve", "sort/quick"].contains(&id)
    });
    assert_eq!(measurements.len(), 4);
    for measurement in measurements {
        if !ids.contains(&measurement["id"].as_str().unwrap()) {
            measurement["fate"] = json!({"ignored": "`--filter`"});
            measurement["blocks"] = json!([]);
        }
    }
    run
}

/// Judges a run file by the program; gives the verdict file.
fn verdict_file(folder: &Path, name: &str, run: &Value) -> PathBuf {
    let runs = folder.join(format!("{name}.run.json"));
    fs::write(&runs, run.to_string()).unwrap();
    let judged = tollgate(folder, &["judge", runs.to_str().unwrap(), "--format", "json"]);
    assert!(!judged.stdout.is_empty(), "{}", judged.stderr);
    let path = folder.join(format!("{name}.json"));
    fs::write(&path, judged.stdout).unwrap();
    path
}

fn two_shards() -> TempDir {
    let folder = tempdir().unwrap();
    verdict_file(folder.path(), "a", &run_of(&["hash/fnv", "num/fact"]));
    verdict_file(folder.path(), "b", &run_of(&["num/sieve", "sort/quick"]));
    folder
}

#[test]
fn merged_shards_are_one_check_with_one_family() {
    let folder = two_shards();
    let all =
        verdict_file(folder.path(), "all", &run_of(&["hash/fnv", "num/fact", "num/sieve", "sort/quick"]));
    let merged = tollgate(
        folder.path(),
        &["report", "--merge", "a.json", "b.json", "--expect", "2", "--format", "json"],
    );
    let whole: Value = serde_json::from_slice(&fs::read(all).unwrap()).unwrap();
    assert_eq!(
        merged.code,
        whole["exit_code"].as_i64().map(|code| i32::try_from(code).unwrap()),
        "{}",
        merged.stderr
    );
    let merged = merged.json();
    for key in ["outcome", "census", "families", "benchmarks"] {
        assert_eq!(merged[key], whole[key], "{key}");
    }
    assert_eq!(merged["families"][0]["tests"], 4);
    // The merged verdict is one like any other.
    fs::write(folder.path().join("merged.json"), merged.to_string()).unwrap();
    let again = tollgate(folder.path(), &["judge", "merged.json", "--format", "json"]).json();
    assert_eq!(again["benchmarks"], merged["benchmarks"]);
}

#[test]
fn a_missing_shard_is_incomplete_and_strangers_are_refused() {
    let folder = two_shards();
    let report = |args: &[&str]| tollgate(folder.path(), &[&["report", "--merge"], args].concat());
    let missing = report(&["a.json", "b.json", "--expect", "3"]).exits(4);
    assert!(missing.stdout.starts_with("incomplete: 1 of 3 shards is missing"), "{}", missing.stdout);
    let twice = report(&["a.json", "a.json"]).exits(2);
    assert!(
        twice.stderr.contains("`hash/fnv` was measured by both `a.json` and `a.json`"),
        "{}",
        twice.stderr
    );
    let mut other = run_of(&["num/sieve"]);
    other["policy"]["margin"] = json!(0.5);
    verdict_file(folder.path(), "other", &other);
    let other = report(&["a.json", "other.json"]).exits(2);
    assert!(
        other.stderr.contains("`other.json` has another margin than `a.json`: 0.5 and 0.02"),
        "{}",
        other.stderr
    );
    let many = tollgate(folder.path(), &["report", "a.json", "b.json"]).exits(2);
    assert!(many.stderr.contains("--merge"), "{}", many.stderr);
    tollgate(folder.path(), &["report", "a.json", "--expect", "2"]).exits(2);
    let written = report(&["a.json", "b.json", "-o", "a.json"]).exits(2);
    assert!(written.stderr.contains("it is an input of this command"), "{}", written.stderr);
}

/// A verdict whose measurements show that one benchmark takes twice as long.
fn slower() -> Value {
    let folder = tempdir().unwrap();
    let mut run = run_of(&["num/sieve", "num/fact"]);
    for measurement in run["measurements"].as_array_mut().unwrap() {
        if measurement["id"] == "num/sieve" {
            let mut block = measurement["blocks"][0].clone();
            for slot in block["slots"].as_array_mut().unwrap() {
                let factor = if slot["side"] == "head" { 2.0 } else { 1.0 };
                let iterations = slot["iterations"].as_array().unwrap().iter();
                let total = |n: &Value| json!(n.as_f64().unwrap() * 1_000.0 * factor);
                slot["totals"] = iterations.map(total).collect();
            }
            measurement["blocks"] = json!(vec![block; 9]);
        }
    }
    let path = verdict_file(folder.path(), "slower", &run);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// What the trusted job does with an artifact: the files, their strict schema, their evidence. The error, or the outcome.
fn through(folder: &Path) -> Result<String, String> {
    let found =
        artifact::read(folder).map_err(|error| format!("{error}; {}", error.hint().unwrap_or_default()))?;
    let verdicts = found
        .iter()
        .map(|found| {
            verdict_v1::from_json(&found.bytes).map_err(|error| error.in_file(&found.name).to_string())
        })
        .collect::<Result<Vec<_>, _>>()?;
    let merged = merge(verdicts, None, NOW).map_err(|failure| failure.to_string())?;
    Ok(merged.outcome.as_str().to_owned())
}

fn uploaded(bytes: &[u8]) -> Result<String, String> {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("verdict.json"), bytes).unwrap();
    through(folder.path())
}

#[test]
fn an_honest_verdict_passes_through() {
    let slower = slower();
    assert_eq!(slower["outcome"], "regressed");
    assert_eq!(uploaded(slower.to_string().as_bytes()).unwrap(), "regressed");
}

#[test]
fn a_verdict_cannot_talk_itself_out_of_its_measurements() {
    type Lie = (fn(&mut Value), &'static str);
    let lies: [Lie; 6] = [
        (
            |v| (v["outcome"], v["exit_code"]) = (json!("pass"), json!(0)),
            "says `pass`, which its measurements judge as `regressed`",
        ),
        (|v| v["outcome"] = json!("pass"), "does not belong to the outcome"),
        (
            |v| {
                (v["outcome"], v["exit_code"]) = (json!("pass"), json!(0));
                v["outcomes"] = json!([]);
                v["benchmarks"]
                    .as_array_mut()
                    .unwrap()
                    .iter_mut()
                    .for_each(|row| row["verdict"] = json!("unchanged"));
            },
            "contradicts its own evidence",
        ),
        (|v| v["evidence"] = Value::Null, "without its evidence"),
        (|v| v["benchmarks"][0]["id"] = json!("num/another"), "has a row `num/another`"),
        (|v| v["benchmarks"][0]["verdict"] = json!("waived"), "contradicts its own evidence"),
    ];
    for (lie, answer) in lies {
        let mut verdict = slower();
        lie(&mut verdict);
        let error = uploaded(verdict.to_string().as_bytes()).unwrap_err();
        assert!(error.contains(answer), "{answer}: {error}");
    }
}

#[test]
fn documents_made_to_hurt_their_reader_are_refused_with_one_line() {
    let honest = slower().to_string();
    let edited = |from: &str, to: &str| {
        assert!(honest.contains(from), "{from}");
        honest.replacen(from, to, 1).into_bytes()
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("infinite", edited("\"margin\":0.02", "\"margin\":1e999")),
        ("no number", edited("\"margin\":0.02", "\"margin\":NaN")),
        ("key twice", edited("\"outcome\":\"regressed\"", "\"outcome\":\"regressed\",\"outcome\":\"pass\"")),
        ("other schema", edited("tollgate.verdict/1", "tollgate.run/1")),
        ("newer", edited("tollgate.verdict/1", "tollgate.verdict/2")),
        ("no schema of ours", edited("tollgate.verdict/1", "k6")),
        ("nested", format!("{{\"schema\":\"tollgate.verdict/1\",\"x\":{}", "[".repeat(100_000)).into_bytes()),
        ("long number", edited("\"margin\":0.02", &format!("\"margin\":0.{}", "1".repeat(100_000)))),
        ("long text", edited("\"reason\":\"", &format!("\"reason\":\"{}", "x".repeat(1 << 20)))),
        ("no UTF-8", [b"{\"schema\":\"\xff\xfe", honest.as_bytes()].concat()),
        ("cut", honest.as_bytes()[..honest.len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("list", b"[]".to_vec()),
        ("far row", edited("\"row\":0", "\"row\":18446744073709551615")),
    ];
    for (name, bytes) in cases {
        let error = uploaded(&bytes).unwrap_err();
        assert!(!error.chars().any(char::is_control) && error.len() < 1_200, "{name}: {error}");
        assert!(error.contains("`verdict.json`"), "{name}: {error}");
    }
}

#[test]
fn a_number_of_places_is_no_lie() {
    // Another processor may compute the last digits otherwise; what is shown is what is judged here.
    let mut verdict = slower();
    verdict["benchmarks"][0]["change"] =
        json!({"estimate": -0.9, "lower": -0.95, "upper": -0.85, "confidence": 0.99});
    verdict["benchmarks"][0]["reason"] = json!("much faster, honestly");
    verdict["warnings"] = json!(["@everyone"]);
    let bytes = verdict.to_string();
    let read = verdict_v1::from_json(bytes.as_bytes()).unwrap();
    let judged = merge(vec![read], None, NOW).unwrap();
    assert_eq!(
        judged,
        merge(vec![verdict_v1::from_json(slower().to_string().as_bytes()).unwrap()], None, NOW).unwrap()
    );
}

#[test]
fn the_page_on_reading_a_verdict_has_every_word_and_its_commands_work() {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reading-a-verdict.md")).unwrap();
    let verdicts = "regressed failed missing waived inconclusive improved new unchanged identical";
    for word in verdicts.split(' ').chain(["pass", "incomplete", "error"]) {
        assert!(page.contains(&format!("| `{word}` |")), "{word}");
    }
    let folder = two_shards();
    let commands: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("$ tollgate ")).collect();
    let merging: Vec<&&str> = commands.iter().filter(|command| command.starts_with("report")).collect();
    assert_eq!((commands.len(), merging.len()), (3, 1));
    let args: Vec<&str> = merging[0].split(' ').collect();
    fs::create_dir(folder.path().join("target")).unwrap();
    for name in ["a.json", "b.json"] {
        fs::rename(folder.path().join(name), folder.path().join("target").join(name)).unwrap();
    }
    let ran = tollgate(folder.path(), &args);
    let written: Value =
        serde_json::from_slice(&fs::read(folder.path().join("target/verdict.json")).unwrap()).unwrap();
    assert_eq!(written["exit_code"], ran.code.unwrap());
}
