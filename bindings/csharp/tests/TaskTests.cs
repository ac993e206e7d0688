// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Ringback;

/// <summary>Tasks of C# that Rust awaits, and tasks of Rust that C# awaits.</summary>
static class TaskTests
{
    delegate void Tell(int status, long value, IntPtr text, UIntPtr length);

    struct Outcome
    {
        internal Status Status;
        internal long Value;
        internal string Text;
    }

    /// <summary>Starts a follower in Rust, and waits for what it tells.</summary>
    static Outcome Follow(Delegate callback, Action<NativeCallback, NativeCallback> follow)
    {
        var told = new TaskCompletionSource<Outcome>();
        Tell listen = (status, value, text, length) => told.SetResult(new Outcome
        {
            Status = (Status)status,
            Value = value,
            Text = TextOf(text, (int)length),
        });
        using (Callback tell = Callback.From(listen), own = Callback.From(callback))
            follow(own.ToNative(), tell.ToNative());
        return told.Task.Result;
    }

    static unsafe string TextOf(IntPtr text, int length) =>
        length == 0 ? "" : Encoding.UTF8.GetString((byte*)text, length);

    static Outcome Fetch(Delegate fetch, uint id = 7, Cancel cancel = Cancel.Never) =>
        Follow(fetch, (callback, tell) => Native.native_follow_look(callback, id, cancel, tell));

    [Test]
    static void RustAwaitsATask()
    {
        Outcome outcome = Fetch(new Func<uint, Task<long>>(async id =>
        {
            await Task.Delay(5);
            return id * 3;
        }));
        Check.Equal(Status.Ok, outcome.Status);
        Check.Equal(21L, outcome.Value);
    }

    [Test]
    static void RustAwaitsATaskThatIsDoneAlready()
    {
        Check.Equal(8L, Fetch(new Func<uint, Task<long>>(id => Task.FromResult(id + 1L))).Value);
    }

    [Test]
    static void RustAwaitsATaskWithoutAResult()
    {
        bool ran = false;
        Outcome outcome = Follow(new Func<Task>(async () =>
        {
            await Task.Yield();
            ran = true;
        }), (callback, tell) => Native.native_follow_wait(callback, Cancel.Never, tell));
        Check.Equal(-5L, outcome.Value);
        Check.That(ran, "ran");
    }

    [Test]
    static void RustAwaitsABool()
    {
        foreach (bool yes in new[] { true, false })
        {
            Outcome outcome = Follow(new Func<bool, Task<bool>>(async asked => { await Task.Yield(); return !asked; }),
                (callback, tell) => Native.native_follow_ask(callback, yes, Cancel.Never, tell));
            Check.Equal(yes ? 0L : 1L, outcome.Value);
        }
    }

    [Test]
    static void RustSeesFaults()
    {
        Outcome late = Fetch(new Func<uint, Task<long>>(async id =>
        {
            await Task.Yield();
            throw new InvalidOperationException("late Grüße");
        }));
        Check.Equal(Status.Error, late.Status);
        Check.Equal("System.InvalidOperationException: late Grüße", late.Text);
        Outcome atOnce = Fetch(new Func<uint, Task<long>>(id => { throw new Exception("never began"); }));
        Check.Equal(Status.Error, atOnce.Status);
        Check.Equal("System.Exception: never began", atOnce.Text);
        Outcome none = Fetch(new Func<uint, Task<long>>(id => null));
        Check.Contains("returned null instead of a task", none.Text);
    }

    [Test]
    static void RustSeesAFaultThatCannotTellItsText()
    {
        Outcome outcome = Fetch(new Func<uint, Task<long>>(async id =>
        {
            await Task.Yield();
            throw new ErrorTests.Mute();
        }));
        Check.Equal(Status.Error, outcome.Status);
        Check.Equal("", outcome.Text);
    }

    [Test]
    static void RustCancels()
    {
        Outcome outcome = Fetch(new Func<uint, CancellationToken, Task<long>>(async (id, token) =>
        {
            await Task.Delay(Timeout.Infinite, token);
            return 1;
        }), 7, Cancel.AtOnce);
        Check.Equal(Status.Cancelled, outcome.Status);

        // A task may ignore it, and then its result counts.
        outcome = Fetch(new Func<uint, CancellationToken, Task<long>>(async (id, token) =>
        {
            while (!token.IsCancellationRequested)
                await Task.Delay(1);
            return 5;
        }), 7, Cancel.AtOnce);
        Check.Equal(5L, outcome.Value);

        // Without a token there is nothing to ask.
        Check.Equal(9L, Fetch(new Func<uint, Task<long>>(async id => { await Task.Delay(5); return 9; }), 7, Cancel.AtOnce).Value);
    }

