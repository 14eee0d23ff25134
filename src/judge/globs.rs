//! Globs over benchmarks: `num/*` matches ids, `kernels:num/*` matches target and id.

use globset::{Glob, GlobMatcher};

use crate::model::benchmark::Benchmark;

/// A glob of a rule or waiver. `*` crosses `/`, so that `num/*` holds the whole group.
#[derive(Debug, Clone)]
pub(super) struct BenchmarkGlob {
    text: String,
    /// `None` where the text is no glob: it then matches only itself.
    matcher: Option<GlobMatcher>,
}

impl BenchmarkGlob {
    /// Compiles a glob; a text that is none stands for itself, so that an id with brackets can be named.
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), matcher: Glob::new(text).ok().map(|glob| glob.compile_matcher()) }
    }

    /// Whether it matches the id, or `target:id`.
    pub(super) fn matches(&self, benchmark: &Benchmark) -> bool {
        let id = benchmark.id.as_str();
        let matches = |text: &str| {
            text == self.text || self.matcher.as_ref().is_some_and(|matcher| matcher.is_match(text))
        };
        matches(id) || matches(&format!("{}:{id}", benchmark.target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::benchmark::BenchmarkId;

    fn matches(glob: &str, id: &str) -> bool {
        BenchmarkGlob::new(glob).matches(&Benchmark::new("kernels", BenchmarkId::new(id).unwrap()))
    }

    #[test]
    fn a_glob_matches_the_id_or_target_and_id() {
        assert!(matches("num/*", "num/sieve") && matches("num/*", "num/sieve/1000"));
        assert!(matches("kernels:num/*", "num/sieve") && matches("*", "anything"));
        assert!(!matches("num/*", "text/sort") && !matches("other:num/*", "num/sieve"));
    }

    #[test]
    fn a_text_that_is_no_glob_matches_itself() {
        assert!(matches("sort [1", "sort [1") && !matches("sort [1", "sort 1"));
        assert!(matches("vec[0]", "vec[0]"), "a glob that is also an id names that id");
    }
}
