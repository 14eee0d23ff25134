//! How our JSON looks: one key a line down to a depth, everything deeper on the line of its parent.
//!
//! A diff then shows one row, run or slot a line, and a file of samples stays small.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Writes a document that ends in a newline. Containers nested deeper than `depth` (the document itself is 1) stay on one line.
pub(super) fn to_json<T: Serialize>(document: &T, depth: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Layout { depth, level: 0, filled: false });
    document
        .serialize(&mut serializer)
        .expect("our documents have string keys and a vector takes every write, so serialising cannot fail");
    bytes.push(b'\n');
    bytes
}

struct Layout {
    depth: usize,
    /// Containers that are open.
    level: usize,
    /// Whether the container that closes next has something in it.
    filled: bool,
}

impl Layout {
    fn open<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.level += 1;
        self.filled = false;
        writer.write_all(bracket)
    }

    fn close<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.level -= 1;
        // `level` is now the parent's; the closing bracket is indented like the line that opened it.
        if self.filled && self.level < self.depth {
            self.line(writer)?;
        }
        writer.write_all(bracket)
    }

    fn line<W: ?Sized + io::Write>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..self.level).try_for_each(|_| writer.write_all(b"  "))
    }

    fn separate<W: ?Sized + io::Write>(&self, writer: &mut W, first: bool, inline: &[u8]) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        match self.level <= self.depth {
            true => self.line(writer),
            false if first => Ok(()),
            false => writer.write_all(inline),
        }
    }
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.separate(writer, first, b"")
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.separate(writer, first, b" ")
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, _writer: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::to_json;

    #[test]
    fn containers_below_the_depth_stay_on_one_line() {
        let document = json!({"a": [{"b": [1, 2], "c": {}}, {}], "d": []});
        let text = String::from_utf8(to_json(&document, 2)).unwrap();
        insta::assert_snapshot!(text, @r#"
        {
          "a": [
            {"b": [1,2], "c": {}},
            {}
          ],
          "d": []
        }
        "#);
    }

    #[test]
    fn what_is_written_reads_back() {
        let document = json!({"a": [{"b": [1, [2.5, null]], "c": {"d": "\u{1b}\"\n"}}], "e": true});
        for depth in 0..6 {
            let read: serde_json::Value = serde_json::from_slice(&to_json(&document, depth)).unwrap();
            assert_eq!(read, document);
        }
    }
}
