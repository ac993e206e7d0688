// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace Ringback
{
    /// <summary>
    /// A call of an async native callback by C#: what its <c>done</c> leads to. Disposed when native
    /// code has released <c>done</c>; if it never called it, the task is cancelled.
    /// </summary>
    /// <remarks>
    /// State: <c>done</c> may be called and released before the call that passed it has returned.
    /// What a release without a call means is known only then: cancelled if the call was fine, else
    /// the error that it answered. So a release that comes first is remembered, under the lock.
    /// Continuations never run on the native thread.
    /// </remarks>
    sealed class Completion<T> : IDisposable
    {
        readonly TaskCompletionSource<T> source =
            new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly object guard = new object();
        readonly CancellationToken token;
        bool started, released;

        internal Completion(CancellationToken token)
        {
            // Before anything can be told: a cancellation names its token.
            this.token = token;
        }

        /// <summary>The only reference to <c>done</c>, for native code.</summary>
        internal NativeCallback Begin() => Callback.Give(new Done(Finish));

        void Finish(int outcome, IntPtr value, IntPtr why)
        {
            bool first;
            if (outcome != (int)Status.Ok)
                first = Fail(outcome, why == IntPtr.Zero ? "" : Marshal.PtrToStructure<NativeError>(why).Read());
            else if (typeof(T) == typeof(Nothing))
                first = source.TrySetResult(default(T));
            else if (value != IntPtr.Zero)
                first = source.TrySetResult(Plain<T>.Read(value));
            else
                throw new RustException(Status.Invalid,
                    "completed as ok, but without a value: pass a pointer to the result");
            if (!first)
                throw new RustException(Status.Invalid, "completed a second time");
        }

        bool Fail(int outcome, string text) =>
            outcome == (int)Status.Cancelled
                ? source.TrySetCanceled(token)
                : source.TrySetException(new RustException((Status)outcome, text));

        /// <summary>Native code has released <c>done</c>.</summary>
        public void Dispose()
        {
            lock (guard)
            {
                released = true;
                if (!started)
                    return;
            }
            source.TrySetCanceled(token);
        }

        /// <summary>The call that was to start the task has answered.</summary>
        internal Task<T> Started(int status, NativeTask task, NativeError error)
        {
            if (status != (int)Status.Ok)
            {
                Fail(status, error.Receive(status).Text);
                return source.Task;
            }
            bool abandoned;
            lock (guard)
            {
                started = true;
                abandoned = released;
            }
            if (abandoned)
                source.TrySetCanceled(token); // without effect if it was completed
            var handle = new RustTask(task);
            CancellationTokenRegistration registration = token.Register(handle.Cancel);
            source.Task.ContinueWith(ended =>
            {
                registration.Dispose();
                handle.Dispose();
            }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            return source.Task;
        }
    }

    /// <summary>A running native task, which can be asked to end.</summary>
    sealed class RustTask : SafeHandle
    {
        readonly IntPtr context;
        readonly Foreign.Counting cancel, release;

        internal RustTask(NativeTask task) : base(IntPtr.Zero, true)
        {
            context = task.Context;
            cancel = Foreign.Function(task.Cancel);
            release = Foreign.Function(task.ReleaseFunction);
            SetHandle((IntPtr)1); // the context may well be null
        }

        public override bool IsInvalid => handle == IntPtr.Zero;

        internal void Cancel()
        {
            bool added = false;
            try
            {
                DangerousAddRef(ref added);
                cancel?.Invoke(context);
            }
            catch (ObjectDisposedException)
            {
                // It has ended meanwhile.
            }
            finally
            {
                if (added)
                    DangerousRelease();
            }
        }

        protected override bool ReleaseHandle()
        {
            release?.Invoke(context);
            return true;
        }
    }
}
