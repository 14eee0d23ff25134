//! Outputs of other tools as runs, for `tollgate compare A B`: bytes in, runs out. One file a tool; nothing here reads a disk.
//!
//! | tool | input | one slot is | units |
//! |---|---|---|---|
//! | [`criterion`] | `target/criterion`, the directory | one directory, since its samples come from one process | ns |
//! | [`hyperfine`] | the file of `--export-json` | one process of the command; with several files a side, one file | s → ns |
//! | [`libtest`] | what `cargo bench` prints | one file | ns |
//! | [`gungraun`] | `summary.json` files, or what `--output-format=json` prints | one file; counts are not tested | counts |
//! | [`slots_csv`] | `compare --slots FILE.csv` | one row | ns |
//!
//! The way: the caller gathers an [`input::Input`] per argument, [`input::parse`] finds the tool and gives a
//! [`pairing::SourceRun`], [`pairing::pair`] makes one run of those of both sides. What a tool's output cannot tell comes
//! along as warnings.

pub mod criterion;
pub mod gungraun;
pub mod hyperfine;
pub mod input;
pub mod libtest;
pub mod pairing;
pub mod slots_csv;
