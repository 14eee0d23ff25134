//! Outputs of other tools as runs, for `tollgate compare A B` and `tollgate import`: bytes in, runs out. One file a tool; nothing here reads a disk.
//!
//! | tool | input | one slot is | units |
//! |---|---|---|---|
//! | [`criterion`] | `target/criterion`, the directory | one directory, since its samples come from one process | ns |
//! | [`hyperfine`] | the file of `--export-json` | one process of the command; with several files a side, one file | s → ns |
//! | [`libtest`] | what `cargo bench` prints | one file | ns |
//! | [`gungraun`] | `summary.json` files, or what `--output-format=json` prints | one file; counts are not tested | counts |
//! | [`k6`], [`oha`], [`vegeta`], [`autocannon`], [`artillery`], [`locust`], [`wrk`], [`hdrhistogram`] | what a load tool wrote | one file | ns, req/s |
//! | [`slots_csv`] | `compare --slots FILE.csv` | one row | ns |
//!
//! The way: the caller gathers an [`input::Input`] per argument, [`input::parse`] finds the tool and gives a
//! [`pairing::SourceRun`], [`pairing::pair`] makes one run of those of both sides. What a tool's output cannot tell comes
//! along as warnings. What load tools have in common is in `load_result`; [`locustfile`] writes what makes Locust tell enough.

pub mod artillery;
pub mod autocannon;
pub mod criterion;
pub mod gungraun;
pub mod hdrhistogram;
pub mod hyperfine;
pub mod input;
pub mod k6;
pub mod libtest;
mod lines;
mod load_result;
pub mod locust;
mod locust_slices;
pub mod locustfile;
pub mod oha;
pub mod pairing;
pub mod rename;
pub mod slots_csv;
pub mod vegeta;
pub mod wrk;
