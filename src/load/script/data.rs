//! Rows of data: a `.csv` file with a header, or a `.jsonl` file of objects of scalars. Bounded, and kept as one text.

use std::{collections::BTreeMap, path::Path};

use minijinja::Value;

/// The most rows of one file.
pub const MAX_ROWS: usize = 1_000_000;
/// The most columns of one file.
pub const MAX_COLUMNS: usize = 1_000;
/// The most cells of one file.
pub const MAX_CELLS: usize = 16_000_000;
/// The longest row, bytes.
pub const MAX_ROW_BYTES: usize = 1 << 20;

/// What a cell is; CSV knows texts only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Truth,
    Null,
}

/// A cell: where its text ends (it begins where the one before ends), and what it is.
#[derive(Debug, Clone, Copy)]
struct Cell {
    end: u32,
    kind: Kind,
}

/// The rows of a data file. Eight bytes a cell beside its text, so that a file of many short rows stays small.
#[derive(Debug)]
pub(super) struct Table {
    columns: BTreeMap<String, usize>,
    text: String,
    cells: Vec<Cell>,
}

impl Table {
    /// Reads a file's bytes by the ending of its name; the error is a sentence with the line.
    pub(super) fn parse(file: &Path, bytes: Vec<u8>) -> Result<Self, String> {
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let text = plain_text(bytes)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let table = match ending.to_ascii_lowercase().as_str() {
            "csv" => parse_csv(text)?,
            "jsonl" | "ndjson" => parse_jsonl(text)?,
            _ => return Err("data comes from a `.csv` file with a header or a `.jsonl` file".into()),
        };
        if table.rows() == 0 {
            return Err("the file holds no rows".into());
        }
        Ok(table)
    }

    /// How many rows there are; at least one.
    pub(super) fn rows(&self) -> usize {
        self.cells.len() / self.columns.len().max(1)
    }

    /// Whether there is such a column.
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    /// The names of the columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }

    /// The value of a column in a row.
    pub(super) fn value(&self, row: usize, column: &str) -> Option<Value> {
        let index = row * self.columns.len() + self.columns.get(column)?;
        let cell = self.cells.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.cells[before].end);
        let text = &self.text[start as usize..cell.end as usize];
        Some(match cell.kind {
            Kind::Text => Value::from(text),
            Kind::Number => number_value(text),
            Kind::Truth => Value::from(text == "true"),
            Kind::Null => Value::from(()),
        })
    }

    fn new(names: Vec<String>) -> Result<Self, String> {
        if names.len() > MAX_COLUMNS {
            return Err(format!("{} columns are more than the {MAX_COLUMNS} that are read", names.len()));
        }
        let mut columns = BTreeMap::new();
        for (index, name) in names.into_iter().enumerate() {
            if let Some(twice) = columns.get(&name) {
                return Err(format!("columns {} and {} are both called `{name}`", twice + 1, index + 1));
            }
            columns.insert(name, index);
        }
        Ok(Self { columns, text: String::new(), cells: Vec::new() })
    }

    fn push(&mut self, text: &str, kind: Kind) -> Result<(), String> {
        self.text.push_str(text);
        let end = u32::try_from(self.text.len()).map_err(|_| "the file is too large".to_owned())?;
        if self.cells.len() == MAX_CELLS {
            return Err(format!("the file holds more than {MAX_CELLS} cells"));
        }
        self.cells.push(Cell { end, kind });
        Ok(())
    }

    fn check_size(&self, bytes: usize) -> Result<(), String> {
        if bytes > MAX_ROW_BYTES {
            return Err(format!("the row is longer than {} KiB", MAX_ROW_BYTES >> 10));
        }
        if self.rows() == MAX_ROWS {
            return Err(format!("the file holds more than {MAX_ROWS} rows"));
        }
        Ok(())
    }
}

/// A number as JSON wrote it; whole ones stay whole.
pub(super) fn number_value(text: &str) -> Value {
    if let Ok(whole) = text.parse::<i64>() {
        return Value::from(whole);
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Value::from(whole);
    }
    text.parse::<f64>().map_or_else(|_| Value::from(text), Value::from)
}

fn plain_text(bytes: Vec<u8>) -> Result<String, String> {
    let line = |bytes: &[u8], at: usize| bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(format!("line {} holds a NUL byte: the file must be UTF-8 text", line(&bytes, at)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("line {} is not UTF-8", line(error.as_bytes(), at))
    })
}

fn parse_csv(text: &str) -> Result<Table, String> {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| csv_message(&error))?;
    let mut table = Table::new(header.iter().map(|name| name.trim().to_owned()).collect())?;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| csv_message(&error))? {
        let line = record.position().map_or(0, csv::Position::line);
        let at = |message: String| format!("line {line}: {message}");
        table.check_size(record.as_slice().len()).map_err(at)?;
        for cell in &record {
            table.push(cell, Kind::Text).map_err(at)?;
        }
    }
    Ok(table)
}

fn csv_message(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            format!("line {line} has {len} cells, the header has {expected_len}")
        }
        _ => error.to_string(),
    }
}

fn parse_jsonl(text: &str) -> Result<Table, String> {
    let mut table: Option<(Table, Vec<String>)> = None;
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let at = |message: String| format!("line {}: {message}", index + 1);
        if line.len() > MAX_ROW_BYTES {
            return Err(at(format!("the row is longer than {} KiB", MAX_ROW_BYTES >> 10)));
        }
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(line).map_err(|error| at(format!("not a JSON object: {error}")))?;
        let (table, names) = match &mut table {
            Some(table) => table,
            None => {
                let names: Vec<String> = object.keys().cloned().collect();
                table.insert((Table::new(names.clone()).map_err(at)?, names))
            }
        };
        push_object(table, names, &object, line.len()).map_err(at)?;
    }
    let (table, _) = table.ok_or("the file holds no rows")?;
    Ok(table)
}

/// Adds a row that has exactly the names of the first one, so that a name is known for every row or for none.
fn push_object(
    table: &mut Table,
    names: &[String],
    object: &serde_json::Map<String, serde_json::Value>,
    bytes: usize,
) -> Result<(), String> {
    if names.is_empty() {
        return Err("the object is empty".into());
    }
    table.check_size(bytes)?;
    if let Some(added) = object.keys().find(|name| !table.has(name)) {
        return Err(format!("`{added}` is not in the first row; every row has the same names"));
    }
    for name in names {
        let value = object.get(name).ok_or_else(|| format!("there is no `{name}`, as the first row has"))?;
        match value {
            serde_json::Value::String(text) => table.push(text, Kind::Text)?,
            serde_json::Value::Number(number) => table.push(&number.to_string(), Kind::Number)?,
            serde_json::Value::Bool(truth) => {
                table.push(if *truth { "true" } else { "false" }, Kind::Truth)?;
            }
            serde_json::Value::Null => table.push("", Kind::Null)?,
            serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
                return Err(format!("`{name}` is a list or an object; only plain values can be used"));
            }
        }
    }
    Ok(())
}
