//! A command in one text, split into words as a shell would: quotes and backslashes count, nothing else means anything.

/// Characters that a shell would act on outside quotes.
const SHELL: [char; 13] = ['|', '&', ';', '<', '>', '(', ')', '$', '`', '*', '?', '#', '~'];

/// The words of a command; the error is a sentence.
pub(super) fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' | '"' => quoted(&mut letters, letter, word.get_or_insert_default())?,
            '\\' => {
                let next = letters.next().ok_or("the text ends with a backslash")?;
                word.get_or_insert_default().push(next);
            }
            special if SHELL.contains(&special) => {
                return Err(format!(
                    "`{special}` means something to a shell, but no shell reads this: quote it, or write `[\"sh\", \"-c\", \"…\"]`"
                ));
            }
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Takes what stands between quotes; within double quotes a backslash keeps the next character.
fn quoted(letters: &mut std::str::Chars<'_>, quote: char, word: &mut String) -> Result<(), String> {
    loop {
        match letters.next() {
            None => return Err(format!("a {quote} is never closed")),
            Some(end) if end == quote => return Ok(()),
            Some('\\') if quote == '"' => {
                let next = letters.next().ok_or("the text ends with a backslash")?;
                if !['"', '\\'].contains(&next) {
                    word.push('\\');
                }
                word.push(next);
            }
            Some(plain) => word.push(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn words_are_split_as_a_shell_would() {
        let words = |text: &str| split(text).unwrap();
        assert_eq!(words("target/release/bot --port {port}"), ["target/release/bot", "--port", "{port}"]);
        assert_eq!(words(r#"a 'b c' "d \"e\" \n" f\ g ''"#), ["a", "b c", r#"d "e" \n"#, "f g", ""]);
        assert_eq!(words("  a\t'|'  "), ["a", "|"]);
        assert!(words(" ").is_empty());
    }

    #[test]
    fn what_only_a_shell_understands_is_refused() {
        for text in ["a && b", "a > b", "a $HOME", "a *", "a `b`", "a; b", "'a", "a \"b", "a\\"] {
            split(text).unwrap_err();
        }
    }
}
