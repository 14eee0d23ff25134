//! The repository of `tollgate demo --load`: the chat bot of `examples/bot`, and a change that makes it slower.
//!
//! `files/bot.txt` holds the example's files one after the other, because cargo leaves a folder with a manifest of its own out of a
//! published crate. A test holds it equal to the example; `TOLLGATE_UPDATE_DEMO=1 cargo test demo::bot` writes it anew.

use super::repository::Revision;

/// A line that begins like this names the file whose text follows.
const HEADING: &str = "=== ";
const BUNDLE: &str = include_str!("files/bot.txt");

/// What the change does: the key of every cached answer gets the chat in it, so that no chat profits from another's question.
const CHANGES: [(&str, &str, &str); 3] = [
    (
        "src/answers.rs",
        "pub async fn answer(&self, question: &Question) -> Outcome {\n        let key = question.key();",
        "pub async fn answer(&self, chat: i64, question: &Question) -> Outcome {\n        let key = format!(\"{chat}:{}\", question.key());",
    ),
    (
        "src/answers.rs",
        "/// Answers a question.\n",
        "/// Answers a question. Each chat has answers of its own, ready for replies that know who asks.\n",
    ),
    ("src/webhook.rs", "app.answers.answer(&question)", "app.answers.answer(chat, &question)"),
];

/// What to say before the check.
pub(super) const NOTES: [&str; 2] = [
    "two revisions of a chat bot: in head each chat has cached answers of its own, so most questions go to the database",
    "the first time, both are compiled with all they need, SQLite too, which takes a few minutes",
];

/// Both revisions, base first.
pub(super) fn revisions() -> [Revision; 2] {
    let mut base = files();
    base.push(("tollgate.toml".into(), include_str!("files/bot_tollgate.toml").into()));
    let mut head = base.clone();
    for (path, from, to) in CHANGES {
        for (_, text) in head.iter_mut().filter(|(name, _)| name == path) {
            *text = text.replacen(from, to, 1);
        }
    }
    [
        Revision { files: base, subject: "Open the cafe's chat bot" },
        Revision { files: head, subject: "Keep answers a chat, ready for personal replies" },
    ]
}

/// The example's files, each with its path.
fn files() -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in BUNDLE.split_inclusive('\n') {
        match (line.strip_prefix(HEADING), files.last_mut()) {
            (Some(path), _) => files.push((path.trim_end().to_owned(), String::new())),
            (None, Some((_, text))) => text.push_str(line),
            (None, None) => {}
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::{BUNDLE, CHANGES, HEADING, files, revisions};
    use std::{fs, path::Path};

    fn example() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/bot"))
    }

    fn names(folder: &str) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for entry in fs::read_dir(example().join(folder)).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{folder}/{}", entry.file_name().into_string().unwrap());
            match entry.file_type().unwrap().is_dir() {
                true => names.extend(self::names(&name)),
                false => names.push(name),
            }
        }
        names.sort();
        names
    }

    #[test]
    fn the_demo_carries_the_example_as_it_is() {
        let paths = ["Cargo.toml".to_owned(), "Cargo.lock".to_owned()];
        let paths = paths.into_iter().chain(names("src")).chain(names("data"));
        let bundle: String = paths
            .map(|path| {
                let text = fs::read_to_string(example().join(&path)).unwrap().replace("\r\n", "\n");
                assert!(text.ends_with('\n') && !text.contains(&format!("\n{HEADING}")), "{path}");
                format!("{HEADING}{path}\n{text}")
            })
            .collect();
        if std::env::var_os("TOLLGATE_UPDATE_DEMO").is_some() {
            fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/commands/demo/files/bot.txt"), &bundle)
                .unwrap();
        }
        assert!(
            bundle == BUNDLE.replace("\r\n", "\n"),
            "files/bot.txt is not examples/bot: TOLLGATE_UPDATE_DEMO=1 cargo test demo::bot"
        );
    }

    #[test]
    fn every_part_of_the_change_is_made() {
        let [base, head] = revisions();
        let text = |files: &[(String, String)], path: &str| {
            files.iter().find(|(name, _)| name == path).unwrap().1.clone()
        };
        for (path, from, to) in CHANGES {
            assert!(text(&base.files, path).contains(from), "{path} {from}");
            assert!(!text(&base.files, path).contains(to), "{path} {to}");
            assert!(text(&head.files, path).contains(to), "{path} {to}");
        }
        assert_eq!(files().len() + 1, head.files.len());
    }
}
