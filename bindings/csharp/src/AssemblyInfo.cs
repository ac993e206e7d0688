// SPDX-License-Identifier: MIT OR Apache-2.0

using System.Reflection;

[assembly: AssemblyTitle("Ringback")]
[assembly: AssemblyDescription("Callbacks between C# and Rust, C and C++: counted, called from any thread, released exactly once")]
[assembly: AssemblyVersion("0.1.0.0")]
