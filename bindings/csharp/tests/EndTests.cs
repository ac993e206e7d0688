// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Ringback;

/// <summary>What happens when the runtime ends, each in a process of its own.</summary>
static class EndTests
{
    sealed class Owner : IDisposable
    {
        internal long Add(long value) => value + 1;

        public void Dispose() => Console.WriteLine("disposed");
    }

    /// <summary>The program that a test below starts.</summary>
    internal static int Scenario(string name)
    {
        using (var callback = Callback.From<Func<long, long>>(new Owner().Add))
            Native.native_shelve(callback.ToNative());
        switch (name)
        {
            case "release-at-exit":
                Native.native_release_at_exit();
                break;
            case "release-in-process-exit":
                // Rung before ours or after, depending on who came first: both must be fine.
                AppDomain.CurrentDomain.ProcessExit += (sender, arguments) => Native.native_clear_shelf();
                break;
            case "count-for-ever":
                Native.native_count_for_ever();
                Thread.Sleep(20);
                break;
            case "call-at-the-end":
                using (var callback = Callback.From<Action>(() => Thread.Sleep(Timeout.Infinite)))
                    Native.native_call_later(callback.ToNative(), 0);
                Thread.Sleep(20);
                break;
            case "cancel-at-the-end":
                Cancelled();
                break;
            case "exit-inside":
                using (var callback = Callback.From<Action>(() => Environment.Exit(7)))
                    Native.native_call_later(callback.ToNative(), 0);
                Thread.Sleep(Timeout.Infinite);
                break;
            case "forgotten":
                for (int i = 0; i < 1000; i++)
                    new RustCallback<Func<long, long>>(Native.native_adder(1)).Invoke(1);
                break;
            default:
                return 2;
        }
        Console.WriteLine("main ends");
        return 5;
    }

    /// <summary>Returns once a handler of a cancellation by Rust is running, which never ends.</summary>
    static void Cancelled()
    {
        var begun = new ManualResetEventSlim();
        using (var tell = Callback.From<Action<int, long, IntPtr, UIntPtr>>((status, value, text, length) => { }))
        using (var callback = Callback.From<Func<uint, CancellationToken, Task<long>>>((id, token) =>
        {
            token.Register(() =>
            {
                begun.Set();
                Thread.Sleep(Timeout.Infinite);
            });
            return new TaskCompletionSource<long>().Task;
        }))
            Native.native_follow_look(callback.ToNative(), 7, Cancel.ByDrop, tell.ToNative());
        begun.Wait();
    }

    static string Run(string scenario, int code)
    {
        // How this program itself was started: the two runtimes tell it differently, the kernel alike.
        string[] words = System.IO.File.ReadAllText("/proc/self/cmdline").TrimEnd('\0').Split('\0');
        int program = Array.FindIndex(words, word => word.EndsWith(".exe"));
        string arguments = string.Join(" ", words, 1, program);
        using (var process = Process.Start(new ProcessStartInfo
        {
            FileName = Process.GetCurrentProcess().MainModule.FileName,
            Arguments = $"{arguments} end {scenario}",
            RedirectStandardOutput = true,
            UseShellExecute = false,
        }))
        {
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Check.That(code == process.ExitCode, $"{scenario} ended with {process.ExitCode}, and said: {output}");
            return output;
        }
    }

    [Test]
    static void ReleasedAfterTheEnd()
    {
        Check.Equal("main ends\nreleased after the end\n", Run("release-at-exit", 5));
    }

    [Test]
    static void ReleasedWhileTheRuntimeBeginsToEnd()
    {
        string output = Run("release-in-process-exit", 5);
        Check.That(output == "main ends\n" || output == "main ends\ndisposed\n", output);
    }

    [Test]
    static void CountedByRustWhileTheRuntimeEnds()
    {
        for (int round = 0; round < 5; round++)
            Check.Equal("main ends\n", Run("count-for-ever", 5));
    }

    [Test]
    static void InsideACallWhileTheRuntimeEnds() => Check.Equal("main ends\n", Run("call-at-the-end", 5));

    [Test]
    static void CancellingWhileTheRuntimeEnds() => Check.Equal("main ends\n", Run("cancel-at-the-end", 5));

    [Test]
    static void EndedFromInsideACall() => Run("exit-inside", 7);

    [Test]
    static void ForgottenAtTheEnd() => Check.Equal("main ends\n", Run("forgotten", 5));
}
