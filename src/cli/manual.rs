//! `tollgate completions` and `tollgate man`, generated from the arguments themselves.

use super::{Door, args::Cli};
use crate::{
    commands::failure::Failure,
    files::atomic,
    model::outcome::{ErrorClass, Outcome},
};
use clap::CommandFactory;
use std::{io, path::Path};

/// Prints a completion script.
pub(super) fn completions(door: &Door, shell: clap_complete::Shell) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tollgate", &mut script);
    door.print(&script)?;
    Ok(Outcome::Pass)
}

/// Prints the manual page, or writes one page per command.
pub(super) fn man(door: &Door, folder: Option<&Path>) -> Result<Outcome, Failure> {
    let command = Cli::command();
    let Some(folder) = folder else {
        door.print(&page(command, "tollgate").map_err(|error| failed(Path::new("tollgate.1"), &error))?)?;
        return Ok(Outcome::Pass);
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    write_pages(folder, command, "tollgate")?;
    Ok(Outcome::Pass)
}

fn write_pages(folder: &Path, command: clap::Command, name: &str) -> Result<(), Failure> {
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        write_pages(folder, subcommand.clone(), &format!("{name}-{}", subcommand.get_name()))?;
    }
    let path = folder.join(format!("{name}.1"));
    let text = page(command, name).map_err(|error| failed(&path, &error))?;
    atomic::write(&path, &text).map_err(|error| failed(&path, &error))
}

fn page(command: clap::Command, name: &str) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command).title(name).render(&mut text)?;
    Ok(text)
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::message(
        ErrorClass::Reporting,
        format!("could not write `{}`: {error}", path.display()),
        "check the folder's permissions and the free space",
    )
}
