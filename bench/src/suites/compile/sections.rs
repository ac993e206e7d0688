// SPDX-License-Identifier: MIT OR Apache-2.0

//! How large a linked program is, by what its sections are for.

use crate::Result;
use object::elf::{SHF_ALLOC, SHF_EXECINSTR};
use object::{Object, ObjectSection, SectionFlags};
use std::path::Path;

/// Bytes of a program.
pub struct Sections {
    /// In memory and executable.
    pub code: u64,
    /// In memory and not executable: data, .bss, constants, relocations, unwind tables.
    pub data: u64,
    /// On the disk.
    pub file: u64,
}

impl Sections {
    pub fn of(program: &Path) -> Result<Sections> {
        let bytes = std::fs::read(program)?;
        let elf = object::File::parse(&*bytes)?;
        let mut sizes = Sections { code: 0, data: 0, file: bytes.len() as u64 };
        for section in elf.sections() {
            let SectionFlags::Elf { sh_flags } = section.flags() else {
                return Err(format!("{} is not an ELF file", program.display()).into());
            };
            let has = |flag: u32| sh_flags & u64::from(flag) != 0;
            if has(SHF_EXECINSTR) {
                sizes.code += section.size();
            } else if has(SHF_ALLOC) {
                sizes.data += section.size();
            }
        }
        Ok(sizes)
    }
}
