//! The texts that `tollgate init` writes, and for which service which of them.

use crate::text::escape;

const CONFIGURATION: &str = include_str!("files/tollgate.toml");
const GITHUB_CHECK: &str = include_str!("files/github-check.yml");
const GITHUB_COMMENT: &str = include_str!("files/github-comment.yml");
const GITHUB_BASELINE: &str = include_str!("files/github-baseline.yml");
const GITLAB: &str = include_str!("files/gitlab.yml");

/// The service that runs the project's checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
    /// Another one, or none.
    None,
}

/// A file to write, from the repository's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    /// Its path.
    pub(super) path: &'static str,
    /// Its text.
    pub(super) text: String,
}

/// `tollgate.toml`, with the criterion bench targets that were found in its comments.
pub(super) fn configuration(targets: &[String]) -> File {
    let found = if targets.is_empty() {
        "# No criterion bench target was found yet: add one with `harness = false` under [[bench]]."
            .to_owned()
    } else {
        let lines: Vec<_> = targets.iter().map(|target| format!("#   {}", one_line(target))).collect();
        format!("# Criterion bench targets found here:\n{}", lines.join("\n"))
    };
    File { path: "tollgate.toml", text: CONFIGURATION.replace("@TARGETS@", &found) }
}

/// The files of a service; `baseline` adds the workflow that stores a run of each commit of the default branch.
pub(super) fn of_service(service: Service, default_branch: &str, baseline: bool) -> Vec<File> {
    let file = |path, text: &str| File { path, text: filled(text, default_branch) };
    match service {
        Service::Github => {
            let mut files = vec![
                file(".github/workflows/tollgate.yml", GITHUB_CHECK),
                file(".github/workflows/tollgate-comment.yml", GITHUB_COMMENT),
            ];
            if baseline {
                files.push(file(".github/workflows/tollgate-baseline.yml", GITHUB_BASELINE));
            }
            files
        }
        Service::Gitlab => vec![file(".gitlab/tollgate.yml", GITLAB)],
        Service::None => Vec::new(),
    }
}

/// A text with the default branch and this version in it. The version goes first: the branch's name may hold anything.
fn filled(text: &str, default_branch: &str) -> String {
    text.replace("@VERSION@", env!("CARGO_PKG_VERSION")).replace("@BRANCH@", &pattern(default_branch))
}

/// A branch's name as a quoted YAML string that GitHub's patterns match literally.
fn pattern(branch: &str) -> String {
    let mut literal = String::new();
    for (at, c) in branch.chars().enumerate() {
        // Characters with a meaning in GitHub's patterns; `!` has one at the start only.
        if "*?+[]\\".contains(c) || (at == 0 && c == '!') {
            literal.push('\\');
        }
        literal.push(c);
    }
    // A string of JSON is one of YAML.
    serde_json::Value::from(literal).to_string()
}

/// A target's name comes from a manifest that anybody may have written: it must not end the comment.
fn one_line(name: &str) -> String {
    escape::terminal(name).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::{Service, configuration, of_service};
    use crate::config::read;

    #[test]
    fn the_configuration_it_writes_is_valid_and_so_is_every_commented_key() {
        let text = configuration(&["kernels".into(), "evil\nmargin = 1".into()]).text;
        read::parse(&text).unwrap();
        let uncommented: String = text
            .lines()
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|rest| {
                        let key = rest.split(" = ").next().filter(|key| key.len() < rest.len());
                        rest.starts_with("[[") || key.is_some_and(|key| !key.contains(' '))
                    })
                    .unwrap_or(line)
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let file =
            read::parse(&uncommented).unwrap_or_else(|mistakes| panic!("{mistakes:#?}\n{uncommented}"));
        assert!(!file.rule.is_empty() && !file.waiver.is_empty() && !file.rename.is_empty());
        assert_eq!((file.load.len(), file.load[0].request.len(), file.targets.tier.len()), (1, 2, 1));
    }

    #[test]
    fn a_hostile_branch_name_stays_one_string_of_every_file() {
        for branch in ["main", "a]\npermissions: write-all", "x\"y", "release/**", "!main", "@VERSION@", "#"]
        {
            for file in of_service(Service::Github, branch, true) {
                let value: serde_json::Value = serde_yaml_ng::from_str(&file.text)
                    .unwrap_or_else(|error| panic!("{}: {error}\n{}", file.path, file.text));
                assert_eq!(value["permissions"], serde_json::json!({}), "{}", file.path);
                let on = &value["on"];
                let named = on["pull_request"]["branches"].get(0).or_else(|| on["push"]["branches"].get(0));
                if let Some(named) = named {
                    assert_eq!(named.as_str().unwrap().replace('\\', ""), branch);
                }
            }
        }
    }
}
