// SPDX-License-Identifier: MIT OR Apache-2.0

// The tests' own small runner: mcs brings none, and both runtimes must run the same program.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Ringback;

/// <summary>A method that is a test.</summary>
[AttributeUsage(AttributeTargets.Method)]
class TestAttribute : Attribute
{
}

class Failed : Exception
{
    internal Failed(string what, string file, int line)
        : base($"{Path.GetFileName(file)}:{line}: {what}")
    {
    }
}

static class Check
{
    internal static void That(
        bool holds, string what, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        if (!holds)
            throw new Failed(what, file, line);
    }

    internal static void Equal<T>(
        T expected, T found, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, found))
            throw new Failed($"expected <{expected}>, found <{found}>", file, line);
    }

    internal static void Contains(
        string part, string text, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        if (!text.Contains(part))
            throw new Failed($"<{part}> is not in <{text}>", file, line);
    }

    internal static TException Throws<TException>(
        Action action, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
        where TException : Exception
    {
        try
        {
            action();
        }
        catch (TException expected)
        {
            return expected;
        }
        throw new Failed($"no {typeof(TException).Name} was thrown", file, line);
    }

    /// <summary>Waits for what other threads or the collector bring about; the watchdog ends it.</summary>
    internal static void Eventually(Func<bool> holds)
    {
        while (!holds())
            Thread.Sleep(1);
    }

    /// <summary>Collects until it holds.</summary>
    internal static void Collected(Func<bool> holds)
    {
        while (!holds())
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}

static class Runner
{
    static readonly TimeSpan patience = TimeSpan.FromSeconds(120);

    static int Main(string[] arguments)
    {
        if (arguments.Length > 0 && arguments[0] == "end")
            return EndTests.Scenario(arguments[1]);
        Console.WriteLine("runtime: " + RuntimeInformation.FrameworkDescription);
        var tests = Assembly.GetExecutingAssembly().GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic))
            .Where(method => method.GetCustomAttribute<TestAttribute>() != null)
            .Where(method => arguments.Length == 0 || arguments.Any(Name(method).Contains))
            .OrderBy(method => method.DeclaringType.Name).ToList();
        int failed = tests.Count(test => !Passes(test));
        Console.WriteLine($"{tests.Count - failed} passed, {failed} failed");
        return failed == 0 && tests.Count > 0 ? 0 : 1;
    }

    static string Name(MethodInfo test) => $"{test.DeclaringType.Name}.{test.Name}";

    static bool Passes(MethodInfo test)
    {
        string name = Name(test);
        using (new Timer(_ => Hangs(name), null, patience, Timeout.InfiniteTimeSpan))
        {
            try
            {
                ((Action)test.CreateDelegate(typeof(Action)))();
                // Nothing may be left behind, not even for a while.
                Check.Collected(() => Callback.LiveCount == 0);
                return true;
            }
            catch (Exception exception)
            {
                Console.WriteLine($"FAILED {name}: {(exception is Failed ? exception.Message : exception.ToString())}");
                return false;
            }
        }
    }

    static void Hangs(string name)
    {
        Console.WriteLine($"HANGS {name}, {Callback.LiveCount} callbacks alive");
        Environment.FailFast("watchdog");
    }
}
