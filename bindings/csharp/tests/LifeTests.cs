// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Threading;
using Ringback;

/// <summary>Who holds a callback, until when, and on which thread it is let go.</summary>
static class LifeTests
{
    sealed class Owner : IDisposable
    {
        internal int Disposed;
        internal Thread DisposedOn;
        internal Action WhenDisposed;

        internal long Add(long value)
        {
            Check.Equal(0, Volatile.Read(ref Disposed));
            return value + 1;
        }

        public void Dispose()
        {
            DisposedOn = Thread.CurrentThread;
            Interlocked.Increment(ref Disposed);
            WhenDisposed?.Invoke();
        }
    }

    /// <summary>Keeps one in Rust, and nothing of it here. In a method of its own: no local is left.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    static IntPtr KeepWithoutATrace(out WeakReference target)
    {
        var kept = new byte[10];
        Func<long, long> callback = value => value + kept.Length;
        target = new WeakReference(callback);
        return Native.Keep(callback);
    }

    /// <summary>So that no copy is left on this stack: Mono scans stacks conservatively.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    static void OnAnotherThread(Action action)
    {
        Exception failure = null;
        var thread = new Thread(() =>
        {
            try { action(); } catch (Exception exception) { failure = exception; }
        });
        thread.Start();
        thread.Join();
        if (failure != null)
            throw failure;
    }

    [Test]
    static void KeptByRustAloneAndCollectedAfterwards()
    {
        var targets = new WeakReference[100];
        OnAnotherThread(() =>
        {
            var kept = new IntPtr[targets.Length];
            for (int i = 0; i < kept.Length; i++)
                kept[i] = KeepWithoutATrace(out targets[i]);
            for (int round = 0; round < 3; round++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                foreach (IntPtr one in kept)
                    Check.Equal(11L, Native.Call(one, 1));
            }
            Check.That(targets.All(target => target.IsAlive), "kept by Rust");
            Check.Equal((long)kept.Length, Callback.LiveCount);
            foreach (IntPtr one in kept)
                Native.native_drop(one);
        });
        Check.Equal(0L, Callback.LiveCount);
        // All but what a register or a stack happens to look like.
        Check.Collected(() => targets.Count(target => target.IsAlive) <= 2);
    }

    [Test]
    static void ADisposableTargetIsDisposedOnceByTheLastRelease()
    {
        var owner = new Owner();
        IntPtr first = Native.Keep(owner.Add), second = Native.native_clone(first);
        Native.native_drop(first);
        Check.Equal(0, owner.Disposed);
        Check.Equal(2L, Native.Call(second, 1));
        Native.native_drop(second);
        Check.Equal(1, owner.Disposed);
        Check.Equal(Thread.CurrentThread, owner.DisposedOn);
        Check.Equal(0L, Callback.LiveCount);
    }

    [Test]
    static void TheHandleIsStillThereWhileTheTargetIsDisposed()
    {
        var owner = new Owner();
        long alive = -1;
        owner.WhenDisposed = () => alive = Callback.LiveCount;
        Native.native_drop(Native.Keep(owner.Add));
        Check.Equal(1L, alive);
        Check.Equal(0L, Callback.LiveCount);
    }

    [Test]
    static void ReleasedOnAThreadOfRusts()
    {
        var owner = new Owner();
        Native.native_drop_elsewhere(Native.Keep(owner.Add));
        Check.Equal(1, owner.Disposed);
        Check.That(owner.DisposedOn != Thread.CurrentThread, "on another thread");
    }

    [Test]
    static void ADisposeThatThrowsIsReportedAndTheHandleFreed()
    {
        Exception reported = null;
        Action<Exception> listen = exception => { reported = exception; throw new Exception("nor does this"); };
        Callback.ReleaseFailed += listen;
        var owner = new Owner { WhenDisposed = () => { throw new InvalidOperationException("stuck"); } };
        Native.native_drop_elsewhere(Native.Keep(owner.Add));
        Callback.ReleaseFailed -= listen;
        Check.Equal("stuck", reported?.Message);
        Check.Equal(0L, Callback.LiveCount);
    }

    /// <summary>Equal to all others, and yet an object of its own.</summary>
    sealed class Alike : IDisposable
    {
        internal int Disposed;

        internal long Add(long value) => value;

        public void Dispose()
        {
            Disposed++;
            throw new InvalidOperationException($"stuck {Disposed}");
        }

        public override bool Equals(object other) => other is Alike;

        public override int GetHashCode() => 1;
    }

