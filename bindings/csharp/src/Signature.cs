// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace Ringback
{
    /// <summary>A delegate type as C sees it.</summary>
    sealed class Signature
    {
        internal readonly MethodInfo Invoke;
        /// <summary>Types of the arguments that cross, in C#; without a cancellation token.</summary>
        internal readonly Type[] Arguments;
        /// <summary>The same on the wire, where all are blittable.</summary>
        internal readonly Type[] WireArguments;
        /// <summary>The result in C#, or of the task; <c>void</c> for none.</summary>
        internal readonly Type Result;
        internal readonly Type WireResult;
        internal readonly bool IsAsync;
        internal readonly bool TakesToken;

        internal bool HasResult => Result != typeof(void);
        /// <summary>The result as a type argument.</summary>
        internal Type ResultOrNothing => HasResult ? Result : typeof(Nothing);

        /// <exception cref="NotSupportedException">C cannot carry it.</exception>
        internal Signature(Type type)
        {
            if (!typeof(MulticastDelegate).IsAssignableFrom(type) || type.IsAbstract)
                throw new NotSupportedException($"{type} is not a delegate type");
            Invoke = type.GetMethod("Invoke");
            Type returned = Invoke.ReturnType;
            IsAsync = typeof(Task).IsAssignableFrom(returned);
            ParameterInfo[] parameters = Invoke.GetParameters();
            TakesToken = IsAsync && parameters.Length > 0
                && parameters[parameters.Length - 1].ParameterType == typeof(CancellationToken);
            if (TakesToken)
                Array.Resize(ref parameters, parameters.Length - 1);
            Arguments = Array.ConvertAll(parameters, parameter => parameter.ParameterType);
            WireArguments = Array.ConvertAll(parameters, parameter =>
                Kinds.Wire(parameter.ParameterType, parameter, $"{Name(type)}, parameter '{parameter.Name}'"));
            if (IsAsync)
                Result = returned == typeof(Task) ? typeof(void) : returned.GetGenericArguments().Single();
            else
                Result = returned;
            WireResult = HasResult
                ? Kinds.Wire(Result, IsAsync ? null : Invoke.ReturnParameter, $"{Name(type)}, result")
                : typeof(void);
        }

        internal static string Name(Type type)
        {
            if (!type.IsGenericType)
                return type.Name;
            string arguments = string.Join(", ", type.GetGenericArguments().Select(Name));
            return $"{type.Name.Split('`')[0]}<{arguments}>";
        }
    }

    /// <summary>The result of what has none.</summary>
    struct Nothing
    {
    }

    /// <summary>Which types cross.</summary>
    static class Kinds
    {
        /// <summary>The blittable type that carries <paramref name="type"/>.</summary>
        /// <param name="type">What is to cross.</param>
        /// <param name="attributes">Where a MarshalAs may stand, or null.</param>
        /// <param name="where">Which parameter it is, for the message.</param>
        internal static Type Wire(Type type, ParameterInfo attributes, string where)
        {
            string remedy = Remedy(type);
            if (remedy != null)
                throw new NotSupportedException(
                    $"{where}: C cannot carry {Signature.Name(type)}: {remedy}");
            Type wire = type == typeof(bool) ? typeof(byte)
                : type.IsEnum ? Enum.GetUnderlyingType(type)
                : type.IsPointer ? typeof(IntPtr)
                : type;
            var marshal = attributes?.GetCustomAttribute<MarshalAsAttribute>();
            if (marshal != null && !Agrees(marshal.Value, wire))
                throw new NotSupportedException(
                    $"{where}: {Signature.Name(type)} crosses as {Marshal.SizeOf(wire)} byte(s), but its "
                    + $"MarshalAs says UnmanagedType.{marshal.Value}: remove the attribute"
                    + (type == typeof(bool) ? ", or say UnmanagedType.U1 (bool is always one byte)" : ""));
            return wire;
        }

        /// <summary>What to use instead of a type that cannot cross; null for one that can.</summary>
        static string Remedy(Type type)
        {
            if (type.IsByRef)
                return "a reference may move: take a pointer or an IntPtr";
            if (type.IsPointer || type.IsEnum || type == typeof(IntPtr) || type == typeof(UIntPtr))
                return null;
            if (type == typeof(char))
                return "it has two bytes here and one there: use ushort (char16_t) or byte (char)";
            if (type.IsPrimitive)
                return null;
            if (type == typeof(string))
                return "use IntPtr for a char *, and an integer for its length";
            if (type.IsArray)
                return "use IntPtr for the address, and an integer for the length";
            if (type == typeof(CancellationToken))
                return "it may only be the last parameter of a delegate that returns a Task";
            if (typeof(Task).IsAssignableFrom(type))
                return "a task may only be the result of the whole callback";
            if (type.FullName.StartsWith("System.Threading.Tasks.ValueTask", StringComparison.Ordinal))
                return "return a Task: AsTask() makes one";
            if (typeof(Delegate).IsAssignableFrom(type))
                return "use IntPtr for a C function pointer, or NativeCallback for a callback of ringback";
            if (!type.IsValueType)
                return "it is an object: pass numbers, a plain struct, or a GCHandle as an IntPtr";
            if (type == typeof(decimal) || type == typeof(DateTime) || type == typeof(DateTimeOffset))
                return "it has no counterpart there: use a long or a double";
            if (type.IsGenericType)
                return "a generic struct has no layout there: write a struct of its own";
            if (type.IsAutoLayout)
                return "its layout is the runtime's choice: add [StructLayout(LayoutKind.Sequential)]";
            return RemedyOfFields(type);
        }

        static string RemedyOfFields(Type type)
        {
            const BindingFlags all = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
            FieldInfo[] fields = type.GetFields(all);
            if (fields.Length == 0)
                return "a struct without fields has no counterpart there";
            foreach (FieldInfo field in fields)
            {
                string remedy = field.FieldType == typeof(bool)
                    ? "a bool inside a struct has no fixed size: make it a byte"
                    : field.GetCustomAttribute<MarshalAsAttribute>() != null
                        ? "remove its MarshalAs, and give it the type that C has"
                        : Remedy(field.FieldType);
                if (remedy != null)
                    return $"field '{field.Name}' ({Signature.Name(field.FieldType)}): {remedy}";
            }
            return null;
        }

        static bool Agrees(UnmanagedType says, Type wire)
        {
            switch (says)
            {
                case UnmanagedType.I1: case UnmanagedType.U1:
                    return wire == typeof(byte) || wire == typeof(sbyte);
                case UnmanagedType.I2: case UnmanagedType.U2:
                    return wire == typeof(short) || wire == typeof(ushort);
                case UnmanagedType.I4: case UnmanagedType.U4:
                    return wire == typeof(int) || wire == typeof(uint);
                case UnmanagedType.I8: case UnmanagedType.U8:
                    return wire == typeof(long) || wire == typeof(ulong);
                case UnmanagedType.R4:
                    return wire == typeof(float);
                case UnmanagedType.R8:
                    return wire == typeof(double);
                case UnmanagedType.SysInt: case UnmanagedType.SysUInt:
                    return wire == typeof(IntPtr) || wire == typeof(UIntPtr);
                case UnmanagedType.Struct:
                    return !wire.IsPrimitive;
                default:
                    return false;
            }
        }
    }
}
