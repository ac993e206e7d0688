// SPDX-License-Identifier: MIT OR Apache-2.0

//! The thunks: one C function per slot, made without generating code for each.
//!
//! # The assembler table
//! On Linux x86-64 and aarch64 the assembler repeats sixteen bytes per slot: load the slot's address
//! into the first integer argument register that the signature leaves free, jump to one ordinary
//! Rust function that takes the slot as an extra last argument. A jump keeps the return address
//! and all arguments where the C caller put them, so for the unwinder and the debugger the thunk
//! is not there. Every thunk begins with a landing pad (`endbr64`, `bti c`) for hardware that checks
//! indirect branches.
//!
//! # The generated table
//! Everywhere else, for signatures whose use of registers is not known, and where the program is
//! built with `--cfg ringback_portable`: one small function per slot, generic over its index. It
//! costs build time; and its functions are the compiler's, so they begin with a landing pad only where
//! the whole program is built with one, by `-Zcf-protection` or `-Zbranch-protection`, which are
//! unstable.
//!
//! Which of the two serves a pool is decided at compile time, and the other is not compiled.
//! Either stands once in the program, in the crate that declares the pool: the static holds it, so
//! that one slot has one address for every crate.

use core::marker::PhantomData;

/// Where the thunks of a pool are.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub enum Table {
    /// The first thunk's address; the others follow at a distance of [`STRIDE`].
    ///
    /// A function, since a constant cannot take the address of a naked function without telling
    /// LLVM what it is: it would then apply that function's `nounwind` to calls of slot 0.
    Assembled(fn() -> *const ()),
    /// A tree of addresses with sixteen branches at each knot.
    Generated(&'static Knot4),
}

/// Bytes from one assembled thunk to the next.
const STRIDE: usize = 16;

impl Table {
    /// No thunks: the slots are reached in another way.
    #[cfg(feature = "std")]
    pub(crate) const NONE: Table = Table::Generated(&[None; 16]);

    /// Whether it has no thunks.
    pub(crate) const fn is_none(&self) -> bool {
        matches!(self, Table::Generated([None, ..]))
    }

    /// The address of thunk `index`, which must be below the number of slots.
    pub(crate) fn address(&self, index: usize) -> *const () {
        match self {
            Table::Assembled(base) => base().wrapping_byte_add(index * STRIDE),
            Table::Generated(tree) => {
                leaf_of(tree, index).map_or(core::ptr::null(), |l| l[index % 16].0)
            }
        }
    }

    /// The thunk that starts at `address`. Constant time in the assembled table, linear in the
    /// generated one.
    pub(crate) fn index(&self, address: *const (), slots: usize) -> Option<usize> {
        match self {
            Table::Assembled(base) => {
                let distance = address.addr().checked_sub(base().addr())?;
                (distance % STRIDE == 0 && distance / STRIDE < slots).then_some(distance / STRIDE)
            }
            // Null is no thunk, and what a table without functions has in each place.
            Table::Generated(_) if address.is_null() => None,
            Table::Generated(_) => (0..slots).find(|&index| self.address(index) == address),
        }
    }
}

/// A thunk's address, in a table that any thread may read.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Address(pub *const ());
// SAFETY: the address of code.
unsafe impl Sync for Address {}
// SAFETY: as above.
unsafe impl Send for Address {}