    [Test]
    static void RustDropsItsFuture()
    {
        var seen = new TaskCompletionSource<bool>();
        Fetch(new Func<uint, CancellationToken, Task<long>>(async (id, token) =>
        {
            token.Register(() => seen.SetResult(true));
            await Task.Delay(Timeout.Infinite, token);
            return 1;
        }), 7, Cancel.ByDrop);
        Check.That(seen.Task.Result, "asked to end");
    }

    [Test]
    static void WhatRustCancelsRunsOnThePool()
    {
        foreach (Cancel cancel in new[] { Cancel.AtOnce, Cancel.ByDrop })
        {
            var handler = new TaskCompletionSource<bool>();
            var continuation = new TaskCompletionSource<bool>();
            Fetch(new Func<uint, CancellationToken, Task<long>>(async (id, token) =>
            {
                token.Register(() => handler.SetResult(Thread.CurrentThread.IsThreadPoolThread));
                try
                {
                    await Task.Delay(Timeout.Infinite, token);
                }
                finally
                {
                    continuation.SetResult(Thread.CurrentThread.IsThreadPoolThread);
                }
                return 1;
            }), 7, cancel);
            Check.That(handler.Task.Result, $"the handler, cancelled {cancel}");
            Check.That(continuation.Task.Result, $"the continuation, cancelled {cancel}");
        }
    }

    [Test]
    static void RustDoesNotWaitForHandlersOfTheCancellation()
    {
        using (var dropped = new ManualResetEventSlim())
        {
            var waited = new TaskCompletionSource<bool>();
            Fetch(new Func<uint, CancellationToken, Task<long>>(async (id, token) =>
            {
                token.Register(() => waited.SetResult(dropped.Wait(TimeSpan.FromSeconds(10))));
                await Task.Delay(Timeout.Infinite, token);
                return 1;
            }), 7, Cancel.ByDrop);
            dropped.Set();
            Check.That(waited.Task.Result, "dropped while the handler waited");
        }
    }

    [Test]
    static void AHandlerOfTheCancellationThatThrowsIsReported()
    {
        var reported = new TaskCompletionSource<Exception>();
        Action<Exception> listen = exception => reported.TrySetResult(exception);
        Callback.ReleaseFailed += listen;
        Outcome outcome = Fetch(new Func<uint, CancellationToken, Task<long>>(async (id, token) =>
        {
            token.Register(() => { throw new Exception("in a handler"); });
            await Task.Delay(Timeout.Infinite, token);
            return 1;
        }), 7, Cancel.AtOnce);
        Check.Equal(Status.Cancelled, outcome.Status);
        Check.Contains("in a handler", reported.Task.Result.ToString());
        Callback.ReleaseFailed -= listen;
    }

    [Test]
    static void ATaskThatNeverEndsTellsWhenItIsCollected() =>
        CollectedIsCancelled(new Func<uint, Task<long>>(id => new TaskCompletionSource<long>().Task));

    [Test]
    static void ATaskWithATokenThatNeverEndsTellsWhenItIsCollected()
    {
        // Rust holds on to what cancels the task all the while, and neither that nor the token keeps it.
        CollectedIsCancelled(new Func<uint, CancellationToken, Task<long>>(
            (id, token) => new TaskCompletionSource<long>().Task));
        CollectedIsCancelled(new Func<uint, CancellationToken, Task<long>>(async (id, token) =>
        {
            token.Register(() => { });
            await new TaskCompletionSource<long>().Task;
            token.ThrowIfCancellationRequested();
            return 1;
        }));
    }

    static void CollectedIsCancelled(Delegate endless)
    {
        var told = new TaskCompletionSource<int>();
        Tell listen = (status, value, text, length) => told.SetResult(status);
        var thread = new Thread(() =>
        {
            using (Callback tell = Callback.From(listen), own = Callback.From(endless))
                Native.native_follow_look(own.ToNative(), 1, Cancel.Never, tell.ToNative());
        });
        thread.Start();
        thread.Join();
        Check.Collected(() => told.Task.IsCompleted);
        Check.Equal((int)Status.Cancelled, told.Task.Result);
    }

