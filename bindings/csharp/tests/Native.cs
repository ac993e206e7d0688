// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Runtime.InteropServices;
using Ringback;

[StructLayout(LayoutKind.Sequential)]
struct Point
{
    public double X;
    public int Y;
}

[StructLayout(LayoutKind.Sequential)]
struct Block
{
    public ulong A, B, C, D, E;
    public byte Tail;
}

[StructLayout(LayoutKind.Sequential)]
struct Small
{
    public byte Kind;
    public ushort Value;
}

[StructLayout(LayoutKind.Sequential)]
struct Pair
{
    public Small Low, High;
}

enum Colour : byte
{
    Red = 1,
    Green = 200,
}

enum Cancel : byte
{
    Never,
    AtOnce,
    ByDrop,
}

/// <summary>The Rust library of the tests.</summary>
static class Native
{
    const string Library = "ringback_native";

    [DllImport(Library)] internal static extern int native_call_i8(NativeCallback callback, sbyte value, out sbyte result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_u8(NativeCallback callback, byte value, out byte result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_i16(NativeCallback callback, short value, out short result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_u16(NativeCallback callback, ushort value, out ushort result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_i32(NativeCallback callback, int value, out int result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_u32(NativeCallback callback, uint value, out uint result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_i64(NativeCallback callback, long value, out long result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_u64(NativeCallback callback, ulong value, out ulong result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_isize(NativeCallback callback, IntPtr value, out IntPtr result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_usize(NativeCallback callback, UIntPtr value, out UIntPtr result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_f32(NativeCallback callback, float value, out float result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_f64(NativeCallback callback, double value, out double result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_bool(
        NativeCallback callback, [MarshalAs(UnmanagedType.U1)] bool value,
        [MarshalAs(UnmanagedType.U1)] out bool result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_pointer(NativeCallback callback, IntPtr value, out IntPtr result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_colour(NativeCallback callback, Colour value, out Colour result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_point(NativeCallback callback, Point value, out Point result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_block(NativeCallback callback, Block value, out Block result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_pair(NativeCallback callback, Pair value, out Pair result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_function(NativeCallback callback, IntPtr value, out IntPtr result, ref NativeError error);

    [DllImport(Library)] internal static extern NativeCallback native_echo_i8();
    [DllImport(Library)] internal static extern NativeCallback native_echo_u8();
    [DllImport(Library)] internal static extern NativeCallback native_echo_i16();
    [DllImport(Library)] internal static extern NativeCallback native_echo_u16();
    [DllImport(Library)] internal static extern NativeCallback native_echo_i32();
    [DllImport(Library)] internal static extern NativeCallback native_echo_u32();
    [DllImport(Library)] internal static extern NativeCallback native_echo_i64();
    [DllImport(Library)] internal static extern NativeCallback native_echo_u64();
    [DllImport(Library)] internal static extern NativeCallback native_echo_isize();
    [DllImport(Library)] internal static extern NativeCallback native_echo_usize();
    [DllImport(Library)] internal static extern NativeCallback native_echo_f32();
    [DllImport(Library)] internal static extern NativeCallback native_echo_f64();
    [DllImport(Library)] internal static extern NativeCallback native_echo_bool();
    [DllImport(Library)] internal static extern NativeCallback native_echo_pointer();
    [DllImport(Library)] internal static extern NativeCallback native_echo_colour();
    [DllImport(Library)] internal static extern NativeCallback native_echo_point();
    [DllImport(Library)] internal static extern NativeCallback native_echo_block();
    [DllImport(Library)] internal static extern NativeCallback native_echo_pair();
    [DllImport(Library)] internal static extern NativeCallback native_echo_function();

    [DllImport(Library)] internal static extern int native_call_end(NativeCallback callback, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_many(NativeCallback callback, IntPtr text, out double result, ref NativeError error);
    [DllImport(Library)] internal static extern NativeCallback native_sum_many();
    [DllImport(Library)] internal static extern int native_call_bool_with(NativeCallback callback, byte value);

    [DllImport(Library)] internal static extern IntPtr native_keep(NativeCallback callback, ref NativeError error);
    [DllImport(Library)] internal static extern IntPtr native_clone(IntPtr kept);
    [DllImport(Library)] internal static extern void native_drop(IntPtr kept);
    [DllImport(Library)] internal static extern void native_drop_elsewhere(IntPtr kept);
    [DllImport(Library)] internal static extern int native_call(IntPtr kept, long value, out long result, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_without_error(NativeCallback callback, long value);
    [DllImport(Library)] internal static extern long native_storm(IntPtr[] kept, UIntPtr count, UIntPtr threads, long calls);
    [DllImport(Library)] internal static extern NativeCallback native_give_back(IntPtr kept);
    [DllImport(Library)] internal static extern void native_shelve(NativeCallback callback);
    [DllImport(Library)] internal static extern void native_clear_shelf();
    [DllImport(Library)] internal static extern int native_call_shelved(long value, out long result, ref NativeError error);
    [DllImport(Library)] internal static extern void native_release_at_exit();
    [DllImport(Library)] internal static extern void native_count_for_ever();
    [DllImport(Library)] internal static extern void native_call_later(NativeCallback callback, ulong milliseconds);

    [DllImport(Library)] internal static extern UIntPtr native_drops();
    [DllImport(Library)] internal static extern NativeCallback native_adder(long offset);
    [DllImport(Library)] internal static extern NativeCallback native_picky();
    [DllImport(Library)] internal static extern NativeCallback native_relay(NativeCallback inner);
    [DllImport(Library)] internal static extern NativeCallback native_calls_out(NativeCallback inner);
    [DllImport(Library)] internal static extern NativeCallback native_static();
    [DllImport(Library)] internal static extern NativeCallback native_single_owner();

    [DllImport(Library)] internal static extern void native_follow_look(NativeCallback fetch, uint id, Cancel cancel, NativeCallback tell);
    [DllImport(Library)] internal static extern void native_follow_wait(NativeCallback wait, Cancel cancel, NativeCallback tell);
    [DllImport(Library)] internal static extern void native_follow_ask(
        NativeCallback ask, [MarshalAs(UnmanagedType.U1)] bool yes, Cancel cancel, NativeCallback tell);
    [DllImport(Library)] internal static extern NativeCallback native_look(ulong milliseconds);
    [DllImport(Library)] internal static extern NativeCallback native_look_at_once();
    [DllImport(Library)] internal static extern NativeCallback native_look_cancelled();
    [DllImport(Library)] internal static extern NativeCallback native_look_dropped();
    [DllImport(Library)] internal static extern NativeCallback native_look_refused();
    [DllImport(Library)] internal static extern NativeCallback native_wait(ulong milliseconds);
    [DllImport(Library)] internal static extern NativeCallback native_ask();
    [DllImport(Library)] internal static extern int native_complete_badly(NativeCallback done, ref NativeError error);
    [DllImport(Library)] internal static extern int native_call_without_done(NativeCallback fetch, ref NativeError error);

    internal static long Drops => (long)native_drops();

    internal static IntPtr Keep(Func<long, long> callback)
    {
        var error = default(NativeError);
        using (var owner = Callback.From(callback))
            return native_keep(owner.ToNative(), ref error);
    }

    internal static long Call(IntPtr kept, long value)
    {
        var error = default(NativeError);
        int status = native_call(kept, value, out long result, ref error);
        error.ThrowIfFailed(status);
        return result;
    }
}
