// SPDX-License-Identifier: MIT OR Apache-2.0

//! How requests and replies cross a pipe: little-endian numbers, counted text, nothing else.
//!
//! What a boxed macro sends back is read by [`Reader`] too, so every read is checked.

use crate::token::*;

/// Why bytes are not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// They end early, or are none that a server writes.
    Bytes,
    /// They hold groups within groups, or messages within messages, deeper than [`DEEPEST`].
    TooDeep,
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Malformed::Bytes => f.write_str("it is not what a server writes"),
            Malformed::TooDeep => write!(f, "groups are nested deeper than {DEEPEST}"),
        }
    }
}

/// Groups nested deeper than this are refused, so that reading cannot overflow a stack: of two
/// megabytes, in a program that is not optimized.
pub const DEEPEST: usize = 500;

#[derive(Default)]
pub struct Writer(pub Vec<u8>);

pub struct Reader<'a> {
    pub bytes: &'a [u8],
    pub depth: usize,
}

pub trait Wire: Sized {
    fn write(&self, w: &mut Writer);
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed>;

    /// One after the other.
    fn write_all(items: &[Self], w: &mut Writer) {
        items.iter().for_each(|item| item.write(w));
    }
    fn read_all(count: usize, r: &mut Reader<'_>) -> Result<Vec<Self>, Malformed> {
        // A lie about the count reserves little, also within others.
        let mut items = Vec::with_capacity(count.min(1024));
        for _ in 0..count {
            items.push(Self::read(r)?);
        }
        Ok(items)
    }
}

/// A frame: four bytes of length, then what `write` writes.
pub fn frame(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer(vec![0; 4]);
    write(&mut writer);
    let length = writer.0.len() as u32 - 4;
    writer.0[..4].copy_from_slice(&length.to_le_bytes());
    writer.0
}

/// The value that `bytes` hold, all of them.
pub fn decode<T: Wire>(bytes: &[u8]) -> Result<T, Malformed> {
    let mut reader = Reader { bytes, depth: 0 };
    let value = T::read(&mut reader)?;
    if reader.bytes.is_empty() { Ok(value) } else { Err(Malformed::Bytes) }
}

impl Reader<'_> {
    /// Reads what may hold itself, at most `deepest` times.
    pub fn deeper<T>(
        &mut self,
        deepest: usize,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        if self.depth >= deepest {
            return Err(Malformed::TooDeep);
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn take(&mut self, count: usize) -> Result<&[u8], Malformed> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(Malformed::Bytes)?;
        self.bytes = rest;
        Ok(taken)
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Wire for $number {
            fn write(&self, w: &mut Writer) {
                w.0.extend_from_slice(&self.to_le_bytes());
            }
            fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
                let bytes = r.take(size_of::<$number>())?;
                Ok(<$number>::from_le_bytes(bytes.try_into().map_err(|_| Malformed::Bytes)?))
            }
        }
    )*};
}
numbers!(u32, u64, i32);

impl Wire for u8 {
    fn write(&self, w: &mut Writer) {
        w.0.push(*self);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        r.take(1).map(|one| one[0])
    }
    fn write_all(items: &[Self], w: &mut Writer) {
        w.0.extend_from_slice(items);
    }
    fn read_all(count: usize, r: &mut Reader<'_>) -> Result<Vec<Self>, Malformed> {
        r.take(count).map(<[u8]>::to_vec)
    }
}

impl Wire for bool {
    fn write(&self, w: &mut Writer) {
        u8::from(*self).write(w);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        match u8::read(r)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed::Bytes),
        }
    }
}

fn write_str(text: &str, w: &mut Writer) {
    (text.len() as u32).write(w);
    w.0.extend_from_slice(text.as_bytes());
}

fn read_str<'r>(r: &'r mut Reader<'_>) -> Result<&'r str, Malformed> {
    let length = u32::read(r)? as usize;
    std::str::from_utf8(r.take(length)?).map_err(|_| Malformed::Bytes)
}

impl Wire for String {
    fn write(&self, w: &mut Writer) {
        write_str(self, w);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        read_str(r).map(String::from)
    }
}

