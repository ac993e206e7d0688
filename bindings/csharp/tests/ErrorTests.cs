// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Threading;
using Ringback;

/// <summary>Exceptions, errors and panics, across in each direction; and structs that are none.</summary>
static class ErrorTests
{
    static RustException Raise(Func<long, long> callback, long value = 0)
    {
        IntPtr kept = Native.Keep(callback);
        try
        {
            return Check.Throws<RustException>(() => Native.Call(kept, value));
        }
        finally
        {
            Native.native_drop(kept);
        }
    }

    [Test]
    static void AnExceptionReachesRustWithTypeAndText()
    {
        RustException seen = Raise(value => { throw new InvalidOperationException("no Grüße \u2603 today"); });
        Check.Equal(Status.Error, seen.Status);
        Check.Equal("System.InvalidOperationException: no Grüße \u2603 today", seen.Text);
        Check.Equal(seen.Text, seen.Message);
    }

    static string Missing() => null;

    [Test]
    static void FaultsOfTheRuntimeAreCaughtToo()
    {
        Check.Contains("System.DivideByZeroException", Raise(value => 1 / value).Text);
        Check.Contains("System.NullReferenceException", Raise(value => Missing().Length).Text);
        Check.Contains("System.OverflowException", Raise(value => checked((byte)value), 300).Text);
    }

    [Test]
    static void AnAbortedThreadEndsTheCallAndGoesOn()
    {
        // CoreCLR cannot abort threads, and says so by an exception of its own.
        RustException seen = Raise(value =>
        {
            Thread.CurrentThread.Abort();
            return value;
        });
        Check.Equal(Status.Error, seen.Status);
        bool mono = Type.GetType("Mono.Runtime") != null;
        Check.Contains(mono ? "ThreadAbortException" : "PlatformNotSupportedException", seen.Text);
    }

    [Test]
    static void ACancellationIsItsOwnStatus()
    {
        Check.Equal(Status.Cancelled, Raise(value => { throw new OperationCanceledException(); }).Status);
    }

    internal class Mute : Exception
    {
        public override string Message => throw new Exception("not even this");
    }

    [Test]
    static void AnExceptionThatCannotTellItsText()
    {
        RustException seen = Raise(value => { throw new Mute(); });
        Check.Equal(Status.Error, seen.Status);
        Check.Equal("", seen.Text);
        Check.Contains("the callback answered: Error", seen.Message);
    }

    [Test]
    static void LongTextsAreWhole()
    {
        string text = new string('ü', 100000);
        Check.Equal("System.Exception: " + text, Raise(value => { throw new Exception(text); }).Text);
    }

    [Test]
    static void AnErrorOfAStatusKeepsItsStatus()
    {
        RustException seen = Raise(value => { throw new RustException(Status.Rejected, "full"); });
        Check.Equal(Status.Rejected, seen.Status);
        Check.Equal("full", seen.Text);
        Check.Equal(Status.Error, Raise(value => { throw new RustException(Status.Ok, "not ok"); }).Status);
    }

    [Test]
    static void WithoutRoomForAnError()
    {
        using (var callback = Callback.From<Func<long, long>>(value => { throw new Exception("unheard"); }))
            Check.Equal(1, Native.native_call_without_error(callback.ToNative(), 0));
    }

    [Test]
    static unsafe void AnErrorIsReleasedOnceAndWithoutATextNever()
    {
        long drops = Native.Drops;
        NativeCallback owner = Native.native_adder(1); // any native release will do
        byte letter = (byte)'x';
        var error = new NativeError
        {
            Text = (IntPtr)(&letter),
            Length = (UIntPtr)1,
            Owner = owner.Context,
            ReleaseFunction = owner.ReleaseFunction,
        };
        NativeError textless = error;
        textless.Text = IntPtr.Zero;
        Check.Equal("", Check.Throws<RustException>(() => textless.ThrowIfFailed(77)).Text);
        Check.Equal(drops, Native.Drops);
        Check.Equal("x", Check.Throws<RustException>(() => error.ThrowIfFailed(77)).Text);
        Check.Equal("", Check.Throws<RustException>(() => error.ThrowIfFailed(77)).Text);
        Check.Equal(drops + 1, Native.Drops);
    }

