//! What was dealt: values, labels, and where each block ends.

use thiserror::Error;

/// More differences between head and base slots of the same block than this are refused: the estimate looks at each of them.
pub(super) const MAX_DIFFERENCES: usize = 1 << 24;

/// Why blocks cannot be tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Error {
    /// No block holds slots of both sides.
    #[error("no block holds slots of both base and head")]
    NoBlocks,
    /// A value is infinite or not a number.
    #[error("a slot's value is not a finite number")]
    NotFinite,
    /// There are more slots than can be compared.
    #[error("more than {MAX_DIFFERENCES} pairs of base and head slots")]
    TooMany,
}

/// Slots dealt in blocks, ready to be tested: at least one block, each with slots of both sides, all values finite.
#[derive(Debug, Clone, PartialEq)]
pub struct DealtBlocks {
    values: Vec<f64>,
    head: Vec<bool>,
    ends: Vec<usize>,
}

/// One block: the values of its slots, and which of them are head's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    pub(super) values: &'a [f64],
    pub(super) head: &'a [bool],
}

impl<'a> Block<'a> {
    /// The values of one side.
    pub(super) fn side(self, head: bool) -> impl Iterator<Item = f64> + Clone + 'a {
        self.values
            .iter()
            .zip(self.head)
            .filter(move |(_, is_head)| **is_head == head)
            .map(|(value, _)| *value)
    }

    /// How many of its slots are head's.
    pub(super) fn heads(self) -> usize {
        self.head.iter().filter(|is_head| **is_head).count()
    }
}

impl DealtBlocks {
    /// Takes blocks of (is it head's, y) in the order in which they were run, y being ln(slot value). Blocks that lack a side say nothing
    /// about the difference and are left out; the numbers of slots may differ from block to block and between sides.
    ///
    /// # Errors
    /// When a value is not finite, when no block has both sides, or when there are too many slots.
    pub fn new(blocks: &[Vec<(bool, f64)>]) -> Result<Self, Error> {
        let mut dealt = Self { values: Vec::new(), head: Vec::new(), ends: Vec::new() };
        let mut differences = 0_usize;
        for block in blocks {
            if block.iter().any(|(_, value)| !value.is_finite()) {
                return Err(Error::NotFinite);
            }
            let heads = block.iter().filter(|(is_head, _)| *is_head).count();
            if heads == 0 || heads == block.len() {
                continue;
            }
            differences = differences.saturating_add(heads.saturating_mul(block.len() - heads));
            dealt.head.extend(block.iter().map(|(is_head, _)| *is_head));
            dealt.values.extend(block.iter().map(|(_, value)| *value));
            dealt.ends.push(dealt.values.len());
        }
        match dealt.ends.len() {
            0 => Err(Error::NoBlocks),
            _ if differences > MAX_DIFFERENCES => Err(Error::TooMany),
            _ => Ok(dealt),
        }
    }

    /// How many blocks there are.
    #[must_use]
    pub fn block_count(&self) -> usize {
        self.ends.len()
    }

    /// How many rounds they make: a round is one base and one head slot, so a block counts its scarcer side.
    #[must_use]
    pub fn rounds(&self) -> u32 {
        let rounds =
            self.blocks().map(|block| block.heads().min(block.values.len() - block.heads())).sum::<usize>();
        u32::try_from(rounds).unwrap_or(u32::MAX)
    }

    /// The first `blocks` of them, at least one.
    #[must_use]
    pub fn prefix(&self, blocks: usize) -> Self {
        let ends = &self.ends[..blocks.clamp(1, self.ends.len())];
        let slots = ends[ends.len() - 1];
        Self { values: self.values[..slots].to_vec(), head: self.head[..slots].to_vec(), ends: ends.to_vec() }
    }

    /// The same values with the sides exchanged: what was head is base. The mirrored test of the one is the test of the other.
    #[must_use]
    pub fn swapped(&self) -> Self {
        Self { head: self.head.iter().map(|is_head| !is_head).collect(), ..self.clone() }
    }

    pub(super) fn blocks(&self) -> impl Iterator<Item = Block<'_>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, &end)| Block { values: &self.values[start..end], head: &self.head[start..end] })
    }

    pub(super) fn slot_count(&self) -> usize {
        self.values.len()
    }

    /// All differences head minus base within blocks, ascending.
    pub(super) fn differences(&self) -> Vec<f64> {
        let mut differences = Vec::new();
        for block in self.blocks() {
            for head in block.side(true) {
                differences.extend(block.side(false).map(|base| head - base));
            }
        }
        differences.sort_unstable_by(f64::total_cmp);
        differences
    }
}
