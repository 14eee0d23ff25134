//! Whether two executables are the same code: then their benchmarks need no measuring.
//!
//! All that is loaded is compared byte for byte, after the paths of the two trees (equally long) are made the same. One kind
//! of difference is looked through: the line and column numbers of panic locations, which move when a comment is added above
//! a function, and which no code path of a benchmark that does not panic reads.

use crate::cargo::loaded::{Loaded, Section, find};

/// A text that stands in base's executable where another one of the same length stands in head's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// In base.
    pub base: Vec<u8>,
    /// In head.
    pub head: Vec<u8>,
}

/// Whether the loaded parts are the same but for renamed paths and panic locations.
#[must_use]
pub fn same_code(base: &Loaded, head: &Loaded, renamed: &[Renamed]) -> bool {
    base.entry == head.entry
        && base.relocations == head.relocations
        && base.sections.len() == head.sections.len()
        && base
            .sections
            .iter()
            .zip(&head.sections)
            .all(|(b, h)| same_place(b, h) && same_data(base, b, h, renamed))
}

fn same_place(base: &Section, head: &Section) -> bool {
    let place = |s: &Section| (s.address, s.size, s.data.len());
    base.name == head.name && base.flags == head.flags && place(base) == place(head)
}

fn same_data(loaded: &Loaded, base: &Section, head: &Section, renamed: &[Renamed]) -> bool {
    if base.data == head.data {
        return true;
    }
    let mut data = base.data.clone();
    for pair in renamed.iter().filter(|pair| pair.base.len() == pair.head.len()) {
        replace(&mut data, &pair.base, &pair.head);
    }
    data == head.data || differs_in_locations_only(loaded, base.address, &data, &head.data)
}

fn replace(data: &mut [u8], from: &[u8], to: &[u8]) {
    let mut start = 0;
    while let Some(at) = data.get(start..).and_then(|rest| find(rest, from)) {
        let from_here = start + at;
        data[from_here..from_here + to.len()].copy_from_slice(to);
        start = from_here + to.len();
    }
}

/// The bytes that hold line and column in `core::panic::Location`: file name (pointer, length), line, column.
const NUMBERS: usize = 8;

/// Whether every difference is a line or column number of a panic location. `loaded` is either of the two executables, as
/// their relocations are the same.
fn differs_in_locations_only(loaded: &Loaded, address: u64, base: &[u8], head: &[u8]) -> bool {
    if !address.is_multiple_of(NUMBERS as u64) || base.len() != head.len() {
        return false;
    }
    let words = base.chunks(NUMBERS).zip(head.chunks(NUMBERS)).enumerate();
    let mut different = words.filter(|(_, (b, h))| b != h).map(|(index, _)| index * NUMBERS);
    different.all(|offset| {
        is_location(loaded, address, offset, base) && is_location(loaded, address, offset, head)
    })
}

/// Whether `data` has a panic location whose line and column stand at `offset`.
fn is_location(loaded: &Loaded, address: u64, offset: usize, data: &[u8]) -> bool {
    let location = || {
        let start = offset.checked_sub(2 * NUMBERS)?;
        let length = u64::from_le_bytes(data.get(start + NUMBERS..offset)?.try_into().ok()?);
        let line = u32::from_le_bytes(data.get(offset..offset + 4)?.try_into().ok()?);
        let column = u32::from_le_bytes(data.get(offset + 4..offset + 8)?.try_into().ok()?);
        let file = loaded.relocations.get(&(address + start as u64))?;
        let name = loaded.at(*file)?.get(..usize::try_from(length).ok()?)?;
        let name = name.strip_suffix(&[0]).unwrap_or(name);
        Some(line > 0 && column > 0 && name.ends_with(b".rs") && std::str::from_utf8(name).is_ok())
    };
    location().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn section(name: &str, address: u64, data: Vec<u8>) -> Section {
        Section { name: name.into(), address, size: data.len() as u64, flags: String::new(), data }
    }

    /// Code, a file name at 0x2000, and data at 0x3000: a location of line `line`, then the number `value`.
    fn executable(code: &[u8], file: &str, line: u32, value: u64) -> Loaded {
        let mut data = vec![0; 8];
        data.extend((file.len() as u64).to_le_bytes());
        data.extend(line.to_le_bytes());
        data.extend(5_u32.to_le_bytes());
        data.extend(value.to_le_bytes());
        Loaded {
            entry: 0x1000,
            sections: vec![
                section(".text", 0x1000, code.to_vec()),
                section(".rodata", 0x2000, file.as_bytes().to_vec()),
                section(".data.rel.ro", 0x3000, data),
            ],
            relocations: BTreeMap::from([(0x3000, 0x2000)]),
        }
    }

    #[test]
    fn moved_panic_location_is_the_same_code() {
        let base = executable(b"code", "src/lib.rs", 7, 1);
        assert!(same_code(&base, &base, &[]));
        assert!(same_code(&base, &executable(b"code", "src/lib.rs", 9, 1), &[]));
    }

    #[test]
    fn changed_code_data_or_number_that_is_no_location_is_not() {
        let base = executable(b"code", "src/lib.rs", 7, 1);
        for head in [
            executable(b"cOde", "src/lib.rs", 7, 1),
            executable(b"code", "src/lib.rs", 7, 2),
            executable(b"code", "src/lib.rs", 9, 2),
            executable(b"code", "src/lab.rs", 7, 1),
            executable(b"code+", "src/lib.rs", 7, 1),
        ] {
            assert!(!same_code(&base, &head, &[]), "{head:?}");
        }
        // The same bytes change, but no file name stands before them.
        let (base, head) = (executable(b"code", "src/lib.py", 7, 1), executable(b"code", "src/lib.py", 9, 1));
        assert!(!same_code(&base, &head, &[]));
    }

    #[test]
    fn paths_of_the_two_trees_count_as_equal() {
        let base = executable(b"code", "/cache/x/base/src/lib.rs", 7, 1);
        let head = executable(b"code", "/cache/x/head/src/lib.rs", 7, 1);
        let renamed = Renamed { base: b"/cache/x/base".to_vec(), head: b"/cache/x/head".to_vec() };
        assert!(same_code(&base, &head, std::slice::from_ref(&renamed)));
        assert!(!same_code(&base, &head, &[]));
    }
}
