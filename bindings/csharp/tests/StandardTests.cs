// SPDX-License-Identifier: MIT OR Apache-2.0

using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using Ringback;

/// <summary>What the assembly asks of a runtime: the folder lib/netstandard2.1 of the package claims it.</summary>
static class StandardTests
{
    [Test]
    static void EveryTypeUsedIsInNetStandard21()
    {
        Assembly standard;
        try
        {
            standard = Assembly.Load("netstandard, Version=2.1.0.0, Culture=neutral, PublicKeyToken=cc7b13ffcd2ddd51");
        }
        catch (System.IO.FileNotFoundException) when (Type.GetType("Mono.Runtime") != null)
        {
            return; // Debian's Mono comes without it; CoreCLR's tells.
        }
        var known = new HashSet<string>(ForwardedTypes(standard).Select(type => type.FullName));
        Check.That(known.Count > 1000, "the standard has types");
        int used = 0;
        foreach (Type type in TypesUsed(typeof(Callback).Module))
        {
            if (type.Assembly == typeof(Callback).Assembly)
                continue;
            Check.That(known.Contains(type.FullName), $"{type.FullName} is not in netstandard 2.1");
            used++;
        }
        Check.That(used > 50, "the assembly uses types");
    }

    // Not in every runtime's mscorlib, so found at run time.
    static Type[] ForwardedTypes(Assembly assembly) =>
        (Type[])typeof(Assembly).GetMethod("GetForwardedTypes").Invoke(assembly, null);

    static IEnumerable<Type> TypesUsed(Module module)
    {
        for (int token = 0x01000001; ; token++)
        {
            Type type;
            try
            {
                type = module.ResolveType(token);
            }
            catch (ArgumentOutOfRangeException)
            {
                yield break; // the table of type references ends here
            }
            yield return type;
        }
    }
}