    [Test]
    static void ACompletionThatIsNoneIsRefused()
    {
        bool called = false;
        var error = default(NativeError);
        using (var callback = Callback.From<Func<uint, Task<long>>>(id => { called = true; return null; }))
            Check.Equal((int)Status.Invalid, Native.native_call_without_done(callback.ToNative(), ref error));
        Check.Contains("its call is null",
            Check.Throws<RustException>(() => error.ThrowIfFailed((int)Status.Invalid)).Text);
        Check.That(!called, "not called");
    }

    static RustCallback<Func<uint, CancellationToken, Task<long>>> Fetcher(NativeCallback native) =>
        new RustCallback<Func<uint, CancellationToken, Task<long>>>(native);

    static Exception Fault(Task task) => Check.Throws<AggregateException>(task.Wait).InnerException;

    [Test]
    static void CSharpAwaitsRust()
    {
        using (var fetch = Fetcher(Native.native_look(5)))
        {
            Task<long> first = fetch.Invoke(4, default(CancellationToken)), second = fetch.Invoke(5, default(CancellationToken));
            Check.Equal(40L, first.Result);
            Check.Equal(50L, second.Result);
        }
        using (var plain = new RustCallback<Func<uint, Task<long>>>(Native.native_look(1)))
            Check.Equal(60L, plain.Invoke(6).Result);
        using (var wait = new RustCallback<Func<Task>>(Native.native_wait(1)))
            wait.Invoke().Wait();
        using (var ask = new RustCallback<Func<bool, Task<bool>>>(Native.native_ask()))
            Check.That(ask.Invoke(false).Result && !ask.Invoke(true).Result, "not");
    }

    [Test]
    static void CSharpAwaitsWhatIsDoneBeforeTheCallReturns()
    {
        using (var fetch = Fetcher(Native.native_look_at_once()))
            Check.Equal(30L, fetch.Invoke(3, default(CancellationToken)).Result);
    }

    [Test]
    static void DisposedWhileItsTaskRuns()
    {
        Task<long> task;
        using (var fetch = Fetcher(Native.native_look(20)))
            task = fetch.Invoke(4, default(CancellationToken));
        GC.Collect();
        Check.Equal(40L, task.Result);
    }

    [Test]
    static void CSharpSeesErrorsAndPanics()
    {
        using (var fetch = Fetcher(Native.native_look(0)))
        {
            var error = (RustException)Fault(fetch.Invoke(100, default(CancellationToken)));
            Check.Equal(Status.Error, error.Status);
            Check.Equal("no such id: 100", error.Text);
            var panic = (RustException)Fault(fetch.Invoke(101, default(CancellationToken)));
            Check.Equal(Status.Panic, panic.Status);
            Check.Equal("id 101 panics", panic.Text);
        }
        using (var fetch = Fetcher(Native.native_look_refused()))
        {
            var refused = (RustException)Fault(fetch.Invoke(1, default(CancellationToken)));
            Check.Equal(Status.Panic, refused.Status);
            Check.Equal("not started", refused.Text);
        }
    }

    [Test]
    static void CSharpCancels()
    {
        using (var fetch = Fetcher(Native.native_look(0)))
        using (var source = new CancellationTokenSource())
        {
            Task<long> task = fetch.Invoke(102, source.Token);
            Check.That(!task.Wait(20), "waits for ever");
            source.Cancel();
            Check.That(Fault(task) is TaskCanceledException, "cancelled");
            Check.That(task.IsCanceled, "cancelled");
            Check.That(fetch.Invoke(102, source.Token).ContinueWith(ended => ended.IsCanceled).Result, "was cancelled before");
        }
    }

    [Test]
    static void CancelledWhenRustDropsTheTask()
    {
        using (var fetch = Fetcher(Native.native_look_dropped()))
            Check.That(Fault(fetch.Invoke(1, default(CancellationToken))) is TaskCanceledException, "cancelled");
    }

    [Test]
    static void ACancellationNamesItsTokenHoweverEarlyItComes()
    {
        foreach (NativeCallback native in new[] { Native.native_look_cancelled(), Native.native_look_dropped() })
            using (var fetch = Fetcher(native))
            using (var source = new CancellationTokenSource())
            {
                var cancelled = (TaskCanceledException)Fault(fetch.Invoke(1, source.Token));
                Check.Equal(source.Token, cancelled.CancellationToken);
            }
    }

    [Test]
    static void ContinuationsDoNotRunOnTheNativeThread()
    {
        using (var fetch = Fetcher(Native.native_look(5)))
        {
            Task<bool> onThePool = fetch.Invoke(1, default(CancellationToken)).ContinueWith(
                ended => Thread.CurrentThread.IsThreadPoolThread, TaskContinuationOptions.ExecuteSynchronously);
            Check.That(onThePool.Result, "on a thread of the pool");
        }
    }

