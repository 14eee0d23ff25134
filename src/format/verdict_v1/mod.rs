//! `tollgate.verdict/1`: judged rows, with enough beside them to show the verdict in any format and to judge it again.
//!
//! The keys up to `duration_seconds` (and up to `reason` in a row) are the contract that scripts rely on. `outcomes`,
//! `warning_codes`, `policy` and `evidence`, and in a row `nature`, `benchmark`, `blind` and `slots`, were added to it;
//! a reader does without them. `load`, `targets` and `score` are there where there was load, `levels` where there were
//! several, `advice` where something was seen.
//!
//! `evidence` is the run without its samples. A measurement there points to its row for the values of its slots, so each
//! value stands in the file once, and a verdict whose slots were edited is judged by what it shows.

mod assessment;
mod document;
mod load;
mod reader;
mod writer;

pub(super) use document::Document;
pub use reader::from_json;
pub use writer::to_json;

#[cfg(test)]
mod tests {
    use super::{from_json, to_json};
    use crate::format::{Error, example};
    use crate::model::{
        load::Advice,
        outcome::Outcome,
        verdict::{Change, CheckVerdict, SlotValue, reduced},
    };

    fn text() -> String {
        String::from_utf8(to_json(&example::verdict())).unwrap()
    }

    fn edited(from: &str, to: &str) -> Error {
        assert!(text().contains(from), "{from}");
        from_json(text().replacen(from, to, 1).as_bytes()).unwrap_err()
    }

    #[test]
    fn a_verdict_comes_back_bit_by_bit_with_its_evidence() {
        let verdict = example::verdict();
        let read = from_json(&to_json(&verdict)).unwrap();
        assert_eq!(read, verdict);
        assert_eq!(to_json(&read), to_json(&verdict));
    }

    #[test]
    fn the_keys_of_the_contract_are_there_in_order() {
        let value: serde_json::Value = serde_json::from_str(&text()).unwrap();
        assert_eq!(value["tool"], serde_json::json!({"name": "tollgate", "version": "0.1.0"}));
        assert_eq!(value["outcome"], "regressed");
        assert_eq!(value["exit_code"], 1);
        assert_eq!(value["head"]["rev"], serde_json::Value::Null);
        assert_eq!(value["census"]["missing"], serde_json::json!(["num/gone"]));
        assert_eq!(value["warnings"], serde_json::json!(["`Cargo.lock` differs between base and head"]));
        let keys = |text: &str| -> Vec<String> {
            let key = |line: &str| line.split('"').nth(1).map(str::to_owned);
            text.lines().filter_map(key).collect()
        };
        let text = text();
        let top: String = text.lines().filter(|l| l.starts_with("  \"")).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(keys(&top).join(" "), @"schema tool outcome exit_code mode seed base head environment families census benchmarks warnings duration_seconds warning_codes outcomes policy evidence");
        let row = text.split("\"id\": \"num/sieve\"").nth(1).unwrap();
        let row: Vec<&str> = row.lines().filter(|l| l.starts_with("      \"")).collect();
        insta::assert_snapshot!(keys(&row.join("\n")[..]).into_iter().take(20).collect::<Vec<_>>().join(" "), @"target metric unit direction verdict rounds base head change margin p_value q_value minimum_detectable scatter reason nature benchmark blind slots id");
    }

    #[test]
    fn a_measurement_points_to_its_row_so_that_each_value_is_written_once() {
        let text = text();
        let first = example::verdict().judgements[5].slots[0][0].fast;
        assert_eq!(text.matches(&format!("\"fast\": {first}")).count(), 1);
        assert!(text.contains("\"row\": 5"));
    }

    #[test]
    fn evidence_that_no_row_shows_is_written_beside_it() {
        let mut verdict = example::verdict();
        verdict.judgements[5].slots.pop();
        verdict.judgements.remove(7);
        assert_eq!(from_json(&to_json(&verdict)).unwrap(), verdict);
    }

