// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Runtime.InteropServices;
using Ringback;

/// <summary>Every kind of value, as argument and as result, from Rust to C# and from C# to Rust.</summary>
static class KindTests
{
    delegate int Caller<T>(NativeCallback callback, T value, out T result, ref NativeError error);
    delegate double Many(
        sbyte a, float b, ulong c, bool d, Point e, short f, double g, uint h, IntPtr i, Block j, long k,
        byte l, double m, Pair n, int o, bool p);
    delegate bool OnDoor(bool open);
    delegate bool OnDoorExplicit([MarshalAs(UnmanagedType.U1)] bool open);
    unsafe delegate int* OnAddress(int* address);

    static void BothWays<T>(Caller<T> caller, Func<NativeCallback> echo, params T[] values)
    {
        foreach (T value in values)
        {
            T seen = default(T);
            var error = default(NativeError);
            using (var callback = Callback.From<Func<T, T>>(given => seen = given))
            {
                error.ThrowIfFailed(caller(callback.ToNative(), value, out T result, ref error));
                Check.Equal(value, seen);
                Check.Equal(value, result);
            }
            using (var closure = new RustCallback<Func<T, T>>(echo()))
                Check.Equal(value, closure.Invoke(value));
        }
    }

    [Test]
    static void Integers()
    {
        BothWays<sbyte>(Native.native_call_i8, Native.native_echo_i8, sbyte.MinValue, -1, sbyte.MaxValue);
        BothWays<byte>(Native.native_call_u8, Native.native_echo_u8, 0, 127, byte.MaxValue);
        BothWays<short>(Native.native_call_i16, Native.native_echo_i16, short.MinValue, -1, short.MaxValue);
        BothWays<ushort>(Native.native_call_u16, Native.native_echo_u16, 0, 9, ushort.MaxValue);
        BothWays<int>(Native.native_call_i32, Native.native_echo_i32, int.MinValue, -1, int.MaxValue);
        BothWays<uint>(Native.native_call_u32, Native.native_echo_u32, 0, 9, uint.MaxValue);
        BothWays<long>(Native.native_call_i64, Native.native_echo_i64, long.MinValue, -1, long.MaxValue);
        BothWays<ulong>(Native.native_call_u64, Native.native_echo_u64, 0, 9, ulong.MaxValue);
        BothWays<IntPtr>(Native.native_call_isize, Native.native_echo_isize, (IntPtr)(-1), (IntPtr)5);
        BothWays<UIntPtr>(Native.native_call_usize, Native.native_echo_usize, (UIntPtr)5, (UIntPtr)ulong.MaxValue);
    }

    [Test]
    static void FloatsAndBool()
    {
        BothWays<float>(Native.native_call_f32, Native.native_echo_f32, -1.5f, float.NaN, float.MaxValue);
        BothWays<double>(Native.native_call_f64, Native.native_echo_f64, -1.5, double.NaN, double.Epsilon);
        BothWays<bool>(Native.native_call_bool, Native.native_echo_bool, true, false);
    }

    [Test]
    static void EnumsPointersAndStructs()
    {
        BothWays<Colour>(Native.native_call_colour, Native.native_echo_colour, Colour.Red, Colour.Green);
        BothWays<IntPtr>(Native.native_call_pointer, Native.native_echo_pointer, IntPtr.Zero, (IntPtr)0x1234);
        BothWays<IntPtr>(Native.native_call_function, Native.native_echo_function, IntPtr.Zero, (IntPtr)0x1234);
        BothWays(Native.native_call_point, Native.native_echo_point, new Point { X = -0.25, Y = int.MinValue });
        BothWays(Native.native_call_pair, Native.native_echo_pair, new Pair
        {
            Low = new Small { Kind = 255, Value = 65535 },
            High = new Small { Kind = 1, Value = 2 },
        });
        BothWays(Native.native_call_block, Native.native_echo_block,
            new Block { A = 1, B = ulong.MaxValue, C = 3, D = 4, E = 5, Tail = 6 });
    }

