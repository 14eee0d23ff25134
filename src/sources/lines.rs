//! Files of one record a line, read within bounds: load tools write one line a request, so they can be long.

use serde::Deserialize;

use super::input::{Error, InputFile, check_numbers};

/// The longest line that is read: some tools put the whole body of an answer into it.
const MAX_LINE_BYTES: usize = 16 << 20;

/// The lines of a file that are not blank, with their numbers from 1.
pub(super) fn lines(file: &InputFile) -> impl Iterator<Item = Result<(u64, &[u8]), Error>> {
    let bytes = file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.bytes);
    let numbered = bytes.split(|byte| *byte == b'\n').zip(1_u64..);
    numbered.filter(|(line, _)| !line.trim_ascii().is_empty()).map(|(line, number)| {
        if line.len() > MAX_LINE_BYTES {
            let problem = format!("the line is longer than {} MiB", MAX_LINE_BYTES >> 20);
            return Err(Error::malformed(&file.path, Some(number), problem));
        }
        Ok((number, line.trim_ascii()))
    })
}

/// The lines of a text file.
pub(super) fn text_lines(file: &InputFile) -> impl Iterator<Item = Result<(u64, &str), Error>> {
    lines(file).map(|line| {
        let (number, line) = line?;
        let problem = || Error::malformed(&file.path, Some(number), "the line is not UTF-8");
        Ok((number, std::str::from_utf8(line).map_err(|_| problem())?))
    })
}

/// Hands each line, a JSON document of its own, to `each`; what `each` complains of is told with the line's number.
pub(super) fn json_lines<'a, T: Deserialize<'a>>(
    file: &'a InputFile,
    mut each: impl FnMut(T) -> Result<(), String>,
) -> Result<(), Error> {
    check_numbers(file)?;
    for line in lines(file) {
        let (number, line) = line?;
        let malformed = |problem: String| Error::malformed(&file.path, Some(number), problem);
        let document = serde_json::from_slice(line).map_err(|error| match error.is_eof() {
            true => malformed("the line is cut off".to_owned()),
            false => {
                let text = error.to_string();
                malformed(text.split(" at line ").next().unwrap_or_default().to_owned())
            }
        })?;
        each(document).map_err(malformed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{MAX_LINE_BYTES, json_lines, lines};
    use crate::sources::input::InputFile;

    fn file(bytes: impl Into<Vec<u8>>) -> InputFile {
        InputFile { path: "a.jsonl".into(), bytes: bytes.into() }
    }

    #[test]
    fn blank_lines_are_passed_over_and_counted() {
        let file = file("\u{feff}a\r\n\n  \nb");
        let read: Vec<_> = lines(&file).map(Result::unwrap).collect();
        assert_eq!(read, [(1, &b"a"[..]), (4, b"b")]);
    }

    #[test]
    fn a_line_that_is_cut_off_or_endless_is_named() {
        let read = |bytes: Vec<u8>| json_lines(&file(bytes), |_: Vec<u8>| Ok(())).unwrap_err().to_string();
        assert_eq!(read(b"[1]\n[2, ".to_vec()), "`a.jsonl`, line 2: the line is cut off");
        assert!(read(b"[1]\n{}".to_vec()).starts_with("`a.jsonl`, line 2: invalid type"));
        let long = vec![b' '; 4].into_iter().chain(vec![b'x'; MAX_LINE_BYTES + 1]).collect();
        assert_eq!(read(long), "`a.jsonl`, line 1: the line is longer than 16 MiB");
        let deep = file("[".repeat(100_000));
        let error = json_lines(&deep, |_: serde_json::Value| Ok(())).unwrap_err().to_string();
        assert!(error.contains("recursion limit"), "{error}");
    }
}