impl Wire for Text {
    fn write(&self, w: &mut Writer) {
        write_str(self, w);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        read_str(r).map(Text::from)
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn write(&self, w: &mut Writer) {
        (self.len() as u32).write(w);
        T::write_all(self, w);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = u32::read(r)? as usize;
        T::read_all(count, r)
    }
}

impl<T: Wire> Wire for Option<T> {
    fn write(&self, w: &mut Writer) {
        self.is_some().write(w);
        if let Some(value) = self {
            value.write(w);
        }
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(if bool::read(r)? { Some(T::read(r)?) } else { None })
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn write(&self, w: &mut Writer) {
        self.0.write(w);
        self.1.write(w);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok((A::read(r)?, B::read(r)?))
    }
}

/// `Wire` for a struct: its fields in order.
macro_rules! wire_struct {
    ($name:ty { $($field:ident),* $(,)? }) => {
        impl $crate::wire::Wire for $name {
            fn write(&self, w: &mut $crate::wire::Writer) {
                $($crate::wire::Wire::write(&self.$field, w);)*
            }
            fn read(r: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::wire::Malformed> {
                Ok(Self { $($field: $crate::wire::Wire::read(r)?),* })
            }
        }
    };
}
pub(crate) use wire_struct;

/// `Wire` for an enum without fields: its number.
macro_rules! wire_enum {
    ($name:ident { $($variant:ident),* $(,)? }) => {
        impl $crate::wire::Wire for $name {
            fn write(&self, w: &mut $crate::wire::Writer) {
                $crate::wire::Wire::write(&(*self as u8), w);
            }
            fn read(r: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::wire::Malformed> {
                let number = <u8 as $crate::wire::Wire>::read(r)?;
                $(if number == $name::$variant as u8 { return Ok($name::$variant); })*
                Err($crate::wire::Malformed::Bytes)
            }
        }
    };
}
pub(crate) use wire_enum;

wire_enum!(Hygiene { Source, Call, Mixed, Definition });
wire_enum!(Delimiter { Parenthesis, Brace, Bracket, None });
wire_struct!(Group { delimiter, stream, open, close, entire });
wire_struct!(Punct { ch, joint, span });
wire_struct!(Ident { text, raw, span });
wire_struct!(Literal { kind, text, suffix, span });

impl Wire for Span {
    fn write(&self, w: &mut Writer) {
        // Most tokens of an output are of no place in the input.
        let is_site = *self == Span::site(self.hygiene);
        (is_site, self.hygiene).write(w);
        if !is_site {
            [self.file, self.lo, self.hi].iter().for_each(|number| number.write(w));
        }
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (is_site, hygiene) = Wire::read(r)?;
        Ok(match is_site {
            true => Span::site(hygiene),
            false => Span { file: Wire::read(r)?, lo: Wire::read(r)?, hi: Wire::read(r)?, hygiene },
        })
    }
}

impl Wire for LiteralKind {
    fn write(&self, w: &mut Writer) {
        use LiteralKind::*;
        let (number, hashes) = match *self {
            Byte => (0u8, 0u8),
            Char => (1, 0),
            Integer => (2, 0),
            Float => (3, 0),
            Str => (4, 0),
            StrRaw(n) => (5, n),
            ByteStr => (6, 0),
            ByteStrRaw(n) => (7, n),
            CStr => (8, 0),
            CStrRaw(n) => (9, n),
            Error => (10, 0),
        };
        number.write(w);
        hashes.write(w);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        use LiteralKind::*;
        let (number, n) = (u8::read(r)?, u8::read(r)?);
        Ok(match number {
            0 => Byte,
            1 => Char,
            2 => Integer,
            3 => Float,
            4 => Str,
            5 => StrRaw(n),
            6 => ByteStr,
            7 => ByteStrRaw(n),
            8 => CStr,
            9 => CStrRaw(n),
            10 => Error,
            _ => return Err(Malformed::Bytes),
        })
    }
}

impl Wire for Tree {
    fn write(&self, w: &mut Writer) {
        match self {
            Tree::Group(group) => (0u8.write(w), group.write(w)).1,
            Tree::Punct(punct) => (1u8.write(w), punct.write(w)).1,
            Tree::Ident(ident) => (2u8.write(w), ident.write(w)).1,
            Tree::Literal(literal) => (3u8.write(w), literal.write(w)).1,
        }
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match u8::read(r)? {
            0 => Tree::Group(r.deeper(DEEPEST, Group::read)?),
            1 => Tree::Punct(Wire::read(r)?),
            2 => Tree::Ident(Wire::read(r)?),
            3 => Tree::Literal(Wire::read(r)?),
            _ => return Err(Malformed::Bytes),
        })
    }
}

impl Wire for Stream {
    fn write(&self, w: &mut Writer) {
        self.0.write(w);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Vec::<Tree>::read(r).map(Stream::from)
    }
}