    #[test]
    fn evidence_is_reduced_when_it_is_written() {
        let mut verdict = example::verdict();
        verdict.evidence = Some(example::run());
        let read = from_json(&to_json(&verdict)).unwrap();
        assert_eq!(read.evidence, Some(reduced(&example::run())));
        assert_eq!(reduced(&reduced(&example::run())), reduced(&example::run()));
    }

    #[test]
    fn numbers_that_do_not_exist_are_null() {
        let mut verdict = example::verdict();
        let row = &mut verdict.judgements[0];
        row.base = Some(f64::NAN);
        row.change =
            Some(Change { estimate: 0.1, lower: Some(f64::NEG_INFINITY), upper: None, confidence: 0.95 });
        row.p_value = Some(f64::INFINITY);
        let text = String::from_utf8(to_json(&verdict)).unwrap();
        assert!(!text.contains("NaN") && !text.contains("inf"));
        let row = &from_json(text.as_bytes()).unwrap().judgements[0];
        assert_eq!((row.base, row.p_value), (None, None));
        assert_eq!(row.change.unwrap().lower, None);
    }

    #[test]
    fn a_verdict_with_the_keys_of_the_contract_alone_is_read() {
        let mut value: serde_json::Value = serde_json::from_str(&text()).unwrap();
        for key in ["warning_codes", "outcomes", "policy", "evidence"] {
            value.as_object_mut().unwrap().remove(key);
        }
        for row in value["benchmarks"].as_array_mut().unwrap() {
            for key in ["nature", "benchmark", "blind", "slots"] {
                row.as_object_mut().unwrap().remove(key);
            }
        }
        let read = from_json(value.to_string().as_bytes()).unwrap();
        assert_eq!(read.evidence, None);
        assert_eq!(read.outcomes, [(Outcome::Regressed, String::new())]);
        assert_eq!(read.judgements.len(), example::verdict().judgements.len());
        assert_eq!(read.judgements[0].slots, Vec::<Vec<SlotValue>>::new());
    }

    #[test]
    fn load_targets_and_score_come_back_bit_by_bit() {
        let mut verdict = example::load_verdict();
        verdict.levels = vec![verdict.load[1].clone(), verdict.load[1].clone()];
        verdict.advice =
            vec![Advice { code: "cpu_limit".into(), scenario: "checkout".into(), text: "it is busy".into() }];
        let bytes = to_json(&verdict);
        let read = from_json(&bytes).unwrap();
        assert_eq!(read, verdict);
        assert_eq!(to_json(&read), bytes);
    }

    #[test]
    fn load_has_the_keys_of_the_contract() {
        let value: serde_json::Value = serde_json::from_slice(&to_json(&example::load_verdict())).unwrap();
        let load = &value["load"][1];
        assert_eq!((&load["id"], &load["side"]), (&"load:checkout".into(), &"head".into()));
        assert_eq!((&load["seconds"], &load["rate"]), (&8.0.into(), &200.0.into()));
        let requests = &load["requests"];
        assert_eq!((&requests["scheduled"], &requests["completed"]), (&1_600.into(), &1_560.into()));
        assert_eq!((&requests["errors"], &requests["unfinished"]), (&30.into(), &10.into()));
        assert_eq!(
            (&requests["error_kinds"]["timeout"], &requests["error_kinds"]["dns"]),
            (&12.into(), &0.into())
        );
        for key in ["latency_ns", "service_time_ns", "send_lag_ns"] {
            for quantile in ["p50", "p90", "p95", "p99", "p99.9", "max"] {
                assert!(load[key][quantile].is_f64(), "{key} {quantile}");
            }
        }
        assert_eq!(load["lower_bounds"], serde_json::json!({"latency_ns": ["p99.9", "max"]}));
        let tier = &value["targets"][1];
        assert_eq!((&tier["tier"], &tier["parts"][0]["name"]), (&"production".into(), &"latency.p95".into()));
        assert!(tier["met"].is_boolean() && tier["parts"][0]["measured"].is_f64());
        let score = &value["score"];
        assert_eq!((&score["of"], &score["parts"][0]["name"]), (&10.into(), &"latency.p95".into()));
        assert!(score["points"].is_f64() && score["grade"].is_string() && score["coverage"].is_f64());
        assert!(score["parts"][0]["points"].is_f64() && score["parts"][0]["measured"].is_boolean());
    }

