//! The bench executables of `tests/projects/criterion`, built once into a target folder of their own.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};
use tollgate::measure::builds::BenchExecutable;

/// The executable of a bench target: `kernels05` … `kernels08`, `odd`, `unlinked`, `foreign`.
pub(crate) fn executable(target: &str) -> BenchExecutable {
    static BUILT: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(build);
    BenchExecutable {
        package: "sample".into(),
        target: target.into(),
        path: built.get(target).unwrap_or_else(|| panic!("no bench target {target}")).clone(),
        directory: std::env::temp_dir(),
        environment: Vec::new(),
    }
}

fn build() -> BTreeMap<String, PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects/criterion");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("sample-crates");
    let source = folder.join("criterion");
    copy(&project, &source);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--benches", "--locked", "--message-format=json", "--target-dir"])
        .arg(&folder)
        .current_dir(&source)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout).unwrap();
    messages.lines().filter_map(bench_executable).collect()
}

fn bench_executable(line: &str) -> Option<(String, PathBuf)> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    let is_bench = message["target"]["kind"].as_array()?.iter().any(|kind| kind == "bench");
    let path = message["executable"].as_str().filter(|_| is_bench)?;
    Some((message["target"]["name"].as_str()?.to_owned(), path.into()))
}

/// Copies a disarmed project and arms it. Files that are the same stay untouched, or cargo would build them again.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().replace("Cargo_test.", "Cargo.");
        let target = to.join(name);
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
            continue;
        }
        let bytes = fs::read(entry.path()).unwrap();
        if fs::read(&target).ok().as_deref() != Some(&bytes[..]) {
            fs::write(target, bytes).unwrap();
        }
    }
}
