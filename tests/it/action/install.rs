//! Releases are installed after their checksum was verified, and where there is none Tollgate is built from source.

use super::runner::{Ended, Job, root, write_program};
use crate::support::server::{Reply, Server};
use sha2::{Digest as _, Sha256};
use std::{
    fs,
    process::Command,
    sync::{Arc, Mutex},
};

/// What this system's release file is called; the server sees names in small letters.
const FILE: &str = "tollgate-x86_64-unknown-linux-musl.tar.gz";

/// A release host.
struct Host {
    server: Server,
    asked: Arc<Mutex<Vec<String>>>,
}

/// A host of one release whose program prints its version; `sums` makes SHA256SUMS of the archive's digest.
fn host(sums: impl Fn(&str) -> Option<String>) -> Host {
    let folder = tempfile::tempdir().unwrap();
    write_program(&folder.path().join("tollgate"), "echo tollgate 9.9.9; touch \"$RUNNER_TEMP/ran\"");
    let made =
        Command::new("tar").args(["-czf", FILE, "tollgate"]).current_dir(folder.path()).status().unwrap();
    assert!(made.success());
    let archive = fs::read(folder.path().join(FILE)).unwrap();
    let digest: String = Sha256::digest(&archive).iter().map(|byte| format!("{byte:02x}")).collect();
    let sums = sums(&digest);
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let seen = Arc::clone(&asked);
    let server = Server::start(move |_, head| {
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let body = match &sums {
            Some(sums) if path.ends_with("/sha256sums") => Some(sums.clone().into_bytes()),
            Some(_) if path.ends_with(&format!("/{FILE}")) => Some(archive.clone()),
            _ => None,
        };
        seen.lock().unwrap().push(path);
        Reply::Close(body.map_or_else(
            || b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(),
            |body| {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                [head.as_bytes(), &body].concat()
            },
        ))
    });
    Host { server, asked }
}

fn sound(digest: &str) -> Option<String> {
    Some(format!("{}  tollgate-other.tar.gz\n{digest}  {FILE}\n", "0".repeat(64)))
}

/// A cargo that writes down its arguments and makes the program that it was asked to install.
const CARGO: &str = "printf '%s\\n' \"$@\" >\"$RUNNER_TEMP/cargo\"; pwd >>\"$RUNNER_TEMP/cargo\"
while [ \"$1\" != --root ]; do shift; done
mkdir -p \"$2/bin\"; printf '#!/bin/sh\\necho tollgate built\\n' >\"$2/bin/tollgate\"; chmod +x \"$2/bin/tollgate\"";

fn install(host: &Host, version: &str) -> (Ended, tempfile::TempDir, Job) {
    let (workspace, job) = Job::anywhere();
    let job = job
        .input("command", "install")
        .input("version", version)
        .input("download-url", &host.server.url())
        .program("cargo", CARGO);
    (job.run(), workspace, job)
}

#[test]
fn a_release_is_verified_and_installed() {
    for (version, path) in [
        ("auto", format!("/download/v{}/", env!("CARGO_PKG_VERSION"))),
        ("latest", "/latest/download/".into()),
        ("1.2.3", "/download/v1.2.3/".into()),
        ("v1.2.3-rc.1", "/download/v1.2.3-rc.1/".into()),
    ] {
        let host = host(sound);
        let (ended, _workspace, job) = install(&host, version);
        assert!(ended.success, "{ended:#?}");
        assert!(ended.step("Install Tollgate").log.contains("tollgate 9.9.9"));
        assert!(job.temp().join("tollgate-bin/tollgate").exists());
        let asked = host.asked.lock().unwrap().clone();
        assert_eq!(asked, [format!("{path}sha256sums"), format!("{path}{FILE}")]);
    }
}

#[test]
fn an_archive_that_is_not_what_was_released_is_never_run_and_nothing_takes_its_place() {
    let hosts = [
        host(|_| Some(format!("{}  {FILE}\n", "0".repeat(64)))),
        host(|digest| Some(format!("{digest}  another.tar.gz\n"))),
        host(|_| Some("<html>sign in</html>".into())),
    ];
    for host in hosts {
        for version in ["auto", "1.2.3"] {
            let (ended, _workspace, job) = install(&host, version);
            assert!(!ended.success);
            assert!(ended.log().contains("SHA256SUMS"), "{}", ended.log());
            assert!(!job.temp().join("ran").exists() && !job.temp().join("cargo").exists());
            assert_eq!(ended.output("outcome"), "");
        }
    }
}

#[test]
fn without_a_release_the_action_is_built_from_its_own_source() {
    let host = host(|_| None);
    for version in ["auto", "source"] {
        let (ended, _workspace, job) = install(&host, version);
        assert!(ended.success, "{ended:#?}");
        let cargo = fs::read_to_string(job.temp().join("cargo")).unwrap();
        assert!(cargo.starts_with("install\n--quiet\n--locked\n--path\n.\n--root\n"), "{cargo}");
        assert!(cargo.trim_end().ends_with(&root().display().to_string()), "{cargo}");
    }
    // What was asked for by name is not replaced by something else.
    for version in ["1.2.3", "latest"] {
        let (ended, _workspace, job) = install(&host, version);
        assert!(!ended.success && !job.temp().join("cargo").exists());
        assert!(ended.log().contains("could not be downloaded"), "{}", ended.log());
    }
}

#[test]
fn a_system_without_a_release_is_built_for() {
    let host = host(sound);
    let (_workspace, job) = Job::anywhere();
    let job = job
        .input("command", "install")
        .input("version", "auto")
        .input("download-url", &host.server.url())
        .program("cargo", CARGO)
        .variable("RUNNER_ARCH", "ARM");
    assert!(job.run().success);
    assert!(host.asked.lock().unwrap().is_empty());
}

#[test]
fn a_version_is_no_path() {
    let host = host(sound);
    for version in ["../../evil", "1.2.3/../../x", "main", "1 2", "$(touch pwned)", ""] {
        let (ended, _workspace, _job) = install(&host, version);
        assert!(!ended.success && ended.log().contains("input `version`"), "{version}: {ended:#?}");
    }
    assert!(host.asked.lock().unwrap().is_empty());
}

#[test]
fn a_missing_program_says_so() {
    let (_workspace, job) = Job::anywhere();
    let ended = job.without("tollgate").input("command", "install").run();
    assert!(!ended.success);
    assert!(ended.log().contains("there is no `tollgate` on the PATH"), "{}", ended.log());
}
