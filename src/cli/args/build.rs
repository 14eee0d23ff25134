//! Cargo's own selection flags, spelt as cargo spells them.

/// Which benchmarks cargo builds, and how.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Cargo options")]
pub struct BuildArgs {
    /// Bench target to measure (repeatable; default: every criterion target); leaves load benchmarks and commands out.
    #[arg(long = "bench", value_name = "TARGET")]
    pub benches: Vec<String>,
    /// Package whose benchmarks are measured (repeatable).
    #[arg(short, long = "package", value_name = "SPEC")]
    pub packages: Vec<String>,
    /// Measure every package of the workspace.
    #[arg(long)]
    pub workspace: bool,
    /// Package to leave out of `--workspace` (repeatable).
    #[arg(long, value_name = "SPEC", requires = "workspace")]
    pub exclude: Vec<String>,
    /// Features to enable (repeatable, comma or space separated).
    #[arg(short = 'F', long, value_name = "FEATURES")]
    pub features: Vec<String>,
    /// Enable all features.
    #[arg(long)]
    pub all_features: bool,
    /// Disable default features.
    #[arg(long)]
    pub no_default_features: bool,
    /// Cargo profile (default `bench`).
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Require that `Cargo.lock` is up to date.
    #[arg(long)]
    pub locked: bool,
    /// Do without the network.
    #[arg(long)]
    pub offline: bool,
    /// Build with the project's own flags only, without alignment against layout luck.
    #[arg(long)]
    pub as_built: bool,
}
