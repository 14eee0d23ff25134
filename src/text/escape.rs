//! Names and texts of others made safe to show: in a terminal, in Markdown, HTML and XML, in workflow commands.
//!
//! A benchmark name is whatever a pull request says it is. The rules: what cannot be seen or moves the text is spelt out
//! (`\u{202e}`), nothing is dropped, and the result has no line breaks.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Makes a text safe for a terminal and a log: one line, no control, bidirectional or invisible characters.
///
/// A CI log is read by machines too: GitHub's runner obeys lines that begin with `::` and texts with `##[`, so these are
/// spelt out as well.
#[must_use]
pub fn terminal(text: &str) -> String {
    let text = visible(text).replace("##[", r"#\u{23}[");
    let body = text.trim_start();
    match body.strip_prefix("::") {
        Some(rest) => format!(r"{}\u{{3a}}:{rest}", &text[..text.len() - body.len()]),
        None => text,
    }
}

/// [`terminal`], for a text of several lines: line breaks stay, every line is made safe.
#[must_use]
pub fn terminal_lines(text: &str) -> String {
    text.lines().map(terminal).collect::<Vec<_>>().join("\n")
}

/// How many columns of a terminal a text takes.
#[must_use]
pub fn columns(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// A text in at most `most` columns, the middle left out: ends of names tell them apart. `most` is at least 3.
#[must_use]
pub fn shortened(text: &str, most: usize) -> String {
    let most = most.max(3);
    if columns(text) <= most {
        return text.to_owned();
    }
    let tail = (most - 1) / 2;
    let head = fitting(text.chars(), most - 1 - tail);
    let tail: String = fitting(text.chars().rev(), tail).chars().rev().collect();
    format!("{head}…{tail}")
}

/// The first characters that fit into so many columns.
fn fitting(characters: impl Iterator<Item = char>, most: usize) -> String {
    let mut left = most;
    let fits = |character: &char| {
        let rest = left.checked_sub(character.width().unwrap_or(0));
        left = rest.unwrap_or(left);
        rest.is_some()
    };
    characters.take_while(fits).collect()
}

/// A name as code in Markdown, fit for a table cell: GitHub finds no mention, link, image, markup or cell border in it.
#[must_use]
pub fn markdown_code(name: &str) -> String {
    let name = visible(name);
    let edges = name.is_empty() || name.starts_with(' ') || name.ends_with(' ');
    // A backtick would end the code, a pipe the cell, a backslash changes what a pipe does, and programs look for comments
    // (`<!-- … -->`) without reading Markdown.
    if edges || name.contains(['`', '|', '\\', '<']) {
        format!("<code>{}</code>", entities(&name))
    } else {
        format!("`{name}`")
    }
}

/// A sentence in Markdown, fit for a table cell or a list item. What stands between backticks becomes code; everything
/// else is literal: no mention, link, image, HTML, emphasis, heading, list, quote or fence comes of it.
#[must_use]
pub fn markdown_text(text: &str) -> String {
    sentence(text.trim_start(), Place::Start)
}

/// [`markdown_text`] for a part of a line with something before it, where a dash starts no list.
#[must_use]
pub fn markdown_inline(text: &str) -> String {
    sentence(text, Place::Within)
}

/// Where in a block of Markdown a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Within,
}

fn sentence(text: &str, place: Place) -> String {
    let text = visible(text);
    let mut markdown = String::new();
    let mut rest = text.as_str();
    while let Some((before, code, after)) = code_span(rest) {
        literal(before, place, &mut markdown);
        // Next to another backtick or a dollar, backticks would mean something else.
        let apart = !markdown.ends_with(['`', '$']) && !after.starts_with(['`', '$']);
        match apart {
            true => markdown.push_str(&markdown_code(code)),
            false => {
                let _ = write!(markdown, "<code>{}</code>", entities(code));
            }
        }
        rest = after;
    }
    literal(rest, place, &mut markdown);
    markdown
}

/// A text for HTML: element content or a quoted attribute.
#[must_use]
pub fn html(text: &str) -> String {
    markup(&visible(text))
}

/// A text of several lines for HTML; line breaks stay.
#[must_use]
pub fn html_lines(text: &str) -> String {
    text.lines().map(html).collect::<Vec<_>>().join("\n")
}