    [Test]
    static void CompletionsThatBreakTheRules()
    {
        Type completion = typeof(Callback).Assembly.GetType("Ringback.Completion`1").MakeGenericType(typeof(long));
                const System.Reflection.BindingFlags hidden =
            System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic;
        object one = Activator.CreateInstance(
            completion, hidden, null, new object[] { default(CancellationToken) }, null);
        var done = (NativeCallback)completion.GetMethod("Begin", hidden).Invoke(one, null);
        var error = default(NativeError);
        Check.Equal((int)Status.Invalid, Native.native_complete_badly(done, ref error));
        Check.Contains("completed a second time",
            Check.Throws<RustException>(() => error.ThrowIfFailed((int)Status.Invalid)).Text);
    }

    [Test]
    static void ThroughBothSides()
    {
        // A task of C#'s, as a future of Rust's, as a task of C#'s.
        Func<uint, CancellationToken, Task<long>> inner = async (id, token) =>
        {
            await Task.Delay(id == 1 ? 5 : Timeout.Infinite, token);
            return 12;
        };
        NativeCallback native;
        using (var callback = Callback.From(inner))
            native = callback.ToNative();
        using (var again = Fetcher(native))
        using (var source = new CancellationTokenSource())
        {
            Check.Equal(12L, again.Invoke(1, default(CancellationToken)).Result);
            Task<long> endless = again.Invoke(2, source.Token);
            source.Cancel();
            Check.That(Fault(endless) is TaskCanceledException, "cancelled");
        }
    }

    [Test]
    static void CancellationsThatRaceCompletionsOnRustThreads()
    {
        const int rounds = 500, tasks = 8;
        long drops = Native.Drops;
        int completed = 0, cancelled = 0, ended = 0, round = 0;
        using (var fetch = Fetcher(Native.native_look(0)))
            // Until both have won: each round cancels at another moment, now and then long after all.
            for (; round < rounds || completed == 0 || cancelled == 0; round++)
                using (var source = new CancellationTokenSource())
                {
                    var all = new Task<long>[tasks];
                    var counted = new Task[tasks];
                    for (uint id = 0; id < tasks; id++)
                    {
                        all[id] = fetch.Invoke(id, source.Token);
                        counted[id] = all[id].ContinueWith(_ => Interlocked.Increment(ref ended));
                    }
                    Thread.SpinWait(round % 50 * 200);
                    source.Cancel();
                    Task.WaitAll(counted);
                    for (int id = 0; id < tasks; id++)
                    {
                        Check.That(!all[id].IsFaulted, $"no error: {all[id].Exception}");
                        if (all[id].IsCanceled)
                        {
                            cancelled++;
                            continue;
                        }
                        Check.Equal(id * 10L, all[id].Result);
                        completed++;
                    }
                }
        Check.Equal(round * tasks, ended);
        Check.Equal(round * tasks, completed + cancelled);
        // Each of Rust's futures that began is dropped once; one that was cancelled first never began.
        Check.Eventually(() => Callback.LiveCount == 0);
        Check.That(Native.Drops - drops >= completed && Native.Drops - drops <= round * tasks,
            $"{Native.Drops - drops} futures dropped, {completed} completed");
    }

    [Test]
    static void CancellationsByRustThatRaceCompletions()
    {
        const int tasks = 500;
        int told = 0;
        var all = new CountdownEvent(tasks);
        Tell listen = (status, value, text, length) =>
        {
            if (status != (int)Status.Cancelled)
                Check.Equal(21L, value);
            Interlocked.Increment(ref told);
            all.Signal();
        };
        Func<uint, CancellationToken, Task<long>> inner = async (id, token) =>
        {
            await Task.Yield();
            token.ThrowIfCancellationRequested();
            return 21;
        };
        using (Callback tell = Callback.From(listen), own = Callback.From(inner))
            for (int i = 0; i < tasks; i++)
                Native.native_follow_look(own.ToNative(), 7, Cancel.AtOnce, tell.ToNative());
        all.Wait();
        Check.Eventually(() => Callback.LiveCount == 0);
        Check.Equal(tasks, told);
    }

    [Test]
    static void TenThousandTasks()
    {
        long sum = 0;
        using (var fetch = Fetcher(Native.native_look_at_once()))
            for (uint i = 0; i < 10000; i++)
                sum += fetch.Invoke(i, default(CancellationToken)).Result;
        Check.Equal(10L * 9999 * 10000 / 2, sum);
    }
}
