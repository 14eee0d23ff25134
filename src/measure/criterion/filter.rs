//! criterion's positional filter: a regular expression that it searches for in full ids.

use std::{fmt::Write, ops::Range};

/// Matches no id: everything is skipped, but named.
pub const NOTHING: &str = "$x^";

/// The longest filter that is passed: Linux takes 128 KiB an argument, and the `regex` crate compiles so many literals well
/// within its default limit.
const MOST_BYTES: usize = 64 * 1024;

/// Matches exactly these ids, in any order.
///
/// What an argument cannot hold (NUL) or a terminal would act on is written as an escape. `$` without flags matches at the very end
/// only, not before a final newline.
#[must_use]
pub fn exactly<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    let alternatives: Vec<String> = ids.into_iter().map(escape).collect();
    format!("^(?:{})$", alternatives.join("|"))
}

/// Cuts a list of ids into runs whose filters are short enough to be passed; in order, none empty.
#[must_use]
pub fn chunks(ids: &[&str]) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, id) in ids.iter().enumerate() {
        let more = escape(id).len() + 1;
        if index > start && bytes + more > MOST_BYTES {
            runs.push(start..index);
            (start, bytes) = (index, 0);
        }
        bytes += more;
    }
    if start < ids.len() {
        runs.push(start..ids.len());
    }
    runs
}

fn escape(id: &str) -> String {
    let mut escaped = String::with_capacity(id.len() + 8);
    for character in id.chars() {
        if character.is_control() {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "\\x{{{:x}}}", u32::from(character));
        } else {
            if character.is_ascii_punctuation() && regex_syntax_character(character) {
                escaped.push('\\');
            }
            escaped.push(character);
        }
    }
    escaped
}

/// The characters that every version of the `regex` crate since 1.0 lets one escape.
fn regex_syntax_character(character: char) -> bool {
    "\\.+*?()|[]{}^$#&-~".contains(character)
}

#[cfg(test)]
mod tests {
    use super::{MOST_BYTES, NOTHING, chunks, exactly};
    use proptest::prelude::*;
    use regex::Regex;

    #[test]
    fn nothing_matches_nothing() {
        let regex = Regex::new(NOTHING).unwrap();
        assert!(["", "x", "$x^", "a\nx\nb"].iter().all(|id| !regex.is_match(id)));
    }

    #[test]
    fn a_filter_of_one_id_leaves_its_relatives_out() {
        let regex = Regex::new(&exactly(["num/sieve"])).unwrap();
        assert!(regex.is_match("num/sieve"));
        assert!(
            ["num/sieve/10", "xnum/sieve", "num/sieve\n", "num/siev", "NUM/SIEVE"]
                .iter()
                .all(|id| !regex.is_match(id))
        );
    }

    #[test]
    fn a_long_list_is_cut_where_the_limit_is_reached_and_loses_nobody() {
        let names: Vec<String> = (0..5000).map(|n| format!("group/function with a long name/{n}")).collect();
        let ids: Vec<&str> = names.iter().map(String::as_str).collect();
        let runs = chunks(&ids);
        assert!(runs.len() > 1);
        assert_eq!(runs.iter().cloned().flatten().collect::<Vec<_>>(), (0..5000).collect::<Vec<_>>());
        for run in runs {
            let filter = exactly(ids[run].iter().copied());
            assert!(filter.len() <= MOST_BYTES + 8);
            assert!(Regex::new(&filter).is_ok());
        }
        assert!(chunks(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn a_filter_matches_its_ids_and_no_others(ids in proptest::collection::vec("\\PC{1,12}|[\\x00-\\x7f]{1,8}", 1..6), other in "\\PC{1,6}") {
            let regex = Regex::new(&exactly(ids.iter().map(String::as_str))).unwrap();
            for id in &ids {
                prop_assert!(regex.is_match(id));
                let longer = format!("{id}x");
                prop_assert!(ids.contains(&longer) || !regex.is_match(&longer));
            }
            prop_assert!(ids.contains(&other) || !regex.is_match(&other));
        }
    }
}
