// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Reflection.Emit;
using System.Runtime.InteropServices;
using System.Threading;

namespace Ringback
{
    /// <summary>A callback that came from native code: what all <see cref="RustCallback{TDelegate}"/> share.</summary>
    public abstract class RustCallback : SafeHandle
    {
        readonly NativeCallback native;
        readonly Foreign.Counting retain, release;
        // Read by the methods made at run time.
        internal readonly IntPtr Context;
        internal Delegate Function;

        internal RustCallback(NativeCallback native) : base(IntPtr.Zero, true)
        {
            string problem = native.Problem();
            if (problem != null)
            {
                native.Release();
                throw new RustException(Status.Invalid, "not a callback: " + problem);
            }
            this.native = native;
            Context = native.Context;
            retain = Foreign.Function(native.RetainFunction);
            release = Foreign.Function(native.ReleaseFunction);
            SetHandle(native.Call);
        }

        /// <inheritdoc/>
        public override bool IsInvalid => handle == IntPtr.Zero;

        /// <summary>One more reference, to pass to native code by value, which releases it.</summary>
        /// <exception cref="InvalidOperationException">Its maker allows one owner only.</exception>
        /// <exception cref="ObjectDisposedException">It is released already.</exception>
        public NativeCallback ToNative()
        {
            Enter();
            try
            {
                if (retain == null && release != null)
                    throw new InvalidOperationException(
                        "this callback has one owner (its retain is null): wrap it in a lambda and use Callback.From");
                retain?.Invoke(Context);
                return native;
            }
            finally
            {
                Leave();
            }
        }

        /// <summary>Holds the reference during a call, whoever disposes meanwhile.</summary>
        internal void Enter()
        {
            bool added = false;
            DangerousAddRef(ref added);
        }

        internal void Leave() => DangerousRelease();

        /// <inheritdoc/>
        protected override bool ReleaseHandle()
        {
            release?.Invoke(Context);
            return true;
        }
    }

    /// <summary>
    /// A callback that came from native code, a Rust closure for instance, as a delegate.
    /// </summary>
    /// <remarks>
    /// Owns the reference that the struct was, and releases it once: by <see cref="SafeHandle.Dispose()"/>,
    /// or when neither this object nor its delegate is used any more. A call under way when it is
    /// disposed keeps it until it ends.
    /// </remarks>
    /// <typeparam name="TDelegate">
    /// The signature, as declared in native code. For an async one a delegate that returns a task, and
    /// may take a <see cref="CancellationToken"/> as its last parameter.
    /// </typeparam>
    public sealed class RustCallback<TDelegate> : RustCallback where TDelegate : class
    {
        static readonly object making = new object();
        // For all callbacks of the type: the C function's type, its caller, and delegates by address.
        static Type wire;
        static DynamicMethod method;
        static readonly ConcurrentDictionary<IntPtr, Delegate> functions =
            new ConcurrentDictionary<IntPtr, Delegate>();

        /// <summary>
        /// Calls the native function, on this thread. Throws <see cref="RustException"/> where that
        /// answers an error, and <see cref="ObjectDisposedException"/> after the release.
        /// </summary>
        public TDelegate Invoke { get; }

