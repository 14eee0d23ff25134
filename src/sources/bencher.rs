//! Bencher Metric Format: `{"benchmark": {"measure": {"value": 1.0}}}`.
//!
//! The format tells neither units nor directions: they are the server's. So only measures that Bencher itself defines are read,
//! in the units that it defines; any other is refused by name. `lower_value` and `upper_value` are not read: nothing says what
//! they bound. A benchmark may be called by its UUID on the server, which is taken as a name.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use super::{
    input::{Error, Input, Source, beginning, json},
    pairing::SourceRun,
    readings::{At, Readings, operations},
};
use crate::model::{
    metric::{Direction, Metric, Nature},
    run::Warning,
};

/// Bencher's files.
#[derive(Debug, Clone, Copy)]
pub struct Bencher;

/// The benchmarks in the file's order, each as often as it is there: a map would hide one that is there twice.
struct Document(Vec<(String, Measures)>);

struct Measures(Vec<(String, Value)>);

#[derive(Deserialize)]
struct Value {
    value: f64,
}

impl Source for Bencher {
    fn name(&self) -> &'static str {
        "bencher"
    }

    fn detect(&self, input: &Input) -> bool {
        let [file] = input.files.as_slice() else { return false };
        begins_as_metrics(beginning(file))
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let file = input.only_file()?;
        let document: Document = json(file)?;
        let mut readings = Readings::of(file);
        for (name, Measures(measures)) in document.0 {
            let line = At::Text(&name);
            let benchmark = readings.benchmark(line, "bencher", &name)?;
            for (measure, Value { value }) in measures {
                let known = metric(&measure);
                let Some((metric, factor)) = known else {
                    let problem = format!("measure `{measure}` has no unit that is known");
                    return Err(readings.malformed(At::Text(&measure), problem));
                };
                readings.add(line, benchmark.clone(), metric, &[vec![value * factor]])?;
            }
        }
        let mut run = SourceRun::foreign(self.name(), &input.name, readings.done());
        run.warnings = vec![Warning::new(
            "bencher_format",
            "Bencher's format has one value a benchmark and tells neither unit, commit, machine nor samples: its own measures are \
             read in its own units",
        )];
        Ok(run)
    }
}

/// The measures that Bencher defines, by name or slug, and what turns their unit into ours.
fn metric(measure: &str) -> Option<(Metric, f64)> {
    let slug = measure.trim().to_ascii_lowercase().replace([' ', '_'], "-");
    let count = |name: &str, unit: &str| Some((Metric::count(name, unit), 1.0));
    match slug.as_str() {
        "latency" => Some((Metric::time(), 1.0)),
        "throughput" => Some((operations(), 1.0)),
        "build-time" => {
            let (direction, nature) = (Direction::Lower, Nature::Noisy);
            Some((Metric { name: "build_time".into(), unit: "ns".into(), direction, nature }, 1e9))
        }
        "file-size" => count("file_size", "bytes"),
        "instructions" => count("instructions", "instructions"),
        "total-bytes" => count("allocated", "bytes"),
        "total-blocks" => count("allocations", "allocations"),
        "max-bytes" | "final-bytes" => count(&slug.replace('-', "_"), "bytes"),
        "max-blocks" | "final-blocks" => count(&slug.replace('-', "_"), "blocks"),
        _ => None,
    }
}

/// Whether a text begins `{"…": {"…": {"value"`, as no other tool's does.
fn begins_as_metrics(bytes: &[u8]) -> bool {
    let mut rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for key in 0..3 {
        let Some(inside) = rest.trim_ascii_start().strip_prefix(b"{") else { return false };
        let Some(quoted) = inside.trim_ascii_start().strip_prefix(b"\"") else { return false };
        let mut escaped = false;
        let end = quoted.iter().position(|byte| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        });
        let Some(end) = end else { return false };
        let (name, after) = quoted.split_at(end);
        let Some(value) = after.get(1..).and_then(|after| after.trim_ascii_start().strip_prefix(b":")) else {
            return false;
        };
        if key == 2 {
            return matches!(name, b"value" | b"lower_value" | b"upper_value");
        }
        rest = value;
    }
    false
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries("benchmarks by name", PhantomData)).map(Self)
    }
}

impl<'de> Deserialize<'de> for Measures {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries("measures by name", PhantomData)).map(Self)
    }
}

/// All entries of a map; the text says what it should be.
struct Entries<T>(&'static str, PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
    type Value = Vec<(String, T)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::{Bencher, begins_as_metrics};
    use crate::sources::{
        input::{Error, Input, InputFile, Source},
        pairing::SourceRun,
    };

    fn read(text: &str) -> Result<SourceRun, Error> {
        let files = vec![InputFile { path: "b.json".into(), bytes: text.into() }];
        Bencher.parse(&Input { name: "b.json".into(), files, baseline: None })
    }

    #[test]
    fn measures_of_bencher_itself_are_read_whatever_their_bounds() {
        let run = read(
            r#"{"a": {"latency": {"value": 5, "lower_value": 9, "upper_value": 1}, "Total Bytes": {"value": 0}},
                "31aba8a9-977a-47d1-9fb6-e6b94b428471": {"throughput": {"value": 7}}}"#,
        )
        .unwrap();
        let shown: Vec<_> = run
            .measurements
            .iter()
            .map(|m| (m.metric.name.as_str(), m.metric.direction.as_str(), m.processes[0][0].total))
            .collect();
        assert_eq!(
            shown,
            [("time", "lower", 5.0), ("allocated", "lower", 0.0), ("throughput", "higher", 7.0)]
        );
    }

    #[test]
    fn what_has_no_unit_or_is_there_twice_is_refused_by_line() {
        let error = |text: &str| read(text).unwrap_err().to_string();
        assert_eq!(
            error("{\"a\":\n {\"beauty\": {\"value\": 1}}}"),
            "`b.json`, line 2: measure `beauty` has no unit that is known"
        );
        let one = "\"a\": {\"latency\": {\"value\": 1}}";
        assert!(error(&format!("{{{one}, {one}}}")).contains("`a` is there twice"));
        assert!(error("{\"a\": {\"latency\": {\"value\": -1}}}").contains("no value"));
        assert!(error("{\"a\": {\"latency\": {}}}").contains("missing field"));
    }

    #[test]
    fn it_is_known_by_its_first_three_keys() {
        assert!(begins_as_metrics(b" {\n\"a\\\"b\" : {\"c\": {\"value\": 1"));
        for other in ["", "{", "[]", "{\"a\": 1}", "{\"a\": {\"b\": {\"c\": 1}}}", "{\"a\": {\"b\": {\"value"]
        {
            assert!(!begins_as_metrics(other.as_bytes()), "{other}");
        }
    }
}
