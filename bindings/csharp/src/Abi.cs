// SPDX-License-Identifier: MIT OR Apache-2.0

// What crosses the border: the callback ABI, version 1. The same structs stand in ringback's
// `abi` module (Rust) and in ringback.h (C).

using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Ringback
{
    /// <summary>How a call ended: <c>rb_status_t</c>. Other numbers are errors of an unknown kind.</summary>
    public enum Status
    {
        /// <summary>The result was written.</summary>
        Ok = 0,
        /// <summary>The callee raised an error: an exception, or an <c>Err</c> of Rust.</summary>
        Error = 1,
        /// <summary>Rust code panicked.</summary>
        Panic = 2,
        /// <summary>The task was cancelled, or dropped without an end.</summary>
        Cancelled = 3,
        /// <summary>The callback, or an argument, is not valid.</summary>
        Invalid = 4,
        /// <summary>A bounded queue was full or closed.</summary>
        Rejected = 5,
    }

    /// <summary>
    /// A callback of any signature, as it crosses the border: <c>rb_callback_t</c>, and the layout of
    /// every struct that Rust's <c>callback_type!</c> declares. Declare native functions with it.
    /// </summary>
    /// <remarks>
    /// Plain data: copying it copies no reference. <b>Passed by value it is one reference</b>: who
    /// passes it gives the reference away, who receives it releases it once, by
    /// <see cref="RustCallback{TDelegate}"/> or <see cref="Release"/>.
    /// </remarks>
    [StructLayout(LayoutKind.Sequential)]
    public struct NativeCallback
    {
        /// <summary>The version of the ABI that this assembly speaks.</summary>
        public const uint Version = 1;

        /// <summary>The size of this struct in bytes.</summary>
        public uint Size;
        /// <summary><see cref="Version"/>.</summary>
        public uint Abi;
        /// <summary>Really <c>rb_status_t call(void *context, arguments.., R *out, rb_error_t *error)</c>.</summary>
        public IntPtr Call;
        /// <summary>Passed to all three functions.</summary>
        public IntPtr Context;
        /// <summary>Adds a reference. Null: it cannot be copied, or lives for ever.</summary>
        public IntPtr RetainFunction;
        /// <summary>Takes a reference away. Null: it lives for ever.</summary>
        public IntPtr ReleaseFunction;

        internal static readonly uint SizeOf = (uint)Marshal.SizeOf(typeof(NativeCallback));

        /// <summary>What is wrong with the struct and what to do about it, or null.</summary>
        internal string Problem()
        {
            if (Size != SizeOf)
                return $"its size is {Size}, not {SizeOf}: the native side must set it to sizeof(rb_callback_t)";
            if (Abi != Version)
                return $"its abi is {Abi}, but this assembly speaks version {Version}: build both sides "
                    + "with the same major version of ringback";
            if (Call == IntPtr.Zero)
                return "its call is null: there is nothing to call";
            if (RetainFunction != IntPtr.Zero && ReleaseFunction == IntPtr.Zero)
                return "its retain is set but its release is null, so that what is retained could never "
                    + "be released: the native side must set both, or neither";
            return null;
        }

        /// <summary>
        /// Takes the reference away that this struct is. For structs that were not passed on; without
        /// effect where size or version say that the other fields cannot be trusted.
        /// </summary>
        public void Release()
        {
            if (Size == SizeOf && Abi == Version)
                Foreign.Function(ReleaseFunction)?.Invoke(Context);
        }
    }

    /// <summary>
    /// The text of an error, on its way to the caller: <c>rb_error_t</c>. Native functions that can
    /// fail take one by reference; pass it all zero, and ask <see cref="ThrowIfFailed"/> afterwards.
    /// </summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct NativeError
    {
        /// <summary>UTF-8, without a terminating zero. Null: no text, and nobody looks at the rest.</summary>
        public IntPtr Text;
        /// <summary>Bytes.</summary>
        public UIntPtr Length;
        /// <summary>Passed to <see cref="ReleaseFunction"/>.</summary>
        public IntPtr Owner;
        /// <summary>Null where the text lives for ever.</summary>
        public IntPtr ReleaseFunction;

        /// <summary>
        /// Throws what a native function has answered, unless it was <see cref="Status.Ok"/>, and
        /// releases the text.
        /// </summary>
        /// <param name="status">What the function returned.</param>
        /// <exception cref="RustException">The status was not <see cref="Status.Ok"/>.</exception>
        public void ThrowIfFailed(int status)
        {
            if (status != (int)Status.Ok)
                throw Receive(status);
        }

        internal RustException Receive(int status)
        {
            string text = Read();
            NativeError received = this;
            this = default(NativeError);
            if (received.Text != IntPtr.Zero) // else the other fields may hold anything
                Foreign.Function(received.ReleaseFunction)?.Invoke(received.Owner);
            return new RustException((Status)status, text);
        }

        /// <summary>A copy of the text, which stays the owner's.</summary>
        internal unsafe string Read()
        {
            ulong length = Length.ToUInt64();
            if (Text == IntPtr.Zero || length > int.MaxValue)
                return "";
            return Encoding.UTF8.GetString((byte*)Text, (int)length);
        }
    }

    /// <summary>A running async call, as its caller holds it: <c>rb_task_t</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    struct NativeTask
    {
        public IntPtr Context;
        /// <summary>Asks the task to end early; its outcome still arrives. Null: cannot be asked.</summary>
        public IntPtr Cancel;
        /// <summary>Gives the task up, once. Null: nothing to do.</summary>
        public IntPtr ReleaseFunction;
    }

    /// <summary>A callback did not bring a result: an error, a panic, a cancellation in native code.</summary>
    public class RustException : Exception
    {
        /// <summary>What kind of error it is.</summary>
        public Status Status { get; }
        /// <summary>What the callee said; may be empty.</summary>
        public string Text { get; }

        /// <summary>
        /// An error of this kind. Thrown inside a C# callback, it makes the native caller see this
        /// status and this text; <see cref="Status.Ok"/> becomes <see cref="Status.Error"/>.
        /// </summary>
        public RustException(Status status, string text)
            : base(string.IsNullOrEmpty(text) ? $"the callback answered: {status}" : text)
        {
            Status = status == Status.Ok ? Status.Error : status;
            Text = text ?? "";
        }
    }
}