        /// <summary>Takes over the reference that the struct is; also if this throws.</summary>
        /// <exception cref="RustException">The struct is not a callback: null, of a wrong version.</exception>
        /// <exception cref="NotSupportedException">C cannot carry <typeparamref name="TDelegate"/>.</exception>
        public RustCallback(NativeCallback native) : base(native)
        {
            try
            {
                lock (making)
                    method = method ?? Make();
                Function = functions.GetOrAdd(native.Call, FunctionAt);
                Invoke = (TDelegate)(object)method.CreateDelegate(typeof(TDelegate), this);
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        static Delegate FunctionAt(IntPtr address)
        {
            // Of a callback that C# has made, the runtimes give the delegate back, with the type it had.
            Delegate function = Marshal.GetDelegateForFunctionPointer(address, wire);
            return function.GetType() == wire ? function : throw new NotSupportedException(
                $"{Signature.Name(typeof(TDelegate))}: the callback was made in C#, of another signature");
        }

        static DynamicMethod Make()
        {
            var signature = new Signature(typeof(TDelegate));
            var parameters = signature.Invoke.GetParameters().Select(parameter => parameter.ParameterType);
            DynamicMethod made = Emit.Method("Invoke of " + Signature.Name(typeof(TDelegate)),
                signature.Invoke.ReturnType, new[] { typeof(RustCallback) }.Concat(parameters));
            ILGenerator il = made.GetILGenerator();
            wire = Emit.DelegateType(signature.IsAsync ? Wire.AsyncParameters(signature) : Wire.Parameters(signature));
            if (signature.IsAsync)
                AsyncBody(il, signature);
            else
                Body(il, signature);
            return made;
        }

        // Enter(); try { status = call(context, arguments, &out, &error); } finally { Leave(); }
        // error.ThrowIfFailed(status); return out;
        static void Body(ILGenerator il, Signature signature)
        {
            LocalBuilder status = il.DeclareLocal(typeof(int));
            LocalBuilder error = il.DeclareLocal(typeof(NativeError));
            LocalBuilder result = signature.HasResult ? il.DeclareLocal(signature.WireResult) : null;
            Begin(il, signature);
            if (result != null)
                il.Address(result);
            il.Address(error);
            End(il, status);
            il.Emit(OpCodes.Ldloca, error);
            il.Emit(OpCodes.Ldloc, status);
            il.Call(typeof(NativeError), nameof(NativeError.ThrowIfFailed));
            if (result != null)
            {
                il.Emit(OpCodes.Ldloc, result);
                il.Normalise(signature.Result);
            }
            il.Emit(OpCodes.Ret);
        }

        // completion = new(token); Enter();
        // try { status = call(context, arguments, completion.Begin(), &task, &error); } finally { Leave(); }
        // return completion.Started(status, task, error);
        static void AsyncBody(ILGenerator il, Signature signature)
        {
            Type completionType = typeof(Completion<>).MakeGenericType(signature.ResultOrNothing);
            LocalBuilder status = il.DeclareLocal(typeof(int));
            LocalBuilder error = il.DeclareLocal(typeof(NativeError));
            LocalBuilder task = il.DeclareLocal(typeof(NativeTask));
            LocalBuilder none = il.DeclareLocal(typeof(CancellationToken));
            LocalBuilder completion = il.DeclareLocal(completionType);
            if (signature.TakesToken)
                il.Emit(OpCodes.Ldarg, (short)(signature.Arguments.Length + 1));
            else
                il.Emit(OpCodes.Ldloc, none);
            il.Emit(OpCodes.Newobj, completionType.GetConstructors(Emit.Members).Single());
            il.Emit(OpCodes.Stloc, completion);
            Begin(il, signature);
            il.Emit(OpCodes.Ldloc, completion);
            il.Call(completionType, "Begin");
            il.Address(task);
            il.Address(error);
            End(il, status);
            il.Emit(OpCodes.Ldloc, completion);
            il.Emit(OpCodes.Ldloc, status);
            il.Emit(OpCodes.Ldloc, task);
            il.Emit(OpCodes.Ldloc, error);
            il.Call(completionType, "Started");
            il.Emit(OpCodes.Ret);
        }

        static void Begin(ILGenerator il, Signature signature)
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Call(typeof(RustCallback), nameof(Enter));
            il.BeginExceptionBlock();
            il.Emit(OpCodes.Ldarg_0);
            il.Field(typeof(RustCallback), nameof(Function));
            il.Emit(OpCodes.Castclass, wire);
            il.Emit(OpCodes.Ldarg_0);
            il.Field(typeof(RustCallback), nameof(Context));
            for (int i = 0; i < signature.Arguments.Length; i++)
                il.Argument(i + 1, signature.Arguments[i]);
        }

        static void End(ILGenerator il, LocalBuilder status)
        {
            il.Emit(OpCodes.Callvirt, wire.GetMethod("Invoke"));
            il.Emit(OpCodes.Stloc, status);
            il.BeginFinallyBlock();
            il.Emit(OpCodes.Ldarg_0);
            il.Call(typeof(RustCallback), nameof(Leave));
            il.EndExceptionBlock();
        }
    }
}
