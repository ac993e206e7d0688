// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace Ringback
{
    /// <summary>
    /// The native library of the package, <c>ringback_dotnet</c>: it counts what C# gives away, also
    /// when the runtime has ended, and enters C# for the last release only.
    /// </summary>
    static class Gate
    {
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        internal delegate void Managed(IntPtr handle);

        [StructLayout(LayoutKind.Sequential)]
        internal struct Functions
        {
            public IntPtr Retain, Release, Cancel;
        }

        const string Library = "ringback_dotnet";

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        static extern IntPtr ringback_dotnet_new(IntPtr handle, IntPtr free, IntPtr cancel);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        static extern void ringback_dotnet_retain(CountedHandle context);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        static extern void ringback_dotnet_release(IntPtr context);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        static extern void ringback_dotnet_functions(out Functions functions);

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        static extern void ringback_dotnet_close();

        [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
        static extern unsafe void ringback_dotnet_fill(IntPtr error, byte* text, UIntPtr length);

        static readonly WaitCallback cancelNow = CancelNow;
        // Made once and kept for ever: native cells hold its pointer.
        static readonly Managed cancel = Cancel;
        static readonly IntPtr cancelPointer = Marshal.GetFunctionPointerForDelegate(cancel);
        internal static readonly Functions Native = Open();

        /// <summary>Empty: so that <see cref="Open"/> runs before anything here is called.</summary>
        static Gate()
        {
        }

        static Functions Open()
        {
            Functions functions;
            try
            {
                ringback_dotnet_functions(out functions);
            }
            catch (DllNotFoundException missing)
            {
                throw new DllNotFoundException(
                    "the native library 'ringback_dotnet' of the package Ringback was not found: put "
                    + "libringback_dotnet.so, from the package's folder runtimes/linux-x64/native, beside "
                    + "Ringback.dll or onto LD_LIBRARY_PATH; other platforms are not packaged yet",
                    missing);
            }
            AppDomain.CurrentDomain.ProcessExit += (sender, arguments) => ringback_dotnet_close();
            return functions;
        }

        static readonly Handles cancellable = new Handles(typeof(CancellationTokenSource));

        /// <summary>A native cell with one reference, which keeps <paramref name="source"/>.</summary>
        internal static IntPtr New(CancellationTokenSource source) => New(cancellable, source, cancelPointer);

        /// <summary>A native cell with one reference, which keeps <paramref name="target"/>.</summary>
        internal static IntPtr New(Handles handles, object target, IntPtr cancel)
        {
            IntPtr handle = handles.Make(target);
            try
            {
                return ringback_dotnet_new(handle, handles.ReleasePointer, cancel);
            }
            catch
            {
                handles.Free(handle);
                throw;
            }
        }

        internal static void Retain(CountedHandle context) => ringback_dotnet_retain(context);

        internal static void Release(IntPtr context) => ringback_dotnet_release(context);

        internal static unsafe void Fill(IntPtr error, byte[] text)
        {
            fixed (byte* bytes = text)
                ringback_dotnet_fill(error, bytes, (UIntPtr)(uint)text.Length);
        }

        /// <summary>
        /// A native caller asks a task to end early. It does not wait for that: what is cancelled runs handlers
        /// and continuations, which are nothing for its thread.
        /// </summary>
        static void Cancel(IntPtr handle)
        {
            try
            {
                // The handle may be freed before the pool comes to it, so not by the handle.
                ThreadPool.UnsafeQueueUserWorkItem(cancelNow, cancellable.Target(handle));
            }
            catch (Exception exception)
            {
                Caught.Report(exception);
            }
        }

        static void CancelNow(object source)
        {
            try
            {
                ((CancellationTokenSource)source).Cancel();
            }
            catch (Exception exception)
            {
                Caught.Report(exception);
            }
        }
    }

    /// <summary>One reference to a native cell. Never released while a call uses it.</summary>
    sealed class CountedHandle : SafeHandle
    {
        internal CountedHandle(Handles handles, Delegate callback) : base(IntPtr.Zero, true)
        {
            SetHandle(Gate.New(handles, callback, IntPtr.Zero));
        }

        public override bool IsInvalid => handle == IntPtr.Zero;

        protected override bool ReleaseHandle()
        {
            Gate.Release(handle);
            return true;
        }

        /// <summary>Adds a reference, for native code. Throws if this one is released already.</summary>
        internal IntPtr Share()
        {
            Gate.Retain(this);
            return handle;
        }
    }
}
