//! The job itself: what is there, what is written, what to do next.

use crate::{
    cargo::{
        invocation::Invocation,
        metadata::{self, Selection},
    },
    commands::{
        failure::Failure,
        init::files::{self, File, Service},
    },
    files::atomic,
    git::{Repository, revision},
    model::outcome::ErrorClass,
    process::Interrupt,
    text::{escape, plural},
};
use std::path::{Path, PathBuf};

/// What to write.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request {
    /// The service to write for; `None` is what the repository looks like.
    pub service: Option<Service>,
    /// Whether a run of each commit of the default branch is to be stored.
    pub baseline: bool,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Written {
    /// It is new.
    Created(PathBuf),
    /// It was there and is left as it was.
    Kept(PathBuf),
}

/// Looks at the crate around `directory`, writes what is missing, and says what to do next.
///
/// # Errors
/// When there is no repository or crate, a file cannot be written, or the service cannot do what is asked.
pub fn run(directory: &Path, request: Request, interrupt: &Interrupt) -> Result<String, Failure> {
    let repository = Repository::discover(directory).map_err(Failure::configuration)?;
    let root = repository.root().to_owned();
    let service = request.service.unwrap_or_else(|| service_of(&root));
    if request.baseline && service != Service::Github {
        return Err(Failure::message(
            ErrorClass::Configuration,
            "`--baseline` writes a GitHub workflow, and this is no GitHub project".to_owned(),
            "elsewhere run `tollgate baseline save --push` in a job of the default branch, or say `--ci github`",
        ));
    }
    let invocation =
        Invocation::new(&root, &root, repository.prefix(), interrupt).map_err(Failure::configuration)?;
    let everything = Selection { workspace: true, ..Selection::default() };
    let workspace = metadata::read(&invocation, &everything, interrupt).map_err(Failure::configuration)?;
    let choice = workspace.choose(&everything, &invocation.directory).map_err(Failure::configuration)?;
    let targets: Vec<String> = choice.chosen.iter().map(|(_, target)| target.clone()).collect();
    let branch = revision::default_branch_name(&repository).unwrap_or_else(|| "main".into());
    let mut files = vec![files::configuration(&targets)];
    files.extend(files::of_service(service, &branch, request.baseline));
    let mut report: Vec<String> = write_all(&root, &files)?
        .iter()
        .map(|written| match written {
            Written::Created(path) => format!("wrote {}", path.display()),
            Written::Kept(path) => format!("kept {} as it is", path.display()),
        })
        .collect();
    report.push(found(&targets));
    for skipped in &choice.skipped {
        report.push(format!(
            "  not measured: {} ({})",
            escape::terminal(&skipped.target),
            escape::terminal(&skipped.reason)
        ));
    }
    report.extend(next_steps(service));
    Ok(report.join("\n") + "\n")
}

/// The service by what lies in the repository: GitLab's file, without GitHub's folder, means GitLab.
fn service_of(root: &Path) -> Service {
    let gitlab = root.join(".gitlab-ci.yml").exists() && !root.join(".github").exists();
    if gitlab { Service::Gitlab } else { Service::Github }
}

fn found(targets: &[String]) -> String {
    let names: Vec<_> = targets.iter().map(|target| escape::terminal(target)).collect();
    match names.len() {
        0 => "no criterion bench target was found: add one with `harness = false` under [[bench]], or write a `[[load]]` or `[[command]]` into `tollgate.toml`"
            .to_owned(),
        count => format!(
            "found {} with `harness = false`: {}",
            plural::count(count, "bench target"),
            names.join(", ")
        ),
    }
}

fn next_steps(service: Service) -> Vec<String> {
    let mut steps =
        vec!["next: read tollgate.toml, run `tollgate check` once, and commit these files".to_owned()];
    match service {
        Service::Github => steps.push(
            "      tollgate-comment.yml comments once it is on the default branch; then require the check `check` of \
             workflow `tollgate`"
                .to_owned(),
        ),
        Service::Gitlab => steps.push(
            "      add to .gitlab-ci.yml, under `include:`, the line `- local: .gitlab/tollgate.yml`".to_owned(),
        ),
        Service::None => {
            steps.push("      in CI run `tollgate check`: its exit code is the answer".to_owned());
        }
    }
    steps
}

/// Writes what is missing.
fn write_all(root: &Path, files: &[File]) -> Result<Vec<Written>, Failure> {
    files.iter().map(|file| write_new(&root.join(file.path), &file.text)).collect()
}

fn write_new(path: &Path, text: &str) -> Result<Written, Failure> {
    if path.symlink_metadata().is_ok() {
        return Ok(Written::Kept(path.to_owned()));
    }
    let failed = |error: &dyn std::fmt::Display| {
        let message = format!("could not write `{}`: {error}", path.display());
        Failure::message(ErrorClass::Reporting, message, "check the folder's permissions and the free space")
    };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| failed(&error))?;
    }
    atomic::write(path, text.as_bytes()).map_err(|error| failed(&error))?;
    Ok(Written::Created(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Service, Written, service_of, write_all};
    use crate::commands::init::files;

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tollgate.toml"), "mine").unwrap();
        let mut all = vec![files::configuration(&[])];
        all.extend(files::of_service(Service::Github, "main", true));
        let written = write_all(folder.path(), &all).unwrap();
        assert!(matches!(&written[0], Written::Kept(_)));
        assert_eq!(written.iter().filter(|one| matches!(one, Written::Created(_))).count(), 3);
        assert_eq!(std::fs::read_to_string(folder.path().join("tollgate.toml")).unwrap(), "mine");
        let again = write_all(folder.path(), &all).unwrap();
        assert!(again.iter().all(|written| matches!(written, Written::Kept(_))));
    }

    #[test]
    fn a_gitlab_project_is_known_by_its_file() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(service_of(folder.path()), Service::Github);
        std::fs::write(folder.path().join(".gitlab-ci.yml"), "").unwrap();
        assert_eq!(service_of(folder.path()), Service::Gitlab);
        std::fs::create_dir(folder.path().join(".github")).unwrap();
        assert_eq!(service_of(folder.path()), Service::Github);
    }
}
