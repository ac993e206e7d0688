// SPDX-License-Identifier: MIT OR Apache-2.0

// A program that has nothing of ringback but the package.

using System;
using Ringback;

static class Consumer
{
    delegate bool OnDoor(bool open);

    static int Main()
    {
        bool asked = false;
        using (var callback = Callback.From<OnDoor>(open => { asked = true; return !open; }))
        using (var door = new RustCallback<OnDoor>(callback.ToNative()))
        {
            bool shut = !door.Invoke(true);
            Console.WriteLine($"asked {asked}, shut {shut}, alive {Callback.LiveCount}");
        }
        Console.WriteLine($"alive {Callback.LiveCount}");
        return 0;
    }
}
