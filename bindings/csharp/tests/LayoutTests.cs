// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Runtime.InteropServices;
using Ringback;

/// <summary>The structs of the ABI, by hand, as in Rust, C and C++.</summary>
static class LayoutTests
{
    static int Offset<T>(string field) => (int)Marshal.OffsetOf(typeof(T), field);

    [Test]
    static void Callback40Bytes()
    {
        Check.Equal(8, IntPtr.Size);
        Check.Equal(40, Marshal.SizeOf(typeof(NativeCallback)));
        Check.Equal(0, Offset<NativeCallback>(nameof(NativeCallback.Size)));
        Check.Equal(4, Offset<NativeCallback>(nameof(NativeCallback.Abi)));
        Check.Equal(8, Offset<NativeCallback>(nameof(NativeCallback.Call)));
        Check.Equal(16, Offset<NativeCallback>(nameof(NativeCallback.Context)));
        Check.Equal(24, Offset<NativeCallback>(nameof(NativeCallback.RetainFunction)));
        Check.Equal(32, Offset<NativeCallback>(nameof(NativeCallback.ReleaseFunction)));
    }

    [Test]
    static void Error32BytesAndTask24()
    {
        Check.Equal(32, Marshal.SizeOf(typeof(NativeError)));
        Check.Equal(0, Offset<NativeError>(nameof(NativeError.Text)));
        Check.Equal(8, Offset<NativeError>(nameof(NativeError.Length)));
        Check.Equal(16, Offset<NativeError>(nameof(NativeError.Owner)));
        Check.Equal(24, Offset<NativeError>(nameof(NativeError.ReleaseFunction)));
        Type task = typeof(NativeError).Assembly.GetType("Ringback.NativeTask", true);
        Check.Equal(24, Marshal.SizeOf(task));
        Check.Equal(0, (int)Marshal.OffsetOf(task, "Context"));
        Check.Equal(8, (int)Marshal.OffsetOf(task, "Cancel"));
        Check.Equal(16, (int)Marshal.OffsetOf(task, "ReleaseFunction"));
    }

    [Test]
    static void StructsAndStatusAreFilledAsTheAbiSays()
    {
        using (var callback = Callback.From<Action>(() => { }))
        {
            NativeCallback native = callback.ToNative();
            Check.Equal(40u, native.Size);
            Check.Equal(1u, native.Abi);
            Check.That(native.Call != IntPtr.Zero && native.Context != IntPtr.Zero, "call and context are set");
            Check.That(native.RetainFunction != IntPtr.Zero && native.ReleaseFunction != IntPtr.Zero, "counted");
            native.Release();
        }
        var values = new[] { Status.Ok, Status.Error, Status.Panic, Status.Cancelled, Status.Invalid, Status.Rejected };
        for (int value = 0; value < values.Length; value++)
            Check.Equal(value, (int)values[value]);
    }
}
