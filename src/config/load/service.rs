//! Who is under load, and how requests travel: `command` and what goes with it, `url`, and the keys of the transport.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use hyper::Uri;
use regex::Regex;

use super::{
    keys::Load,
    scenario::{Leave, stays_inside},
    troubles::Troubles,
    values::{Command, ReadyTable},
    words,
};
use crate::{
    config::values::Span,
    load::scenario::{Launch, Ready, Service, Transport},
};

/// Stands for the port that is picked for each start.
const PORT: &str = "{port}";

/// The service of a scenario.
pub(super) fn service(load: &Load, allow_remote: bool, troubles: &mut Troubles) -> Service {
    let Some(command) = &load.command else {
        needs_command(load, troubles);
        let url = match &load.url {
            Some(url) => {
                if url.contains(PORT) {
                    troubles.add("url", "there is no `{port}` without a `command`");
                } else {
                    check_url(url, "url", allow_remote, troubles);
                }
                url.clone()
            }
            None => {
                let message = "who is under load? Give the `command` that starts a service, or the `url` of one that already runs";
                troubles.add("", message);
                String::new()
            }
        };
        return Service::Running(url);
    };
    let url = load.url.clone().unwrap_or_else(|| format!("http://127.0.0.1:{PORT}"));
    check_url(&url, "url", allow_remote, troubles);
    Service::Command(Launch {
        build: load.build.as_ref().map(|build| words_of(build, "build", troubles)).unwrap_or_default(),
        command: words_of(command, "command", troubles),
        directory: inside_tree(load.directory.as_deref(), "directory", troubles).unwrap_or_default(),
        environment: environment(load, troubles),
        url,
        ready: ready(load, allow_remote, troubles),
        ready_timeout: load.ready_timeout.map_or(Duration::from_secs(30), Span::duration),
        stop_timeout: load.stop_timeout.map_or(Duration::from_secs(5), Span::duration),
        executable: inside_tree(load.executable.as_deref(), "executable", troubles),
    })
}

/// Keys that say something about a command that is not there.
fn needs_command(load: &Load, troubles: &mut Troubles) {
    let given = [
        ("build", load.build.is_some()),
        ("directory", load.directory.is_some()),
        ("env", !load.env.is_empty()),
        ("ready", load.ready.is_some()),
        ("ready_timeout", load.ready_timeout.is_some()),
        ("stop_timeout", load.stop_timeout.is_some()),
        ("executable", load.executable.is_some()),
    ];
    for (key, _) in given.iter().filter(|(_, given)| *given) {
        troubles.add(key, "this is about a service that Tollgate starts; give its `command`");
    }
}

fn words_of(command: &Command, key: &str, troubles: &mut Troubles) -> Vec<String> {
    let words = match command {
        Command::Words(words) => Ok(words.clone()),
        Command::Text(text) => words::split(text),
    };
    let words = words.and_then(|words| match words.first() {
        None => Err("the command is empty".to_owned()),
        Some(program) if program.is_empty() => Err("the program's name is empty".to_owned()),
        _ if words.iter().any(|word| word.contains('\0')) => Err("a word holds a NUL".to_owned()),
        _ => Ok(words),
    });
    troubles.noted(key, words).unwrap_or_default()
}

fn inside_tree(path: Option<&str>, key: &str, troubles: &mut Troubles) -> Option<PathBuf> {
    let path = path?;
    if path.is_empty() || !stays_inside(path) {
        troubles.add(key, format!("`{path}` is not below the repository's root: give a relative path"));
    }
    Some(PathBuf::from(path))
}

fn environment(load: &Load, troubles: &mut Troubles) -> Vec<(String, String)> {
    for (name, value) in &load.env {
        if name == "PORT" {
            troubles.add_at(&["env", name], "`PORT` is always the port that was picked, as `{port}` is");
        } else if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            troubles.add_at(&["env", name], "this is no variable: a name has no `=`, and neither part a NUL");
        }
    }
    load.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn ready(load: &Load, allow_remote: bool, troubles: &mut Troubles) -> Ready {
    let Some(table) = load.ready.as_ref().map(|ready| &ready.0) else { return Ready::Port };
    match table {
        ReadyTable { url: Some(url), port: None, log: None } => {
            check_page(url, "ready", allow_remote, troubles);
            Ready::Url(url.clone())
        }
        ReadyTable { url: None, port: Some(true), log: None } => Ready::Port,
        ReadyTable { url: None, port: None, log: Some(pattern) } => {
            if let Err(error) = Regex::new(pattern) {
                troubles.add_at(&["ready", "log"], no_pattern(&error));
            }
            Ready::Log(pattern.clone())
        }
        _ => {
            troubles.add("ready", "give one of `{ url = … }`, `{ port = true }` and `{ log = … }`");
            Ready::Port
        }
    }
}

