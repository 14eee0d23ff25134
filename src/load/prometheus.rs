//! A bounded reader of metrics pages: Prometheus text format 0.0.4 and the lines of OpenMetrics 1.0.
//!
//! A page comes from somebody else's program: a line that cannot be read is counted and passed over, never fatal, and never read
//! as something that it is not.

use std::collections::{BTreeMap, BTreeSet};

/// The most bytes of a page that are read.
pub const MOST_PAGE_BYTES: usize = 4 * 1024 * 1024;
/// The most series, and the most types, that are kept of a page.
const MOST_SERIES: usize = 50_000;

/// Labels in the order of their names.
pub type Labels = BTreeMap<String, String>;

/// What a metric is declared to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    /// A histogram or summary: its `_count`, `_sum` and `_bucket` are counters.
    Distribution,
    /// Anything else that is no counter.
    Level,
}

/// One reading of a metrics page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    series: BTreeMap<String, BTreeMap<Labels, f64>>,
    kinds: BTreeMap<String, Kind>,
    read: usize,
    bad: usize,
    kept: usize,
}

impl Page {
    /// Reads a page and keeps the series of the metrics named in `wanted`.
    #[must_use]
    pub fn read(text: &str, wanted: &BTreeSet<&str>) -> Self {
        let mut page = Self::default();
        for line in text.lines() {
            let line = line.trim_matches([' ', '\t', '\r']);
            match line.strip_prefix('#') {
                Some(comment) => page.comment(comment),
                None if line.is_empty() => {}
                None => page.sample(line, wanted),
            }
        }
        page
    }

    /// The series of a metric by their labels; `None` when the page has none of that name.
    #[must_use]
    pub fn series(&self, name: &str) -> Option<&BTreeMap<Labels, f64>> {
        self.series.get(name)
    }

    /// Whether the page declares a metric of this name, perhaps without a series so far.
    #[must_use]
    pub fn declares(&self, name: &str) -> bool {
        self.series.contains_key(name) || self.declared(name).is_some()
    }

    /// Whether a metric only ever grows, but for restarts: by its declared type, else by the end of its name.
    #[must_use]
    pub fn is_counter(&self, name: &str) -> bool {
        self.declared(name)
            .unwrap_or_else(|| ["_total", "_count", "_sum", "_bucket"].iter().any(|end| name.ends_with(end)))
    }

    /// How many samples could be read, wanted or not.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.read
    }

    /// How many lines could not be read, repeat a series, or were too many to keep.
    #[must_use]
    pub fn bad_lines(&self) -> usize {
        self.bad
    }

    /// Whether a metric is declared to be a counter; `None` when nothing is declared of it.
    fn declared(&self, name: &str) -> Option<bool> {
        if let Some(kind) = self.kinds.get(name) {
            return Some(*kind == Kind::Counter);
        }
        let base = |end: &str| name.strip_suffix(end).and_then(|base| self.kinds.get(base));
        // OpenMetrics declares the family: `# TYPE hits counter` for the samples of `hits_total`.
        if base("_total") == Some(&Kind::Counter) {
            return Some(true);
        }
        let parts = ["_count", "_sum", "_bucket"];
        if parts.iter().any(|end| base(end) == Some(&Kind::Distribution)) {
            return Some(true);
        }
        base("_created").map(|_| false)
    }

    fn comment(&mut self, comment: &str) {
        let mut words = comment.split_ascii_whitespace();
        if words.next() != Some("TYPE") {
            return;
        }
        let (Some(name), Some(kind)) = (words.next(), words.next()) else {
            self.bad += 1;
            return;
        };
        let kind = match kind {
            "counter" => Kind::Counter,
            "histogram" | "summary" => Kind::Distribution,
            // Nothing is said by these: the name decides.
            "untyped" | "unknown" => return,
            _ => Kind::Level,
        };
        if self.kinds.len() < MOST_SERIES {
            self.kinds.insert(name.to_owned(), kind);
        }
    }

    fn sample(&mut self, line: &str, wanted: &BTreeSet<&str>) {
        let Some((name, labels, value)) = sample(line) else {
            self.bad += 1;
            return;
        };
        self.read += 1;
        if !wanted.contains(name) {
            return;
        }
        if self.kept >= MOST_SERIES {
            self.bad += 1;
            return;
        }
        let series = self.series.entry(name.to_owned()).or_default();
        if series.contains_key(&labels) {
            self.bad += 1;
        } else {
            series.insert(labels, value);
            self.kept += 1;
        }
    }
}

