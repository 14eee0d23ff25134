//! `compare --slots FILE.csv`: slots measured by anything, one row each, rows in time order.
//!
//! Header `position,block,side,value`, with `benchmark` as an optional first column; without it the file's name is the benchmark.
//! Columns are found by name. `side` is `A` or `base`, `B` or `head`, in any case. `value` is a time in nanoseconds,
//! positive and finite. `block` is any text; blocks are per benchmark and of any composition, and a row belongs to the
//! block that it names wherever it stands. `position` is a number for the reader of the file; the order is that of the rows. No two
//! rows of a block have the same one: a row that stands there twice would count twice.
//!
//! Byte order mark, CRLF, quotes, blank lines and spaces around fields are accepted; a field does not span lines. The file
//! is read once, line by line.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::{
    input::{Error, MAX_BENCHMARKS, shown},
    pairing::{one_look, unknown_environment},
};
use crate::model::{
    benchmark::{Benchmark, BenchmarkId},
    metric::Metric,
    revision::Revision,
    run::{Block, Fate, Measurement, Run, Sample, Side, Slot, SlotMethod, Warning},
};

/// The largest file that is read.
pub const MAX_CSV_BYTES: u64 = 512 << 20;
/// The most rows.
pub const MAX_ROWS: usize = 4_000_000;
/// The longest line.
const MAX_LINE_BYTES: usize = 64 << 10;
/// What the header should say.
const HEADER: &str = "`position,block,side,value`, with `benchmark` in front where the file holds several";

/// Reads a file of slots. `name` is the file's path, for messages and as the benchmark where no column names it.
///
/// The run is judged in one look; `day` is empty and the policy the default one, both for the caller to set.
///
/// # Errors
/// When the file cannot be read or a row is not as above; the message names file and line.
pub fn parse(name: &str, reader: impl Read) -> Result<Run, Error> {
    let mut reader = BufReader::new(reader);
    let mut table = Table::new(name);
    let mut columns: Option<Columns> = None;
    let mut bytes = Vec::new();
    let mut read: u64 = 0;
    for line in 1.. {
        bytes.clear();
        // One byte beyond the bound tells a long line from one that just fits.
        let taken = reader.by_ref().take(MAX_LINE_BYTES as u64 + 1).read_until(b'\n', &mut bytes);
        let taken =
            taken.map_err(|error| Error::Unreadable { file: name.to_owned(), problem: error.to_string() })?;
        read += taken as u64;
        if read > MAX_CSV_BYTES {
            let limit = usize::try_from(MAX_CSV_BYTES).unwrap_or(usize::MAX);
            return Err(Error::TooLarge { file: name.to_owned(), limit });
        }
        if taken == 0 {
            break;
        }
        let fail = |problem: String| Error::malformed(name, Some(line), problem);
        let fields = fields(&bytes).map_err(fail)?;
        if fields.iter().all(|field| field.is_empty()) {
            continue;
        }
        match &columns {
            None => columns = Some(Columns::find(&fields).map_err(fail)?),
            Some(columns) => table.add(columns, &fields).map_err(fail)?,
        }
    }
    if columns.is_none() {
        return Err(Error::malformed(
            name,
            None,
            format!("the file is empty; its first row should be {HEADER}"),
        ));
    }
    Ok(table.run())
}

/// The fields of a line, without the quotes and spaces around them.
fn fields(line: &[u8]) -> Result<Vec<Cow<'_, str>>, String> {
    if line.len() > MAX_LINE_BYTES {
        return Err(format!("the line is longer than {} KiB", MAX_LINE_BYTES >> 10));
    }
    let text = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8".to_owned())?;
    let mut rest = text.trim_start_matches('\u{feff}').trim();
    let mut fields = Vec::new();
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (Cow::Borrowed(rest[..end].trim()), &rest[end..])
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None => return Ok(fields),
        }
    }
}

/// The field whose opening quote was taken, and what follows it: nothing or a comma. A doubled quote is one quote.
fn quoted_field(text: &str) -> Result<(Cow<'_, str>, &str), String> {
    let mut from = 0;
    while let Some(at) = text[from..].find('"').map(|at| from + at) {
        let after = &text[at + 1..];
        if after.starts_with('"') {
            from = at + 2;
            continue;
        }
        let after = after.trim_start();
        if !(after.is_empty() || after.starts_with(',')) {
            return Err("a quoted field goes on after its quote".to_owned());
        }
        let field = text[..at].trim();
        let field = if from == 0 { Cow::Borrowed(field) } else { Cow::Owned(field.replace("\"\"", "\"")) };
        return Ok((field, after));
    }
    Err("a quoted field does not end in its line".to_owned())
}

