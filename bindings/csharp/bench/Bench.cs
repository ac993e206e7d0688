// SPDX-License-Identifier: MIT OR Apache-2.0

// What a call of a C# callback costs Rust, against the bare pointer of the same delegate, and what a
// million registrations leave behind. Prints "NAME MEDIAN LOW HIGH" per line.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Runtime.InteropServices;
using Ringback;

static class Bench
{
    const string Library = "ringback_native";
    const long Calls = 10000;
    const int Rounds = 2001;

    delegate int OnNumber(int value);

    [DllImport(Library)]
    static extern double bench_callback(NativeCallback callback, long calls, out long sum);

    [DllImport(Library)]
    static extern double bench_raw(IntPtr function, long calls, out long sum);

    [DllImport(Library)]
    static extern IntPtr native_keep(NativeCallback callback, ref NativeError error);

    [DllImport(Library)]
    static extern void native_drop(IntPtr kept);

    static int Main()
    {
        string runtime = Type.GetType("Mono.Runtime") != null ? "mono" : "coreclr";
        int offset = Environment.ProcessorCount; // captured: the delegate has a target
        OnNumber add = value => value * 3 + offset;
        Calling(runtime, add, (long)offset);
        Registering(runtime);
        return 0;
    }

    static void Calling(string runtime, OnNumber add, long offset)
    {
        long expected = Enumerable.Range(0, (int)Calls).Sum(value => (value & 1023) * 3L + offset);
        IntPtr pointer = Marshal.GetFunctionPointerForDelegate(add);
        Func<double> callback, raw;
        using (var owner = Callback.From(add))
        {
            callback = () =>
            {
                double time = bench_callback(owner.ToNative(), Calls, out long sum);
                return sum == expected ? time : throw new Exception($"sum {sum}, not {expected}");
            };
            raw = () =>
            {
                double time = bench_raw(pointer, Calls, out long sum);
                return sum == expected ? time : throw new Exception($"sum {sum}, not {expected}");
            };
            // The runtime compiles the delegate anew, some time after its first calls.
            for (var warm = Stopwatch.StartNew(); warm.ElapsedMilliseconds < 1000;)
            {
                callback();
                raw();
            }
            var callbacks = new List<double>();
            var raws = new List<double>();
            for (int round = 0; round < Rounds; round++)
            {
                if (round % 2 == 0)
                    callbacks.Add(callback());
                raws.Add(raw());
                if (round % 2 == 1)
                    callbacks.Add(callback());
            }
            Print(runtime + "_over_raw", callbacks.Zip(raws, (first, second) => first / second));
            Print(runtime + "_callback_ns", callbacks);
            Print(runtime + "_raw_ns", raws);
        }
        GC.KeepAlive(add);
    }

    static void Registering(string runtime)
    {
        const int registrations = 1000000;
        long before = Callback.LiveCount;
        var error = default(NativeError);
        var time = Stopwatch.StartNew();
        for (int i = 0; i < registrations; i++)
        {
            int mine = i;
            IntPtr kept;
            using (var callback = Callback.From<Func<long, long>>(value => value + mine))
                kept = native_keep(callback.ToNative(), ref error);
            if (kept == IntPtr.Zero)
                throw new Exception("not kept");
            native_drop(kept);
            if (i % 50000 == 0)
                GC.Collect();
        }
        Print("leaked_handles_" + runtime, new[] { (double)(Callback.LiveCount - before) });
        Print(runtime + "_registration_ns", new[] { time.Elapsed.TotalMilliseconds * 1e6 / registrations });
    }

    static void Print(string name, IEnumerable<double> samples)
    {
        List<double> sorted = samples.OrderBy(sample => sample).ToList();
        double median = sorted[sorted.Count / 2];
        Console.WriteLine(string.Format(CultureInfo.InvariantCulture, "{0} {1:0.####} {2:0.####} {3:0.####}",
            name, median, sorted[0], sorted[sorted.Count - 1]));
    }
}
