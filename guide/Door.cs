// SPDX-License-Identifier: MIT OR Apache-2.0

// The guide's chapter on C#.
using System;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Ringback;

static class Program
{
    // ANCHOR: declare
    delegate int OnDoor(bool open);
    delegate Task<long> FindKey(uint id, CancellationToken token);

    [DllImport("door")] static extern int door_watch(NativeCallback callback);
    [DllImport("door")] static extern NativeCallback door_answerer();
    // ANCHOR_END: declare

    [DllImport("door")] static extern int door_turn([MarshalAs(UnmanagedType.U1)] bool open);
    [DllImport("door")] static extern void door_leave();
    [DllImport("door")] static extern long door_find(NativeCallback callback, uint id);
    [DllImport("door")] static extern NativeCallback door_finder();

    sealed class Hinges : IDisposable
    {
        int told;

        public int Turn(bool open)
        {
            if (!open && told == 0)
                throw new InvalidOperationException("it was never open");
            return ++told;
        }

        public void Dispose() => Console.WriteLine($"dropped after {told}");
    }

    static void Give()
    {
        // ANCHOR: give
        var hinges = new Hinges();                                  // IDisposable: disposed by the last release
        using (var callback = Callback.From<OnDoor>(hinges.Turn))   // may throw
            door_watch(callback.ToNative());                        // Rust keeps it beyond the using
        // ANCHOR_END: give
        Check(door_turn(false) == -1 && door_turn(true) == 1 && door_turn(false) == 2);
        door_leave();
    }

    static void Take()
    {
        // ANCHOR: take
        using (var rust = new RustCallback<OnDoor>(door_answerer()))
            Console.WriteLine($"Rust answered {rust.Invoke(true)}"); // a delegate, of the type you name
        // ANCHOR_END: take
    }

    static async Task Wait()
    {
        // ANCHOR: tasks
        using (var find = Callback.From<FindKey>(async (id, token) =>
        {
            await Task.Delay(1, token);                             // cancelled when Rust drops its future
            return id * 10;
        }))
            Console.WriteLine($"found {door_find(find.ToNative(), 7)}");

        using (var rust = new RustCallback<FindKey>(door_finder()))
            Console.WriteLine($"found {await rust.Invoke(7, CancellationToken.None)}");
        // ANCHOR_END: tasks
    }

    static void Check(bool holds)
    {
        if (!holds)
            throw new Exception("wrong");
    }

    static int Main()
    {
        Give();
        Take();
        Wait().Wait();
        return 0;
    }
}
