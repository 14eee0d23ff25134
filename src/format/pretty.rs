//! JSON text that reads well in a diff: pretty outside, one line for each small thing inside.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// Writes a value with every object and array deeper than `depth` on one line, and a line end after it.
///
/// # Errors
/// When the value cannot be JSON.
pub(super) fn to_vec<T: Serialize>(value: &T, depth: usize) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let formatter = Shallow { pretty: PrettyFormatter::new(), level: 0, depth };
    value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Pretty down to a depth, one line from there on.
struct Shallow {
    pretty: PrettyFormatter<'static>,
    /// How many objects and arrays are open.
    level: usize,
    /// The deepest level that is still pretty.
    depth: usize,
}

impl Shallow {
    fn one_line(&self) -> bool {
        self.level > self.depth
    }

    fn separate<W: ?Sized + Write>(writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }
}

impl Formatter for Shallow {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.level += 1;
        if self.one_line() { writer.write_all(b"[") } else { self.pretty.begin_array(writer) }
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        let written = if self.one_line() { writer.write_all(b"]") } else { self.pretty.end_array(writer) };
        self.level -= 1;
        written
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if self.one_line() {
            Self::separate(writer, first)
        } else {
            self.pretty.begin_array_value(writer, first)
        }
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.one_line() { Ok(()) } else { self.pretty.end_array_value(writer) }
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.level += 1;
        if self.one_line() { writer.write_all(b"{") } else { self.pretty.begin_object(writer) }
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        let written = if self.one_line() { writer.write_all(b"}") } else { self.pretty.end_object(writer) };
        self.level -= 1;
        written
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if self.one_line() {
            Self::separate(writer, first)
        } else {
            self.pretty.begin_object_key(writer, first)
        }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.one_line() { Ok(()) } else { self.pretty.end_object_value(writer) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_parts_stand_on_one_line() {
        let value = serde_json::json!({"a": [{"b": [1, 2]}, {"c": {}}], "d": []});
        let text = String::from_utf8(to_vec(&value, 2).unwrap()).unwrap();
        assert_eq!(text, "{\n  \"a\": [\n    {\"b\": [1, 2]},\n    {\"c\": {}}\n  ],\n  \"d\": []\n}\n");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