type Leaf = [Address; 16];
type Knot1 = [Option<&'static Leaf>; 16];
type Knot2 = [Option<&'static Knot1>; 16];
type Knot3 = [Option<&'static Knot2>; 16];
pub(crate) type Knot4 = [Option<&'static Knot3>; 16];

/// The most slots that a generated table can have.
const MOST: usize = 16 * 16 * 16 * 16 * 16;

fn leaf_of(tree: &'static Knot4, index: usize) -> Option<&'static Leaf> {
    let digit = |place: u32| index >> (4 * place) & 15;
    tree[digit(4)]?[digit(3)]?[digit(2)]?[digit(1)]
}

/// A number known to the type system, digit by digit: constants cannot be computed there.
#[doc(hidden)]
pub trait Index: 'static {
    const VALUE: usize;
}
pub(crate) struct Zero;
impl Index for Zero {
    const VALUE: usize = 0;
}
pub(crate) struct Digit<Higher, const LOWEST: usize>(PhantomData<Higher>);
impl<Higher: Index, const LOWEST: usize> Index for Digit<Higher, LOWEST> {
    const VALUE: usize = Higher::VALUE * 16 + LOWEST;
}

/// Generates the thunk of any index.
#[doc(hidden)]
pub trait Generate: 'static {
    const SLOTS: usize;
    type Thunk<I: Index>: Thunk;
}
#[doc(hidden)]
pub trait Thunk {
    const ADDRESS: *const ();
}

macro_rules! sixteen {
    ($each:ident) => {
        [
            $each!(0),
            $each!(1),
            $each!(2),
            $each!(3),
            $each!(4),
            $each!(5),
            $each!(6),
            $each!(7),
            $each!(8),
            $each!(9),
            $each!(10),
            $each!(11),
            $each!(12),
            $each!(13),
            $each!(14),
            $each!(15),
        ]
    };
}

const fn leaf<G: Generate, H: Index>() -> &'static Leaf {
    macro_rules! each {
        ($digit:literal) => {
            Address(<G::Thunk<Digit<H, $digit>> as Thunk>::ADDRESS)
        };
    }
    const { &sixteen!(each) }
}

/// Branches whose first thunk is beyond the last slot are not generated.
macro_rules! knots {
    ($($name:ident: $ty:ty, of $below:ident, each $size:expr;)+) => { $(
        const fn $name<G: Generate, H: Index>() -> &'static $ty {
            macro_rules! each {
                ($digit:literal) => {
                    if Digit::<H, $digit>::VALUE * $size < G::SLOTS {
                        Some($below::<G, Digit<H, $digit>>())
                    } else {
                        None
                    }
                };
            }
            const { &sixteen!(each) }
        }
    )+ };
}
knots! {
    knot1: Knot1, of leaf, each 16;
    knot2: Knot2, of knot1, each 16 * 16;
    knot3: Knot3, of knot2, each 16 * 16 * 16;
    knot4: Knot4, of knot3, each 16 * 16 * 16 * 16;
}

/// The generated table of a pool.
#[doc(hidden)]
#[must_use]
pub const fn generated<G: Generate>() -> Table {
    assert!(
        G::SLOTS <= MOST,
        "the portable table has at most 1,048,576 slots; declare several pools"
    );
    Table::Generated(knot4::<G, Zero>())
}

/// Rounds the address of the naked function up to its first thunk.
#[doc(hidden)]
#[must_use]
pub fn first_thunk(naked: *const ()) -> *const () {
    naked.map_addr(|address| address.next_multiple_of(STRIDE))
}

/// Expands to the [`Table`] of a pool: assembled where `register` is known, generated otherwise.
#[cfg(all(
    target_os = "linux",
    target_pointer_width = "64",
    target_endian = "little",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(ringback_portable)
))]
#[doc(hidden)]
#[macro_export]
macro_rules! __table {
    (
        slots $slots:expr, register $register:expr, body $body:path, generate $generate:ty,
        table $table:path, export [$($export:literal)*]
    ) => {{
        #[unsafe(naked)]
        unsafe extern "C-unwind" fn thunks() {
            $crate::__naked_thunks!([$($export)*]
                slots = const $slots,
                register = const match $register { ::core::option::Option::Some(register) => register,
                    ::core::option::Option::None => 0, },
                body = sym $body,
                table = sym $table,
                size = const ::core::mem::size_of::<$crate::__private::Slot>(),
            )
        }
        #[inline(never)]
        fn base() -> *const () {
            $crate::__private::first_thunk($crate::__address_of!(thunks))
        }
        match $register {
            ::core::option::Option::Some(_) => $crate::__private::Table::Assembled(base),
            ::core::option::Option::None => {
                $crate::__no_export!($($export)*);
                $crate::__private::generated::<$generate>()
            }
        }
    }};
}

#[cfg(not(all(
    target_os = "linux",
    target_pointer_width = "64",
    target_endian = "little",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(ringback_portable)
)))]
#[doc(hidden)]
#[macro_export]
macro_rules! __table {
    (
        slots $slots:expr, register $register:expr, body $body:path, generate $generate:ty,
        table $table:path, export [$($export:literal)*]
    ) => {{
        $crate::__no_export!($($export)*);
        $crate::__private::generated::<$generate>()
    }};
}

/// The generated table cannot name its functions. Evaluated when the pool is compiled.
#[doc(hidden)]
pub const fn no_export() {
    panic!(
        "`export` needs the assembler table: Linux on x86-64 or aarch64, and arguments that travel in \
         registers (see `ringback::Scalar`)"
    );
}

#[doc(hidden)]
#[macro_export]
macro_rules! __no_export {
    () => {};
    ($($export:literal)+) => {
        $crate::__private::no_export()
    };
}

