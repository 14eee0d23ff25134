//! "1 benchmark", "2 benchmarks".

use super::quantity;

/// A count with its noun, which takes an s in the plural: `0 rounds`, `1 round`, `1,200 rounds`.
#[must_use]
pub fn count(n: usize, noun: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {noun}{s}", quantity::count(n as u64))
}

/// The first word for one, the second for any other count: `is`/`are`, `has`/`have`.
#[must_use]
pub fn choose<'a>(n: usize, one: &'a str, many: &'a str) -> &'a str {
    if n == 1 { one } else { many }
}

/// Names in a sentence, at most `most` of them: `a`, `a and b`, `a, b and 3 more`.
#[must_use]
pub fn list<S: AsRef<str>>(names: &[S], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most.max(1)).map(AsRef::as_ref).collect();
    match (shown.as_slice(), names.len() - shown.len()) {
        ([], _) => String::new(),
        ([one], 0) => (*one).to_owned(),
        ([first @ .., last], 0) => format!("{} and {last}", first.join(", ")),
        (all, more) => format!("{} and {} more", all.join(", "), quantity::count(more as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::{choose, count, list};

    #[test]
    fn only_one_is_singular() {
        assert_eq!(count(0, "round"), "0 rounds");
        assert_eq!(count(1, "round"), "1 round");
        assert_eq!(count(1200, "round"), "1,200 rounds");
        assert_eq!(choose(1, "is", "are"), "is");
        assert_eq!(choose(0, "is", "are"), "are");
    }

    #[test]
    fn a_long_list_says_how_many_are_left_out() {
        assert_eq!(list::<&str>(&[], 3), "");
        assert_eq!(list(&["a"], 3), "a");
        assert_eq!(list(&["a", "b", "c"], 3), "a, b and c");
        assert_eq!(list(&["a", "b", "c", "d", "e"], 2), "a, b and 3 more");
        assert_eq!(list(&["a", "b"], 0), "a and 1 more");
    }
}
