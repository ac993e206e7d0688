// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.InteropServices;

namespace Ringback
{
    /// <summary>Small methods made at run time: one per delegate type, never one per callback.</summary>
    static class Emit
    {
        internal const BindingFlags Members =
            BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

        internal static DynamicMethod Method(string name, Type result, IEnumerable<Type> parameters) =>
            new DynamicMethod(name, result, parameters.ToArray(), typeof(Emit).Module, true);

        internal static void Call(this ILGenerator il, Type type, string method) =>
            il.Emit(OpCodes.Call, type.GetMethod(method, Members));

        internal static void Field(this ILGenerator il, Type type, string field) =>
            il.Emit(OpCodes.Ldfld, type.GetField(field, Members));

        internal static void Address(this ILGenerator il, LocalBuilder local)
        {
            il.Emit(OpCodes.Ldloca, local);
            il.Emit(OpCodes.Conv_U);
        }

        /// <summary>Loads an argument, turning a byte of the wire into a bool, or back.</summary>
        internal static void Argument(this ILGenerator il, int index, Type type)
        {
            il.Emit(OpCodes.Ldarg, (short)index);
            il.Normalise(type);
        }

        /// <summary>Makes 1 of any byte but 0, if it stands for a bool.</summary>
        internal static void Normalise(this ILGenerator il, Type type)
        {
            if (type != typeof(bool))
                return;
            il.Emit(OpCodes.Ldc_I4_0);
            il.Emit(OpCodes.Cgt_Un);
        }

        static readonly ModuleBuilder module = AssemblyBuilder
            .DefineDynamicAssembly(new AssemblyName("Ringback.Wire"), AssemblyBuilderAccess.Run)
            .DefineDynamicModule("Ringback.Wire");
        static readonly Dictionary<string, Type> types = new Dictionary<string, Type>();

        /// <summary>
        /// The type of C functions that return a status: neither generic nor anybody else's, since the
        /// runtimes make C functions of named delegate types only. One for each signature.
        /// </summary>
        internal static Type DelegateType(Type[] parameters)
        {
            string key = string.Join(";", parameters.Select(parameter => parameter.AssemblyQualifiedName));
            lock (types)
            {
                if (!types.TryGetValue(key, out Type type))
                    types[key] = type = Define(parameters);
                return type;
            }
        }

        static Type Define(Type[] parameters)
        {
            TypeBuilder type = module.DefineType(
                "Wire" + types.Count, TypeAttributes.Public | TypeAttributes.Sealed, typeof(MulticastDelegate));
            type.SetCustomAttribute(new CustomAttributeBuilder(
                typeof(UnmanagedFunctionPointerAttribute).GetConstructor(new[] { typeof(CallingConvention) }),
                new object[] { CallingConvention.Cdecl }));
            const MethodImplAttributes byRuntime = MethodImplAttributes.Runtime | MethodImplAttributes.Managed;
            type.DefineConstructor(
                MethodAttributes.RTSpecialName | MethodAttributes.HideBySig | MethodAttributes.Public,
                CallingConventions.Standard, new[] { typeof(object), typeof(IntPtr) })
                .SetImplementationFlags(byRuntime);
            type.DefineMethod("Invoke",
                MethodAttributes.Public | MethodAttributes.HideBySig | MethodAttributes.NewSlot
                    | MethodAttributes.Virtual,
                typeof(int), parameters)
                .SetImplementationFlags(byRuntime);
            return type.CreateTypeInfo().AsType();
        }
    }

    /// <summary>C functions as delegates.</summary>
    /// <remarks>
    /// Kept for ever, one for each address and signature: native code has only so many functions, and
    /// what has been unloaded and replaced at an address has the same signature.
    /// </remarks>
    static class Foreign
    {
        /// <summary>As retain, release and cancel are.</summary>
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void Counting(IntPtr context);

        static readonly ConcurrentDictionary<IntPtr, Counting> known =
            new ConcurrentDictionary<IntPtr, Counting>();

        /// <summary>The function at an address; null for null.</summary>
        internal static Counting Function(IntPtr address) =>
            address == IntPtr.Zero ? null : known.GetOrAdd(address, Marshal.GetDelegateForFunctionPointer<Counting>);
    }

    /// <summary>Reads plain values from native memory.</summary>
    static class Plain<T>
    {
        internal static readonly Func<IntPtr, T> Read = MakeRead();

        static Func<IntPtr, T> MakeRead()
        {
            DynamicMethod method = Emit.Method("Read", typeof(T), new[] { typeof(IntPtr) });
            ILGenerator il = method.GetILGenerator();
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldobj, typeof(T) == typeof(bool) ? typeof(byte) : typeof(T));
            il.Normalise(typeof(T));
            il.Emit(OpCodes.Ret);
            return (Func<IntPtr, T>)method.CreateDelegate(typeof(Func<IntPtr, T>));
        }
    }
}
