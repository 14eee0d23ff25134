//! Texts in lines of a width.

use crate::text::escape::columns;

/// Breaks a text at spaces into indented lines of at most `width` columns, each with a newline. A longer word is cut.
pub(super) fn wrap(text: &str, indent: usize, width: usize) -> String {
    let room = width.saturating_sub(indent).max(10);
    let margin = " ".repeat(indent);
    let mut wrapped = margin.clone();
    let mut used = 0;
    let mut words = text.split(' ').peekable();
    while let Some(word) = words.next() {
        // A number keeps its per cent sign.
        let tail = words.peek().filter(|next| next.starts_with('%')).map_or(0, |next| columns(next) + 1);
        if used > 0 {
            if used + 1 + columns(word) + tail > room {
                wrapped += &format!("\n{margin}");
                used = 0;
            } else {
                wrapped.push(' ');
                used += 1;
            }
        }
        for (at, character) in word.char_indices() {
            let wide = columns(character.encode_utf8(&mut [0; 4]));
            if used + wide > room {
                wrapped += &format!("\n{margin}");
                used = 0;
            }
            // GitHub's runner obeys a line that begins with two colons.
            if used == 0 && word[at..].starts_with("::") {
                wrapped.push('\\');
                used = 1;
            }
            wrapped.push(character);
            used += wide;
        }
    }
    wrapped + "\n"
}