/// A text for XML 1.0: element content or a quoted attribute. Characters that XML does not know are spelt out.
#[must_use]
pub fn xml(text: &str) -> String {
    markup(&visible(text))
}

/// The message of a workflow command (`::error::MESSAGE`). Line breaks stay line breaks.
#[must_use]
pub fn workflow_message(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(visible).collect();
    lines.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command (`::error title=PROPERTY::`).
#[must_use]
pub fn workflow_property(text: &str) -> String {
    workflow_message(&visible(text)).replace(':', "%3A").replace(',', "%2C")
}

/// So many marks in a row stand on one letter in living scripts; towers of them cover the lines above.
const MOST_MARKS: usize = 4;

/// One line in which every character can be seen.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut marks = 0;
    for character in text.chars() {
        marks = if character.width() == Some(0) { marks + 1 } else { 0 };
        match character {
            mark if marks > MOST_MARKS => {
                let _ = write!(shown, "{}", mark.escape_unicode());
            }
            '\n' => shown.push_str(r"\n"),
            '\r' => shown.push_str(r"\r"),
            '\t' => shown.push_str(r"\t"),
            hidden if is_hidden(hidden) => {
                let _ = write!(shown, "{}", hidden.escape_unicode());
            }
            plain => shown.push(plain),
        }
    }
    shown
}

/// Whether a character controls, reorders or hides text, or is no character at all.
fn is_hidden(character: char) -> bool {
    matches!(character,
        // C0, DEL and C1 controls
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        // soft hyphen, combining grapheme joiner, Arabic letter mark, Hangul and Khmer fillers, Mongolian selectors
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        // zero width and direction marks, line and paragraph separator, bidirectional embeddings and isolates
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        // fillers, variation selectors, byte order mark, interlinear annotation, specials
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
        // shorthand and musical controls, tags, more variation selectors, private use
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}'
    )
}

fn markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Every ASCII character that is no letter or digit as a numeric entity, which Markdown never takes for structure.
fn entities(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            // GitHub looks for e-mail addresses after it has read the entities; a comment keeps the halves apart.
            '@' => escaped.push_str("&#64;<!-- -->"),
            plain if !plain.is_ascii() || plain.is_ascii_alphanumeric() => escaped.push(plain),
            other => {
                let _ = write!(escaped, "&#{};", u32::from(other));
            }
        }
    }
    escaped
}

/// The first pair of single backticks with something between them: what is before, between and after.
fn code_span(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (code, after) = rest.split_once('`')?;
    (!code.trim().is_empty()).then_some((before, code, after))
}

/// Appends words that must stay words. Those that GitHub would turn into something become code.
fn literal(text: &str, place: Place, markdown: &mut String) {
    for word in text.split_inclusive(' ') {
        let (bare, space) = word.strip_suffix(' ').map_or((word, ""), |bare| (bare, " "));
        if is_reference(bare) {
            let (open, core, close) = without_brackets(bare);
            let _ = write!(markdown, "{open}<code>{}</code>{close}{space}", entities(core));
        } else {
            let starts = place == Place::Start && markdown.is_empty();
            escape_word(bare, starts, markdown);
            markdown.push_str(space);
        }
    }
}

/// A word without the brackets and commas around it, which say nothing to anybody: what is before, within and after.
fn without_brackets(word: &str) -> (&str, &str, &str) {
    let within = word.trim_start_matches('(');
    let (open, _) = word.split_at(word.len() - within.len());
    let core = within.trim_end_matches([')', ',', ';']);
    if core.is_empty() { ("", word, "") } else { (open, core, &within[core.len()..]) }
}

/// Whether GitHub makes a link, a mention, a reference, an emoji or a formula of a word.
fn is_reference(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    lower.contains(['@', '#', '$'])
        || lower.contains("://")
        || lower.contains("www.")
        || lower.contains("gh-")
        || lower.contains("mailto:")
        || lower.contains("xmpp:")
        || lower.matches(':').count() >= 2
        || lower.split(|c: char| !c.is_ascii_alphanumeric()).any(is_commit)
}