/// Which field is which.
struct Columns {
    benchmark: Option<usize>,
    position: usize,
    block: usize,
    side: usize,
    value: usize,
    count: usize,
}

impl Columns {
    fn find(header: &[Cow<'_, str>]) -> Result<Self, String> {
        let names: Vec<String> = header.iter().map(|name| name.to_ascii_lowercase()).collect();
        let known = ["benchmark", "position", "block", "side", "value"];
        if let Some(odd) = names.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("unknown column `{}`; the first row should be {HEADER}", shown(odd)));
        }
        let place = |wanted: &str| -> Result<Option<usize>, String> {
            let mut places = names.iter().enumerate().filter(|(_, name)| *name == wanted).map(|(at, _)| at);
            match (places.next(), places.next()) {
                (place, None) => Ok(place),
                _ => Err(format!("the column `{wanted}` is there twice")),
            }
        };
        let needed = |wanted: &str| {
            place(wanted)?.ok_or_else(|| format!("no column `{wanted}`; the first row should be {HEADER}"))
        };
        Ok(Self {
            benchmark: place("benchmark")?,
            position: needed("position")?,
            block: needed("block")?,
            side: needed("side")?,
            value: needed("value")?,
            count: names.len(),
        })
    }
}

/// What was read so far.
struct Table {
    fallback: String,
    label: String,
    rows: usize,
    /// The place of each benchmark in `benchmarks`.
    places: HashMap<String, usize>,
    benchmarks: Vec<Rows>,
}

/// The rows of one benchmark.
struct Rows {
    id: BenchmarkId,
    /// The place of each block in `blocks`.
    places: HashMap<String, usize>,
    blocks: Vec<Block>,
    /// The positions of each block, as bits.
    positions: Vec<HashSet<u64>>,
}

impl Table {
    fn new(name: &str) -> Self {
        let stem = Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        Self {
            fallback: stem.filter(|stem| !stem.is_empty()).unwrap_or_else(|| "slots".to_owned()),
            label: name.to_owned(),
            rows: 0,
            places: HashMap::new(),
            benchmarks: Vec::new(),
        }
    }

    fn add(&mut self, columns: &Columns, record: &[Cow<'_, str>]) -> Result<(), String> {
        if record.len() != columns.count {
            return Err(format!("{} fields where the header has {}", record.len(), columns.count));
        }
        self.rows += 1;
        if self.rows > MAX_ROWS {
            return Err(format!("more than {MAX_ROWS} rows"));
        }
        let field = |at: usize| record.get(at).map_or("", |field| field.as_ref());
        let position = number(field(columns.position))
            .map_err(|odd| format!("position `{}` is no number", shown(&odd)))?;
        let block = field(columns.block);
        if block.is_empty() {
            return Err("the block is empty".to_owned());
        }
        let side = side(field(columns.side))?;
        let total = time(field(columns.value))?;
        let slot = Slot { side, padding: 0, samples: vec![Sample { iterations: 1.0, total }] };
        let id = columns.benchmark.map_or_else(|| self.fallback.clone(), |at| field(at).to_owned());
        let rows = self.rows_of(&id)?;
        let place = rows.block(block);
        // Adding nothing makes one zero of both
        if !rows.positions[place].insert((position + 0.0).to_bits()) {
            let position = shown(field(columns.position));
            return Err(format!("position `{position}` is in block `{}` twice", shown(block)));
        }
        rows.blocks[place].slots.push(slot);
        Ok(())
    }

    fn rows_of(&mut self, id: &str) -> Result<&mut Rows, String> {
        let next = self.benchmarks.len();
        let place = match self.places.get(id) {
            Some(&place) => place,
            None => {
                if next == MAX_BENCHMARKS {
                    return Err(format!("more than {MAX_BENCHMARKS} benchmarks"));
                }
                let valid = BenchmarkId::new(id).map_err(|problem| problem.to_string())?;
                self.places.insert(id.to_owned(), next);
                self.benchmarks.push(Rows {
                    id: valid,
                    places: HashMap::new(),
                    blocks: Vec::new(),
                    positions: Vec::new(),
                });
                next
            }
        };
        Ok(&mut self.benchmarks[place])
    }

    fn run(self) -> Run {
        let revision = |label: &str| Revision { rev: None, tree: None, label: label.to_owned() };
        let base = revision(&format!("A of {}", self.label));
        let head = revision(&format!("B of {}", self.label));
        let mut run = one_look(base, head, unknown_environment());
        run.measurements = self.benchmarks.into_iter().map(Rows::measurement).collect();
        run.measurements.sort_by(|a, b| a.benchmark.cmp(&b.benchmark));
        run.warnings = vec![Warning::new(
            "slots_file",
            "a file of slots does not tell commit, machine or how the order within blocks was dealt: the test takes it for \
             random",
        )];
        run
    }
}

impl Rows {
    /// The place of a block.
    fn block(&mut self, name: &str) -> usize {
        if let Some(&place) = self.places.get(name) {
            return place;
        }
        let place = self.blocks.len();
        self.places.insert(name.to_owned(), place);
        self.blocks.push(Block { slots: Vec::new(), void: None });
        self.positions.push(HashSet::new());
        place
    }