    [Test]
    static void EachTargetOfACombinedDelegateIsDisposedOnceWhateverOthersThrow()
    {
        string reported = "";
        Action<Exception> listen = exception => reported += exception.Message + ";";
        Callback.ReleaseFailed += listen;
        var first = new Alike();
        var second = new Alike();
        var last = new Owner();
        Func<long, long> combined = first.Add;
        combined += last.Add;
        combined += first.Add;
        combined += second.Add;
        combined += last.Add;
        Native.native_drop(Native.Keep(combined));
        Callback.ReleaseFailed -= listen;
        Check.Equal("1 1 1", $"{first.Disposed} {second.Disposed} {last.Disposed}");
        Check.Equal("stuck 1;stuck 1;", reported);
        Check.Equal(0L, Callback.LiveCount);
    }

    [Test]
    static void ReleasedInsideItsOwnCall()
    {
        bool afterwards = false;
        var owner = new Owner();
        Native.native_shelve(ToNative(value =>
        {
            Native.native_clear_shelf();
            GC.Collect();
            Check.Equal(1L, Callback.LiveCount); // the call holds a clone
            afterwards = true;
            return owner.Add(value);
        }));
        var error = default(NativeError);
        error.ThrowIfFailed(Native.native_call_shelved(1, out long result, ref error));
        Check.Equal(2L, result);
        Check.That(afterwards, "the call went on");
        Check.Equal(0L, Callback.LiveCount);
    }

    static NativeCallback ToNative(Func<long, long> callback)
    {
        using (var owner = Callback.From(callback))
            return owner.ToNative();
    }

    [Test]
    static void DisposedTwiceAndUsedAfterwards()
    {
        var callback = Callback.From<Func<long, long>>(value => value);
        NativeCallback native = callback.ToNative();
        callback.Dispose();
        callback.Dispose();
        Check.Throws<ObjectDisposedException>(() => callback.ToNative());
        Check.Equal(1L, Callback.LiveCount); // Rust's reference is not ours to take
        native.Release();
        Check.Equal(0L, Callback.LiveCount);

        long drops = Native.Drops;
        var closure = new RustCallback<Func<long, long>>(Native.native_adder(1));
        Func<long, long> invoke = closure.Invoke;
        closure.Dispose();
        closure.Dispose();
        Check.Equal(drops + 1, Native.Drops);
        Check.Throws<ObjectDisposedException>(() => invoke(1));
        Check.Throws<ObjectDisposedException>(() => closure.ToNative());
    }

