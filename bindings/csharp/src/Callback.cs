// SPDX-License-Identifier: MIT OR Apache-2.0

using System;

namespace Ringback
{
    /// <summary>
    /// A C# delegate that native code may keep, call from any thread, and release: one counted
    /// reference to it.
    /// </summary>
    /// <remarks>
    /// <para>Each struct that <see cref="ToNative"/> makes is one more reference. The delegate stays
    /// alive until all of them and this object are released; a delegate whose target is an
    /// <see cref="IDisposable"/> then disposes it, once, on the thread that released last, before the
    /// delegate may be collected. Of combined delegates each target is disposed, once each, whatever the
    /// others throw.</para>
    /// <para>An exception in the delegate does not enter native code: the caller gets a status and the
    /// exception's type and message.</para>
    /// <para>After <see cref="AppDomain.ProcessExit"/> releases free nothing any more, as the process
    /// is about to do so. Native threads must not <i>call</i> callbacks after the runtime has ended:
    /// Mono aborts the process then.</para>
    /// </remarks>
    public sealed class Callback : IDisposable
    {
        readonly CountedHandle handle;
        readonly IntPtr call;

        Callback(Delegate callback)
        {
            // First, so that a type that C cannot carry costs nothing.
            Wire wire = Wire.Of(callback.GetType());
            call = wire.Pointer;
            handle = new CountedHandle(wire.Handles, callback);
        }

        /// <summary>
        /// A callback of any delegate: of a named type, an <c>Action</c> or a <c>Func</c>. One that
        /// returns a <see cref="System.Threading.Tasks.Task"/> is async, and may take a
        /// <see cref="System.Threading.CancellationToken"/> as its last parameter. For a lambda say which
        /// type it is: <c>Callback.From&lt;OnDoor&gt;(open => !open)</c>.
        /// </summary>
        /// <exception cref="NotSupportedException">
        /// C cannot carry a parameter or the result; the message names it, and the remedy.
        /// </exception>
        public static Callback From<TDelegate>(TDelegate callback) where TDelegate : class
        {
            if (callback == null)
                throw new ArgumentNullException(nameof(callback));
            return new Callback(callback as Delegate
                ?? throw new NotSupportedException($"{callback.GetType()} is not a delegate type"));
        }

        /// <summary>
        /// How many callbacks and tasks of this process native code or C# still holds: the handles that
        /// were made for them and are not freed.
        /// </summary>
        public static long LiveCount => Handles.Count;

        /// <summary>
        /// Something of the user's has thrown where no native caller can be answered: an
        /// <see cref="IDisposable.Dispose"/> in the last release, a handler of a cancellation.
        /// Raised on the thread where that happened.
        /// </summary>
        public static event Action<Exception> ReleaseFailed;

        internal static void RaiseReleaseFailed(Exception exception) => ReleaseFailed?.Invoke(exception);

        /// <summary>One more reference, to pass to native code by value, which releases it.</summary>
        /// <exception cref="ObjectDisposedException">This object has given up its own.</exception>
        public NativeCallback ToNative() => new NativeCallback
        {
            Size = NativeCallback.SizeOf,
            Abi = NativeCallback.Version,
            Call = call,
            Context = handle.Share(),
            RetainFunction = Gate.Native.Retain,
            ReleaseFunction = Gate.Native.Release,
        };

        /// <summary>
        /// Gives this object's own reference up. Native code keeps its own. More than once is fine, and
        /// so is never: then the garbage collector does it, some time.
        /// </summary>
        public void Dispose() => handle.Dispose();

        /// <summary>A struct that is the only reference to the delegate.</summary>
        internal static NativeCallback Give(Delegate callback)
        {
            using (var own = new Callback(callback))
                return own.ToNative();
        }
    }
}
