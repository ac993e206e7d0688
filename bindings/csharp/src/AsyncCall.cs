// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Ringback
{
    /// <summary>Receives the outcome of an async call.</summary>
    delegate void Done(int outcome, IntPtr value, IntPtr why);

    /// <summary>
    /// A call of an async C# callback by native code, from its start until the task has ended and
    /// <c>done</c> is told. A task that never ends and is collected tells "cancelled".
    /// </summary>
    /// <remarks>
    /// Only the task keeps it: native code, which may hold on to the task's handle for as long as it waits
    /// for the outcome, is given the source of the token, from which nothing of ours leads here.
    /// </remarks>
    sealed class AsyncCall<T>
    {
        readonly RustCallback<Done> done;
        readonly CancellationTokenSource source;

        internal AsyncCall(NativeCallback done, bool takesToken)
        {
            this.done = new RustCallback<Done>(done);
            source = takesToken ? new CancellationTokenSource() : null;
        }

        internal CancellationToken Token => source.Token;

        /// <summary>The delegate has returned its task: hands native code what it needs to cancel it.</summary>
        internal void Started(Task task, IntPtr handle)
        {
            if (task == null)
                throw new InvalidOperationException("the async callback returned null instead of a task");
            if (handle != IntPtr.Zero)
                Marshal.StructureToPtr(source == null ? default(NativeTask) : Cancellable(), handle, false);
            task.ContinueWith(Finish, CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        NativeTask Cancellable() => new NativeTask
        {
            Context = Gate.New(source),
            Cancel = Gate.Native.Cancel,
            ReleaseFunction = Gate.Native.Release,
        };

        /// <summary>There will be no task: answers the caller, and gives <c>done</c> back uncalled.</summary>
        internal static int Refused(Exception exception, AsyncCall<T> call, IntPtr error)
        {
            call?.done.Dispose();
            return Caught.Answer(exception, error);
        }

        void Finish(Task task)
        {
            try
            {
                using (done)
                {
                    if (task.IsCanceled)
                        Tell(new OperationCanceledException());
                    else if (task.IsFaulted)
                        Tell(task.Exception.InnerException);
                    else if (task is Task<T> result)
                        Tell(result.Result);
                    else
                        done.Invoke((int)Status.Ok, IntPtr.Zero, IntPtr.Zero);
                }
            }
            catch (RustException)
            {
                // Native code does not like the outcome. It is its own affair.
            }
        }

        void Tell(T result)
        {
            GCHandle pinned = GCHandle.Alloc(new[] { result }, GCHandleType.Pinned);
            try
            {
                done.Invoke((int)Status.Ok, pinned.AddrOfPinnedObject(), IntPtr.Zero);
            }
            finally
            {
                pinned.Free();
            }
        }

        unsafe void Tell(Exception exception)
        {
            Status status = Caught.StatusOf(exception);
            byte[] text;
            try
            {
                text = Encoding.UTF8.GetBytes(Caught.TextOf(exception));
            }
            catch (Exception)
            {
                text = new byte[0]; // it cannot be told: an error without a text, as Caught.Answer says
                status = Status.Error;
            }
            fixed (byte* bytes = text)
            {
                NativeError why = new NativeError { Text = (IntPtr)bytes, Length = (UIntPtr)(uint)text.Length };
                done.Invoke((int)status, IntPtr.Zero, (IntPtr)(&why));
            }
        }
    }
}
