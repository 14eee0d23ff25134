//! What a source is given, how its tool is recognised, and what can be wrong with it.

use std::{fmt, io::Read};

use flate2::read::MultiGzDecoder;
use serde::de::DeserializeOwned;

use super::{
    artillery::Artillery, autocannon::Autocannon, bencher::Bencher, criterion::Criterion, data_js::DataJs,
    divan::Divan, go::Go, google_benchmark::GoogleBenchmark, gungraun::Gungraun, hdrhistogram::HdrHistogram,
    hyperfine::Hyperfine, jmh::Jmh, k6::K6, libtest::Libtest, locust::Locust, oha::Oha, pairing::SourceRun,
    pytest_benchmark::PytestBenchmark, vegeta::Vegeta, wrk::Wrk,
};
use crate::hint::Hint;

/// The largest file of another tool that is read.
pub const MAX_FILE_BYTES: usize = 64 << 20;
/// The largest file of a tool that writes a line a request, unpacked.
pub const MAX_LINES_BYTES: usize = 512 << 20;
/// The most files of one directory.
pub const MAX_FILES: usize = 200_000;
/// The most benchmarks of one input.
pub const MAX_BENCHMARKS: usize = 100_000;
/// The most readings (samples or processes) of one benchmark in one input.
pub const MAX_READINGS: usize = 1_000_000;

/// One argument of `compare`: a file, or the wanted files of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Input {
    /// As the user gave it; names the input in messages and labels.
    pub name: String,
    /// Its files in any order: a single file, or those of a directory for which [`wants`] holds.
    pub files: Vec<InputFile>,
    /// For criterion, the baseline to read (`DIR:NAME`); `new` when `None`.
    pub baseline: Option<String>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InputFile {
    /// Its path below the input with `/` between the parts, or its name where it is the input.
    pub path: String,
    /// What it holds, at most what its tool's source allows ([`Source::limit`]).
    pub bytes: Vec<u8>,
}

impl Input {
    /// The file of a tool that writes one.
    pub(super) fn only_file(&self) -> Result<&InputFile, Error> {
        match self.files.as_slice() {
            [file] => Ok(file),
            files => Err(Error::malformed(
                &self.name,
                None,
                format!("{} files where one is expected", files.len()),
            )),
        }
    }
}

/// Whether a file below a directory that was given as input is worth reading, by its name.
#[must_use]
pub fn wants(path: &str) -> bool {
    matches!(path.rsplit(['/', '\\']).next(), Some("benchmark.json" | "sample.json" | "summary.json"))
}

/// Splits `DIR:NAME` into the directory and the criterion baseline in it. A drive letter is no directory.
#[must_use]
pub fn split_baseline(argument: &str) -> (&str, Option<&str>) {
    match argument.rsplit_once(':') {
        Some((folder, name)) if folder.len() > 1 && !name.is_empty() && !name.contains(['/', '\\']) => {
            (folder, Some(name))
        }
        _ => (argument, None),
    }
}

/// A tool whose output is understood.
pub trait Source: Sync {
    /// The tool's name as people write it.
    fn name(&self) -> &'static str;

    /// Whether the input looks like this tool's output. Looks at names and the first bytes only.
    fn detect(&self, input: &Input) -> bool;

    /// The largest file that it reads, bytes.
    fn limit(&self) -> usize {
        MAX_FILE_BYTES
    }

    /// Reads the input.
    ///
    /// # Errors
    /// When it is not what the tool writes, is of a version that is not known, or breaks a bound of this module.
    fn parse(&self, input: &Input) -> Result<SourceRun, Error>;
}

/// Every source, in the order in which they are asked.
pub const SOURCES: [&dyn Source; 19] = [
    &Criterion,
    &Gungraun,
    &Hyperfine,
    &DataJs,
    &PytestBenchmark,
    &GoogleBenchmark,
    &Jmh,
    &Libtest,
    &Go,
    &Divan,
    &K6,
    &Oha,
    &Vegeta,
    &Autocannon,
    &Artillery,
    &Locust,
    &Wrk,
    &HdrHistogram,
    &Bencher,
];

/// Finds the tool that wrote an input and reads it.
///
/// # Errors
/// When no tool is recognised or the tool's source refuses it.
pub fn parse(input: &Input) -> Result<SourceRun, Error> {
    parse_from(input, None)
}

/// Reads an input as the output of the tool named `from`, whatever it looks like; without one, finds the tool.
///
/// # Errors
/// When no tool is recognised or of that name, or the tool's source refuses the input.
pub fn parse_from(input: &Input, from: Option<&str>) -> Result<SourceRun, Error> {
    if input.files.len() > MAX_FILES {
        return Err(Error::malformed(&input.name, None, format!("more than {MAX_FILES} files")));
    }
    if let Some(unpacked) = unpacked(input)? {
        return parse_from(&unpacked, from);
    }
    let unrecognised = || Error::Unrecognised { input: input.name.clone() };
    let wanted = |source: &&dyn Source| match from {
        Some(name) => source.name() == name,
        None => source.detect(input),
    };
    let source = SOURCES.into_iter().find(wanted);
    if source.is_none() && matches!(input.files.as_slice(), [file] if file.bytes.trim_ascii().is_empty()) {
        return Err(Error::malformed(&input.name, None, "the file is empty"));
    }
    let source = source.ok_or_else(unrecognised)?;
    if let Some(large) = input.files.iter().find(|file| file.bytes.len() > source.limit()) {
        return Err(Error::TooLarge { file: large.path.clone(), limit: source.limit() });
    }
    let run = source.parse(input)?;
    if run.measurements.is_empty() {
        return Err(Error::Empty { input: input.name.clone(), tool: source.name() });
    }
    Ok(run)
}

