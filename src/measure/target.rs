//! What is measured: the bench executables of one target on both sides.

use std::{ffi::OsString, path::PathBuf};

/// A built bench target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchExecutable {
    /// Its package.
    pub package: String,
    /// Its bench target.
    pub target: String,
    /// The executable.
    pub path: PathBuf,
    /// Where cargo would start it: the package's root.
    pub directory: PathBuf,
    /// What cargo would set in its environment.
    pub environment: Vec<(OsString, Option<OsString>)>,
}

/// A bench target on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetPair {
    /// Its name in the report.
    pub target: String,
    /// Base's executable, if base has the target.
    pub base: Option<BenchExecutable>,
    /// Head's executable, if head has the target.
    pub head: Option<BenchExecutable>,
    /// Whether both hold the same machine code.
    pub identical: bool,
}
