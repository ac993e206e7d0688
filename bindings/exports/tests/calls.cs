// SPDX-License-Identifier: MIT OR Apache-2.0

// Uses what csbindgen made of the Rust library: layouts, a closure that is called and released, and a
// delegate that Rust calls.
using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Native;

static unsafe class Calls
{
    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    delegate int Call(void* context, long value, long* answer, RbError* error);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    delegate void Release(void* context);

    static int checks;

    static void Check(bool condition, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        checks++;
        if (condition) return;
        Console.Error.WriteLine("{0}:{1}: not true", file, line);
        Environment.Exit(1);
    }

    static int Offset(string field)
    {
        return (int)Marshal.OffsetOf(typeof(OnValue), field);
    }

    static void Main()
    {
        Check(Marshal.SizeOf(typeof(OnValue)) == 40 && Marshal.SizeOf(typeof(OnEvery)) == 40);
        Check(Offset("size") == 0 && Offset("abi") == 4 && Offset("call") == 8);
        Check(Offset("context") == 16 && Offset("retain") == 24 && Offset("release") == 32);
        Check(Marshal.SizeOf(typeof(RbError)) == 32);

        OnValue adder = NativeMethods.native_adder(40);
        Check(adder.size == 40 && adder.abi == 1);
        long answer = 0;
        var call = Marshal.GetDelegateForFunctionPointer<Call>((IntPtr)adder.call);
        Check(call(adder.context, 2, &answer, null) == 0 && answer == 42);
        ulong before = (ulong)NativeMethods.native_drops();
        Marshal.GetDelegateForFunctionPointer<Release>((IntPtr)adder.release)(adder.context);
        Check((ulong)NativeMethods.native_drops() == before + 1);

        Call triple = (context, value, result, error) => { *result = 3 * value; return 0; };
        var given = new OnValue
        {
            size = 40, abi = 1, call = (void*)Marshal.GetFunctionPointerForDelegate(triple)
        };
        Kept* kept = NativeMethods.native_keep(given, null);
        Check(kept != null);
        Check(NativeMethods.native_call(kept, 14, &answer, null) == 0 && answer == 42);
        NativeMethods.native_drop(kept);
        GC.KeepAlive(triple);
        Console.WriteLine("{0} checks", checks);
    }
}
