//! Rules of the house that a machine can keep: who imports whom, headers, order of floats, stray output.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // The demo's sources are text that Tollgate writes, not modules of ours.
        if path.is_dir() && !path.ends_with("demo/files") {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The top-level module that a source file belongs to.
fn module_of(path: &Path) -> String {
    let relative = path.strip_prefix(root().join("src")).unwrap();
    relative.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// ARCHITECTURE.md's table "Who may import whom".
fn import_table() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let section = text.split("### Who may import whom").nth(1).unwrap();
    let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    section
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<_> = line.split('|').collect();
            (names(cells[1]).into_iter().next().unwrap(), names(cells[2]))
        })
        .collect()
}

/// The modules that a source text names by `crate::…`, in groups (`use crate::{a::b, c}`) too.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in text.split("crate::").skip(1) {
        let word =
            |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        match part.strip_prefix('{') {
            None => {
                found.insert(word(part));
            }
            Some(group) => {
                let mut depth = 0_usize;
                let mut start = true;
                for (index, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && !c.is_whitespace() => {
                            found.insert(word(&group[index..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    found.remove("");
    found
}

/// Source without comment lines, in which other modules may be named freely.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn imports_follow_the_table_in_architecture_md() {
    let table = import_table();
    assert!(table.len() > 15, "the table could not be read: {table:?}");
    let mut wrong = Vec::new();
    for path in rust_files(&root().join("src")) {
        let module = module_of(&path);
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let Some(allowed) = table.get(&module) else {
            wrong.push(format!("{}: module `{module}` is missing in the table", path.display()));
            continue;
        };
        for import in imports(&code(&text)) {
            if import != module && table.contains_key(&import) && !allowed.contains(&import) {
                wrong.push(format!("{}: `{module}` may not import `{import}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_import_reader_sees_groups_and_single_paths() {
    let text = "use crate::{\n    a::{b, c},\n    d,\n};\nuse crate::e::f;\nfn x() { crate::g::h() }";
    assert_eq!(imports(text), ["a", "d", "e", "g"].map(str::to_owned).into());
}

#[test]
fn every_source_file_says_what_it_owns() {
    for path in rust_files(&root().join("src")).into_iter().chain(rust_files(&root().join("tests/it"))) {
        // The tests of a module, moved to a file of their own, are owned by that module.
        if path.file_stem().is_some_and(|stem| stem == "tests") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//!"), "{} has no header", path.display());
    }
}

#[test]
fn floats_are_ordered_by_total_cmp_only() {
    for path in rust_files(&root().join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!code(&text).contains("partial_cmp"), "{} uses partial_cmp", path.display());
    }
}

#[test]
fn each_kind_of_side_effect_has_one_home() {
    // (what, the modules it may appear in)
    let homes: [(&str, &[&str]); 8] = [
        // The compiler wrapper becomes the compiler: it is no child of ours.
        ("Command::new", &["process", "cargo"]),
        ("println!", &[]),
        ("git2::", &["git", "store"]),
        ("comfy_table", &["report"]),
        ("statrs::", &["stats"]),
        ("clap::", &["cli"]),
        ("indicatif", &["live"]),
        ("SystemTime::now", &["cli"]),
    ];
    for path in rust_files(&root().join("src")) {
        let module = module_of(&path);
        let text = fs::read_to_string(&path).unwrap();
        let shipped = code(text.split("#[cfg(test)]").next().unwrap());
        for (what, allowed) in homes {
            let is_test_file = path.file_stem().is_some_and(|stem| stem == "tests");
            if shipped.contains(what) && !allowed.contains(&module.as_str()) && !is_test_file {
                panic!("{} uses `{what}`, whose home is {allowed:?}", path.display());
            }
        }
    }
}

#[test]
fn the_door_is_thin() {
    let lines = fs::read_to_string(root().join("src/main.rs")).unwrap().lines().count();
    assert!(lines < 40, "main.rs has {lines} lines");
}

#[test]
fn the_changelog_names_the_version() {
    let text = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    assert!(
        text.contains("## [Unreleased]") || text.contains(&format!("## [{}]", env!("CARGO_PKG_VERSION")))
    );
}
