//! Outputs of other tools as runs, for `tollgate compare A B` and `tollgate import`: bytes in, runs out. One file a tool; nothing here reads a disk.
//!
//! | tool | input | one slot is | units |
//! |---|---|---|---|
//! | [`criterion`] | `target/criterion`, the directory | one directory, since its samples come from one process | ns |
//! | [`hyperfine`] | the file of `--export-json` | one process of the command; with several files a side, one file | s → ns |
//! | [`libtest`] | what `cargo bench` prints | one file | ns |
//! | [`go`] | what `go test -bench` prints | one file; repeated lines are its samples | ns, bytes, allocations |
//! | [`pytest_benchmark`] | the file of `--benchmark-json` | one file | s → ns |
//! | [`google_benchmark`] | its JSON | one file; repetitions are its samples | ns to s → ns |
//! | [`jmh`] | the file of `-rf json` | one fork; with several files a side, one file | time → ns, ops/s |
//! | [`divan`] | the table that it prints | one file | its own → ns |
//! | [`bencher`] | Bencher Metric Format | one file | those of Bencher's own measures |
//! | [`data_js`] | `data.js` of github-action-benchmark | one file; all of it is a history | by unit and tool |
//! | [`gungraun`] | `summary.json` files, or what `--output-format=json` prints | one file; counts are not tested | counts |
//! | [`k6`], [`oha`], [`vegeta`], [`autocannon`], [`artillery`], [`locust`], [`wrk`], [`hdrhistogram`] | what a load tool wrote | one file | ns, req/s |
//! | [`slots_csv`] | `compare --slots FILE.csv` | one row | ns |
//!
//! The way: the caller gathers an [`input::Input`] per argument, [`input::parse`] finds the tool and gives a
//! [`pairing::SourceRun`], [`pairing::pair`] makes one run of those of both sides. What a tool's output cannot tell comes
//! along as warnings. What load tools have in common is in `load_result`; [`locustfile`] writes what makes Locust tell enough.

mod ansi;
pub mod artillery;
pub mod autocannon;
pub mod bencher;
pub mod criterion;
pub mod data_js;
pub mod divan;
pub mod go;
pub mod google_benchmark;
pub mod gungraun;
pub mod hdrhistogram;
pub mod hyperfine;
pub mod input;
pub mod jmh;
pub mod k6;
pub mod libtest;
mod lines;
mod load_result;
pub mod locust;
mod locust_slices;
pub mod locustfile;
pub mod oha;
pub mod pairing;
pub mod pytest_benchmark;
mod readings;
pub mod rename;
pub mod slots_csv;
pub mod vegeta;
pub mod wrk;
