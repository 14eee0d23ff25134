//! vegeta: `encode --to json` (one request a line), `encode --to csv` (9 columns, 12 since version 12.9), `report -type=json`.
//!
//! Bodies and headers are passed over. Sequence numbers that are missing are told: the file was cut, or the attack was.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;

use super::{
    input::{Error, Input, InputFile, MAX_LINES_BYTES, Source, beginning, check_numbers, holds, json, shown},
    k6::seconds,
    lines::json_lines,
    load_result::{Counts, LoadResult, Loaded, SECOND, Slices, count},
    pairing::SourceRun,
};
use crate::model::run::Warning;

/// vegeta's results and reports.
#[derive(Debug, Clone, Copy)]
pub struct Vegeta;

const UNKNOWN: &str = "vegeta does not tell its `-max-workers`, above which waiting for a worker is left out; the warm-up is in it";

/// More attacks than this are in no file of results.
const MOST_ATTACKS: usize = 1000;

impl Source for Vegeta {
    fn name(&self) -> &'static str {
        "vegeta"
    }

    fn detect(&self, input: &Input) -> bool {
        let [file] = input.files.as_slice() else { return false };
        let start = beginning(file);
        is_lines(start) || is_report(start) || is_csv(start)
    }

    fn limit(&self) -> usize {
        MAX_LINES_BYTES
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let file = input.only_file()?;
        let start = beginning(file);
        let loaded = match (is_lines(start), is_report(start)) {
            (true, _) => lines(file)?,
            (_, true) => report(file)?,
            _ => rows(file)?,
        };
        loaded.run(input)
    }
}

fn is_lines(start: &[u8]) -> bool {
    let first = start.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    ["\"attack\":", "\"seq\":", "\"latency\":", "\"timestamp\":"].iter().all(|key| holds(first, key))
}

fn is_report(start: &[u8]) -> bool {
    holds(start, "\"latencies\"") && holds(start, "\"50th\"")
}

/// There is no header: a moment in nanoseconds, a status and a duration begin each row.
fn is_csv(start: &[u8]) -> bool {
    let first = start.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let fields: Vec<&[u8]> = first.split(|byte| *byte == b',').collect();
    let digits = |at: usize, lengths: std::ops::RangeInclusive<usize>| {
        fields
            .get(at)
            .is_some_and(|field| lengths.contains(&field.len()) && field.iter().all(u8::is_ascii_digit))
    };
    fields.len() >= 9 && digits(0, 18..=19) && digits(1, 1..=3) && digits(2, 1..=19)
}

/// One request.
#[derive(Deserialize)]
struct Hit<'a> {
    #[serde(borrow, default)]
    attack: Cow<'a, str>,
    seq: u64,
    code: u16,
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    latency: u64,
    #[serde(borrow, default)]
    error: Cow<'a, str>,
}

/// What one attack adds up to.
#[derive(Default)]
struct Attack {
    latencies: Counts,
    slices: Slices,
    span: Option<(f64, f64)>,
    errors: u64,
    highest: u64,
}

#[derive(Default)]
struct Attacks(BTreeMap<String, Attack>);

impl Attacks {
    fn add(&mut self, hit: &Hit<'_>, at: f64) -> Result<(), String> {
        if !self.0.contains_key(&*hit.attack) && self.0.len() == MOST_ATTACKS {
            return Err(format!("more than {MOST_ATTACKS} attacks"));
        }
        let attack = match self.0.get_mut(&*hit.attack) {
            Some(attack) => attack,
            None => self.0.entry(hit.attack.clone().into_owned()).or_default(),
        };
        let ns = hit.latency as f64;
        attack.latencies.add(ns, 1);
        attack.slices.add(at, ns, 1);
        let end = at + ns / SECOND;
        attack.span = Some(attack.span.map_or((at, end), |(from, to)| (from.min(at), to.max(end))));
        // As vegeta counts success: an answer of 200 to 399.
        attack.errors += u64::from(!hit.error.is_empty() || !(200..400).contains(&hit.code));
        attack.highest = attack.highest.max(hit.seq);
        Ok(())
    }