    [Test]
    static void ForgottenOnesAreReleasedByTheCollector()
    {
        long drops = Native.Drops;
        OnAnotherThread(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                Callback.From<Func<long, long>>(value => value).ToNative().Release();
                Check.Equal(3L, new RustCallback<Func<long, long>>(Native.native_adder(1)).Invoke(2));
            }
        });
        Check.Collected(() => Callback.LiveCount == 0 && Native.Drops == drops + 100);
    }

    [Test]
    static void TheDelegateAloneKeepsTheClosure()
    {
        long drops = Native.Drops;
        OnAnotherThread(() =>
        {
            Func<long, long> invoke = new RustCallback<Func<long, long>>(Native.native_adder(1)).Invoke;
            for (int i = 0; i < 5; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                Check.Equal(3L, invoke(2));
            }
            Check.Equal(drops, Native.Drops);
        });
        Check.Collected(() => Native.Drops == drops + 1);
    }

    [Test]
    static void ClosuresDisposedInsideTheirCallOutliveIt()
    {
        long drops = Native.Drops;
        RustCallback<Action> closure = null;
        using (var inner = Callback.From<Action>(() =>
        {
            closure.Dispose();
            Check.Equal(drops, Native.Drops);
        }))
            closure = new RustCallback<Action>(Native.native_calls_out(inner.ToNative()));
        closure.Invoke();
        Check.Equal(drops + 1, Native.Drops);
    }

    [Test]
    static void CopiesAndSingleOwners()
    {
        long drops = Native.Drops;
        using (var closure = new RustCallback<Func<long, long>>(Native.native_adder(1)))
        using (var copy = new RustCallback<Func<long, long>>(closure.ToNative()))
        {
            closure.Dispose();
            Check.Equal(3L, copy.Invoke(2));
        }
        Check.Equal(drops + 1, Native.Drops);
        using (var single = new RustCallback<Func<long, long>>(Native.native_single_owner()))
        {
            Check.Equal(3L, single.Invoke(2));
            Check.Contains("one owner", Check.Throws<InvalidOperationException>(() => single.ToNative()).Message);
        }
        Check.Equal(drops + 2, Native.Drops);
        using (var forEver = new RustCallback<Func<long, long>>(Native.native_static()))
        using (var copy = new RustCallback<Func<long, long>>(forEver.ToNative()))
            Check.Equal(8L, forEver.Invoke(2) + copy.Invoke(2));
    }

    [Test]
    static void WhatComesBackFromRustIsTheSameCallback()
    {
        var owner = new Owner();
        IntPtr kept = Native.Keep(owner.Add);
        using (var again = new RustCallback<Func<long, long>>(Native.native_give_back(kept)))
        {
            Native.native_drop(kept);
            Check.Equal(8L, again.Invoke(7));
            Check.Equal(0, owner.Disposed);
        }
        Check.Equal(1, owner.Disposed);
        // Claimed to be of another signature: noticed, since it is C#'s, and released.
        var other = new Owner();
        kept = Native.Keep(other.Add);
        Check.Contains("of another signature", Check.Throws<NotSupportedException>(
            () => new RustCallback<Func<int, int>>(Native.native_give_back(kept))).Message);
        Native.native_drop(kept);
        Check.Equal(1, other.Disposed);
    }

    [Test]
    static void AMillionCallsOfAThousandLambdasUnderCollectorStorms()
    {
        const int threads = 4, calls = 250000, lambdas = 1000;
        // So many calls between two collections: with fewer, CoreCLR collects most of the time; with
        // more, calls wait for the collector.
        const int fewest = 50, most = 2000;
        var counts = new int[lambdas];
        int called = 0, seen = 0;
        IntPtr[] kept = Enumerable.Range(0, lambdas).Select(mine => Native.Keep(value =>
        {
            var garbage = new byte[value & 255];
            Interlocked.Increment(ref counts[mine]);
            for (int now = Interlocked.Increment(ref called); now - Volatile.Read(ref seen) > most;)
                Thread.Yield();
            return value + mine + (garbage.Length & 0);
        })).ToArray();
        Check.Equal((long)lambdas, Callback.LiveCount);
        bool done = false;
        var storm = new Thread(() =>
        {
            for (; !Volatile.Read(ref done); Thread.Yield())
            {
                int now = Volatile.Read(ref called);
                if (now - seen < fewest)
                    continue;
                GC.Collect();
                Volatile.Write(ref seen, now);
            }
        });
        storm.Start();
        long sum = Native.native_storm(kept, (UIntPtr)lambdas, (UIntPtr)threads, calls);
        Volatile.Write(ref done, true);
        storm.Join();
        // Each value once per thread, and each lambda's own number as often as it is called.
        const long each = threads * calls / lambdas;
        Check.Equal(threads * ((long)calls * (calls - 1) / 2) + each * lambdas * (lambdas - 1) / 2, sum);
        Check.That(counts.All(count => count == each), "each lambda as often as all others");
        foreach (IntPtr one in kept)
            Native.native_drop_elsewhere(one);
        Check.Equal(0L, Callback.LiveCount);
    }

    [Test]
    static void InterruptedThreadsReleaseAllTheSame()
    {
        bool done = false;
        var releasing = Enumerable.Range(0, 3).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < 30000; i++)
                ToNative(value => value).Release();
        })).ToList();
        var interrupting = new Thread(() =>
        {
            while (!Volatile.Read(ref done))
                releasing.ForEach(thread => thread.Interrupt());
        });
        releasing.ForEach(thread => thread.Start());
        interrupting.Start();
        foreach (Thread thread in releasing)
            thread.Join();
        Volatile.Write(ref done, true);
        interrupting.Join();
        Check.Equal(0L, Callback.LiveCount);
    }

    [Test]
    static void DisposeAndToNativeRace()
    {
        for (int round = 0; round < 200; round++)
        {
            var owner = new Owner();
            var callback = Callback.From<Func<long, long>>(owner.Add);
            using (var begin = new Barrier(3))
            {
                var givers = Enumerable.Range(0, 2).Select(_ => new Thread(() =>
                {
                    begin.SignalAndWait();
                    try
                    {
                        for (int i = 0; i < 50; i++)
                            callback.ToNative().Release();
                    }
                    catch (ObjectDisposedException)
                    {
                        // Nothing was given then.
                    }
                })).ToList();
                givers.ForEach(giver => giver.Start());
                begin.SignalAndWait();
                callback.Dispose();
                givers.ForEach(giver => giver.Join());
            }
            Check.Equal(1, owner.Disposed);
        }
    }

    [Test]
    static void AMillionRegistrationsLeaveNothing()
    {
        const int registrations = 1000000;
        long called = 0;
        OnAnotherThread(() =>
        {
            var batch = new IntPtr[1000];
            for (int i = 0; i < registrations; i++)
            {
                int mine = i;
                IntPtr kept = batch[i % batch.Length];
                if (kept != IntPtr.Zero)
                    Native.native_drop(kept);
                batch[i % batch.Length] = kept = Native.Keep(value => value + mine);
                if (i % 1000 == 0)
                    called += Native.Call(kept, 1) - mine;
                if (i % 100000 == 0)
                    GC.Collect();
            }
            Check.Equal((long)batch.Length, Callback.LiveCount);
            foreach (IntPtr kept in batch)
                Native.native_drop(kept);
        });
        Check.Equal(registrations / 1000L, called);
        Check.Equal(0L, Callback.LiveCount);
    }
}