/// Whether a character may stand in the name of a metric (colons too) or, without colons, of a label.
pub(super) fn is_name_part(c: char, is_first: bool) -> bool {
    c.is_ascii_alphabetic() || c == '_' || c == ':' || (!is_first && c.is_ascii_digit())
}

/// Splits a name off the front; `None` when there is none.
pub(super) fn name(text: &str) -> Option<(&str, &str)> {
    let end =
        text.char_indices().find(|(at, c)| !is_name_part(*c, *at == 0)).map_or(text.len(), |(at, _)| at);
    (end > 0).then(|| text.split_at(end))
}

/// Splits a quoted value off the front, with `\\`, `\"` and `\n` resolved; `None` when it does not end.
pub(super) fn quoted(text: &str) -> Option<(String, &str)> {
    let rest = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut characters = rest.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, &rest[at + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other @ ('"' | '\\') => value.push(other),
                // The format knows no other escape; readers keep them as they are.
                other => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
    None
}

/// `name{label="value"} value timestamp # {exemplar} …`
fn sample(line: &str) -> Option<(&str, Labels, f64)> {
    let (name, rest) = name(line)?;
    let rest = blanks(rest);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => labels(inside)?,
        None if rest.len() == line.len() - name.len() => return None,
        None => (Labels::new(), rest),
    };
    // What follows a `#` is an exemplar: a sample of a sample.
    let mut words = rest.split('#').next()?.split_ascii_whitespace();
    let value: f64 = words.next()?.parse().ok()?;
    if let Some(timestamp) = words.next() {
        timestamp.parse::<f64>().ok()?;
    }
    words.next().is_none().then_some((name, labels, value))
}

/// Labels up to and with their closing brace.
fn labels(text: &str) -> Option<(Labels, &str)> {
    let mut labels = Labels::new();
    let mut rest = blanks(text);
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (label, after) = name(rest)?;
        let (value, after) = quoted(blanks(blanks(after).strip_prefix('=')?))?;
        if label.contains(':') || labels.insert(label.to_owned(), value).is_some() {
            return None;
        }
        rest = blanks(after);
        match rest.strip_prefix(',') {
            Some(after) => rest = blanks(after),
            None if rest.starts_with('}') => {}
            None => return None,
        }
    }
}

