//! Where something was measured: the factors that two runs must share before their stored values may be compared.

use std::fmt;

/// The digest of an [`Environment`]'s factors: 16 lowercase hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvironmentKey(String);

impl EnvironmentKey {
    /// Wraps a key.
    ///
    /// Returns `None` unless it is 16 lowercase hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed =
            text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The 16 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnvironmentKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The machine, toolchain and build settings of a run. A factor that is not known is an empty string or 0.
///
/// The key is computed from all factors but `hostname`-like identity, which is deliberately left out: two machines of
/// one class share baselines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// CPU model name.
    pub cpu: String,
    /// Logical cores available to this process.
    pub cores: u32,
    /// Memory in whole GiB (of the cgroup's limit where there is one).
    pub memory_gib: u32,
    /// Operating system and architecture: `linux-x86_64`.
    pub os: String,
    /// Kernel major.minor: `6.1`.
    pub kernel: String,
    /// Hypervisor or container word: `kvm`, `none`, …
    pub virtualisation: String,
    /// `rustc -V` of the toolchain that built the benchmarks; empty for foreign data.
    pub rustc: String,
    /// Cargo profile: `bench`, `release`, …
    pub profile: String,
    /// Build flags that change code, Tollgate's own alignment flags included.
    pub flags: String,
    /// The digest of the factors above.
    pub key: EnvironmentKey,
}
