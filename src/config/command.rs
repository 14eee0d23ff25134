//! `[[command]]`: what is wrong with an entry, and the commands that come of them.

use super::file::{Command, File};
use crate::{
    measure::program::{Program, Reads},
    sources::input::SOURCES,
};
use std::{path::Path, time::Duration};

/// The word of `as` for the wall time of the process.
pub const WALL_TIME: &str = "time";
/// When a process counts as hung, unless the file says otherwise.
const TIMEOUT: Duration = Duration::from_secs(600);

/// What is wrong with the entry at `index`: its key, and the message.
#[must_use]
pub(super) fn mistakes(commands: &[Command], index: usize) -> Vec<(&'static str, String)> {
    let Some(command) = commands.get(index) else { return Vec::new() };
    let mut found = Vec::new();
    if let Some(message) = name_mistake(&command.name) {
        found.push(("name", message));
    }
    if commands.iter().take(index).any(|other| other.name == command.name) {
        found.push(("name", format!("`{}` is the name of another command too", command.name)));
    }
    if command.run.trim().is_empty() {
        found.push(("run", "must not be empty".to_owned()));
    }
    if let Some(format) = command.format.as_deref().filter(|format| !is_known(format)) {
        let known: Vec<&str> = formats().collect();
        found.push(("as", format!("`{format}` is no format; known are {}", known.join(", "))));
    }
    found
}

/// What is wrong with a name, if anything is.
#[must_use]
pub fn name_mistake(name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let good = !name.is_empty() && name.len() <= 100 && name.chars().all(plain);
    (!good).then(|| format!("`{name}` is no name: use at most 100 letters, digits, `_`, `-` and `.`"))
}

/// Every word that `as` takes.
pub fn formats() -> impl Iterator<Item = &'static str> {
    [WALL_TIME].into_iter().chain(SOURCES.iter().map(|source| source.name()))
}

fn is_known(format: &str) -> bool {
    formats().any(|known| known == format)
}

/// What a word of `as` reads.
#[must_use]
pub fn reads(format: Option<&str>) -> Reads {
    match format {
        None | Some(WALL_TIME) => Reads::WallTime,
        Some(format) => Reads::Output(format.to_owned()),
    }
}

/// The commands of a file that was read, and so checked.
pub(super) fn resolved(file: &File) -> Vec<Program> {
    let folder = (file.folder != Path::new("")).then(|| file.folder.clone());
    let program = |command: &Command| Program {
        name: command.name.clone(),
        line: command.run.clone(),
        build: command.build.clone(),
        reads: reads(command.format.as_deref()),
        timeout: timeout(file, command.timeout.map(super::values::Span::duration)),
        folder: folder.clone(),
    };
    file.command.iter().map(program).collect()
}

/// How long a process may take: what is said of it, else of every slot, else ten minutes.
pub(super) fn timeout(file: &File, own: Option<Duration>) -> Duration {
    own.or(file.measure.slot_timeout.map(super::values::Span::duration)).unwrap_or(TIMEOUT)
}

#[cfg(test)]
mod tests {
    use crate::{config::read::parse, measure::program::Reads};
    use std::time::Duration;

    #[test]
    fn entries_become_commands_with_the_timeout_of_slots_or_their_own() {
        let file = parse(
            "[measure]\nslot_timeout = \"20s\"\n[[command]]\nname = \"go\"\nrun = \"go test\"\nas = \"go\"\n\
             [[command]]\nname = \"cli\"\nrun = \"./x\"\nbuild = \"make\"\ntimeout = \"1s\"\n",
        )
        .unwrap();
        let programs = super::resolved(&file);
        assert_eq!(programs[0].reads, Reads::Output("go".into()));
        assert_eq!(
            (programs[1].reads.clone(), programs[1].timeout),
            (Reads::WallTime, Duration::from_secs(1))
        );
        assert_eq!((programs[0].timeout, &programs[0].folder), (Duration::from_secs(20), &None));
    }

    #[test]
    fn every_mistake_of_an_entry_is_named_with_its_line() {
        let mistakes = parse(
            "[[command]]\nname = \"a b\"\nrun = \" \"\nas = \"gopher\"\n[[command]]\nname = \"x\"\nrun = \"x\"\n\
             [[command]]\nname = \"x\"\nrun = \"x\"\n",
        )
        .unwrap_err();
        let shown: Vec<_> =
            mistakes.iter().map(|mistake| format!("{}: {}", mistake.line, mistake.message)).collect();
        assert_eq!(shown.len(), 4, "{shown:?}");
        assert!(shown[0].starts_with("2: key `command.name`: `a b` is no name"), "{shown:?}");
        assert_eq!(shown[1], "3: key `command.run`: must not be empty");
        assert!(
            shown[2].starts_with("4: key `command.as`: `gopher` is no format; known are time, criterion")
        );
        assert_eq!(shown[3], "9: key `command.name`: `x` is the name of another command too");
    }
}
