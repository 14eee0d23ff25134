//! Where results go and in which format.

use clap::ValueEnum;
use std::{path::PathBuf, str::FromStr};

/// A format of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for the terminal.
    Table,
    /// GitHub-flavoured Markdown.
    Markdown,
    /// `tollgate.verdict/1`.
    Json,
    /// JUnit XML.
    Junit,
    /// A page for a browser, in one file.
    Html,
    /// Workflow commands that GitHub shows beside the change.
    Annotations,
    /// GitLab's code quality report.
    CodeQuality,
}

impl Format {
    /// The words that name a format, for messages.
    fn words() -> String {
        let words = Self::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let words: Vec<String> = words.map(|word| format!("`{}`", word.get_name())).collect();
        words.join(", ")
    }
}

/// `--output FILE` or `--output FORMAT=FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The format before the `=`, if there was one.
    pub format: Option<Format>,
    /// The file.
    pub path: PathBuf,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = match text.split_once('=') {
            Some((word, path)) => match Format::from_str(word, true) {
                Ok(format) => (Some(format), path),
                // A path with `=` in it is a path; a lone word before it was meant as a format.
                Err(_) if word.contains(['/', '\\', '.']) => (None, text),
                Err(_) => return Err(format!("unknown format `{word}`: it is one of {}", Format::words())),
            },
            None => (None, text),
        };
        if path.is_empty() {
            return Err("a file name is missing".into());
        }
        if path == "-" {
            return Err("standard output takes `--format`; `--output` takes a file".into());
        }
        Ok(Self { format, path: path.into() })
    }
}

/// Output flags of the commands that end in a verdict.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Output options")]
pub struct OutputArgs {
    /// The format on standard output (default `table`).
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Also write a file: `FILE` (format by `--format` or its extension) or `FORMAT=FILE` (repeatable).
    #[arg(short, long = "output", value_name = "[FORMAT=]FILE")]
    pub outputs: Vec<Output>,
    /// Show every row in the table, also unchanged and identical ones.
    #[arg(long)]
    pub all_rows: bool,
}

impl OutputArgs {
    /// The files to write, each with its format.
    #[must_use]
    pub fn files(&self) -> Vec<(Format, PathBuf)> {
        self.outputs.iter().map(|output| (self.format_of(output), output.path.clone())).collect()
    }

    fn format_of(&self, output: &Output) -> Format {
        let by_extension = || match output.path.extension().and_then(|e| e.to_str()) {
            Some("json") => Some(Format::Json),
            Some("md" | "markdown") => Some(Format::Markdown),
            Some("html" | "htm") => Some(Format::Html),
            Some("xml") => Some(Format::Junit),
            _ => None,
        };
        output.format.or_else(by_extension).or(self.format).unwrap_or(Format::Table)
    }
}

#[cfg(test)]
mod tests {
    use super::{Format, Output, OutputArgs};

    fn files(format: Option<Format>, outputs: &[&str]) -> Vec<(Format, String)> {
        let outputs = outputs.iter().map(|text| text.parse::<Output>().unwrap()).collect();
        OutputArgs { format, outputs, all_rows: false }
            .files()
            .into_iter()
            .map(|(format, path)| (format, path.display().to_string()))
            .collect()
    }

    #[test]
    fn a_file_takes_its_format_from_its_word_its_extension_or_the_flag() {
        assert_eq!(files(None, &["json=a"]), [(Format::Json, "a".into())]);
        assert_eq!(
            files(None, &["a.json", "b.md", "c.txt", "d.html", "e.xml"])
                .iter()
                .map(|f| f.0)
                .collect::<Vec<_>>(),
            [Format::Json, Format::Markdown, Format::Table, Format::Html, Format::Junit]
        );
        assert_eq!(files(None, &["code-quality=gl.json"]), [(Format::CodeQuality, "gl.json".into())]);
        let error = "pdf=x".parse::<Output>().unwrap_err();
        assert!(error.contains("`table`") && error.ends_with("`code-quality`"), "{error}");
        assert_eq!(files(Some(Format::Json), &["verdict"]), [(Format::Json, "verdict".into())]);
        assert_eq!(files(None, &["./x=y"]), [(Format::Table, "./x=y".into())]);
        for bad in ["json=", "pdf=x.pdf", "=x", "-", "json=-"] {
            assert!(bad.parse::<Output>().is_err(), "{bad}");
        }
    }
}