/// The input with its file unpacked, if that is compressed by gzip.
fn unpacked(input: &Input) -> Result<Option<Input>, Error> {
    let [file] = input.files.as_slice() else { return Ok(None) };
    if !file.bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let limit = MAX_LINES_BYTES as u64 + 1;
    let read = MultiGzDecoder::new(&*file.bytes).take(limit).read_to_end(&mut bytes);
    read.map_err(|_| Error::malformed(&file.path, None, "the file is packed by gzip and broken or cut off"))?;
    if bytes.len() > MAX_LINES_BYTES || bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(Error::TooLarge { file: file.path.clone(), limit: MAX_LINES_BYTES });
    }
    let file = InputFile { path: file.path.clone(), bytes };
    Ok(Some(Input { files: vec![file], ..input.clone() }))
}

/// Why an output of another tool cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// No tool writes such a file.
    Unrecognised {
        /// The input.
        input: String,
    },
    /// The tool is known, but there is no benchmark in it.
    Empty {
        /// The input.
        input: String,
        /// The tool.
        tool: &'static str,
    },
    /// A file has more bytes than are read.
    TooLarge {
        /// The file.
        file: String,
        /// The bound, bytes.
        limit: usize,
    },
    /// The file is of a version that is not known.
    Version {
        /// The file.
        file: String,
        /// Its version.
        found: String,
        /// The versions that are read.
        reads: &'static str,
    },
    /// The file is broken or not what the tool writes.
    Malformed {
        /// The file.
        file: String,
        /// Where, from 1, where that is known.
        line: Option<u64>,
        /// What is wrong.
        problem: String,
    },
    /// The file could not be read to its end.
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        problem: String,
    },
}

impl Error {
    pub(super) fn malformed(file: &str, line: Option<u64>, problem: impl Into<String>) -> Self {
        Self::Malformed { file: file.to_owned(), line, problem: problem.into() }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unrecognised { input } => {
                write!(f, "`{}` is no output of a tool that is known", shown(input))
            }
            Self::Empty { input, tool } => write!(f, "`{}` holds no benchmark of {tool}", shown(input)),
            Self::TooLarge { file, limit } => {
                write!(f, "`{}` is larger than {} MiB", shown(file), limit >> 20)
            }
            Self::Version { file, found, reads } => write!(
                f,
                "`{}` has version `{}` of its format; this tollgate reads {reads}",
                shown(file),
                shown(found)
            ),
            Self::Malformed { file, line: Some(line), problem } => {
                write!(f, "`{}`, line {line}: {}", shown(file), shown(problem))
            }
            Self::Malformed { file, line: None, problem } => {
                write!(f, "`{}`: {}", shown(file), shown(problem))
            }
            Self::Unreadable { file, problem } => {
                write!(f, "`{}` could not be read: {}", shown(file), shown(problem))
            }
        }
    }
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Unrecognised { .. } => {
                "known are run files, criterion's directory, hyperfine's `--export-json`, the output of `cargo bench`, \
                 divan's table, gungraun's `summary.json`, Go's benchmarks, JSON of pytest-benchmark, Google Benchmark, JMH and \
                 Bencher, `data.js` of github-action-benchmark, and of load tools k6, oha, vegeta, autocannon, Artillery, Locust, wrk and \
                 HdrHistogram logs (`--from TOOL` names one); for anything else, `compare --slots FILE.csv`"
            }
            Self::Empty { tool: "criterion", .. } => {
                "give the directory that holds the benchmarks (`target/criterion`), or name a baseline as `DIR:NAME`"
            }
            Self::Version { .. } => "update tollgate, or give the values as `compare --slots FILE.csv`",
            Self::TooLarge { .. } => "split the file",
            _ => return None,
        };
        Some(text.to_owned())
    }
}

/// Reads a JSON document and names file and line where it cannot.
pub(super) fn json<T: DeserializeOwned>(file: &InputFile) -> Result<T, Error> {
    check_numbers(file)?;
    let bytes = file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.bytes);
    serde_json::from_slice(bytes).map_err(|error| {
        let text = error.to_string();
        let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
        Error::malformed(&file.path, Some(error.line() as u64), problem)
    })
}