/// Assembler that names each thunk, where the pool exports them: before, at, and after the table.
#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($place:ident []) => {
        ""
    };
    (before [$prefix:literal $suffix:literal]) => {
        ::core::concat!(
            ".altmacro\n.macro ringback_export number\n.globl ",
            $prefix,
            "\\number\\()",
            $suffix,
            "\n.type ",
            $prefix,
            "\\number\\()",
            $suffix,
            ", %function\n",
            $prefix,
            "\\number\\()",
            $suffix,
            ":\n.endm"
        )
    };
    (at [$prefix:literal $suffix:literal]) => {
        "ringback_export %.Lringback_index"
    };
    (after [$prefix:literal $suffix:literal]) => {
        ".purgem ringback_export\n.noaltmacro"
    };
}

// The register is chosen outside of the repetition, so that the assembler decides once. The slots are
// `.protected`, since a Rust `dylib` exports them, and what another object could put its own in the place
// of must not be addressed relative to the thunk.
#[cfg(target_arch = "x86_64")]
#[doc(hidden)]
#[macro_export]
macro_rules! __naked_thunks {
    ([$($export:tt)*] $($operands:tt)*) => {
        ::core::arch::naked_asm!(
            ".protected {table}",
            ".balign 16",
            ".set .Lringback_index, 0",
            ".set .Lringback_offset, 0",
            $crate::__export!(before [$($export)*]),
            ".macro ringback_thunks register",
            ".rept {slots}",
            $crate::__export!(at [$($export)*]),
            "endbr64",
            "leaq {table} + .Lringback_offset(%rip), %\\register",
            "jmp {body}",
            ".balign 16, 0xcc",
            ".set .Lringback_index, .Lringback_index + 1",
            ".set .Lringback_offset, .Lringback_offset + {size}",
            ".endr",
            ".endm",
            ".if {register} == 0",
            "ringback_thunks rdi",
            ".elseif {register} == 1",
            "ringback_thunks rsi",
            ".elseif {register} == 2",
            "ringback_thunks rdx",
            ".elseif {register} == 3",
            "ringback_thunks rcx",
            ".elseif {register} == 4",
            "ringback_thunks r8",
            ".else",
            "ringback_thunks r9",
            ".endif",
            ".purgem ringback_thunks",
            $crate::__export!(after [$($export)*]),
            $($operands)*
            options(att_syntax)
        )
    };
}

#[cfg(target_arch = "aarch64")]
#[doc(hidden)]
#[macro_export]
macro_rules! __naked_thunks {
    ([$($export:tt)*] $($operands:tt)*) => {
        ::core::arch::naked_asm!(
            ".protected {table}",
            ".balign 16",
            ".set .Lringback_index, 0",
            ".set .Lringback_offset, 0",
            $crate::__export!(before [$($export)*]),
            ".macro ringback_thunks register",
            ".rept {slots}",
            $crate::__export!(at [$($export)*]),
            "bti c",
            "adrp \\register, {table} + .Lringback_offset",
            "add \\register, \\register, :lo12:{table} + .Lringback_offset",
            "b {body}",
            ".set .Lringback_index, .Lringback_index + 1",
            ".set .Lringback_offset, .Lringback_offset + {size}",
            ".endr",
            ".endm",
            ".if {register} == 0",
            "ringback_thunks x0",
            ".elseif {register} == 1",
            "ringback_thunks x1",
            ".elseif {register} == 2",
            "ringback_thunks x2",
            ".elseif {register} == 3",
            "ringback_thunks x3",
            ".elseif {register} == 4",
            "ringback_thunks x4",
            ".elseif {register} == 5",
            "ringback_thunks x5",
            ".elseif {register} == 6",
            "ringback_thunks x6",
            ".else",
            "ringback_thunks x7",
            ".endif",
            ".purgem ringback_thunks",
            $crate::__export!(after [$($export)*]),
            $($operands)*
        )
    };
}

// By the assembler, so that LLVM does not know which function it is; see `Table::Assembled`.
#[cfg(target_arch = "x86_64")]
#[doc(hidden)]
#[macro_export]
macro_rules! __address_of {
    ($function:path) => {{
        let address: *const ();
        // SAFETY: computes an address, reads nothing.
        unsafe {
            ::core::arch::asm!(
                "leaq {function}(%rip), {address}",
                function = sym $function,
                address = out(reg) address,
                options(att_syntax, pure, nomem, nostack, preserves_flags)
            );
        }
        address
    }};
}

#[cfg(target_arch = "aarch64")]
#[doc(hidden)]
#[macro_export]
macro_rules! __address_of {
    ($function:path) => {{
        let address: *const ();
        // SAFETY: computes an address, reads nothing.
        unsafe {
            ::core::arch::asm!(
                "adrp {address}, {function}",
                "add {address}, {address}, :lo12:{function}",
                function = sym $function,
                address = out(reg) address,
                options(pure, nomem, nostack, preserves_flags)
            );
        }
        address
    }};
}