/// The regex library draws the pattern over several lines; its last one says what is wrong.
fn no_pattern(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().next_back().unwrap_or_default().trim_start_matches("error: ").to_owned();
    format!("not a regular expression: {last}")
}

/// A path on the service, or a whole URL.
pub(super) fn check_page(page: &str, key: &str, allow_remote: bool, troubles: &mut Troubles) {
    if page.contains("://") {
        let host = parse_url(page).and_then(|uri| allowed(&uri, allow_remote));
        troubles.noted(key, host);
    } else if !page.starts_with('/') || page.replace(PORT, "1").parse::<Uri>().is_err() {
        troubles.add(key, format!("`{page}` is neither a path such as `/health` nor a URL"));
    }
}

/// The address of a service: scheme, host and port, nothing after them.
fn check_url(url: &str, key: &str, allow_remote: bool, troubles: &mut Troubles) {
    let checked = parse_url(url).and_then(|uri| {
        if !matches!(uri.path_and_query().map(ToString::to_string).as_deref(), None | Some("" | "/")) {
            return Err("the address ends with the host or port; paths belong to the requests".into());
        }
        allowed(&uri, allow_remote)
    });
    troubles.noted(key, checked);
}

pub(super) fn parse_url(url: &str) -> Result<Uri, String> {
    let bad = || format!("`{url}` is not an address such as `http://127.0.0.1:8080`");
    let uri: Uri = url.replace(PORT, "1").parse().map_err(|_| bad())?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(bad());
    }
    let authority = uri.authority().ok_or_else(bad)?;
    if authority.as_str().contains('@') {
        return Err("an address with a user name is not understood: set an `Authorization` header".into());
    }
    // A port that is no number is silently dropped by the parser.
    let digits = authority.as_str().rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
    if digits.is_some_and(|(_, port)| port.parse::<u16>().is_err()) || authority.host().is_empty() {
        return Err(bad());
    }
    Ok(uri)
}

fn allowed(uri: &Uri, allow_remote: bool) -> Result<(), String> {
    let host = uri.host().unwrap_or_default();
    if allow_remote || is_this_machine(host) {
        return Ok(());
    }
    Err(format!("`{host}` is not this machine: say `allow_remote = true` if it may be put under load"))
}

/// Whether a host's name is this machine for certain, without asking anybody.
pub(super) fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    match address.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// How requests travel.
pub(super) fn transport(load: &Load, leave: Leave<'_>, troubles: &mut Troubles) -> Transport {
    let starts = load.command.is_some();
    if let Some(socket) = &load.unix_socket {
        let path = Path::new(socket);
        if socket.is_empty() || (starts && !stays_inside(socket)) {
            troubles.add("unix_socket", format!("`{socket}` is not below the repository's root"));
        } else if !starts && !path.is_absolute() {
            troubles.add("unix_socket", "give the whole path of a service's socket that already runs");
        }
    }
    let plain = !load.url.as_deref().unwrap_or_default().starts_with("https:");
    for (key, given) in [("tls_ca", load.tls_ca.is_some()), ("tls_insecure", load.tls_insecure == Some(true))]
    {
        if given && plain {
            troubles.add(key, "this is about TLS, but the `url` does not begin with `https:`");
        }
    }
    Transport {
        http2: load.http2.unwrap_or(false),
        keep_alive: load.keep_alive.unwrap_or(true),
        unix_socket: load.unix_socket.as_ref().map(PathBuf::from),
        tls_ca: load.tls_ca.as_ref().map(|file| certificate(file, leave, troubles)),
        tls_insecure: load.tls_insecure.unwrap_or(false),
        allow_remote: leave.allow_remote || load.allow_remote.unwrap_or(false),
    }
}

/// The certificate's whole path; unlike data it may lie elsewhere, where a system keeps its own.
fn certificate(file: &str, leave: Leave<'_>, troubles: &mut Troubles) -> PathBuf {
    let path = leave.folder.unwrap_or(Path::new("")).join(file);
    if leave.folder.is_some() && !path.is_file() {
        troubles.add("tls_ca", format!("there is no file `{file}`"));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::{is_this_machine, parse_url};

    #[test]
    fn only_loopback_is_this_machine() {
        for host in ["127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "[::1]"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in
            ["0.0.0.0", "192.168.0.1", "example.org", "localhost.evil.example", "[::]", "127.0.0.1.nip.io"]
        {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    #[test]
    fn an_address_is_scheme_host_and_port() {
        for url in ["http://127.0.0.1:{port}", "https://[::1]:8443", "http://localhost"] {
            parse_url(url).unwrap();
        }
        for url in [
            "",
            "localhost:80",
            "ftp://x",
            "http://",
            "http://u@h",
            "http://h:x",
            "http://h:70000",
            "/x",
            "http://a b",
        ] {
            assert!(parse_url(url).is_err(), "{url}");
        }
    }
}
