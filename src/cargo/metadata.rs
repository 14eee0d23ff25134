//! Packages and bench targets of a tree, as `cargo metadata` and the manifests tell them, and which of them are measured.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{Metadata, MetadataCommand};
use globset::{Glob, GlobMatcher};

use crate::{
    cargo::{Error, invocation::Invocation},
    process::{self, Interrupt},
};

/// Cargo's own flags, as the user gave them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// `--package SPEC`: names, `name@version`, globs.
    pub packages: Vec<String>,
    /// `--exclude SPEC`.
    pub exclude: Vec<String>,
    /// `--workspace`.
    pub workspace: bool,
    /// `--bench NAME`: names or globs; empty for all.
    pub benches: Vec<String>,
    /// `--features LIST`.
    pub features: Vec<String>,
    /// `--all-features`.
    pub all_features: bool,
    /// `--no-default-features`.
    pub no_default_features: bool,
    /// `--profile NAME`; `bench` where it is not given.
    pub profile: Option<String>,
    /// `--locked`.
    pub locked: bool,
    /// `--offline`.
    pub offline: bool,
}

impl Selection {
    /// The profile's name.
    #[must_use]
    pub fn profile(&self) -> &str {
        self.profile.as_deref().unwrap_or("bench")
    }

    /// The flags about the network and the lock file, which every cargo command takes.
    #[must_use]
    pub fn common_flags(&self) -> Vec<&'static str> {
        [("--locked", self.locked), ("--offline", self.offline)]
            .into_iter()
            .filter_map(|(flag, given)| given.then_some(flag))
            .collect()
    }
}

/// The workspace of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its root folder.
    pub root: PathBuf,
    /// Where cargo would build it.
    pub target_directory: PathBuf,
    /// Its members.
    pub packages: Vec<Package>,
    /// The ids of the members that a command at the root means.
    pub defaults: Vec<String>,
}

/// A member of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Cargo's id for it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The folder of its manifest.
    pub folder: PathBuf,
    /// Its bench targets.
    pub benches: Vec<Bench>,
    /// Its features and what each turns on.
    pub features: BTreeMap<String, Vec<String>>,
}

/// A bench target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bench {
    /// Its name.
    pub name: String,
    /// Whether it runs under libtest's harness.
    pub libtest: bool,
    /// Whether `cargo bench` runs it without being asked for it by name.
    pub by_default: bool,
    /// The features without which it is not built.
    pub required_features: Vec<String>,
}

/// A bench target that is not measured, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Skipped {
    /// Its package.
    pub package: String,
    /// Its name.
    pub target: String,
    /// Why, as a fragment: `it runs under libtest's harness …`.
    pub reason: String,
}

/// What is to be built, and what is not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// Package id and target name, sorted.
    pub chosen: BTreeSet<(String, String)>,
    /// Bench targets of the selected packages that are left out. Those that `--bench` leaves out are not listed.
    pub skipped: Vec<Skipped>,
    /// The `--package` flags that name something here.
    pub packages: Vec<String>,
}

/// Asks cargo for the workspace around the invocation's folder.
///
/// # Errors
/// When cargo refuses the manifests, or the workspace reaches out of the tree.
pub fn read(
    invocation: &Invocation,
    selection: &Selection,
    interrupt: &Interrupt,
) -> Result<Workspace, Error> {
    let spec =
        invocation.cargo("metadata").args(["--format-version=1", "--no-deps"]).args(selection.common_flags());
    let finished = process::run(&spec, interrupt)?;
    if !finished.status.success() {
        let status = format!("`cargo metadata` {}", finished.status);
        return Err(Error::Manifest { status, stderr_tail: finished.stderr_tail });
    }
    let unreadable = |source: Box<dyn std::error::Error + Send + Sync>| Error::Output {
        command: "cargo metadata",
        source,
    };
    let text = std::str::from_utf8(&finished.stdout).map_err(|error| unreadable(error.into()))?;
    let metadata = MetadataCommand::parse(text).map_err(|error| unreadable(error.into()))?;
    let workspace = workspace(&metadata);
    if !workspace.root.starts_with(&invocation.tree) {
        let manifest = invocation.directory.join("Cargo.toml");
        return Err(Error::WorkspaceOutside { manifest, root: workspace.root });
    }
    Ok(workspace)
}

fn workspace(metadata: &Metadata) -> Workspace {
    let members = metadata.workspace_packages();
    let defaults: Vec<_> = if metadata.workspace_default_members.is_available() {
        metadata.workspace_default_members.iter().map(|id| id.repr.clone()).collect()
    } else {
        members.iter().map(|package| package.id.repr.clone()).collect()
    };
    Workspace {
        root: metadata.workspace_root.clone().into_std_path_buf(),
        target_directory: metadata.target_directory.clone().into_std_path_buf(),
        packages: members.into_iter().map(package).collect(),
        defaults,
    }
}

