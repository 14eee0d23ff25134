//! Where the sources of benchmarks stand in the repository that the door is in.

use std::{collections::BTreeMap, path::Path};

use super::Door;
use crate::{git::Repository, model::verdict::CheckVerdict, report::places::Places};

/// Targets that are looked for; a verdict of another tool may name any number.
const MOST_TARGETS: usize = 1_000;

/// The files of a verdict's bench targets, where cargo's usual places have them. What is not found is not named.
pub(super) fn find(door: &Door, verdict: &CheckVerdict) -> Places {
    let Ok(here) = door.here() else { return Places::unknown() };
    let Ok(repository) = Repository::discover(&here) else { return Places::unknown() };
    let (root, prefix) = (repository.root(), slashes(repository.prefix()));
    let mut files = BTreeMap::new();
    for row in &verdict.judgements {
        let target = &row.benchmark.target;
        if files.len() < MOST_TARGETS && !files.contains_key(target) {
            let found = candidates(target, &prefix).into_iter().find(|path| root.join(path).is_file());
            files.extend(found.map(|path| (target.clone(), path)));
        }
    }
    Places::new(files)
}

fn slashes(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Where the source of `target` or `package/target` may stand, from the root. None for names that are no names of targets.
fn candidates(target: &str, prefix: &str) -> Vec<String> {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    };
    let (package, name) =
        target.split_once('/').map_or((None, target), |(package, name)| (Some(package), name));
    if !is_name(name) || package.is_some_and(|package| !is_name(package)) {
        return Vec::new();
    }
    let folders = match package {
        Some(package) => vec![package.to_owned(), format!("crates/{package}")],
        None => vec![String::new()],
    };
    let join =
        |parts: &[&str]| parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("/");
    let mut found = Vec::new();
    for folder in &folders {
        for file in [format!("benches/{name}.rs"), format!("benches/{name}/main.rs")] {
            found.push(join(&[prefix, folder, &file]));
            found.push(join(&[folder, &file]));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::candidates;

    #[test]
    fn sources_are_looked_for_where_cargo_keeps_them() {
        assert_eq!(
            candidates("kernels", "sub/crate"),
            [
                "sub/crate/benches/kernels.rs",
                "benches/kernels.rs",
                "sub/crate/benches/kernels/main.rs",
                "benches/kernels/main.rs"
            ]
        );
        assert!(candidates("core/kernels", "").contains(&"crates/core/benches/kernels.rs".to_owned()));
    }

    #[test]
    fn a_name_that_leaves_the_repository_is_no_name() {
        for name in ["../x", "a/../b", "/etc/passwd", "", "a/", "/", "a b", "x\u{0}", "a/b/c", "load:x"] {
            assert!(candidates(name, "").is_empty(), "{name}");
        }
    }
}
