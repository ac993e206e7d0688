// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;

namespace Ringback
{
    /// <summary>
    /// The objects of one type that native code keeps alive: a handle is the number of an element of an
    /// array. A call looks its delegate up in there, which with a <c>GCHandle</c> would be a call into
    /// the runtime on Mono.
    /// </summary>
    /// <remarks>
    /// Who looks up holds a reference to the native cell that has the handle, so the element is not freed
    /// meanwhile. It is written before the handle is given out, and a larger array is published with all
    /// that the smaller one held. The array does not shrink.
    /// </remarks>
    sealed class Handles
    {
        static long alive;
        volatile object[] targets; // of elements of the very type: Wire reads it by this name
        readonly List<int> free = new List<int>();
        int used;
        readonly Gate.Managed release; // native code has its pointer

        internal Handles(Type type)
        {
            targets = (object[])Array.CreateInstance(type, 16);
            free.Capacity = targets.Length;
            release = Release;
            ReleasePointer = Marshal.GetFunctionPointerForDelegate(release);
        }

        /// <summary>The C function that a cell calls when its last reference is gone.</summary>
        internal IntPtr ReleasePointer { get; }

        /// <summary>How many were made, of all types, and not freed.</summary>
        internal static long Count => Interlocked.Read(ref alive);

        internal IntPtr Make(object target)
        {
            Enter();
            try
            {
                int index = free.Count > 0 ? free[free.Count - 1] : used;
                if (index == targets.Length)
                {
                    var larger = (object[])Array.CreateInstance(targets.GetType().GetElementType(), index * 2);
                    Array.Copy(targets, larger, index);
                    free.Capacity = larger.Length; // Free must not fail
                    targets = larger;
                }
                targets[index] = target;
                if (index == used)
                    used++;
                else
                    free.RemoveAt(free.Count - 1);
                Interlocked.Increment(ref alive);
                return (IntPtr)index;
            }
            finally
            {
                Monitor.Exit(free);
            }
        }

        internal object Target(IntPtr handle) => targets[(int)handle];

        /// <summary>Lets go of the target. Called once for each handle; does not allocate.</summary>
        internal void Free(IntPtr handle)
        {
            Enter();
            try
            {
                targets[(int)handle] = null;
                free.Add((int)handle);
                Interlocked.Decrement(ref alive);
            }
            finally
            {
                Monitor.Exit(free);
            }
        }

        /// <summary>
        /// Not by <c>lock</c>, which ends when somebody interrupts the thread: what is not freed then is
        /// never freed. Whoever is inside leaves at once.
        /// </summary>
        void Enter()
        {
            while (!Monitor.TryEnter(free))
                Thread.Yield();
        }

        /// <summary>The last reference is gone. Runs on whichever thread gave it away.</summary>
        void Release(IntPtr handle)
        {
            try
            {
                try
                {
                    if (Target(handle) is Delegate callback)
                        DisposeTargets(callback.GetInvocationList());
                }
                finally
                {
                    Free(handle);
                }
            }
            catch (Exception exception)
            {
                Caught.Report(exception);
            }
        }

        /// <summary>Each object once, however many of the delegates it has, and whatever others throw.</summary>
        static void DisposeTargets(Delegate[] all)
        {
            for (int i = 0; i < all.Length; i++)
            {
                try
                {
                    object target = all[i].Target;
                    // The first delegate of each target, and by reference: `Equals` is the user's.
                    if (target is IDisposable owner
                        && Array.FindIndex(all, one => ReferenceEquals(one.Target, target)) == i)
                        owner.Dispose();
                }
                catch (Exception exception)
                {
                    Caught.Report(exception);
                }
            }
        }
    }
}
