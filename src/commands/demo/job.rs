//! The job: write the repository, check it, say what that was.

use super::{bot, repository::write_revisions, shop};
use crate::{
    commands::{check, failure::Failure},
    process::Interrupt,
    progress::{Event, Progress},
};
use std::path::Path;

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A library with criterion benches.
    Benches,
    /// A service under load.
    Load,
}

/// Writes the repository, in a folder that is empty or an earlier demo.
///
/// # Errors
/// When the folder holds something else, or cannot be written.
pub fn write(
    kind: Kind,
    folder: &Path,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    progress.tell(Event::Phase(format!("writing the demo repository to {}", folder.display())));
    let (revisions, notes) = match kind {
        Kind::Benches => (shop::revisions(), shop::NOTES),
        Kind::Load => (bot::revisions(), bot::NOTES),
    };
    write_revisions(folder, &revisions, interrupt)?;
    for note in notes {
        progress.tell(Event::Note(note.into()));
    }
    Ok(())
}

/// What to say after the table.
#[must_use]
pub fn farewell(kind: Kind, done: &check::Done) -> String {
    let folder = done.folder.display();
    let home = match kind {
        Kind::Benches => "`tollgate init`, then `tollgate check`, in a crate with criterion benches",
        Kind::Load => "a `[[load]]` in `tollgate.toml` like the demo's, then `tollgate check`",
    };
    format!(
        "\nThat was a real check: `tollgate check --base HEAD~1` would have ended with exit code {}.\n\
         JSON      {folder}/verdict.json\n\
         Markdown  {folder}/verdict.md\n\
         samples   {folder}/run.json (judge them again: tollgate judge {folder}/run.json)\n\
         At home: {home}.\n",
        done.verdict.outcome.exit_code()
    )
}
