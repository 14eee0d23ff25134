//! The compiler wrapper against layout luck: it appends flags to the user's own, then becomes the user's wrapper or rustc.
//!
//! Deleting one unrelated function moves all code behind it, and a tight loop on another alignment runs 5 to 20 % faster or
//! slower. With functions and loops at 64 bytes the same changes left 1 to 3 %. A wrapper rather than `RUSTFLAGS`, because
//! those would silence the flags of the user's `.cargo/config.toml`; cargo does not count a wrapper's flags, so each set of
//! flags has a build folder of its own.
//!
//! The wrapper is the tollgate binary itself, recognised by [`MARK`]. It also leaves a [`Record`] of every bench executable:
//! the environment that cargo gave it and the flags that it was compiled with.

use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::{
    cargo::{Error, invocation::Invocation},
    files::{self, scratch::Scratch},
    process::{self, Interrupt, replace::replace_us},
};

/// The variable that makes the tollgate binary a compiler wrapper; it holds the flags, separated by the unit separator.
pub const MARK: &str = "TOLLGATE_RUSTC_WRAPPER";
/// The variable with the user's own wrapper.
const NEXT: &str = "TOLLGATE_RUSTC_WRAPPER_NEXT";
/// The variable with the folder for records.
const RECORDS: &str = "TOLLGATE_RUSTC_WRAPPER_RECORDS";
/// As in `CARGO_ENCODED_RUSTFLAGS`: no flag holds it.
const SEPARATOR: &str = "\u{1f}";

/// Functions and loops start at multiples of 64 bytes, a cache line.
pub const FLAGS: [&str; 4] = ["-C", "llvm-args=-align-all-functions=6", "-C", "llvm-args=-align-loops=64"];

/// Whether builds are aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Alignment {
    /// Functions and loops at 64 bytes, where compiler and processor allow.
    #[default]
    Aligned,
    /// As the user's own flags have it.
    AsBuilt,
}

impl Alignment {
    /// `aligned` or `as-built`, also the name of its build folder.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aligned => "aligned",
            Self::AsBuilt => "as-built",
        }
    }

    /// The flags that it adds.
    #[must_use]
    pub fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Aligned => &FLAGS,
            Self::AsBuilt => &[],
        }
    }
}

/// Whether the compiler takes [`FLAGS`]: an empty crate is compiled with them.
///
/// # Errors
/// When the compiler cannot be run or the disk refuses; a refusal of the flags is no error.
pub fn is_accepted(invocation: &Invocation, interrupt: &Interrupt) -> Result<bool, Error> {
    // Beside the tree, where a later run sweeps what a killed one leaves.
    let beside = invocation.tree.parent().unwrap_or(&invocation.tree);
    let scratch = Scratch::new_in(beside, "probe-")?;
    let source = scratch.path().join("probe.rs");
    files::atomic::write(&source, b"#![no_std]\n")?;
    let probe = invocation
        .rustc()
        .args(["--crate-name=probe", "--crate-type=lib", "--emit=obj"])
        .args(FLAGS)
        .args([OsStr::new("-o"), scratch.path().join("probe.o").as_os_str(), source.as_os_str()]);
    Ok(process::run(&probe, interrupt)?.status.success())
}

/// What the wrapper is to do, handed to it by the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapper {
    /// The tollgate binary.
    pub program: PathBuf,
    /// The flags to append.
    pub flags: Vec<String>,
    /// The user's own wrapper.
    pub next: Option<OsString>,
    /// The folder for records.
    pub records: PathBuf,
}

impl Wrapper {
    /// The variables that put it to work in a cargo command.
    #[must_use]
    pub fn environment(&self) -> Vec<(OsString, Option<OsString>)> {
        vec![
            ("RUSTC_WRAPPER".into(), Some(self.program.clone().into_os_string())),
            (MARK.into(), Some(self.flags.join(SEPARATOR).into())),
            (NEXT.into(), self.next.clone()),
            (RECORDS.into(), Some(self.records.clone().into_os_string())),
        ]
    }

    /// What was recorded of the executable with this file name.
    #[must_use]
    pub fn record(&self, executable: &Path) -> Option<Record> {
        let name = executable.file_stem()?.to_str()?;
        serde_json::from_slice(&fs::read(self.records.join(format!("{name}.json"))).ok()?).ok()
    }
}

/// How one executable was compiled.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Record {
    /// The compiler's arguments.
    pub args: Vec<String>,
    /// Its environment, as far as it is Unicode.
    pub environment: BTreeMap<String, String>,
}

