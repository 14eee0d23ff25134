//! From what was typed to what commands need: the configuration file found, flags joined with it.

use super::{
    Door,
    args::{build::BuildArgs, check::ModeArg},
};
use crate::{
    cargo::metadata::Selection,
    commands::failure::Failure,
    config::{
        file::File,
        read,
        resolve::{Flags, ModeChoice, Settings, resolve},
    },
    model::outcome::ErrorClass,
};
use std::path::{Path, PathBuf};

/// The configuration's name at a repository's root.
pub(super) const FILE_NAME: &str = "tollgate.toml";

impl Door {
    /// The directory that the command works in.
    pub(super) fn here(&self) -> Result<PathBuf, Failure> {
        std::env::current_dir().map_err(|error| {
            let message = format!("could not find the current directory: {error}");
            Failure::message(ErrorClass::Configuration, message, "change to a directory that exists")
        })
    }

    /// The path of this program, which the compiler wrapper and the self-test start again.
    pub(super) fn executable(&self) -> Result<PathBuf, Failure> {
        std::env::current_exe().map_err(|error| {
            Failure::message(
                ErrorClass::Measurement,
                format!("could not find tollgate's own path: {error}"),
                "",
            )
        })
    }

    /// Reads `--config`, or the `tollgate.toml` of this directory or the nearest one above it within the repository.
    pub(super) fn file(&self) -> Result<File, Failure> {
        self.file_with(false)
    }

    /// [`Self::file`], but with `allow_remote` load benchmarks may name services on other machines.
    pub(super) fn file_with(&self, allow_remote: bool) -> Result<File, Failure> {
        let path = match &self.global.config {
            Some(path) => Some(path.clone()),
            None => nearest(&self.here()?),
        };
        path.map_or_else(
            || Ok(File::default()),
            |path| read::read_with(&path, allow_remote).map_err(Failure::configuration),
        )
    }

    /// Joins flags and file.
    pub(super) fn settings(&self, flags: Flags) -> Result<Settings, Failure> {
        Ok(resolve(flags, &self.file()?))
    }

    /// A seed nobody chose. It fits JavaScript's numbers, so that every JSON reader keeps it whole.
    pub(super) fn draw_seed(&self) -> u64 {
        use std::hash::{BuildHasher, Hasher};
        std::hash::RandomState::new().build_hasher().finish() >> 11
    }
}

fn nearest(start: &Path) -> Option<PathBuf> {
    for folder in start.ancestors() {
        let path = folder.join(FILE_NAME);
        if path.is_file() {
            return Some(path);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

/// Cargo's flags as the configuration knows them. Cargo takes several features in one word.
pub(super) fn selection(args: BuildArgs) -> Selection {
    let features =
        args.features.iter().flat_map(|word| word.split([',', ' '])).filter(|word| !word.is_empty());
    Selection {
        features: features.map(str::to_owned).collect(),
        benches: args.benches,
        packages: args.packages,
        workspace: args.workspace,
        all_features: args.all_features,
        no_default_features: args.no_default_features,
        profile: args.profile,
        exclude: args.exclude,
        locked: args.locked,
        offline: args.offline,
    }
}

impl From<ModeArg> for ModeChoice {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Paired => Self::Paired,
            ModeArg::Stored => Self::Stored,
            ModeArg::Auto => Self::Auto,
        }
    }
}
