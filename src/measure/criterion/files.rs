//! The files that criterion writes, for benches that do not connect.
