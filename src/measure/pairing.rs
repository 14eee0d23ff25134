//! Bench targets of both sides brought together by package and name.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    cargo::cache::Kept,
    measure::{
        builds::{BenchExecutable, Error, Skipped, TargetPair},
        sameness::{ChangedFiles, are_identical},
        side_build::Obtained,
        trees::{Tree, Trees},
    },
};

/// Two sides whose targets are brought together.
pub(in crate::measure) struct Pairing<'a> {
    pub(in crate::measure) trees: &'a Trees,
    pub(in crate::measure) base: Option<&'a Obtained>,
    pub(in crate::measure) head: &'a Obtained,
}

/// Package and target.
type Name = (String, String);

impl Pairing<'_> {
    /// Every target that either side has an executable of, sorted by name.
    pub(in crate::measure) fn pairs(&self) -> Result<Vec<TargetPair>, Error> {
        let mut sides: BTreeMap<Name, (Option<&Kept>, Option<&Kept>)> = BTreeMap::new();
        let name = |kept: &Kept| (kept.package.clone(), kept.target.clone());
        for kept in self.base.into_iter().flat_map(|base| &base.set.kept) {
            sides.entry(name(kept)).or_default().0 = Some(kept);
        }
        for kept in &self.head.set.kept {
            sides.entry(name(kept)).or_default().1 = Some(kept);
        }
        let base_tree = self.trees.base.as_ref();
        let changed = base_tree
            .map(|base| ChangedFiles::between(&base.digests, &self.trees.head.digests))
            .unwrap_or_default();
        let mut pairs = Vec::new();
        for (name, (base, head)) in &sides {
            let target = self.display(name);
            let base = base.and_then(|kept| Some(executable(kept, &target, self.base?, base_tree?)));
            let head = head.map(|kept| executable(kept, &target, self.head, &self.trees.head));
            let identical = self.identical(base.as_ref(), head.as_ref(), &changed)?;
            pairs.push(TargetPair { target, base, head, identical });
        }
        pairs.sort_by(|a, b| a.target.cmp(&b.target));
        Ok(pairs)
    }

    /// Every target that either side leaves out, sorted by name.
    pub(in crate::measure) fn skipped(&self) -> Vec<Skipped> {
        let sets = self.base.into_iter().chain([self.head]);
        let skipped: BTreeSet<_> = sets
            .flat_map(|side| &side.set.skipped)
            .map(|skipped| Skipped {
                target: self.display(&(skipped.package.clone(), skipped.target.clone())),
                reason: skipped.reason.clone(),
            })
            .collect();
        skipped.into_iter().collect()
    }

    /// The target's name, with its package where another package has a target of that name.
    fn display(&self, (package, target): &Name) -> String {
        let sets = self.base.into_iter().chain([self.head]).map(|side| &side.set);
        let is_shared = sets.into_iter().any(|set| {
            let kept = set.kept.iter().map(|kept| (&kept.package, &kept.target));
            let skipped = set.skipped.iter().map(|skipped| (&skipped.package, &skipped.target));
            kept.chain(skipped).any(|(other, name)| name == target && other != package)
        });
        if is_shared { format!("{package}/{target}") } else { target.clone() }
    }

    fn identical(
        &self,
        base: Option<&BenchExecutable>,
        head: Option<&BenchExecutable>,
        changed: &ChangedFiles,
    ) -> Result<bool, Error> {
        let (Some(base), Some(head), Some(tree), Some(built)) = (base, head, &self.trees.base, self.base)
        else {
            return Ok(false);
        };
        let folders = [
            (tree.folder.clone(), self.trees.head.folder.clone()),
            (built.build_folder.clone(), self.head.build_folder.clone()),
        ];
        Ok(are_identical(&base.path, &head.path, &folders, changed)?)
    }
}

fn executable(kept: &Kept, target: &str, built: &Obtained, tree: &Tree) -> BenchExecutable {
    let environment = kept.environment(&tree.folder);
    BenchExecutable {
        package: kept.package.clone(),
        target: target.to_owned(),
        path: built.folder.join(&kept.file),
        directory: kept.directory(&tree.folder),
        environment: environment.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
    }
}
