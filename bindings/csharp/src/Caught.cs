// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Text;
using System.Threading;

namespace Ringback
{
    /// <summary>
    /// Exceptions at the border: none may unwind into native code, so each becomes a status and a text.
    /// </summary>
    static class Caught
    {
        /// <summary>Answers a native caller. Throws nothing, whatever the exception does.</summary>
        internal static int Answer(Exception exception, IntPtr error)
        {
            try
            {
                if (exception is ThreadAbortException)
                    Thread.ResetAbort(); // else the runtime throws it again at the end of the handler
                if (error != IntPtr.Zero)
                    Gate.Fill(error, Encoding.UTF8.GetBytes(TextOf(exception)));
                return (int)StatusOf(exception);
            }
            catch (Exception)
            {
                return (int)Status.Error; // without a text, as there is no memory for it or it cannot be told
            }
        }

        internal static Status StatusOf(Exception exception)
        {
            if (exception is RustException rust)
                return rust.Status;
            return exception is OperationCanceledException ? Status.Cancelled : Status.Error;
        }

        /// <summary>An error of Rust's own travels on as it came; others tell their type.</summary>
        internal static string TextOf(Exception exception)
        {
            if (exception is RustException rust)
                return rust.Text;
            return $"{exception.GetType().FullName}: {exception.Message}";
        }

        /// <summary>An exception where nobody can be answered.</summary>
        internal static void Report(Exception exception)
        {
            try
            {
                if (exception is ThreadAbortException)
                    Thread.ResetAbort();
                Callback.RaiseReleaseFailed(exception);
            }
            catch (Exception)
            {
                // A handler of the event has thrown. There is nobody left to tell.
            }
        }
    }
}
