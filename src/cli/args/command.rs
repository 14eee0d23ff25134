//! `--command` of `check` and `run`: a program of any language.

use crate::config::command::{formats, name_mistake};
use clap::builder::PossibleValuesParser;

/// A command of any language, measured on both revisions.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Command options")]
pub struct CommandArgs {
    /// The format of what the command writes to `{out}` or else prints; each benchmark in it is measured (default: the wall time
    /// of the process).
    #[arg(id = "as", long = "as", value_name = "FORMAT", requires = "command", value_parser = PossibleValuesParser::new(formats()))]
    pub format: Option<String>,
    /// What its benchmarks begin with (default: the command's program).
    #[arg(long, value_name = "NAME", requires = "command")]
    pub name: Option<String>,
    /// What the shell runs once a side before anything is measured.
    #[arg(long, value_name = "CMD", requires = "command")]
    pub build: Option<String>,
}

impl CommandArgs {
    /// The name of the command, as it is given or else as its program is called.
    pub fn name_of(&self, line: &str) -> Result<String, String> {
        if let Some(name) = &self.name {
            return name_mistake(name).map_or_else(|| Ok(name.clone()), Err);
        }
        let program = line.split_whitespace().next().unwrap_or_default();
        let program = program.rsplit(['/', '\\']).next().unwrap_or_default();
        let plain = |c: char| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '-' };
        let name: String = program.chars().map(plain).take(100).collect();
        Ok(if name.is_empty() { "command".to_owned() } else { name })
    }
}
