//! The committed JSON Schemas are current, and the documents keep to them.

use std::{fs, path::PathBuf};

use serde_json::Value;
use tollgate::format::{
    run_v1,
    schema::{file_name, json_schema},
    verdict_v1,
    version::{Kind, kind},
};

use crate::support::fixtures;

fn committed(kind: Kind) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schemas").join(file_name(kind))
}

fn check(kind: Kind, document: &[u8]) -> Result<(), String> {
    let schema: Value = serde_json::from_slice(&json_schema(kind)).unwrap();
    let document: Value = serde_json::from_slice(document).unwrap();
    jsonschema::validator_for(&schema).unwrap().validate(&document).map_err(|error| error.to_string())
}

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    for kind in Kind::ALL {
        let (path, current) = (committed(kind), json_schema(kind));
        if std::env::var_os("TOLLGATE_WRITE_SCHEMAS").is_some() {
            fs::write(&path, &current).unwrap();
        }
        let found = fs::read(&path).unwrap_or_default();
        assert!(
            found == current,
            "{} is not that of the types; if the change is meant (keys are only ever added), write it with\n\
             TOLLGATE_WRITE_SCHEMAS=1 cargo test --test it schema",
            path.display()
        );
    }
}

#[test]
fn no_schema_is_left_behind() {
    let folder = committed(Kind::Run);
    let mut found: Vec<String> = fs::read_dir(folder.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("tollgate.") && name != "tollgate.toml.schema.json")
        .collect();
    found.sort();
    let mut expected: Vec<String> = Kind::ALL.into_iter().map(file_name).collect();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn the_frozen_documents_of_version_1_are_read_and_valid() {
    let frozen =
        [("run.json", Kind::Run), ("verdict.json", Kind::Verdict), ("load-verdict.json", Kind::Verdict)];
    for (name, expected) in frozen {
        let bytes = fixtures::bytes(&format!("tollgate/1/{name}"));
        assert_eq!(kind(&bytes).unwrap(), expected);
        check(expected, &bytes).unwrap();
    }
    let run = run_v1::from_json(&fixtures::bytes("tollgate/1/run.json")).unwrap();
    assert_eq!(run_v1::from_json(&run_v1::to_json(&run)).unwrap(), run);
    check(Kind::Run, &run_v1::to_json(&run)).unwrap();
    for name in ["verdict.json", "load-verdict.json"] {
        let verdict = verdict_v1::from_json(&fixtures::bytes(&format!("tollgate/1/{name}"))).unwrap();
        assert_eq!(verdict_v1::from_json(&verdict_v1::to_json(&verdict)).unwrap(), verdict);
        check(Kind::Verdict, &verdict_v1::to_json(&verdict)).unwrap();
    }
}

#[test]
fn the_schema_finds_what_scripts_would_trip_over() {
    let frozen: Value = serde_json::from_slice(&fixtures::bytes("tollgate/1/verdict.json")).unwrap();
    let edits: [fn(&mut Value); 5] = [
        |verdict| verdict["outcome"] = "fine".into(),
        |verdict| verdict["benchmarks"][0]["verdict"] = "slower".into(),
        |verdict| verdict["benchmarks"][0]["margin"] = Value::Null,
        |verdict| verdict["census"]["missing"] = 3.into(),
        |verdict| verdict.as_object_mut().unwrap().remove("exit_code").map_or((), drop),
    ];
    for edit in edits {
        let mut edited = frozen.clone();
        edit(&mut edited);
        assert!(check(Kind::Verdict, edited.to_string().as_bytes()).is_err(), "{edited}");
    }
    let mut added = frozen;
    added["later"] = serde_json::json!([]);
    check(Kind::Verdict, added.to_string().as_bytes()).unwrap();
}

#[test]
fn the_committed_schema_of_the_configuration_is_that_of_the_types_and_valid_files_keep_to_it() {
    let path = committed(Kind::Run).with_file_name("tollgate.toml.schema.json");
    let schema = schemars::schema_for!(tollgate::config::file::File);
    let current = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if std::env::var_os("TOLLGATE_WRITE_SCHEMAS").is_some() {
        fs::write(&path, &current).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap_or_default(),
        current,
        "write it with TOLLGATE_WRITE_SCHEMAS=1 cargo test --test it schema"
    );
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    let as_json = |text: &str| serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap();
    let own = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tollgate.toml")).unwrap();
    for valid in
        [own.as_str(), "", "[policy]\nmargin = 0.02\n[[rule]]\nbenchmark = \"a\"\nbudget = \"50us\"\n"]
    {
        assert!(validator.is_valid(&as_json(valid)), "{valid}");
        tollgate::config::read::parse(valid).unwrap();
    }
    for invalid in ["polcy = 1\n", "[policy]\nmargin = \"two\"\n", "[[waiver]]\nbenchmark = \"a\"\n"] {
        assert!(!validator.is_valid(&as_json(invalid)), "{invalid}");
        tollgate::config::read::parse(invalid).unwrap_err();
    }
}
