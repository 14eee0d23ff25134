//! The pre-push check in real repositories with real remotes, pushed by git itself.
//!
//! Most repositories here hold no crate: what is compared with what is told before anything is built, and a push whose check cannot
//! be done goes on, which these tests look at too.

mod install;
mod judged;
mod managers;
mod refs;

use crate::support::{
    repository::{Repository, git},
    tollgate::{Ran, command, ran},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A repository with the hook in it, and a bare remote `origin` that has its `main`.
struct Scene {
    repository: Repository,
    remote: PathBuf,
}

impl Scene {
    /// One with a text file, no crate.
    fn new() -> Self {
        let repository = Repository::new();
        repository.write("file", "1\n");
        repository.commit("first");
        Self::of(repository)
    }

    /// Of a repository with a commit.
    fn of(repository: Repository) -> Self {
        let scene = Self::unpushed(repository);
        scene.repository.git(&["push", "--quiet", "--no-verify", "origin", "main"]);
        scene.repository.git(&["remote", "set-head", "origin", "main"]);
        scene
    }

    /// The same with a remote that is empty.
    fn unpushed(repository: Repository) -> Self {
        let remote = repository.cache().with_file_name("remote.git");
        let format = repository.git(&["rev-parse", "--show-object-format"]);
        fs::create_dir(&remote).unwrap();
        let object_format = format!("--object-format={format}");
        git(&remote, &["init", "--quiet", "--bare", "--initial-branch=main", &object_format]);
        repository.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
        let scene = Self { repository, remote };
        scene.tollgate(&["hook", "install"]).exits(0);
        scene
    }

    fn root(&self) -> &Path {
        self.repository.root()
    }

    fn git(&self, args: &[&str]) -> String {
        self.repository.git(args)
    }

    /// Changes the file and commits that.
    fn change(&self, text: &str) -> String {
        self.repository.write("file", text);
        self.repository.commit(text)
    }

    fn tollgate(&self, args: &[&str]) -> Ran {
        ran(&command(self.root()).args(args).output().unwrap())
    }

    /// Pushes; what hook and git say is all in `stderr`.
    fn push(&self, args: &[&str]) -> Ran {
        pushed(self.pusher(self.root(), args))
    }

    /// `git push` in a folder, without anybody's settings.
    fn pusher(&self, directory: &Path, args: &[&str]) -> Command {
        let ours = command(directory);
        let mut pusher = Command::new("git");
        pusher.current_dir(directory).env("COLUMNS", "100");
        for (name, value) in ours.get_envs() {
            match value {
                Some(value) => pusher.env(name, value),
                None => pusher.env_remove(name),
            };
        }
        pusher
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("TOLLGATE_CACHE_DIR", self.repository.cache())
            .args(["-c", "protocol.file.allow=always", "push"])
            .args(args);
        pusher
    }

    /// The commit of a ref of the remote.
    fn there(&self, name: &str) -> Option<String> {
        let listed = git(&self.remote, &["for-each-ref", "--format=%(refname) %(objectname)"]);
        listed.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned))
    }

    /// Whatever a hook must not leave behind.
    #[track_caller]
    fn is_clean(&self) {
        assert_eq!(self.git(&["worktree", "list"]).lines().count(), 1);
        let cache = self.repository.cache();
        let left: Vec<_> = fs::read_dir(&cache)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.ends_with(".lock") && name != "processes" && name != "pushes")
            .collect();
        assert_eq!(left, Vec::<String>::new());
    }
}

/// Runs a push to its end.
fn pushed(mut pusher: Command) -> Ran {
    let mut ran = ran(&pusher.output().unwrap());
    ran.stderr.insert_str(0, &std::mem::take(&mut ran.stdout));
    ran
}

impl Ran {
    /// Asserts that something was said.
    #[track_caller]
    fn says(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "`{words}` is not in:\n{}", self.stderr);
        self
    }

    /// Asserts that something was not said.
    #[track_caller]
    fn hides(self, words: &str) -> Self {
        assert!(!self.stderr.contains(words), "`{words}` is in:\n{}", self.stderr);
        self
    }

    /// How many commits were looked at.
    fn judged(&self) -> usize {
        self.stderr
            .lines()
            .filter(|line| line.starts_with("tollgate: `") && line.contains(") against "))
            .count()
    }
}
