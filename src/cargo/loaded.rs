//! The part of an executable that a running process sees: code and data, without symbols, debug information and build ids.

use std::{collections::BTreeMap, fs, io, path::Path};

use object::{BinaryFormat, Object, ObjectSection, SectionFlags, elf};

use crate::files;

/// A section as it is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// Where it is loaded.
    pub address: u64,
    /// Its size in memory.
    pub size: u64,
    /// Its flags, as the format has them.
    pub flags: String,
    /// Its content; empty for memory that starts as zeros.
    pub data: Vec<u8>,
}

/// The loaded part of an executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Where it starts to run; 0 where that is not told.
    pub entry: u64,
    /// Its sections in the order of the file. One nameless section with the whole file where the format is not ELF.
    pub sections: Vec<Section>,
    /// Where the loader writes addresses, and which: place to target, before the shift by the load address.
    pub relocations: BTreeMap<u64, u64>,
}

impl Loaded {
    /// Reads an executable.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: &Path) -> Result<Self, files::Error> {
        let bytes = fs::read(path).map_err(files::Error::at("read", path))?;
        if !matches!(object::FileKind::parse(&*bytes), Ok(object::FileKind::Elf64 | object::FileKind::Elf32))
        {
            return Ok(Self::whole(bytes));
        }
        Self::parse(&bytes).map_err(|error| files::Error::at("read", path)(io::Error::other(error)))
    }

    /// Whether a text of at least one byte occurs in what is loaded.
    #[must_use]
    pub fn contains(&self, text: &[u8]) -> bool {
        self.sections.iter().any(|section| find(&section.data, text).is_some())
    }

    /// The content of the loaded memory from `address` on, up to the end of its section.
    #[must_use]
    pub fn at(&self, address: u64) -> Option<&[u8]> {
        self.sections.iter().find_map(|section| {
            let offset = usize::try_from(address.checked_sub(section.address)?).ok()?;
            section.data.get(offset..).filter(|rest| !rest.is_empty())
        })
    }

    fn whole(data: Vec<u8>) -> Self {
        let (name, flags) = (String::new(), String::new());
        let section = Section { name, address: 0, size: data.len() as u64, flags, data };
        Self { entry: 0, sections: vec![section], relocations: BTreeMap::new() }
    }

    fn parse(bytes: &[u8]) -> Result<Self, object::Error> {
        let file = object::File::parse(bytes)?;
        let mut sections = Vec::new();
        for section in file.sections() {
            let flags = section.flags();
            let SectionFlags::Elf { sh_flags, sh_type } = flags else { continue };
            let name = section.name_bytes().map(String::from_utf8_lossy).unwrap_or_default().into_owned();
            if sh_flags.0 & elf::SHF_ALLOC.0 == 0 || name.starts_with(".note") {
                continue;
            }
            let data = section.data()?.to_vec();
            let (address, size) = (section.address(), section.size());
            sections.push(Section {
                name,
                address,
                size,
                flags: format!("{:#x} {:#x}", sh_type.0, sh_flags.0),
                data,
            });
        }
        let relocations = file.dynamic_relocations().into_iter().flatten();
        let targets = relocations.map(|(place, relocation)| (place, relocation.addend().cast_unsigned()));
        debug_assert_eq!(file.format(), BinaryFormat::Elf);
        Ok(Self { entry: file.entry(), sections, relocations: targets.collect() })
    }
}

/// Where `needle` first occurs in `hay`.
#[must_use]
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut start = 0;
    while let Some(at) = hay.get(start..)?.iter().position(|byte| *byte == first) {
        let from = start + at;
        if hay[from..].starts_with(needle) {
            return Some(from);
        }
        start = from + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needle_is_found_after_false_starts_and_at_the_end() {
        assert_eq!(find(b"aab aac", b"aac"), Some(4));
        assert_eq!(find(b"abc", b"abcd"), None);
        assert_eq!(find(b"", b"a"), None);
        assert_eq!(find(b"a", b""), None);
    }

    #[test]
    fn our_own_test_executable_can_be_read() {
        let loaded = Loaded::read(&std::env::current_exe().unwrap()).unwrap();
        assert!(loaded.contains(b"our_own_test_executable_can_be_read"));
        #[cfg(target_os = "linux")]
        {
            assert!(loaded.entry > 0 && loaded.at(loaded.entry).is_some());
            assert!(loaded.sections.iter().any(|section| section.name == ".text"));
            assert!(!loaded.sections.iter().any(|section| section.name == ".debug_info"));
            assert!(!loaded.relocations.is_empty());
        }
    }
}