    [Test]
    static unsafe void RawPointersInNamedDelegates()
    {
        int number = 5;
        var error = default(NativeError);
        using (var callback = Callback.From<OnAddress>(address => address + 1))
            error.ThrowIfFailed(Native.native_call_pointer(
                callback.ToNative(), (IntPtr)(&number), out IntPtr result, ref error));
        using (var echo = new RustCallback<OnAddress>(Native.native_echo_pointer()))
            Check.Equal(5, *echo.Invoke(&number));
    }

    [Test]
    static void NothingInAndOut()
    {
        int calls = 0;
        var error = default(NativeError);
        using (var callback = Callback.From<Action>(() => calls++))
            error.ThrowIfFailed(Native.native_call_end(callback.ToNative(), ref error));
        Check.Equal(1, calls);
    }

    [Test]
    static void SixteenArguments()
    {
        double expected = -1 + 1.5 + 3 + 1 + 0.5 - 8 - 300 + 2.5 + 7 - 1e9 + 255 - 4 - 9 + 1;
        var block = new Block { A = 1, B = 2, C = 3, D = 4, E = 5 };
        var pair = new Pair { Low = new Small { Value = 500 }, High = new Small { Kind = 2 } };
        var point = new Point { X = 0.5, Y = -8 };
        using (var sum = new RustCallback<Many>(Native.native_sum_many()))
            Check.Equal(expected, sum.Invoke(-1, 1.5f, 3, true, point, -300, 2.5, 7, (IntPtr)8, block,
                -1000000000, 255, -4, pair, -9, true));

        Many look = (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) =>
        {
            bool right = a == -1 && b == 1.5f && c == ulong.MaxValue && d && e.X == 0.5 && e.Y == -8
                && f == -300 && g == 2.5 && h == 7 && i == (IntPtr)99 && j.A == 1 && j.E == ulong.MaxValue
                && j.Tail == 9 && k == long.MinValue && l == 255 && m == -4 && n.Low.Value == 500
                && n.High.Kind == 2 && n.High.Value == 600 && o == -9 && !p;
            return right ? 42 : 0;
        };
        var error = default(NativeError);
        using (var callback = Callback.From(look))
            error.ThrowIfFailed(Native.native_call_many(callback.ToNative(), (IntPtr)99, out expected, ref error));
        Check.Equal(42.0, expected);

        // As long as a Func can be.
        using (var callback = Callback.From<Func<sbyte, float, ulong, bool, Point, short, double, uint, IntPtr,
            Block, long, byte, double, Pair, int, bool, double>>(look.Invoke))
            error.ThrowIfFailed(Native.native_call_many(callback.ToNative(), (IntPtr)99, out expected, ref error));
        Check.Equal(42.0, expected);
    }

    [Test]
    static void BoolIsOneByteInNamedDelegatesAndFuncs()
    {
        var error = default(NativeError);
        foreach (Delegate not in new Delegate[]
            { new OnDoor(open => !open), new OnDoorExplicit(open => !open), new Func<bool, bool>(open => !open) })
            using (var callback = Callback.From(not))
            {
                error.ThrowIfFailed(Native.native_call_bool(callback.ToNative(), true, out bool result, ref error));
                Check.Equal(false, result);
                error.ThrowIfFailed(Native.native_call_bool(callback.ToNative(), false, out result, ref error));
                Check.Equal(true, result);
            }
    }

    [Test]
    static unsafe void AnyByteButZeroIsTrue()
    {
        using (var callback = Callback.From<Func<bool, byte>>(open => *(byte*)&open))
        {
            Check.Equal(1, Native.native_call_bool_with(callback.ToNative(), 2));
            Check.Equal(1, Native.native_call_bool_with(callback.ToNative(), 255));
            Check.Equal(0, Native.native_call_bool_with(callback.ToNative(), 0));
        }
    }

    [Test]
    static void TheCompilerInfersActionAndFunc()
    {
        long sum = 0;
        Action<long> add = value => sum += value;
        Func<int, int, int> both = (a, b) => a + b;
        using (Callback one = Callback.From(add), two = Callback.From(both), three = Callback.From<OnDoor>(open => open))
            Check.Equal(3L, Callback.LiveCount);
    }
}