    #[test]
    fn load_that_contradicts_itself_is_refused() {
        let text = String::from_utf8(to_json(&example::load_verdict())).unwrap();
        let edited = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            from_json(text.replacen(from, to, 1).as_bytes()).unwrap_err()
        };
        for (from, to, key, problem) in [
            ("\"scheduled\": 1600", "\"scheduled\": 1601", "load[0].requests.scheduled", "not the sum"),
            (
                "\"completed\": 1560",
                "\"completed\": 18446744073709551615",
                "requests.scheduled",
                "not the sum",
            ),
            ("\"id\": \"load:checkout\"", "\"id\": \"checkout\"", "load[0].id", "not `load:` and a name"),
            ("\"id\": \"load:checkout\"", "\"id\": \"load:\"", "load[0].id", "not `load:` and a name"),
            (
                "\"side\": \"base\",\n      \"seconds\"",
                "\"side\": \"head\",\n      \"seconds\"",
                "load[1]",
                "a second entry",
            ),
            ("\"p90\": ", "\"p90\": 99", "load[0].latency_ns.p50", "nor fall"),
            ("\"seconds\": 8.0", "\"seconds\": -8.0", "load[0].seconds", "-8 is negative"),
            ("\"coverage\": 0.6", "\"coverage\": 6", "score.points", "the coverage between 0 and 1"),
            ("\"points\": 6.83", "\"points\": 68.3", "score.points", "between 0 and 10"),
            ("\"mark\": \"good\"", "\"mark\": null", "score.parts", "all there or none is"),
            ("\"200\": ", "\"2e2\": ", "load[0].requests.statuses", "no status"),
            ("\"slots\": 2", "\"slots\": 0", "load[0].void_slots", "more reasons than slots"),
        ] {
            let error = edited(from, to).to_string();
            assert!(error.contains(key) && error.contains(problem), "{from}: {error}");
        }
        let unknown = edited("\"name\": \"latency.p95\"", "\"name\": \"latency.p42\"").to_string();
        assert!(unknown.contains("unknown variant `latency.p42`"), "{unknown}");
        let verdict =
            CheckVerdict { load: vec![example::load_verdict().load[0].clone(); 2_001], ..example::verdict() };
        assert!(from_json(&to_json(&verdict)).unwrap_err().to_string().contains("more than 2000 entries"));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        insta::assert_snapshot!(edited("\"exit_code\": 1", "\"exit_code\": 0"), @"the document has a bad value at `exit_code`: 0 does not belong to the outcome");
        insta::assert_snapshot!(edited("\"row\": 5", "\"row\": 3"), @"the document has a bad value at `evidence.measurements[5].row`: no row 3, or used twice");
        insta::assert_snapshot!(edited("\"row\": 5", "\"row\": 500"), @"the document has a bad value at `evidence.measurements[5].row`: no row 500, or used twice");
        insta::assert_snapshot!(edited("\"at\": 1", "\"at\": 99"), @"the document has a bad value at `evidence.measurements[0].void_blocks`: place 99 is not free");
        insta::assert_snapshot!(edited("\"fast\": ", "\"fast\": 9"), @"the document has a bad value at `benchmarks[0].slots[0]`: `fast` is 92313.465 and `median` 2322.705: neither negative, `fast` not above `median`");
        insta::assert_snapshot!(edited("\"verdict\": \"improved\"", "\"verdict\": \"better\""), @"the document cannot be read in line 72, column 25: unknown variant `better`, expected one of `regressed`, `improved`, `unchanged`, `inconclusive`, `identical`, `new`, `missing`, `waived`, `failed`");
    }
}