impl Record {
    /// The flags that decide which machine code comes out, sorted: `-C` and `-Z` options but those that name files.
    #[must_use]
    pub fn code_flags(&self) -> Vec<String> {
        const OF_FILES: [&str; 8] = [
            "metadata=",
            "extra-filename=",
            "incremental=",
            "link-arg=",
            "link-args=",
            "linker=",
            "split-debuginfo=",
            "debuginfo=",
        ];
        let mut flags = Vec::new();
        let mut args = self.args.iter();
        while let Some(arg) = args.next() {
            let (kind, option) = match arg.get(..2) {
                Some(kind @ ("-C" | "-Z")) if arg.len() > 2 => (kind, arg[2..].to_owned()),
                Some(kind @ ("-C" | "-Z")) => (kind, args.next().cloned().unwrap_or_default()),
                _ => continue,
            };
            if !OF_FILES.iter().any(|name| option.starts_with(name)) && option != "strip=debuginfo" {
                flags.push(format!("{kind} {option}"));
            }
        }
        flags.sort();
        flags.dedup();
        flags
    }
}

/// Acts as the compiler wrapper when the environment says so; `None` when it does not and the caller is the tollgate itself.
///
/// Call it first in `main`. On Unix it does not return when it acts: the process becomes the compiler.
#[must_use]
pub fn wrapper_main() -> Option<ExitCode> {
    let flags = env::var(MARK).ok()?;
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    // A benchmark or build script that runs `tollgate check` inherits the variable, and means the tollgate.
    if !args.first().is_some_and(|program| is_compiler(program)) {
        return None;
    }
    let is_query = args.iter().any(|arg| is_query_argument(arg));
    if !is_query {
        leave_record(&args);
    }
    let next = env::var_os(NEXT).filter(|next| !next.is_empty());
    let mut words: Vec<OsString> = next.into_iter().chain(args).collect();
    if !is_query {
        words.extend(flags.split(SEPARATOR).filter(|flag| !flag.is_empty()).map(OsString::from));
    }
    let (program, args) = words.split_first()?;
    Some(replace_us(program, args, &[MARK, NEXT, RECORDS]).unwrap_or_else(|failed| {
        // Here the process is a compiler for cargo, which shows what compilers say; there is nobody else to tell.
        let said = writeln!(io::stderr(), "error: could not start `{}`: {failed}", program.to_string_lossy());
        drop(said);
        ExitCode::from(101)
    }))
}

/// Cargo passes a path or `rustc`; no command of the tollgate looks like either.
fn is_compiler(program: &OsStr) -> bool {
    let path = Path::new(program);
    let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
    path.components().count() > 1 || stem.ends_with("rustc") || stem.ends_with("-driver")
}

/// Cargo asks for versions and file names through the wrapper as well; the answers are not ours to change.
fn is_query_argument(arg: &OsStr) -> bool {
    let text = arg.to_string_lossy();
    matches!(text.as_ref(), "-vV" | "-V" | "--version" | "-Vv" | "___") || text.starts_with("--print")
}

/// Writes down how a bench executable is compiled. A record that cannot be written is missed where it is read.
fn leave_record(args: &[OsString]) {
    let Some(folder) = env::var_os(RECORDS) else { return };
    let args: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let after = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1));
    let suffix = args.iter().find_map(|arg| arg.strip_prefix("extra-filename="));
    let (Some(name), Some(suffix)) = (after("--crate-name"), suffix) else { return };
    // A bench without harness is compiled without a crate type.
    if after("--crate-type").is_some_and(|kind| kind != "bin")
        || env::var_os("CARGO_PRIMARY_PACKAGE").is_none()
    {
        return;
    }
    let file = Path::new(&folder).join(format!("{name}{suffix}.json"));
    let unicode =
        |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    let environment = env::vars_os().filter_map(unicode).collect();
    if let Ok(bytes) = serde_json::to_vec(&Record { args, environment }) {
        drop(files::atomic::write(&file, &bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_flags_leave_out_what_names_files() {
        let args = "rustc --crate-name x -C opt-level=3 -C metadata=1 -Ctarget-cpu=native -C link-arg=-s -C opt-level=3 --cfg a";
        let record = Record { args: args.split(' ').map(str::to_owned).collect(), ..Record::default() };
        assert_eq!(record.code_flags(), ["-C opt-level=3", "-C target-cpu=native"]);
    }

    #[test]
    fn commands_of_the_tollgate_are_no_compilers() {
        for program in ["rustc", "/usr/bin/rustc", "clippy-driver", "/opt/odd/compiler", "my-rustc"] {
            assert!(is_compiler(OsStr::new(program)), "{program}");
        }
        for word in ["check", "--version", "demo", "-C"] {
            assert!(!is_compiler(OsStr::new(word)), "{word}");
        }
    }
}