    [Test]
    static void RustErrorsAndPanicsBecomeExceptions()
    {
        long drops = Native.Drops;
        using (var picky = new RustCallback<Func<long, long>>(Native.native_picky()))
        {
            Check.Equal(3L, picky.Invoke(3));
            RustException error = Check.Throws<RustException>(() => picky.Invoke(-1));
            Check.Equal(Status.Error, error.Status);
            Check.Equal("-1 is too small for Grüße", error.Text);
            RustException panic = Check.Throws<RustException>(() => picky.Invoke(10));
            Check.Equal(Status.Panic, panic.Status);
            Check.Equal("10 is too large", panic.Text);
            Check.Equal("", Check.Throws<RustException>(() => picky.Invoke(7)).Text);
            Check.Equal(77, (int)Check.Throws<RustException>(() => picky.Invoke(8)).Status);
            Check.Equal(4L, picky.Invoke(4)); // it stays usable
        }
        Check.Equal(drops + 1, Native.Drops);
    }

    [Test]
    static void ThroughRustAndBack()
    {
        Func<long, long> inner = value => value > 0 ? value : throw new ArgumentException("inner " + value);
        NativeCallback given;
        using (var callback = Callback.From(inner))
            given = callback.ToNative();
        using (var relay = new RustCallback<Func<long, long>>(Native.native_relay(given)))
        {
            Check.Equal(5L, relay.Invoke(5));
            Check.Equal("System.ArgumentException: inner -5", Check.Throws<RustException>(() => relay.Invoke(-5)).Text);
            // A panic of Rust, through C#, through Rust, to C#.
            using (var picky = new RustCallback<Func<long, long>>(Native.native_picky()))
            using (var outer = Callback.From(picky.Invoke))
            using (var around = new RustCallback<Func<long, long>>(Native.native_relay(outer.ToNative())))
            {
                RustException panic = Check.Throws<RustException>(() => around.Invoke(10));
                Check.Equal(Status.Panic, panic.Status);
                Check.Equal("10 is too large", panic.Text);
            }
        }
    }

    [Test]
    static void StructsThatAreNoCallbacksAreRefusedInRust()
    {
        using (var callback = Callback.From<Func<long, long>>(value => value))
        {
            Refused(new NativeCallback(), "`size` is 0");
            NativeCallback good = callback.ToNative();
            Refused(new NativeCallback { Size = 40, Abi = 9 }, "speaks version 1");
            Refused(new NativeCallback { Size = 40, Abi = 1 }, "`call` is null");
            NativeCallback half = good;
            half.ReleaseFunction = IntPtr.Zero;
            Refused(half, "`release` is null");
            good.Release();
        }
    }

    static void Refused(NativeCallback callback, string part)
    {
        var error = default(NativeError);
        Check.Equal(IntPtr.Zero, Native.native_keep(callback, ref error));
        RustException refused = Check.Throws<RustException>(() => error.ThrowIfFailed((int)Status.Invalid));
        Check.Contains(part, refused.Text);
    }

    [Test]
    static void StructsThatAreNoCallbacksAreRefusedInCSharp()
    {
        NativeCallback good = Native.native_adder(1);
        NativeCallback half = good, newer = good, larger = good, none = good;
        half.ReleaseFunction = IntPtr.Zero;
        newer.Abi = 2;
        larger.Size = 48;
        none.Call = IntPtr.Zero;
        none.ReleaseFunction = none.RetainFunction = IntPtr.Zero;
        foreach (var bad in new[]
        {
            (new NativeCallback(), "its size is 0, not 40"), (larger, "its size is 48, not 40"),
            (newer, "speaks version 1"), (none, "its call is null"), (half, "its release is null"),
        })
        {
            RustException refused = Check.Throws<RustException>(() => new RustCallback<Func<long, long>>(bad.Item1));
            Check.Equal(Status.Invalid, refused.Status);
            Check.Contains(bad.Item2, refused.Text);
        }
        using (var closure = new RustCallback<Func<long, long>>(good))
            Check.Equal(2L, closure.Invoke(1));
    }

    [Test]
    static void NothingEscapesFromANewThread()
    {
        int calls = 0;
        using (var callback = Callback.From<Action>(() =>
        {
            Interlocked.Increment(ref calls);
            throw new Exception("in a thread of Rust's");
        }))
            Native.native_call_later(callback.ToNative(), 1);
        Check.Eventually(() => calls == 1 && Callback.LiveCount == 0);
    }
}