    fn loaded<'a>(self, file: &'a InputFile, format: &'static str) -> Loaded<'a> {
        let mut loaded = loaded(file, format);
        for (name, attack) in self.0 {
            let (from, to) = attack.span.unwrap_or_default();
            let mut result = LoadResult::of(&attack.latencies.distribution(None)).over(to - from);
            result.errors = Some(attack.errors as f64);
            result.name = Some(name).filter(|name| !name.is_empty());
            loaded.warnings.extend(missing(file, &attack));
            loaded.warnings.extend(attack.slices.warning(file));
            loaded.results.push(result);
        }
        loaded
    }
}

fn missing(file: &InputFile, attack: &Attack) -> Option<Warning> {
    let expected = attack.highest.saturating_add(1);
    let missing = expected.saturating_sub(attack.latencies.len());
    let message = format!(
        "`{}`: {missing} of {expected} sequence numbers are missing: what became of those requests is not known",
        file.path
    );
    (missing > 0).then(|| Warning::new("cut_off", message))
}

fn loaded<'a>(file: &'a InputFile, format: &'static str) -> Loaded<'a> {
    Loaded {
        tool: "vegeta",
        version: None,
        format,
        file,
        unknown: UNKNOWN,
        warnings: Vec::new(),
        results: Vec::new(),
    }
}

fn lines(file: &InputFile) -> Result<Loaded<'_>, Error> {
    let mut attacks = Attacks::default();
    json_lines(file, |hit: Hit<'_>| attacks.add(&hit, seconds(&hit.timestamp)?))?;
    Ok(attacks.loaded(file, "the JSON lines"))
}

fn rows(file: &InputFile) -> Result<Loaded<'_>, Error> {
    let mut attacks = Attacks::default();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&*file.bytes);
    let mut record = csv::StringRecord::new();
    loop {
        let more = reader.read_record(&mut record);
        let line = record.position().map(csv::Position::line);
        let malformed = |problem: String| Error::malformed(&file.path, line, problem);
        if !more.map_err(|_| malformed("the row is not UTF-8".to_owned()))? {
            return Ok(attacks.loaded(file, "the CSV"));
        }
        if !matches!(record.len(), 9 | 12) {
            return Err(malformed(format!("{} fields where vegeta writes 9 or 12", record.len())));
        }
        let field = |at: usize| record.get(at).unwrap_or_default();
        let number = |at: usize| {
            let text = field(at);
            text.parse::<u64>().map_err(|_| malformed(format!("`{}` is no whole number", shown(text))))
        };
        let hit = Hit {
            attack: field(7).into(),
            seq: number(8)?,
            code: u16::try_from(number(1)?).map_err(|_| malformed("the status is no status".to_owned()))?,
            timestamp: Cow::Borrowed(""),
            latency: number(2)?,
            error: field(5).into(),
        };
        attacks.add(&hit, number(0)? as f64 / SECOND).map_err(malformed)?;
    }
}

/// `report -type=json`. Its quantiles are estimates of a t-digest.
#[derive(Deserialize)]
struct Report {
    latencies: BTreeMap<String, f64>,
    requests: u64,
    #[serde(default)]
    rate: f64,
    success: f64,
}

fn report(file: &InputFile) -> Result<Loaded<'_>, Error> {
    check_numbers(file)?;
    let report: Report = json(file)?;
    let requests = count(Some(report.requests));
    let result = LoadResult {
        latency: ["50th", "90th", "95th", "99th"].map(|name| report.latencies.get(name).copied()),
        requests,
        errors: requests.map(|requests| (requests * (1.0 - report.success)).round()),
        rate: Some(report.rate),
        ..LoadResult::default()
    };
    let mut loaded = loaded(file, "a report");
    loaded.results.push(result);
    Ok(loaded)
}
