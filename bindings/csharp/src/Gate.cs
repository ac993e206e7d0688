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
        delegate void Managed(IntPtr handle);

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

        // Made once and kept for ever: native cells hold their pointers.
        static readonly Managed free = Free, cancel = Cancel;
        static readonly IntPtr freePointer = Marshal.GetFunctionPointerForDelegate(free);
        static readonly IntPtr cancelPointer = Marshal.GetFunctionPointerForDelegate(cancel);
        internal static readonly Functions Native = Open();

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

        static long handles;

        /// <summary>How many handles were made and not freed: what keeps delegates and tasks alive.</summary>
        internal static long Handles => Interlocked.Read(ref handles);

        static GCHandle Hold(object target)
        {
            GCHandle handle = GCHandle.Alloc(target);
            Interlocked.Increment(ref handles);
            return handle;
        }

        static void LetGo(GCHandle handle)
        {
            handle.Free();
            if (!handle.IsAllocated) // counts what was freed, not that this was called
                Interlocked.Decrement(ref handles);
        }

        /// <summary>A native cell with one reference, which keeps <paramref name="target"/>.</summary>
        internal static IntPtr New(object target, bool cancellable)
        {
            GCHandle handle = Hold(target);
            try
            {
                return ringback_dotnet_new(
                    GCHandle.ToIntPtr(handle), freePointer, cancellable ? cancelPointer : IntPtr.Zero);
            }
            catch
            {
                LetGo(handle);
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

        /// <summary>The last reference is gone. Runs on whichever thread gave it away.</summary>
        static void Free(IntPtr context)
        {
            try
            {
                GCHandle handle = GCHandle.FromIntPtr(context);
                try
                {
                    if (handle.Target is Delegate callback)
                        foreach (Delegate one in callback.GetInvocationList())
                            (one.Target as IDisposable)?.Dispose();
                }
                finally
                {
                    LetGo(handle);
                }
            }
            catch (Exception exception)
            {
                Caught.Report(exception);
            }
        }

        /// <summary>A native caller asks a task to end early.</summary>
        static void Cancel(IntPtr context)
        {
            try
            {
                ((ICancellable)GCHandle.FromIntPtr(context).Target).Cancel();
            }
            catch (Exception exception)
            {
                Caught.Report(exception);
            }
        }
    }

    interface ICancellable
    {
        void Cancel();
    }

    /// <summary>One reference to a native cell. Never released while a call uses it.</summary>
    sealed class CountedHandle : SafeHandle
    {
        internal CountedHandle(Delegate callback) : base(IntPtr.Zero, true)
        {
            SetHandle(Gate.New(callback, false));
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