fn package(package: &cargo_metadata::Package) -> Package {
    let manifest = package.manifest_path.as_std_path();
    let tables = bench_tables(manifest);
    let benches = package.targets.iter().filter(|target| target.is_bench()).map(|target| {
        let flag = |key: &str| {
            tables.get(&target.name).and_then(|table| table.get(key)).and_then(toml::Value::as_bool)
        };
        Bench {
            name: target.name.clone(),
            libtest: flag("harness").unwrap_or(true),
            by_default: flag("bench").unwrap_or(true),
            required_features: target.required_features.clone(),
        }
    });
    Package {
        id: package.id.repr.clone(),
        name: package.name.to_string(),
        version: package.version.to_string(),
        folder: manifest.parent().unwrap_or(Path::new("")).to_owned(),
        benches: benches.collect(),
        features: package.features.clone(),
    }
}

/// The `[[bench]]` tables of a manifest by name: `cargo metadata` does not tell `harness`.
fn bench_tables(manifest: &Path) -> BTreeMap<String, toml::Table> {
    let table = fs::read_to_string(manifest)
        .ok()
        .and_then(|text| text.parse::<toml::Table>().ok())
        .unwrap_or_default();
    let benches = table.get("bench").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let named = benches.into_iter().filter_map(|bench| {
        let toml::Value::Table(bench) = bench else { return None };
        Some((bench.get("name")?.as_str()?.to_owned(), bench))
    });
    named.collect()
}

impl Workspace {
    /// Which bench targets a command in `directory` with these flags is about.
    ///
    /// # Errors
    /// When a glob has a mistake.
    pub fn choose(&self, selection: &Selection, directory: &Path) -> Result<Choice, Error> {
        let wanted = matchers(&selection.benches)?;
        let mut choice = Choice { packages: self.known(&selection.packages)?, ..Choice::default() };
        for package in self.selected(selection, directory)? {
            for bench in &package.benches {
                if !wanted.is_empty() && !wanted.iter().any(|glob| glob.is_match(&bench.name)) {
                    continue;
                }
                match obstacle(package, bench, selection, !wanted.is_empty()) {
                    None => {
                        choice.chosen.insert((package.id.clone(), bench.name.clone()));
                    }
                    Some(reason) => {
                        let (package, target) = (package.name.clone(), bench.name.clone());
                        choice.skipped.push(Skipped { package, target, reason });
                    }
                }
            }
        }
        Ok(choice)
    }

    /// Those `--package` flags that name a member: another revision may have others.
    fn known(&self, specs: &[String]) -> Result<Vec<String>, Error> {
        let mut known = Vec::new();
        for spec in specs {
            if self.packages.iter().any(matching(spec)?) {
                known.push(spec.clone());
            }
        }
        Ok(known)
    }

    fn selected(&self, selection: &Selection, directory: &Path) -> Result<Vec<&Package>, Error> {
        let mut selected: Vec<&Package> = Vec::new();
        if selection.packages.is_empty() {
            let here = self.packages.iter().filter(|package| directory.starts_with(&package.folder));
            let here = here.max_by_key(|package| package.folder.components().count());
            match here.filter(|package| package.folder != self.root) {
                Some(package) if !selection.workspace => selected.push(package),
                _ => selected.extend(
                    self.packages.iter().filter(|p| selection.workspace || self.defaults.contains(&p.id)),
                ),
            }
        }
        for spec in &selection.packages {
            let matches = matching(spec)?;
            selected.extend(self.packages.iter().filter(|package| matches(package)));
        }
        for spec in &selection.exclude {
            let matches = matching(spec)?;
            selected.retain(|package| !matches(package));
        }
        Ok(selected)
    }
}

/// Whether a package is meant by a `--package` flag: `name`, `name@1.2.3`, `name:1.2.3`, or a glob of names.
fn matching(spec: &str) -> Result<impl Fn(&Package) -> bool + use<>, Error> {
    let (name, version) =
        spec.rsplit_once(['@', ':']).map_or((spec, None), |(name, version)| (name, Some(version)));
    let (glob, version) = (matcher(name)?, version.map(str::to_owned));
    Ok(move |package: &Package| {
        glob.is_match(&package.name) && version.as_ref().is_none_or(|version| *version == package.version)
    })
}

fn matchers(globs: &[String]) -> Result<Vec<GlobMatcher>, Error> {
    globs.iter().map(|glob| matcher(glob)).collect()
}

fn matcher(glob: &str) -> Result<GlobMatcher, Error> {
    let compiled = Glob::new(glob).map_err(|source| Error::Glob { glob: glob.to_owned(), source })?;
    Ok(compiled.compile_matcher())
}

