//! Lines without the colours that tools give them on a terminal.

/// A line without its colours: `ESC [ 36 m` begins one, `ESC ( B ESC [ m` ends it.
pub(super) fn plain(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let mut text = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let end = match part.strip_prefix('[') {
            Some(colour) => colour.find(|c: char| c.is_ascii_alphabetic()).map(|letter| letter + 2),
            None => part.starts_with('(').then_some(2),
        };
        text.push_str(end.and_then(|end| part.get(end..)).unwrap_or(""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn colours_go_and_text_stays() {
        assert_eq!(plain("a \u{1b}[36mb\u{1b}(B\u{1b}[m c\u{1b}[0m"), "a b c");
        assert_eq!(plain("\u{1b}"), "");
    }
}
