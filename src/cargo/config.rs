//! Cargo's configuration files, as far as we must know them: where they are, and which compiler wrapper they ask for.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

/// The configuration files that cargo finds when it starts in `directory`, the nearest first, the one in `CARGO_HOME` last.
#[must_use]
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> =
        directory.ancestors().filter_map(|folder| file_in(&folder.join(".cargo"))).collect();
    let home = home().and_then(|home| file_in(&home)).filter(|home| !found.contains(home));
    found.extend(home);
    found
}

/// The configuration files above the user's repository that cargo would not find from a tree elsewhere, the farthest first,
/// as `--config` wants them.
#[must_use]
pub fn above(root: &Path, tree: &Path) -> Vec<PathBuf> {
    let found_anyway = files(tree);
    let Some(parent) = root.parent() else { return Vec::new() };
    let mut above: Vec<_> = files(parent).into_iter().filter(|file| !found_anyway.contains(file)).collect();
    above.reverse();
    above
}

/// `CARGO_HOME`, or the place where cargo keeps its things without it.
fn home() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    home.or_else(|| env::home_dir().map(|user| user.join(".cargo")))
}

/// Cargo prefers the name without extension when there are both.
fn file_in(folder: &Path) -> Option<PathBuf> {
    ["config", "config.toml"].map(|name| folder.join(name)).into_iter().find(|file| file.is_file())
}

/// The user's own compiler wrapper for a build started in `directory`: environment over the nearest file, as cargo has it.
/// `None` also where an empty text switches it off.
#[must_use]
pub fn wrapper(directory: &Path, more: &[PathBuf]) -> Option<OsString> {
    let variables = ["RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER"];
    let from_environment = variables.into_iter().find_map(env::var_os);
    let wrapper = from_environment.or_else(|| {
        let files = files(directory);
        files.iter().chain(more.iter().rev()).find_map(|file| wrapper_in(file))
    });
    wrapper.filter(|wrapper| !wrapper.is_empty())
}

fn wrapper_in(file: &Path) -> Option<OsString> {
    let table = fs::read_to_string(file).ok()?.parse::<toml::Table>().ok()?;
    let wrapper = table.get("build")?.get("rustc-wrapper")?.as_str()?;
    if !wrapper.contains(['/', '\\']) {
        return Some(wrapper.into());
    }
    // Relative to the folder that holds `.cargo`.
    Some(file.parent()?.parent()?.join(wrapper).into_os_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn files_above_the_repository_are_handed_on_the_farthest_first() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join("top");
        let (far, near, own) = (
            top.join(".cargo/config.toml"),
            top.join("near/.cargo/config"),
            top.join("near/repo/.cargo/config.toml"),
        );
        for file in [&far, &near, &own] {
            write(file, "");
        }
        let found = above(&top.join("near/repo"), &folder.path().join("cache/base"));
        assert_eq!(found, [far.clone(), near.clone()]);
        assert_eq!(above(&top.join("near/repo"), &top.join("cache/base")), [near]);
        assert_eq!(files(&top.join("near/repo/deep"))[0], own);
    }

    #[test]
    fn wrapper_with_a_slash_is_relative_to_the_folder_that_holds_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".cargo/config.toml");
        write(&file, "[build]\nrustc-wrapper = \"tools/wrap\"\n");
        assert_eq!(wrapper_in(&file), Some(folder.path().join("tools/wrap").into_os_string()));
        write(&file, "[build]\nrustc-wrapper = \"sccache\"\n");
        assert_eq!(wrapper_in(&file), Some("sccache".into()));
        write(&file, "broken [");
        assert_eq!(wrapper_in(&file), None);
    }
}
