// SPDX-License-Identifier: MIT OR Apache-2.0

//! A macro library on disk, read without loading it: loading runs its code.

use crate::{Compiler, Error};
use object::{Object, ObjectSection, ObjectSymbol};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A macro library that this compiler built.
#[derive(Debug, Clone)]
pub struct Library {
    path: PathBuf,
    symbol: String,
    compiler: String,
}

/// Cargo builds a library anew under the same name: then one of these is another.
pub(crate) type Stamp = Option<(SystemTime, u64, u64)>;

/// Why a library is not loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// Not ELF, or cut off.
    #[error("is no shared library, or a damaged one: {0}")]
    NotALibrary(String),
    /// A library, but not one of macros.
    #[error("declares no procedural macros (no `__rustc_proc_macro_decls_*` symbol)")]
    NoMacros,
    /// Its metadata is gone, so nobody knows which compiler built it.
    #[error(
        "says nothing about its compiler (stripped of `.rustc` and `.comment`?): build it anew"
    )]
    NoVersion,
    /// Rust has no stable ABI: it would be read wrongly.
    #[error("was built by `{built}`, but this is `{ours}`: build it anew with this toolchain")]
    OtherCompiler {
        /// The library's.
        built: String,
        /// The one asked for.
        ours: String,
    },
    /// Built by another backend than LLVM.
    #[error("was built by the codegen backend of `{0}`: build it with the default backend")]
    OtherBackend(String),
}

impl Library {
    /// Reads which macros' library `path` is, and refuses what `compiler` did not build.
    pub fn open(path: &Path, compiler: &Compiler) -> Result<Self, Error> {
        let refuse = |refusal| Error::Library { path: path.into(), refusal };
        let bytes =
            std::fs::read(path).map_err(|error| refuse(Refusal::Unreadable(error.to_string())))?;
        let path = path.canonicalize().unwrap_or_else(|_| path.into());
        let (symbol, built) = read(&bytes, compiler.version()).map_err(refuse)?;
        Ok(Library { path, symbol, compiler: built })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Of the file as it is now.
    pub(crate) fn stamp(&self) -> Stamp {
        stamp(&self.path)
    }

    /// The crate's name, from the file's: `libserde_derive-0f1e.so`.
    pub fn crate_name(&self) -> String {
        crate_name(&self.path)
    }

    /// The symbol that declares its macros.
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    /// The compiler that built it.
    pub fn compiler(&self) -> &str {
        &self.compiler
    }
}

pub(crate) fn stamp(path: &Path) -> Stamp {
    let known = std::fs::metadata(path).ok()?;
    Some((known.modified().ok()?, known.ino(), known.len()))
}

/// The crate's name, from that of its library's file.
pub(crate) fn crate_name(path: &Path) -> String {
    let file = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = file.strip_prefix("lib").unwrap_or(&file);
    name.rsplit_once('-').map_or(name, |(name, _)| name).to_owned()
}

fn read(bytes: &[u8], ours: &str) -> Result<(String, String), Refusal> {
    let damaged = |error: object::Error| Refusal::NotALibrary(error.to_string());
    let file = object::File::parse(bytes).map_err(damaged)?;
    let section = |name| match file.section_by_name(name) {
        Some(section) => section.data().map_err(damaged),
        None => Ok(&[][..]),
    };
    let declares = |name: &&str| name.starts_with("__rustc_proc_macro_decls_");
    let mut names = file.dynamic_symbols().filter_map(|symbol| symbol.name().ok());
    let symbol = names.find(declares).ok_or(Refusal::NoMacros)?.to_owned();
    let (metadata, comment) = (section(".rustc")?, section(".comment")?);
    let comment = String::from_utf8_lossy(comment).into_owned();
    if let Some(other) = comment.split('\0').find(|line| is_other_backend(line)) {
        return Err(Refusal::OtherBackend(other.into()));
    }
    let built = metadata_version(metadata).or_else(|| {
        let line = comment.split('\0').find_map(|line| line.strip_prefix("rustc version "))?;
        Some(format!("rustc {line}"))
    });
    let built = built.ok_or(Refusal::NoVersion)?;
    if built != ours {
        return Err(Refusal::OtherCompiler { built, ours: ours.into() });
    }
    Ok((symbol, built))
}

/// Cranelift and gcc name themselves where LLVM's backend writes only rustc's version.
fn is_other_backend(comment: &str) -> bool {
    comment.starts_with("rustc version ")
        && (comment.contains(" with cranelift") || comment.contains("codegen_gcc"))
}

/// The version text near the metadata's start: a length, and so many bytes.
fn metadata_version(metadata: &[u8]) -> Option<String> {
    let head = &metadata.get(..metadata.len().min(256))?;
    let at = head.windows(6).position(|window| window == b"rustc ")?;
    let length = usize::from(*head.get(at.checked_sub(1)?)?);
    String::from_utf8(head.get(at..at + length)?.to_vec()).ok()
}
