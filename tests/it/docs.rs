//! The documentation is true: every command in it parses, those that need no network run, and every link leads somewhere.

use crate::support::{
    repository::Repository,
    tollgate::{command, ran, tollgate},
};
use clap::Parser as _;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use tollgate::cli::args::Cli;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The documents for people.
fn documents() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "md"));
    paths.extend(
        ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "SECURITY.md"].map(|name| root().join(name)),
    );
    paths.sort();
    paths
}

/// Commands of `tollgate` in fenced blocks of shell, in workflows and in templates, with where they stand.
fn commands() -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let mut language = None;
        for (number, line) in text.lines().enumerate() {
            if let Some(fence) = line.trim_start().strip_prefix("```") {
                language = if language.is_some() { None } else { Some(fence.trim().to_owned()) };
                continue;
            }
            let line = match language.as_deref() {
                Some("console") => line.trim_start().strip_prefix("$ "),
                Some("sh" | "bash") => Some(line.trim()),
                _ => None,
            };
            let place = format!("{}:{}", path.display(), number + 1);
            found.extend(line.and_then(words).map(|words| (place, words)));
        }
    }
    for folder in [".github/workflows", "src/commands/init/files"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            for (number, line) in text.lines().enumerate() {
                let line = line.trim_start().trim_start_matches("- ").trim_start_matches("run: ");
                let line = line.strip_prefix(".cache/bin/bin/").unwrap_or(line);
                let place = format!("{}:{}", path.display(), number + 1);
                // A key `tollgate:` or a comment is no command.
                let run = line.strip_prefix("tollgate ").filter(|_| !line.starts_with('#'));
                found.extend(run.and_then(|_| words(line)).map(|words| (place, words)));
            }
        }
    }
    found
}

/// The words of a command line of `tollgate`, quotes removed, comment cut; `None` for other programs.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        let last = words.last_mut()?;
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => last.push(c),
            (None, '\'' | '"') => quote = Some(c),
            (None, '\\') => last.extend(rest.next()),
            (None, '#') if last.is_empty() => break,
            (None, '|' | '>' | '&' | ';') if last.is_empty() => break,
            (None, ' ') => words.push(String::new()),
            (None, c) => last.push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    // `TOLLGATE_X=1 tollgate …`
    let start = words.iter().position(|word| !word.contains('='))?;
    let words = words.split_off(start);
    (words.first()? == "tollgate").then_some(words)
}

/// Whether this build has what a line asks for: formats and commands come with the build that can do them.
fn is_built(words: &[String]) -> bool {
    let help = |args: &[&str]| tollgate(root(), args).stdout;
    let formats = help(&["report", "--help"]);
    let command = words
        .get(1)
        .is_none_or(|name| name.starts_with('-') || help(&["--help"]).contains(&format!("\n  {name}")));
    command
        && words.iter().all(|word| {
            let format = word.split_once('=').map(|(format, _)| format);
            !matches!(format, Some("html" | "junit" | "code-quality" | "annotations"))
                || format.is_some_and(|format| formats.contains(format))
        })
}

#[test]
fn every_command_in_the_documentation_and_the_workflows_parses() {
    let all = commands();
    assert!(all.len() > 25, "{}", all.len());
    let mut checked = 0;
    for (place, words) in &all {
        if !is_built(words) {
            eprintln!("{place}: passed over, this build does not have it: {}", words.join(" "));
            continue;
        }
        checked += 1;
        if let Err(error) = Cli::try_parse_from(words) {
            use clap::error::ErrorKind::{DisplayHelp, DisplayVersion};
            let shown = matches!(error.kind(), DisplayHelp | DisplayVersion);
            assert!(shown, "{place}: {}\n{error}", words.join(" "));
        }
    }
    assert!(checked * 10 >= all.len() * 8, "only {checked} of {} are built", all.len());
}

#[test]
fn the_commands_of_a_ten_minute_start_run() {
    let repository = Repository::with_bench("String::from(\"same\")");
    let run = |line: &[&str]| {
        let mut command = command(repository.root());
        ran(&command.env("TOLLGATE_CACHE_DIR", repository.cache()).args(line).output().unwrap())
    };
    let written = run(&["init"]).exits(0).stdout;
    assert!(written.contains("tollgate-comment.yml"), "{written}");
    for file in ["tollgate.toml", ".github/workflows/tollgate.yml", ".github/workflows/tollgate-comment.yml"]
    {
        assert!(repository.root().join(file).exists(), "{file}");
    }
    assert!(run(&["init", "--baseline"]).exits(0).stdout.contains("wrote "));
    assert!(repository.root().join(".github/workflows/tollgate-baseline.yml").exists());
    assert!(run(&["init", "--ci", "gitlab"]).exits(0).stdout.contains("- local: .gitlab/tollgate.yml"));
    assert!(repository.root().join(".gitlab/tollgate.yml").exists());
    run(&["init", "--ci", "none", "--baseline"]).exits(2);
    run(&["import", "--help"]).exits(0);
    run(&["baseline", "list"]).exits(0);
}

/// The anchors that GitHub gives to the headings of a document.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let mut anchors = BTreeSet::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let heading = line.trim_start_matches('#');
        if fenced || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = heading
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .collect::<String>();
        anchors.insert(kept.replace(' ', "-"));
    }
    anchors
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    let mut count = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for part in text.split("](").skip(1) {
            let link = part.split(')').next().unwrap();
            if link.contains("://") || link.starts_with("mailto:") || link.contains(' ') {
                continue;
            }
            count += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: `{link}` leads nowhere", path.display());
            if !anchor.is_empty() && target.extension().is_some_and(|end| end == "md") {
                let known = anchors(&fs::read_to_string(&target).unwrap());
                assert!(known.contains(anchor), "{}: `{link}`: no such heading in {known:?}", path.display());
            }
        }
    }
    assert!(count > 10, "{count}");
}
