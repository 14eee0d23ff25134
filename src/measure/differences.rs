//! What differs between the sides beside their code, and may be the reason for a difference that is measured.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{
    measure::side_build::{Obtained, Prepared},
    model::run::Warning,
};

/// A warning for each of toolchain, lock file and compiler options in which the sides differ.
pub(in crate::measure) fn between(
    base: &Prepared<'_>,
    head: &Prepared<'_>,
    base_built: Option<&Obtained>,
    head_built: &Obtained,
) -> Vec<Warning> {
    [toolchains(base, head), lock_files(base, head), base_built.and_then(|built| options(built, head_built))]
        .into_iter()
        .flatten()
        .collect()
}

fn toolchains(base: &Prepared<'_>, head: &Prepared<'_>) -> Option<Warning> {
    (base.rustc != head.rustc).then(|| {
        let message = format!(
            "base and head are built by different compilers ({} and {}): a difference may be the compiler's",
            base.rustc.version, head.rustc.version
        );
        Warning::new("different_toolchain", message)
    })
}

fn lock_files(base: &Prepared<'_>, head: &Prepared<'_>) -> Option<Warning> {
    let (base, head) = (locked(&base.workspace.root), locked(&head.workspace.root));
    let first = base.symmetric_difference(&head).next()?;
    let message = format!(
        "base and head have different dependencies in `Cargo.lock`, such as {first}: a difference may be theirs"
    );
    Some(Warning::new("different_lock_file", message))
}

fn options(base: &Obtained, head: &Obtained) -> Option<Warning> {
    let (base, head) = (&base.set, &head.set);
    if base.kept.is_empty() || head.kept.is_empty() || base.code_flags == head.code_flags {
        return None;
    }
    let only = |own: &[String], others: &[String]| {
        let only: Vec<_> = own.iter().filter(|flag| !others.contains(flag)).map(String::as_str).collect();
        if only.is_empty() { "none of its own".into() } else { format!("`{}`", only.join(" ")) }
    };
    let message = format!(
        "base and head are compiled with different options (profile or `.cargo/config.toml`): base {}, head {}",
        only(&base.code_flags, &head.code_flags),
        only(&head.code_flags, &base.code_flags)
    );
    Some(Warning::new("different_flags", message))
}

/// The dependencies that a lock file pins, but for those without a source: the tree's own packages.
fn locked(root: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
    let table = text.parse::<toml::Table>().unwrap_or_default();
    let packages = table.get("package").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let pinned = packages.iter().filter_map(|package| {
        let text = |key: &str| package.get(key).and_then(toml::Value::as_str);
        text("source")?;
        Some(format!("{} {}", text("name")?, text("version")?))
    });
    pinned.collect()
}