/// Whether GitHub looks a word up as a commit.
fn is_commit(word: &str) -> bool {
    (7..=40).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn escape_word(word: &str, starts: bool, markdown: &mut String) {
    // At the start of a block, a dash is a list, digits with a dot are one too.
    let numbered = starts && word.starts_with(|c: char| c.is_ascii_digit()) && word.ends_with(['.', ')']);
    let mut before = ' ';
    let mut characters = word.chars().enumerate().peekable();
    while let Some((at, character)) = characters.next() {
        let after = characters.peek().map_or(' ', |(_, next)| *next);
        match character {
            '&' => markdown.push_str("&amp;"),
            '<' => markdown.push_str("&lt;"),
            '>' => markdown.push_str("&gt;"),
            '|' => markdown.push_str("&#124;"),
            '\\' => markdown.push_str("&#92;"),
            '`' => markdown.push_str("&#96;"),
            // Within a word an underscore is only itself.
            '_' if before.is_ascii_alphanumeric() && after.is_ascii_alphanumeric() => markdown.push('_'),
            '*' | '_' | '~' | '[' | ']' | '^' => markdown.extend(['\\', character]),
            '-' | '+' | '=' if starts && at == 0 => markdown.extend(['\\', character]),
            '.' | ')' if numbered => markdown.extend(['\\', character]),
            other => markdown.push(other),
        }
        before = character;
    }
}

#[cfg(test)]
mod tests {
    use super::{
        html, markdown_code, markdown_inline, markdown_text, shortened, terminal, terminal_lines, visible,
        workflow_message, workflow_property, xml,
    };

    #[test]
    fn a_terminal_sees_no_escape_sequence_and_no_reordering() {
        assert_eq!(terminal("a\u{1b}[31mb"), r"a\u{1b}[31mb");
        assert_eq!(terminal("x\u{202e}gpj.exe\u{200b}"), r"x\u{202e}gpj.exe\u{200b}");
        assert_eq!(terminal("a\nb\tc\r"), r"a\nb\tc\r");
        assert_eq!(terminal("größe/日本 🦀"), "größe/日本 🦀");
        assert_eq!(terminal("\u{9b}31m\u{e0041}"), r"\u{9b}31m\u{e0041}");
    }

    #[test]
    fn a_ci_log_finds_no_workflow_command() {
        assert_eq!(terminal("::error::x"), r"\u{3a}:error::x");
        assert_eq!(terminal("  ::add-mask::x"), r"  \u{3a}:add-mask::x");
        assert_eq!(terminal("a ##[error]x"), r"a #\u{23}[error]x");
        assert_eq!(terminal_lines("a::b\n::stop-commands::x\n"), "a::b\n\\u{3a}:stop-commands::x");
        assert_eq!(workflow_message("50 % a\nb\u{1b}"), r"50 %25 a%0Ab\u{1b}");
        assert_eq!(workflow_property("a:b,c\nd%"), r"a%3Ab%2Cc\nd%25");
    }

    #[test]
    fn names_become_code_that_nothing_escapes_from() {
        assert_eq!(markdown_code("num/sieve"), "`num/sieve`");
        assert_eq!(markdown_code("@user #1 https://a.b ![x](y)"), "`@user #1 https://a.b ![x](y)`");
        assert_eq!(markdown_code("<b>"), "<code>&#60;b&#62;</code>");
        assert_eq!(markdown_code("a`b"), "<code>a&#96;b</code>");
        assert_eq!(markdown_code("a|b"), "<code>a&#124;b</code>");
        assert_eq!(markdown_code(r"a\"), "<code>a&#92;</code>");
        assert_eq!(markdown_code(" a"), "<code>&#32;a</code>");
        assert_eq!(markdown_code("a\n```\nb"), "<code>a&#92;n&#96;&#96;&#96;&#92;nb</code>");
    }

    #[test]
    fn sentences_stay_sentences() {
        assert_eq!(
            markdown_text("give more with `--budget 5m`, please"),
            "give more with `--budget 5m`, please"
        );
        assert_eq!(
            markdown_text("ask @ada or #12"),
            "ask <code>&#64;<!-- -->ada</code> or <code>&#35;12</code>"
        );
        assert_eq!(markdown_text("*a* _b_ [c](d) <img src=x>"), r"\*a\* \_b\_ \[c\](d) &lt;img src=x&gt;");
        assert_eq!(markdown_text("a|b `c|d`"), "a&#124;b <code>c&#124;d</code>");
        assert_eq!(markdown_text("- x"), r"\- x");
        assert_eq!(markdown_text("1. x"), r"1\. x");
        assert_eq!(markdown_inline(" +5.0 %"), " +5.0 %");
        assert_eq!(markdown_text("4.2 % more. Really"), "4.2 % more. Really");
        assert_eq!(markdown_text("# x"), "<code>&#35;</code> x");
        assert_eq!(markdown_text("a ` b"), "a &#96; b");
        assert_eq!(markdown_text("```sh"), "&#96;&#96;&#96;sh");
        assert_eq!(markdown_text("`a``b`"), "<code>a</code>`b`");
        assert_eq!(
            markdown_text("see http://evil.example"),
            "see <code>http&#58;&#47;&#47;evil&#46;example</code>"
        );
        assert_eq!(markdown_text("\n\n# x"), "<code>&#35;</code> x");
        assert_eq!(
            markdown_text("a\n# x"),
            r"a&#92;n<code>&#35;</code> x".replace("a&#92;n<code>", "<code>a&#92;n")
        );
        assert_eq!(markdown_text("x86_64 _a_"), r"x86_64 \_a\_");
    }

    /// What an attacker would try in a sentence, and a word of the live form that must not be left.
    const TRICKS: [(&str, &str); 21] = [
        ("this fixes #1", "#1"),
        ("closes GH-12", "GH-12"),
        ("resolves octo/cat#3", "cat#3"),
        ("fixes https://github.com/o/r/issues/1", "://"),
        ("cc @team @org/team", "@"),
        ("<!-- tollgate:comment gate=x -->", "<!-- t"),
        ("see [^1]", "[^"),
        ("[^1]: note", "[^"),
        (":tada: :+1:", ":tada:"),
        ("$a$ $$b$$", "$"),
        ("$`a`$", "$"),
        ("```mermaid", "```"),
        ("~~~ruby", "~~~"),
        ("- [x] done", "[x]"),
        ("> [!CAUTION]", "[!"),
        ("<details open><summary>", "<d"),
        ("[a]: https://evil.example", "]: "),
        ("a@b.example xmpp:a@b.example", "@"),
        ("reverts deadbeef1", " deadbeef1"),
        ("![](//evil.example/x.png)", "!["),
        ("<https://evil.example>", "<h"),
    ];

    #[test]
    fn tricks_of_an_attacker_stay_words() {
        for (trick, live) in TRICKS {
            for text in [markdown_text(trick), markdown_inline(trick), markdown_inline(&format!("({trick})"))]
            {
                let text = text.replace("&#64;<!-- -->", "");
                // What stands behind a backslash is literal.
                let text =
                    text.replace("\\[", "(").replace("\\]", ")").replace("\\~", "-").replace("\\^", "-");
                assert!(!text.contains(live), "{trick:?} as {text:?}");
            }
        }
    }

    #[test]
    fn every_kind_of_line_end_is_spelt_out() {
        for end in ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'] {
            for text in [
                markdown_code(&format!("a{end}# b")),
                markdown_inline(&format!("a{end}# b")),
                html(&format!("a{end}b")),
            ] {
                assert!(!text.contains(end), "{end:?} in {text:?}");
            }
        }
    }

    #[test]
    fn towers_of_marks_are_spelt_out_and_accents_are_not() {
        assert_eq!(visible("e\u{301}\u{302}ก็่"), "e\u{301}\u{302}ก็่");
        assert_eq!(
            visible(&format!("e{}", "\u{301}".repeat(6))),
            format!("e{}{}", "\u{301}".repeat(4), r"\u{301}\u{301}")
        );
    }

    #[test]
    fn markup_is_text_in_html_and_xml() {
        assert_eq!(html("<a href='x'>&\"\u{1}"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\\u{1}");
        assert_eq!(xml("]]>\u{fffe}"), "]]&gt;\\u{fffe}");
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(shortened("abcdefghij", 10), "abcdefghij");
        assert_eq!(shortened("abcdefghijk", 10), "abcde…hijk");
        assert_eq!(shortened("日本語日本語", 8), "日本…語");
        assert_eq!(shortened("日本語日本語", 12), "日本語日本語");
        assert_eq!(shortened("abcdef", 0), "a…f");
    }
}
