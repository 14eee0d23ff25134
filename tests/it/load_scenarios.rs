//! Load scenarios as users write them: the examples of `docs/load.md`, read from a file, checked, resolved and asked.

use std::{collections::BTreeSet, fs, path::Path};

use tollgate::{
    config::{
        read,
        resolve::{Flags, resolve},
    },
    load::script::Script,
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The fenced blocks of TOML of a page.
fn blocks(page: &str) -> Vec<&str> {
    page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

fn page() -> String {
    fs::read_to_string(Path::new(ROOT).join("docs/load.md")).unwrap()
}

#[test]
fn every_example_of_the_page_is_read_and_can_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("users.csv"), "user,password\nann,x\nbob,\"y\"\"z\"\n").unwrap();
    fs::write(folder.path().join("basket.json"), "{\"items\": [1]}").unwrap();
    let schema = schemars::schema_for!(tollgate::config::file::File);
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    let page = page();
    let examples = blocks(&page);
    assert!(examples.len() >= 6, "{}", examples.len());
    let mut scenarios = 0;
    for example in examples {
        let json = serde_json::to_value(example.parse::<toml::Table>().unwrap()).unwrap();
        if let Err(error) = validator.validate(&json) {
            panic!("{error}\n{example}");
        }
        let path = folder.path().join("tollgate.toml");
        fs::write(&path, example).unwrap();
        let file = read::read(&path).unwrap_or_else(|error| panic!("{error}\n{example}"));
        for scenario in resolve(Flags::default(), &file).loads {
            scenarios += 1;
            let script = Script::compile(&scenario.flows, &scenario.folder, 7).unwrap();
            for number in 0..20 {
                assert!(script.session(number).next().unwrap().path.as_str().starts_with('/'));
            }
        }
    }
    assert!(scenarios >= 5, "{scenarios}");
}

#[test]
fn the_page_names_every_key() {
    let schema = serde_json::to_value(schemars::schema_for!(tollgate::config::file::File)).unwrap();
    let page = page();
    let mut missing = BTreeSet::new();
    for part in ["Load", "Stage", "Request", "Flow", "Step", "Targets", "Tier"] {
        let keys = schema["$defs"][part]["properties"].as_object().unwrap_or_else(|| panic!("no {part}"));
        for key in keys.keys() {
            let named = [format!("`{key}`"), format!("{key} ="), format!("load.{key}]"), format!(".{key}]]")];
            if !named.iter().any(|form| page.contains(form)) {
                missing.insert(format!("{part}.{key}"));
            }
        }
    }
    assert!(missing.is_empty(), "docs/load.md does not name {missing:?}");
}

#[test]
fn the_scenario_of_the_example_bot_asks_valid_updates() {
    let path = Path::new(ROOT).join("examples/bot/tollgate.toml");
    let file = read::read(&path).unwrap_or_else(|error| panic!("{error}"));
    let scenarios = resolve(Flags::default(), &file).loads;
    assert_eq!(scenarios.len(), 1);
    let script = Script::compile(&scenarios[0].flows, &scenarios[0].folder, 7).unwrap();
    let mut kinds = BTreeSet::new();
    for number in 0..500 {
        let request = script.session(number).next().unwrap();
        let update: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(update["update_id"], number);
        assert!(update["message"]["chat"]["id"].is_i64());
        let text = update["message"]["text"].as_str().unwrap();
        kinds.insert(
            text.strip_prefix('/').map_or("question", |rest| rest.split(' ').next().unwrap()).to_owned(),
        );
    }
    assert_eq!(kinds, ["price", "question", "start"].map(str::to_owned).into());
}
