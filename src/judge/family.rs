//! Which tests share an error rate, and what is rejected at it.
//!
//! All wall-time tests of a check are one family, those of load scenarios a second; the rows of a finished data set are one,
//! and so are comparisons with stored runs. The tolerated rate is split evenly over the families that have tests, so that an
//! all-clean check fails with at most that probability whatever its families. Exact rules need no share.

use std::collections::BTreeMap;

use crate::{
    judge::evidence::{FamilyName, Test},
    model::{
        policy::{FamilyMethod, Policy},
        verdict::Family,
    },
    stats::multiplicity::{benjamini_hochberg, holm},
};

/// A stored comparison with a p at or below this is suspect: it is confirmed by paired rounds where the base can be built.
pub(super) const SUSPECT: f64 = 0.05;

/// A pair of mirrored tests after the correction of its family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Corrected {
    /// p of "head is worse", uncorrected.
    pub(super) p_value: f64,
    /// The same, adjusted.
    pub(super) worse: f64,
    /// p of "head is better", adjusted.
    pub(super) better: f64,
    /// What an adjusted p must not exceed.
    pub(super) level: f64,
    /// Tests in the family.
    pub(super) tests: usize,
}

impl FamilyName {
    fn as_str(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Load => "load",
            Self::Stored => "stored",
            Self::Slots => "slots",
        }
    }
}

/// Corrects the tests of all rows, family by family; a row without a test has none. `confirmed` counts the suspects that left
/// the stored family for paired rounds: they were tests of it and are counted as passed.
pub(super) fn correct(
    policy: &Policy,
    tests: &[Option<Test>],
    confirmed: usize,
) -> (Vec<Option<Corrected>>, Vec<Family>) {
    let mut members: BTreeMap<FamilyName, Vec<usize>> = BTreeMap::new();
    for (row, test) in tests.iter().enumerate() {
        if let Some(test) = test {
            members.entry(test.family).or_default().push(row);
        }
    }
    let rate = policy.false_discovery_rate;
    let level = rate
        / members.iter().filter(|(name, rows)| may_reject(**name, rows, tests, rate)).count().max(1) as f64;
    let mut corrected = vec![None; tests.len()];
    let mut families = Vec::new();
    for (name, rows) in members {
        let passed = if name == FamilyName::Stored { confirmed } else { 0 };
        let adjusted = |p: fn(&Test) -> f64| {
            adjust(policy.family, rows.iter().map(|row| tests[*row].as_ref().map_or(1.0, p)), passed)
        };
        let (worse, better) = (adjusted(|test| test.worse), adjusted(|test| test.better));
        let count = rows.len() + passed;
        for (place, &row) in rows.iter().enumerate() {
            let p_value = tests[row].map_or(1.0, |test| test.worse);
            corrected[row] =
                Some(Corrected { p_value, worse: worse[place], better: better[place], level, tests: count });
        }
        families.push(Family {
            name: name.as_str().into(),
            tests: count,
            method: method(policy.family).into(),
            false_discovery_rate: level,
        });
    }
    (corrected, families)
}

/// A stored family whose suspects were all confirmed can reject nothing, so it needs no share.
fn may_reject(name: FamilyName, rows: &[usize], tests: &[Option<Test>], rate: f64) -> bool {
    let suspect = |row: &usize| tests[*row].is_some_and(|test| test.worse <= SUSPECT.max(rate));
    name != FamilyName::Stored || rows.iter().any(suspect)
}

fn adjust(family: FamilyMethod, p: impl Iterator<Item = f64>, passed: usize) -> Vec<f64> {
    let p: Vec<f64> = p.chain(std::iter::repeat_n(1.0, passed)).collect();
    match family {
        FamilyMethod::FalseDiscovery => benjamini_hochberg(&p),
        FamilyMethod::Strict => holm(&p),
    }
}

fn method(family: FamilyMethod) -> &'static str {
    match family {
        FamilyMethod::FalseDiscovery => "benjamini-hochberg",
        FamilyMethod::Strict => "holm",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(family: FamilyName, worse: f64) -> Option<Test> {
        Some(Test { family, worse, better: 1.0 })
    }

    #[test]
    fn the_rate_is_split_over_the_families_that_have_tests() {
        let policy = Policy::default();
        let tests =
            [test(FamilyName::Time, 0.004), None, test(FamilyName::Load, 0.004), test(FamilyName::Time, 0.5)];
        let (corrected, families) = correct(&policy, &tests, 0);
        assert_eq!(
            families.iter().map(|f| (f.name.as_str(), f.tests)).collect::<Vec<_>>(),
            [("time", 2), ("load", 1)]
        );
        assert!(families.iter().all(|family| (family.false_discovery_rate - 0.005).abs() < 1e-15));
        assert!((corrected[0].unwrap().worse - 0.008).abs() < 1e-15);
        assert!((corrected[2].unwrap().worse - 0.004).abs() < 1e-15);
        assert_eq!(corrected[1], None);
    }

    #[test]
    fn confirmed_suspects_still_count_as_tests_of_the_stored_family() {
        let tests =
            [test(FamilyName::Stored, 0.002), test(FamilyName::Stored, 0.5), test(FamilyName::Time, 0.01)];
        let (corrected, families) = correct(&Policy::default(), &tests, 3);
        assert_eq!((families[1].name.as_str(), families[1].tests), ("stored", 5));
        assert!((corrected[0].unwrap().worse - 0.01).abs() < 1e-15);
        assert!((corrected[2].unwrap().level - 0.005).abs() < 1e-15);
    }

    #[test]
    fn a_stored_family_without_suspects_leaves_its_share_to_the_confirmations() {
        let tests = [test(FamilyName::Stored, 0.3), test(FamilyName::Time, 0.01)];
        let (corrected, _) = correct(&Policy::default(), &tests, 1);
        assert!((corrected[1].unwrap().level - 0.01).abs() < 1e-15);
    }

    #[test]
    fn the_strict_family_is_holms() {
        let policy = Policy { family: FamilyMethod::Strict, ..Policy::default() };
        let tests = [test(FamilyName::Time, 0.006), test(FamilyName::Time, 0.005)];
        let (corrected, families) = correct(&policy, &tests, 0);
        assert!((corrected[0].unwrap().worse - 0.01).abs() < 1e-15);
        assert_eq!(families[0].method, "holm");
    }
}
