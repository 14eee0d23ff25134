//! The table that divan prints: divan has no format for programs.
//!
//! A benchmark is the path of its row in the tree (`group/name/argument`), the target is the name above the table. Of each row the
//! median is read, in the unit of its own cell. Rows without a name are throughput and allocations of the row above them, in the
//! same columns, and are passed over, as are ignored benchmarks. Values have four digits.

use super::{
    ansi::plain,
    input::{Error, Input, InputFile, Source, beginning},
    pairing::SourceRun,
    readings::{At, Readings, nanoseconds},
};
use crate::model::{metric::Metric, run::Warning};

/// The columns of the table, as its first line names them.
const COLUMNS: [&str; 6] = ["fastest", "slowest", "median", "mean", "samples", "iters"];
/// The place of the median among them.
const MEDIAN: usize = 2;
/// Characters that a level of the tree is indented by.
const INDENT: usize = 3;

/// divan's tables.
#[derive(Debug, Clone, Copy)]
pub struct Divan;

/// A table that is being read.
struct Table {
    target: String,
    /// The first character that is not the tree's.
    cells_at: usize,
    /// The names on the way to the last row.
    path: Vec<String>,
}

impl Source for Divan {
    fn name(&self) -> &'static str {
        "divan"
    }

    fn detect(&self, input: &Input) -> bool {
        let [file] = input.files.as_slice() else { return false };
        String::from_utf8_lossy(beginning(file)).lines().any(|line| header(&plain(line)).is_some())
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let file = input.only_file()?;
        let mut run = SourceRun::foreign(self.name(), &input.name, read(file)?.done());
        run.warnings = vec![Warning::new(
            "divan_text",
            "divan prints one median of four digits a benchmark and tells neither commit, machine nor single samples",
        )];
        Ok(run)
    }
}

fn read(file: &InputFile) -> Result<Readings<'_>, Error> {
    let text = String::from_utf8_lossy(&file.bytes);
    let mut readings = Readings::of(file);
    let mut table: Option<Table> = None;
    for (line, number) in text.lines().zip(1_u64..) {
        let line = plain(line);
        if let Some(begun) = header(&line) {
            table = Some(begun);
            continue;
        }
        let Some(open) = &mut table else { continue };
        let Some((depth, name, cells)) = row(open, &line) else {
            // A row of throughput or allocations belongs to the table; any other line ends it.
            if !line.starts_with(['│', ' ']) {
                table = None;
            }
            continue;
        };
        open.path.truncate(depth);
        open.path.push(name);
        let number = At::Line(number);
        let Some(median) = median(&cells).map_err(|problem| readings.malformed(number, problem))? else {
            continue;
        };
        let benchmark = readings.benchmark(number, &open.target, &open.path.join("/"))?;
        readings.add(number, benchmark, Metric::time(), &[vec![median]])?;
    }
    Ok(readings)
}

/// The line above a table: its target and the names of all columns.
fn header(line: &str) -> Option<Table> {
    let (before, _) = line.split_once(COLUMNS[0])?;
    let cells_at = before.chars().count();
    let named: Vec<&str> = line.get(before.len()..)?.split('│').map(str::trim).collect();
    let target = before.trim().to_owned();
    (named == COLUMNS && !target.is_empty()).then_some(Table { target, cells_at, path: Vec::new() })
}

/// The depth, the name and the cells of a row; `None` for one without a name.
fn row(table: &Table, line: &str) -> Option<(usize, String, Vec<String>)> {
    let tree: String = line.chars().take(table.cells_at).collect();
    let cells: String = line.chars().skip(table.cells_at).collect();
    let (before, name) = tree.split_once("├─").or_else(|| tree.split_once("╰─"))?;
    let depth = before.chars().count() / INDENT;
    let name = name.trim();
    // A row can be no deeper than one below the last.
    (!name.is_empty() && depth <= table.path.len())
        .then(|| (depth, name.to_owned(), cells.split('│').map(|cell| cell.trim().to_owned()).collect()))
}

/// Nanoseconds of the median; `None` for a group and for a benchmark that was ignored.
fn median(cells: &[String]) -> Result<Option<f64>, String> {
    let first = cells.first().map_or("", String::as_str);
    if first.is_empty() || first == "(ignored)" {
        return Ok(None);
    }
    let cell = cells.get(MEDIAN).map_or("", String::as_str);
    let (value, unit) = cell.split_once(' ').ok_or_else(|| format!("`{cell}` is no time"))?;
    let factor =
        nanoseconds(unit.trim()).ok_or_else(|| format!("`{unit}` is no unit of time that is known"))?;
    let value: f64 = value.parse().map_err(|_| format!("`{value}` is no number"))?;
    Ok(Some(value * factor))
}

#[cfg(test)]
mod tests {
    use super::Divan;
    use crate::sources::input::{Error, Input, InputFile, Source};

    const HEADER: &str =
        "words            fastest       │ slowest       │ median        │ mean          │ samples │ iters";

    fn read(rows: &str) -> Result<Vec<(String, f64)>, Error> {
        let files =
            vec![InputFile { path: "d.txt".into(), bytes: format!("noise\n{HEADER}\n{rows}").into() }];
        let run = Divan.parse(&Input { name: "d.txt".into(), files, baseline: None })?;
        let value = |m: &crate::sources::pairing::SourceMeasurement| m.processes[0][0].total.round();
        Ok(run.measurements.iter().map(|m| (m.benchmark.id.to_string(), value(m))).collect())
    }

    #[test]
    fn the_path_is_the_indentation_and_each_cell_has_its_own_unit() {
        let rows = "├─ a                          │               │               │               │         │\n\
                    │  ├─ 1          16.44 ns      │ 30.17 µs      │ 16.79 µs      │ 18.01 ns      │ 20      │ 1280\n\
                    │  │             60.81 MB/s    │ 33.13 MB/s    │ 59.54 MB/s    │ 55.51 MB/s    │         │\n\
                    │  ╰─ 2          (ignored)     │               │               │               │         │\n\
                    ╰─ b             1 ms          │ 1 s           │ 2 ms          │ 1 ms          │ 20      │ 640\n\
                    \n├─ c             1 ms          │ 1 s           │ 2 ms          │ 1 ms          │ 20      │ 640\n";
        assert_eq!(read(rows).unwrap(), [("a/1".to_owned(), 16790.0), ("b".to_owned(), 2e6)]);
    }

    #[test]
    fn odd_cells_are_named_by_line() {
        let error = |rows: &str| read(rows).unwrap_err().to_string();
        let row =
            "├─ a             1 ns          │ 1 ns          │ 1 ns          │ 1 ns          │ 1       │ 1\n";
        assert_eq!(
            error(&row.replace(
                "│ 1 ns          │ 1 ns          │ 1 ns ",
                "│ 1 ns          │ 1 xs          │ 1 ns "
            )),
            "`d.txt`, line 3: `xs` is no unit of time that is known"
        );
        assert!(error(&row.replace("1 ns", "NaN ns")).contains("no value"));
        assert!(error(&row.replace("1 ns", "-1 ns")).contains("no value"));
        assert_eq!(error(&[row, row].concat()), "`d.txt`, line 4: `a` is there twice");
    }
}
