//! Which benchmarks were expected, measured and compared, and why every other one was not.

/// The count of benchmarks by what became of them. Id lists hold display ids (`target:id` where two targets share an id).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Census {
    /// Benchmarks that base or head has and nothing left out.
    pub expected: usize,
    /// Those with at least one valid block, identical ones included.
    pub measured: usize,
    /// Those judged against a base, identical ones included.
    pub compared: usize,
    /// Those whose machine code is the same on both sides.
    pub identical: usize,
    /// Those with the verdict `inconclusive`.
    pub inconclusive: usize,
    /// Those for which not even a slowdown of `policy.must_rule_out` could be ruled out.
    pub blind: usize,
    /// Blocks thrown away because the machine was taken away.
    pub voided_blocks: usize,
    /// Only head has them.
    pub new: Vec<String>,
    /// Only base has them.
    pub missing: Vec<String>,
    /// They crashed, hung or could not be read.
    pub failed: Vec<String>,
    /// Left out by a filter or rule, with the reason.
    pub ignored: Vec<(String, String)>,
}
