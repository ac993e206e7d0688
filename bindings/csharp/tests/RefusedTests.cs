// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Ringback;

/// <summary>What C cannot carry: the message names the parameter, the type and the remedy.</summary>
static class RefusedTests
{
    delegate void OnText(int id, string text);
    delegate void ByReference(ref int value);
    delegate void Out(out int value);
    delegate void WideBool([MarshalAs(UnmanagedType.Bool)] bool open);
    delegate void VariantBool([MarshalAs(UnmanagedType.VariantBool)] bool open);
    [return: MarshalAs(UnmanagedType.I4)] delegate bool WideResult();
    delegate void WrongWidth([MarshalAs(UnmanagedType.I2)] int value);
    delegate void RightWidth([MarshalAs(UnmanagedType.I4)] int value);
    struct WithBool { public int Id; public bool Open; }
    struct WithText { public string Text; }
    struct Nested { public WithBool Inner; }
    struct Empty { }
    struct Two<T> { public T A, B; }
    [StructLayout(LayoutKind.Auto)] struct Auto { public int A; public byte B; }
    struct Marshalled { [MarshalAs(UnmanagedType.I2)] public int A; }

    static void Refuses<TDelegate>(params string[] parts) where TDelegate : class
    {
        string from = Check.Throws<NotSupportedException>(() => Callback.From(Dummy(typeof(TDelegate)))).Message;
        long drops = Native.Drops;
        string to = Check.Throws<NotSupportedException>(
            () => new RustCallback<TDelegate>(Native.native_adder(0))).Message;
        Check.Equal(drops + 1, Native.Drops); // the reference was taken over
        Check.Equal(from, to);
        foreach (string part in parts)
            Check.Contains(part, from);
    }

    /// <summary>Some delegate of a type, never called.</summary>
    static Delegate Dummy(Type type)
    {
        var invoke = type.GetMethod("Invoke");
        var parameters = Array.ConvertAll(invoke.GetParameters(), parameter => parameter.ParameterType);
        var method = new System.Reflection.Emit.DynamicMethod("dummy", invoke.ReturnType, parameters);
        method.GetILGenerator().ThrowException(typeof(InvalidOperationException));
        return method.CreateDelegate(type);
    }

    [Test]
    static void Objects()
    {
        Refuses<OnText>("OnText, parameter 'text'", "C cannot carry String", "use IntPtr for a char *");
        Refuses<Func<int, string>>("Func<Int32, String>, result", "String");
        Refuses<Action<object>>("parameter 'obj'", "Object", "GCHandle as an IntPtr");
        Refuses<Action<byte[]>>("Byte[]", "use IntPtr for the address");
        Refuses<Action<List<int>>>("List<Int32>", "it is an object");
        Refuses<Action<Action>>("Action", "use IntPtr for a C function pointer");
    }

    [Test]
    static void ValuesWithoutACounterpart()
    {
        Refuses<Action<char>>("Char", "use ushort");
        Refuses<Action<decimal>>("Decimal", "use a long or a double");
        Refuses<Func<DateTime>>("result", "DateTime");
        Refuses<Action<int?>>("Nullable<Int32>", "generic struct");
        Refuses<Action<Two<int>>>("Two<Int32>", "write a struct of its own");
        Refuses<ByReference>("parameter 'value'", "take a pointer");
        Refuses<Out>("parameter 'value'", "take a pointer");
    }

    [Test]
    static void Structs()
    {
        Refuses<Action<WithBool>>("WithBool", "field 'Open' (Boolean)", "make it a byte");
        Refuses<Action<Nested>>("field 'Inner' (WithBool)", "field 'Open'");
        Refuses<Func<WithText>>("field 'Text' (String)");
        Refuses<Action<Empty>>("without fields");
        Refuses<Action<Auto>>("Auto", "LayoutKind.Sequential");
        Refuses<Action<Marshalled>>("field 'A' (Int32)", "remove its MarshalAs");
    }

    [Test]
    static void MarshalAsThatDisagrees()
    {
        Refuses<WideBool>("WideBool, parameter 'open'", "crosses as 1 byte(s)", "UnmanagedType.Bool", "UnmanagedType.U1");
        Refuses<VariantBool>("parameter 'open'", "UnmanagedType.VariantBool", "bool is always one byte");
        Refuses<WideResult>("WideResult, result", "UnmanagedType.I4", "bool is always one byte");
        Refuses<WrongWidth>("parameter 'value'", "crosses as 4 byte(s)", "UnmanagedType.I2", "remove the attribute");
        Callback.From<RightWidth>(value => { }).Dispose();
    }

    [Test]
    static void Tasks()
    {
        Refuses<Func<CancellationToken, int, Task>>("parameter 'arg1'", "CancellationToken", "last parameter");
        Refuses<Action<CancellationToken>>("CancellationToken", "returns a Task");
        Refuses<Func<Task<string>>>("result", "String");
        Refuses<Action<Task>>("Task", "only be the result");
        // Not in every runtime's mscorlib, so found at run time.
        Type valueTask = typeof(object).Assembly.GetType("System.Threading.Tasks.ValueTask`1").MakeGenericType(typeof(int));
        Delegate returnsOne = Dummy(typeof(Func<>).MakeGenericType(valueTask));
        string message = Check.Throws<NotSupportedException>(() => Callback.From(returnsOne)).Message;
        Check.Contains("ValueTask<Int32>", message);
        Check.Contains("AsTask()", message);
    }

    [Test]
    static void NoDelegateAtAll()
    {
        Check.Throws<ArgumentNullException>(() => Callback.From((Action)null));
        Check.Throws<ArgumentNullException>(() => Callback.From<Action>(null));
        Check.Contains("not a delegate type", Check.Throws<NotSupportedException>(() => Callback.From("text")).Message);
        Check.Contains("not a delegate type", Check.Throws<NotSupportedException>(
            () => new RustCallback<string>(Native.native_adder(0))).Message);
        Check.Contains("not a delegate type", Check.Throws<NotSupportedException>(
            () => new RustCallback<Delegate>(Native.native_adder(0))).Message);
    }
}