/// Refuses numbers of thousands of digits: reading them exactly takes time by the square of their count.
pub(super) fn check_numbers(file: &InputFile) -> Result<(), Error> {
    const MOST_DIGITS: usize = 400;
    let (mut line, mut digits, mut in_string, mut escaped) = (1, 0, false, false);
    for byte in &file.bytes {
        line += u64::from(*byte == b'\n');
        digits = if !in_string && matches!(byte, b'0'..=b'9' | b'.') { digits + 1 } else { 0 };
        if digits > MOST_DIGITS {
            let problem = format!("a number of more than {MOST_DIGITS} digits");
            return Err(Error::malformed(&file.path, Some(line), problem));
        }
        // Text between JSON documents may hold a lone quote: a string ends with its line.
        in_string = *byte != b'\n' && (in_string != (*byte == b'"' && !escaped));
        escaped = in_string && *byte == b'\\' && !escaped;
    }
    Ok(())
}

/// The first bytes of a file, where its tool shows.
pub(super) fn beginning(file: &InputFile) -> &[u8] {
    const LOOKED_AT: usize = 256 << 10;
    file.bytes.get(..LOOKED_AT).unwrap_or(&file.bytes)
}

/// Whether the bytes hold a text.
pub(super) fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// A text for a message: nothing that steers a terminal, and not without end.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 200;
    let mut escaped = String::new();
    for character in text.chars().take(MOST) {
        match character {
            '"' | '\'' | '\\' => escaped.push(character),
            other => escaped.extend(other.escape_debug()),
        }
    }
    if text.chars().nth(MOST).is_some() { escaped + "…" } else { escaped }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{Error, Input, InputFile, parse, parse_from, split_baseline, wants};

    fn file(bytes: &[u8]) -> Input {
        let file = InputFile { path: "a.txt".into(), bytes: bytes.to_vec() };
        Input { name: "a.txt".into(), files: vec![file], baseline: None }
    }

    #[test]
    fn what_nobody_wrote_is_refused_by_name() {
        for bytes in [&b"{}"[..], b"[]", b"hello\n", b"\0\xff", b"{\"results\": []}"] {
            let error = parse(&file(bytes)).unwrap_err();
            assert!(matches!(error, Error::Unrecognised { .. }), "{error}");
            assert_eq!(error.to_string(), "`a.txt` is no output of a tool that is known");
        }
    }

    #[test]
    fn an_empty_file_is_said_to_be_empty() {
        assert_eq!(parse(&file(b" \n")).unwrap_err().to_string(), "`a.txt`: the file is empty");
    }

    #[test]
    fn the_tool_can_be_named() {
        let bench = file(b"test a ... bench: 5 ns/iter (+/- 0)\n");
        assert_eq!(parse_from(&bench, Some("libtest")).unwrap().tool, "libtest");
        assert!(matches!(parse_from(&bench, Some("k6")), Err(Error::Malformed { .. })));
        assert!(matches!(parse_from(&bench, Some("jmeter")), Err(Error::Unrecognised { .. })));
    }

    #[test]
    fn a_packed_file_is_unpacked_within_a_bound() {
        let pack = |bytes: &[u8]| {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(bytes).unwrap();
            packer.finish().unwrap()
        };
        let once = pack(b"test a ... bench: 5 ns/iter (+/- 0)\n");
        assert_eq!(parse(&file(&once)).unwrap().tool, "libtest");
        assert!(matches!(parse(&file(&pack(&once))), Err(Error::TooLarge { .. })));
        let cut = parse(&file(&once[..once.len() / 2])).unwrap_err().to_string();
        assert_eq!(cut, "`a.txt`: the file is packed by gzip and broken or cut off");
    }

    #[test]
    fn a_baseline_stands_behind_the_last_colon() {
        assert_eq!(split_baseline("target/criterion"), ("target/criterion", None));
        assert_eq!(split_baseline("target/criterion:main"), ("target/criterion", Some("main")));
        assert_eq!(split_baseline("a:b:main"), ("a:b", Some("main")));
        assert_eq!(split_baseline(r"C:\target"), (r"C:\target", None));
        assert_eq!(split_baseline("C:target"), ("C:target", None));
        assert_eq!(split_baseline("a:"), ("a:", None));
    }

    #[test]
    fn only_files_with_measurements_are_wanted() {
        assert!(wants("num/sieve/new/sample.json") && wants("a/benchmark.json") && wants("summary.json"));
        assert!(wants(r"num\new\sample.json"));
        assert!(!wants("num/new/estimates.json") && !wants("report/index.html") && !wants("sample.json.bak"));
    }

    #[test]
    fn a_number_without_end_is_refused_but_digits_in_strings_are_text() {
        let digits = "7".repeat(1000);
        let text = format!("it's \"\n{{\"a\": \"\\\"{digits}\",\n\"b\": {digits}}}");
        let file = InputFile { path: "a".into(), bytes: text.into() };
        let error = super::check_numbers(&file).unwrap_err().to_string();
        assert_eq!(error, "`a`, line 3: a number of more than 400 digits");
    }

    #[test]
    fn messages_cannot_steer_a_terminal() {
        let error = Error::malformed("a\u{1b}[2J\n.csv", Some(3), "`\u{202e}`");
        assert_eq!(error.to_string(), r"`a\u{1b}[2J\n.csv`, line 3: `\u{202e}`");
    }
}