/// Why a bench target is not built, if it is not.
fn obstacle(package: &Package, bench: &Bench, selection: &Selection, by_name: bool) -> Option<String> {
    if bench.libtest {
        return Some(
            "it runs under libtest's harness; criterion targets have `harness = false` in `Cargo.toml`"
                .into(),
        );
    }
    if !bench.by_default && !by_name {
        return Some("it has `bench = false` in `Cargo.toml`; name it with `--bench`".into());
    }
    let enabled = enabled_features(package, selection);
    let absent: Vec<_> = bench.required_features.iter().filter(|f| !enabled.contains(f.as_str())).collect();
    if absent.is_empty() || selection.all_features {
        return None;
    }
    let list = absent.into_iter().map(String::as_str).collect::<Vec<_>>().join(",");
    Some(format!("it needs features that are off; turn them on with `--features {list}`"))
}

/// The features of a package that the flags turn on, with all that these turn on in turn.
fn enabled_features<'a>(package: &'a Package, selection: &'a Selection) -> BTreeSet<&'a str> {
    let flags =
        selection.features.iter().flat_map(|list| list.split([',', ' '])).filter(|name| !name.is_empty());
    let own = flags.filter_map(|flag| match flag.split_once('/') {
        Some((other, feature)) => (other == package.name).then_some(feature),
        None => Some(flag),
    });
    let default = (!selection.no_default_features).then_some("default");
    let mut pending: Vec<&str> = own.chain(default).collect();
    let mut enabled = BTreeSet::new();
    while let Some(feature) = pending.pop() {
        if enabled.insert(feature) {
            pending.extend(package.features.get(feature).into_iter().flatten().map(String::as_str));
        }
    }
    enabled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bench(name: &str) -> Bench {
        Bench { name: name.into(), libtest: false, by_default: true, required_features: Vec::new() }
    }

    fn member(name: &str, folder: &str, benches: Vec<Bench>) -> Package {
        Package {
            id: format!("id of {name}"),
            name: name.into(),
            version: "1.2.3".into(),
            folder: folder.into(),
            benches,
            features: BTreeMap::new(),
        }
    }

    fn two_members() -> Workspace {
        Workspace {
            root: "/w".into(),
            target_directory: "/w/target".into(),
            packages: vec![
                member("one", "/w/one", vec![bench("a"), bench("b")]),
                member("two", "/w/two", vec![bench("a")]),
            ],
            defaults: vec!["id of one".into()],
        }
    }

    fn names(selection: &Selection, directory: &str) -> Vec<String> {
        let choice = two_members().choose(selection, Path::new(directory)).unwrap();
        choice
            .chosen
            .iter()
            .map(|(id, target)| format!("{}/{target}", id.trim_start_matches("id of ")))
            .collect()
    }

    #[test]
    fn packages_are_chosen_as_cargo_chooses_them() {
        let all = Selection { workspace: true, ..Selection::default() };
        assert_eq!(names(&Selection::default(), "/w"), ["one/a", "one/b"]);
        assert_eq!(names(&Selection::default(), "/w/two/src"), ["two/a"]);
        assert_eq!(names(&all, "/w/two"), ["one/a", "one/b", "two/a"]);
        let without_one = Selection { exclude: vec!["on?".into()], ..all };
        assert_eq!(names(&without_one, "/w"), ["two/a"]);
        let by_version =
            |version: &str| Selection { packages: vec![format!("two@{version}")], ..Selection::default() };
        assert_eq!(names(&by_version("1.2.3"), "/w"), ["two/a"]);
        assert!(names(&by_version("1.2.4"), "/w").is_empty());
    }

    #[test]
    fn bench_flag_leaves_others_out_without_a_word() {
        let selection = Selection { benches: vec!["b".into()], ..Selection::default() };
        let choice = two_members().choose(&selection, Path::new("/w")).unwrap();
        assert_eq!(choice.chosen.len(), 1);
        assert!(choice.skipped.is_empty());
    }

    #[test]
    fn libtest_targets_and_missing_features_are_skipped_with_a_reason() {
        let mut package = member("one", "/w", vec![bench("a"), bench("b"), bench("c")]);
        package.benches[0].libtest = true;
        package.benches[1].required_features = vec!["deep".into()];
        package.benches[2].required_features = vec!["off".into()];
        package.features = BTreeMap::from([
            ("default".into(), vec!["middle".into()]),
            ("middle".into(), vec!["deep".into(), "dep:x".into()]),
        ]);
        let defaults = vec![package.id.clone()];
        let workspace =
            Workspace { root: "/w".into(), target_directory: "/t".into(), packages: vec![package], defaults };
        let choice = workspace.choose(&Selection::default(), Path::new("/w")).unwrap();
        assert_eq!(choice.chosen.iter().map(|(_, target)| target.as_str()).collect::<Vec<_>>(), ["b"]);
        let reasons: Vec<_> = choice.skipped.iter().map(|s| (s.target.as_str(), s.reason.as_str())).collect();
        assert!(matches!(reasons[0], ("a", reason) if reason.contains("libtest")));
        assert!(matches!(reasons[1], ("c", reason) if reason.ends_with("`--features off`")));
        let bare = Selection { no_default_features: true, ..Selection::default() };
        assert!(workspace.choose(&bare, Path::new("/w")).unwrap().chosen.is_empty());
    }
}