    fn measurement(self) -> Measurement {
        let has =
            |side: Side| self.blocks.iter().flat_map(|block| &block.slots).any(|slot| slot.side == side);
        let fate = match (has(Side::Base), has(Side::Head)) {
            (true, false) => Fate::Missing,
            (false, _) => Fate::New,
            (true, true) => Fate::Measured,
        };
        Measurement {
            benchmark: Benchmark::new("slots", self.id),
            metric: Metric::time(),
            fate,
            method: SlotMethod::Foreign,
            blocks: self.blocks,
        }
    }
}

fn side(text: &str) -> Result<Side, String> {
    match text.to_ascii_lowercase().as_str() {
        "a" | "base" => Ok(Side::Base),
        "b" | "head" => Ok(Side::Head),
        _ => Err(format!("side `{}` is neither A (base) nor B (head)", shown(text))),
    }
}

fn time(text: &str) -> Result<f64, String> {
    let value = number(text).map_err(|odd| format!("value `{}` is no number", shown(&odd)))?;
    if value > 0.0 { Ok(value) } else { Err(format!("value `{}` is not positive", shown(text))) }
}

/// A finite number, or the text that is none.
fn number(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::model::run::{Fate, Mode, Run, Side, SlotMethod};

    fn read(text: &str) -> Run {
        parse("dir/walk.csv", text.as_bytes()).unwrap()
    }

    fn error(text: &str) -> String {
        parse("walk.csv", text.as_bytes()).unwrap_err().to_string()
    }

    /// `id: block block`, a block as sides with values.
    fn layout(run: &Run) -> Vec<String> {
        let measurement = |m: &crate::model::run::Measurement| {
            let slot = |s: &crate::model::run::Slot| {
                format!("{}{}", if s.side == Side::Base { "A" } else { "B" }, s.samples[0].total)
            };
            let blocks = m.blocks.iter().map(|b| b.slots.iter().map(slot).collect::<String>());
            format!("{}: {}", m.benchmark.id, blocks.collect::<Vec<_>>().join(" "))
        };
        run.measurements.iter().map(measurement).collect()
    }

    #[test]
    fn without_a_column_the_benchmark_is_named_after_the_file() {
        let run = read("position,block,side,value\n1,1,A,10\n2,1,B,11.5\n3,2,B,12\n4,2,A,13\n");
        assert_eq!(layout(&run), ["walk: A10B11.5 B12A13"]);
        assert_eq!((run.mode, run.measurements[0].method), (Mode::OneLook, SlotMethod::Foreign));
    }

    #[test]
    fn blocks_are_per_benchmark_named_by_any_text_and_of_any_composition() {
        let text = "benchmark,position,block,side,value\n\
                    z,1,one,base,1\nb,2,one,HEAD,2\nz,3,\"two, or \"\"so\"\"\",head,3\nz,4,one,head,4\nz,5,one,Head,5\n";
        let run = read(text);
        assert_eq!(layout(&run), ["b: B2", "z: A1B4B5 B3"]);
        assert_eq!(run.measurements[0].fate, Fate::New);
        assert_eq!(run.measurements[1].fate, Fate::Measured);
    }

    #[test]
    fn byte_order_mark_windows_lines_quotes_blanks_and_spaces_are_accepted() {
        let text = "\u{feff}\"Position\" , block,side , VALUE\r\n\r\n 1 , 1 , \" a \" , 1e3 \r\n   \r\n,,,\r\n\"2\",1,b,\"7\"\r\n";
        assert_eq!(layout(&read(text)), ["walk: A1000B7"]);
        assert_eq!(layout(&read("value,side,block,position\n5,A,1,1")), ["walk: A5"]);
    }

    #[test]
    fn positions_may_begin_anew_in_each_block_and_benchmark() {
        let text = "benchmark,position,block,side,value\na,0,1,A,1\na,0,2,A,2\nb,0,1,A,3\na,-1,1,B,4\n";
        assert_eq!(layout(&read(text)), ["a: A1B4 A2", "b: A3"]);
    }

    #[test]
    fn what_is_wrong_is_named_by_file_and_line() {
        let header = "position,block,side,value\n1,1,A,10\n\n";
        let row = |row: &str| error(&format!("{header}{row}\n"));
        insta::assert_snapshot!(row("2,1,B,0"), @"`walk.csv`, line 4: value `0` is not positive");
        insta::assert_snapshot!(row("2,1,B,-1.5"), @"`walk.csv`, line 4: value `-1.5` is not positive");
        insta::assert_snapshot!(row("2,1,B,NaN"), @"`walk.csv`, line 4: value `NaN` is no number");
        insta::assert_snapshot!(row("2,1,B,inf"), @"`walk.csv`, line 4: value `inf` is no number");
        insta::assert_snapshot!(row("2,1,B,"), @"`walk.csv`, line 4: value `` is no number");
        insta::assert_snapshot!(row("2,1,C,5"), @"`walk.csv`, line 4: side `C` is neither A (base) nor B (head)");
        insta::assert_snapshot!(row("x,1,B,5"), @"`walk.csv`, line 4: position `x` is no number");
        insta::assert_snapshot!(row("2,,B,5"), @"`walk.csv`, line 4: the block is empty");
        insta::assert_snapshot!(row("1.0,1,B,5"), @"`walk.csv`, line 4: position `1.0` is in block `1` twice");
        insta::assert_snapshot!(row("2,1,B"), @"`walk.csv`, line 4: 3 fields where the header has 4");
        insta::assert_snapshot!(row("2,\"1,B,5"), @"`walk.csv`, line 4: a quoted field does not end in its line");
        insta::assert_snapshot!(row("2,\"1\"x,B,5"), @"`walk.csv`, line 4: a quoted field goes on after its quote");
        insta::assert_snapshot!(row("2,1,B,5,6"), @"`walk.csv`, line 4: 5 fields where the header has 4");
        insta::assert_snapshot!(error("position;block;side;value\n"), @"`walk.csv`, line 1: unknown column `position;block;side;value`; the first row should be `position,block,side,value`, with `benchmark` in front where the file holds several");
        insta::assert_snapshot!(error("position,block,side\n"), @"`walk.csv`, line 1: no column `value`; the first row should be `position,block,side,value`, with `benchmark` in front where the file holds several");
        insta::assert_snapshot!(error("position,block,side,value,side\n"), @"`walk.csv`, line 1: the column `side` is there twice");
        insta::assert_snapshot!(error(""), @"`walk.csv`: the file is empty; its first row should be `position,block,side,value`, with `benchmark` in front where the file holds several");
        insta::assert_snapshot!(error("benchmark,position,block,side,value\n,1,1,A,5\n"), @"`walk.csv`, line 2: a benchmark id is empty");
    }

    #[test]
    fn bytes_that_are_no_text_are_named_by_line() {
        let bytes = b"position,block,side,value\n1,1,A,1\n2,1,\xff,5\n";
        insta::assert_snapshot!(parse("walk.csv", &bytes[..]).unwrap_err(), @"`walk.csv`, line 3: the line is not UTF-8");
    }

    #[test]
    fn a_header_alone_is_a_run_without_benchmarks() {
        assert_eq!(read("position,block,side,value\n").measurements, []);
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let error = parse("walk.csv", std::io::repeat(b'x')).unwrap_err().to_string();
        assert_eq!(error, "`walk.csv`, line 1: the line is longer than 64 KiB");
    }

    #[test]
    fn a_disk_that_fails_is_named() {
        struct Broken;
        impl std::io::Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("bad sector"))
            }
        }
        let error = parse("walk.csv", Broken).unwrap_err().to_string();
        assert_eq!(error, "`walk.csv` could not be read: bad sector");
    }
}
