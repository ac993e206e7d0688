// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Reflection.Emit;
using System.Runtime.InteropServices;

namespace Ringback
{
    /// <summary>
    /// The C function through which native code calls all delegates of one type. It finds the delegate
    /// by the context, so that a callback costs one handle and no machine code.
    /// </summary>
    /// <remarks>
    /// Made for a type's first callback, and kept for ever. It lets no exception out, and takes only
    /// blittable parameters, so that the runtime has nothing to convert.
    /// </remarks>
    sealed class Wire
    {
        static readonly ConcurrentDictionary<Type, Wire> known = new ConcurrentDictionary<Type, Wire>();
        static readonly object making = new object();

        internal readonly Delegate Function; // native code has its pointer
        internal readonly IntPtr Pointer;
        internal readonly Handles Handles;

        Wire(Delegate function, Handles handles)
        {
            Function = function;
            Pointer = Marshal.GetFunctionPointerForDelegate(function);
            Handles = handles;
        }

        /// <summary>The <c>call</c> of a delegate type.</summary>
        internal static Wire Of(Type type)
        {
            if (!known.TryGetValue(type, out Wire wire))
                lock (making)
                    wire = known.GetOrAdd(type, Make);
            return wire;
        }

        static Wire Make(Type type)
        {
            var signature = new Signature(type);
            Type[] parameters = signature.IsAsync ? AsyncParameters(signature) : Parameters(signature);
            DynamicMethod method = Emit.Method(
                "Wire of " + Signature.Name(type), typeof(int), new[] { typeof(Handles) }.Concat(parameters));
            ILGenerator il = method.GetILGenerator();
            if (signature.IsAsync)
                AsyncBody(il, type, signature);
            else
                Body(il, type, signature);
            var handles = new Handles(type);
            return new Wire(method.CreateDelegate(Emit.DelegateType(parameters), handles), handles);
        }

        /// <summary>context, arguments, [out,] error</summary>
        internal static Type[] Parameters(Signature signature)
        {
            Type[] answers = Enumerable.Repeat(typeof(IntPtr), signature.HasResult ? 2 : 1).ToArray();
            return new[] { typeof(IntPtr) }.Concat(signature.WireArguments).Concat(answers).ToArray();
        }

        /// <summary>context, arguments, done, task, error</summary>
        internal static Type[] AsyncParameters(Signature signature) =>
            new[] { typeof(IntPtr) }.Concat(signature.WireArguments)
                .Concat(new[] { typeof(NativeCallback), typeof(IntPtr), typeof(IntPtr) }).ToArray();

        // Argument 0 is the type's handles, and the context 1.
        // try { *out = target(arguments); status = 0; } catch (Exception e) { status = Answer(e, error); }
        static void Body(ILGenerator il, Type type, Signature signature)
        {
            int count = signature.Arguments.Length;
            LocalBuilder status = il.DeclareLocal(typeof(int));
            il.BeginExceptionBlock();
            if (signature.HasResult)
                il.Emit(OpCodes.Ldarg, (short)(count + 2));
            InvokeTarget(il, type, signature, null);
            if (signature.HasResult)
            {
                il.Normalise(signature.Result);
                il.Emit(OpCodes.Stobj, signature.WireResult);
            }
            il.BeginCatchBlock(typeof(Exception));
            il.Emit(OpCodes.Ldarg, (short)(count + (signature.HasResult ? 3 : 2)));
            il.Call(typeof(Caught), nameof(Caught.Answer));
            il.Emit(OpCodes.Stloc, status);
            il.EndExceptionBlock();
            il.Emit(OpCodes.Ldloc, status);
            il.Emit(OpCodes.Ret);
        }

        // try { call = new(done, ..); call.Started(target(arguments[, token]), task); status = 0; }
        // catch (Exception e) { status = Refused(e, call, error); }
        static void AsyncBody(ILGenerator il, Type type, Signature signature)
        {
            int count = signature.Arguments.Length;
            Type callType = typeof(AsyncCall<>).MakeGenericType(signature.ResultOrNothing);
            LocalBuilder status = il.DeclareLocal(typeof(int));
            LocalBuilder call = il.DeclareLocal(callType);
            il.BeginExceptionBlock();
            il.Emit(OpCodes.Ldarg, (short)(count + 2));
            il.Emit(signature.TakesToken ? OpCodes.Ldc_I4_1 : OpCodes.Ldc_I4_0);
            il.Emit(OpCodes.Newobj, callType.GetConstructors(Emit.Members).Single());
            il.Emit(OpCodes.Stloc, call);
            il.Emit(OpCodes.Ldloc, call);
            InvokeTarget(il, type, signature, call);
            il.Emit(OpCodes.Ldarg, (short)(count + 3));
            il.Call(callType, "Started");
            il.BeginCatchBlock(typeof(Exception));
            il.Emit(OpCodes.Ldloc, call);
            il.Emit(OpCodes.Ldarg, (short)(count + 4));
            il.Call(callType, "Refused");
            il.Emit(OpCodes.Stloc, status);
            il.EndExceptionBlock();
            il.Emit(OpCodes.Ldloc, status);
            il.Emit(OpCodes.Ret);
        }

        /// <summary>Leaves what the delegate returns on the stack.</summary>
        static void InvokeTarget(ILGenerator il, Type type, Signature signature, LocalBuilder call)
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Volatile);
            il.Field(typeof(Handles), "targets");
            il.Emit(OpCodes.Ldarg_1);
            il.Emit(OpCodes.Ldind_I); // the cell's first field is the handle
            il.Emit(OpCodes.Ldelem_Ref); // no cast: the array can hold nothing but delegates of the type
            for (int i = 0; i < signature.Arguments.Length; i++)
                il.Argument(i + 2, signature.Arguments[i]);
            if (signature.TakesToken)
            {
                il.Emit(OpCodes.Ldloc, call);
                il.Call(call.LocalType, "get_Token");
            }
            il.Emit(OpCodes.Callvirt, signature.Invoke);
        }
    }
}
