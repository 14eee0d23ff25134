//! The repository of `tollgate demo`: a small library with criterion benches, and a change that makes one function slower.

use super::repository::Revision;

/// What to say before the check.
pub(super) const NOTES: [&str; 2] = [
    "two revisions: word_counts is slower by a String per word, slugs faster, moving_average only moved, the rest untouched",
    "the first time, criterion and its dependencies are compiled, which takes a minute or two",
];

/// Both revisions, base first.
pub(super) fn revisions() -> [Revision; 2] {
    let files = |library: &str| {
        [
            ("Cargo.toml", include_str!("files/manifest.toml").to_owned()),
            ("Cargo.lock", include_str!("files/lock.toml").to_owned()),
            ("benches/shop.rs", include_str!("files/bench.rs").to_owned()),
            ("src/lib.rs", format!("{library}{}", include_str!("files/samples.rs"))),
        ]
        .map(|(path, text)| (path.to_owned(), text))
        .to_vec()
    };
    [
        Revision { files: files(include_str!("files/base_lib.rs")), subject: "Open the shop" },
        Revision {
            files: files(include_str!("files/head_lib.rs")),
            subject: "Tidy up: shorter word_counts, faster slugs, functions in order",
        },
    ]
}