fn blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::{Labels, Page};
    use proptest::prelude::{any, prop, proptest};
    use std::collections::BTreeSet;

    fn page(text: &str, names: &[&str]) -> Page {
        Page::read(text, &names.iter().copied().collect::<BTreeSet<_>>())
    }

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn values_labels_and_timestamps_are_read_in_every_spelling() {
        let text = "job:hits:rate 5\n\
                    hits{} 1\n\
                    hits { a = \"1\" , } 2 1700000000000\n\
                    hits{path=\"/a,b}\",q=\"say \\\"hi\\\"\\n\\\\\"}\t3.5e1\n\
                    \r\n\
                    hits{a=\"#\"} 4 1700000000.25 # {trace_id=\"x y\"} 0.67 1700000000.1\n\
                    odd NaN\nodd{a=\"+\"} +Inf\nodd{a=\"-\"} -Inf\n# EOF\n";
        let page = page(text, &["job:hits:rate", "hits", "odd"]);
        assert_eq!((page.bad_lines(), page.samples()), (0, 8));
        let hits = page.series("hits").unwrap();
        assert_eq!(hits[&labels(&[])], 1.0);
        assert_eq!(hits[&labels(&[("a", "1")])], 2.0);
        assert_eq!(hits[&labels(&[("path", "/a,b}"), ("q", "say \"hi\"\n\\")])], 35.0);
        assert_eq!(hits[&labels(&[("a", "#")])], 4.0);
        assert_eq!(page.series("job:hits:rate").unwrap()[&labels(&[])], 5.0);
        let odd = page.series("odd").unwrap();
        assert!(odd[&labels(&[])].is_nan() && odd[&labels(&[("a", "-")])] == f64::NEG_INFINITY);
    }

    #[test]
    fn lines_that_are_broken_are_counted_and_never_misread() {
        let bad = [
            "hits",
            "hits ",
            "hits five",
            "hits{a=\"1\" 5",
            "hits{a=\"1} 5",
            "hits{a=1} 5",
            "hits{a=\"1\"b=\"2\"} 5",
            "hits{a=\"1\",a=\"2\"} 5",
            "hits{a:b=\"1\"} 5",
            "hits{\"hits\"} 5",
            "hits 5 6 7",
            "hits 5 noon",
            "5 hits",
            "hits5.0",
            "<html>",
            "hits{a=\"\\",
            "日 5",
        ];
        for line in bad {
            let page = page(line, &["hits"]);
            assert_eq!((page.bad_lines(), page.samples()), (1, 0), "{line}");
        }
        let twice = page("hits{a=\"1\",b=\"2\"} 5\nhits{b=\"2\",a=\"1\"} 6", &["hits"]);
        assert_eq!(twice.bad_lines(), 1);
        assert_eq!(twice.series("hits").unwrap().values().sum::<f64>(), 5.0);
    }

    #[test]
    fn counters_are_known_by_type_then_by_name() {
        let text = "# TYPE hits counter\n# TYPE jvm_thread_count gauge\n# TYPE old counter\n\
                    # TYPE took summary\n# TYPE size histogram\n# TYPE free_total untyped\n# HELP x TYPE y\n# TYPE\n";
        let page = page(text, &[]);
        assert_eq!(page.bad_lines(), 1);
        for counter in
            ["hits_total", "old", "took_count", "took_sum", "size_bucket", "free_total", "other_sum"]
        {
            assert!(page.is_counter(counter), "{counter}");
        }
        for level in ["jvm_thread_count", "took", "hits_created", "memory_bytes"] {
            assert!(!page.is_counter(level), "{level}");
        }
        assert!(page.declares("hits_total") && !page.declares("misses_total"));
    }

    #[test]
    fn series_that_nobody_wants_are_not_kept_and_too_many_are_counted() {
        let text: String =
            (0..60_000).map(|n| format!("hits{{n=\"{n}\"}} 1\nother{{n=\"{n}\"}} 1\n")).collect();
        let page = page(&text, &["hits"]);
        assert_eq!(page.series("hits").unwrap().len(), 50_000);
        assert_eq!((page.bad_lines(), page.series("other")), (10_000, None));
    }

    proptest! {
        #[test]
        fn no_page_makes_the_reader_panic(text in "(?s).{0,200}", cut in any::<prop::sample::Index>()) {
            let good = "hits{a=\"é\\\"\",b=\"}\"} 1 2 # {x=\"y\"} 3\n";
            let at = (0..=cut.index(good.len())).rev().find(|at| good.is_char_boundary(*at)).unwrap();
            let _ = page(&format!("{}{text}", &good[..at]), &["hits"]);
        }

        #[test]
        fn any_label_value_comes_back(value in "(?s).{0,40}") {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            // A carriage return and the like would end the line for `lines`; the format forbids none but the line feed.
            proptest::prop_assume!(!value.contains('\r'));
            let page = page(&format!("hits{{v=\"{escaped}\"}} 1"), &["hits"]);
            proptest::prop_assert_eq!(page.series("hits").unwrap().keys().next().unwrap(), &labels(&[("v", &value)]));
        }
    }
}
