# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Faults put into the sources on purpose: the named test must notice each. Sourced by ci/dotnet.sh.
# shellcheck shell=bash

# mutation RUNTIME TEST FILE FROM TO : replaces a piece of text that stands there once. The test must
# fail or crash within a minute. With hangs=1 before it, the test must wait for what never comes.
mutation() {
  local name=$1 test=$2 file=$3 from=$4 to=$5 folder=$out/mutant code=0 limit=60
  [ -z "${hangs:-}" ] || limit=20
  rm -rf "$folder"
  cp -r "$csharp/src" "$folder"
  [ "$(grep -cF -- "$from" "$folder/$file")" = 1 ] || { echo "not once in $file: $from"; return 1; }
  FROM=$from TO=$to perl -pi -e 's/\Q$ENV{FROM}\E/$ENV{TO}/' "$folder/$file"
  cp "$out"/tests/{tests.exe,tests.runtimeconfig.json} "$out"/tests/*.so "$folder"
  mcs -target:library -unsafe -optimize+ -warn:0 "-out:$folder/Ringback.dll" "$folder"/*.cs
  # A race does not come up every time, so its test may have several tries; once is enough.
  for _ in $(seq "${tries:-1}"); do
    bounded "$limit" "$name" "$folder/tests.exe" "$test" >"$folder/log" 2>&1 || code=$?
    grep -q '^runtime: ' "$folder/log" || { cat "$folder/log"; echo "did not begin: $file: $to"; return 1; }
    [ $code -eq 0 ] || break
  done
  case ${hangs:-0}:$code in
    *:0) echo "$test did not notice on $name: $file: $from -> $to"; return 1 ;;
    0:124 | 0:137) echo "$test took more than $limit s on $name, which proves nothing: $file: $from -> $to"; return 1 ;;
    1:124 | 1:137 | 0:*) noticed=$((noticed + 1)) ;;
    *) cat "$folder/log"; echo "$test is said to hang but ended with $code on $name: $file: $from -> $to"; return 1 ;;
  esac
}

mutations() {
  noticed=0
  mutation coreclr AnException Wire.cs 'il.Call(typeof(Caught), nameof(Caught.Answer));' 'il.Emit(OpCodes.Rethrow);'
  mutation coreclr AnyByteButZero Emit.cs 'if (type != typeof(bool))' 'if (type != null)'
  mutation coreclr MarshalAsThatDisagrees Signature.cs 'marshal != null && !Agrees' 'marshal != null && Agrees'
  mutation coreclr WithoutRoom Caught.cs 'if (error != IntPtr.Zero)' 'if (error != (IntPtr)1)'
  mutation coreclr WithoutATextNever Abi.cs 'if (received.Text != IntPtr.Zero)' 'if (true)'
  mutation mono AnAbortedThread Caught.cs 'Thread.ResetAbort(); // else' '// else'
  mutation coreclr ADisposableTarget Handles.cs 'owner.Dispose();' ';'
  mutation coreclr EachTarget Handles.cs 'ReferenceEquals(one.Target, target)) == i)' 'ReferenceEquals(one.Target, target)) >= 0)'
  mutation coreclr EachTarget Handles.cs 'ReferenceEquals(one.Target, target)' 'Equals(one.Target, target)'
  mutation coreclr KeptByRust Handles.cs 'targets[index] = target;' 'targets[index] = null;'
  hangs=1 mutation coreclr KeptByRust Handles.cs 'targets[(int)handle] = null;' ';'
  mutation coreclr AMillionCalls Handles.cs 'Array.Copy(targets, larger, index);' ';'
  tries=10 mutation coreclr InterruptedThreads Handles.cs 'while (!Monitor.TryEnter(free))' 'Monitor.Enter(free); if (alive < 0)'
  tries=10 mutation coreclr DisposeAndToNative Gate.cs 'Gate.Retain(this);' ';'
  mutation mono ReleasedAfterTheEnd Gate.cs '+= (sender, arguments) => ringback_dotnet_close();' '+= null;'
  tries=10 mutation coreclr ClosuresDisposed RustCallback.cs 'DangerousAddRef(ref added);' ';'
  hangs=1 mutation coreclr ForgottenOnes RustCallback.cs 'release?.Invoke(Context);' ';'
  mutation coreclr StructsThatAreNo RustCallback.cs 'if (problem != null)' 'if (problem == "")'
  mutation coreclr CSharpSeesErrors Completion.cs 'if (!started)' 'if (!started && !released)'
  hangs=1 mutation coreclr CancelledWhenRust Completion.cs 'abandoned = released;' 'abandoned = false;'
  mutation coreclr HoweverEarly Completion.cs 'this.token = token;' ';'
  mutation coreclr ContinuationsDoNot Completion.cs 'TaskCreationOptions.RunContinuationsAsynchronously' 'TaskCreationOptions.None'
  hangs=1 mutation coreclr CSharpCancels Completion.cs 'cancel?.Invoke(context);' ';'
  hangs=1 mutation coreclr RustCancels Gate.cs '((CancellationTokenSource)source).Cancel();' ';'
  mutation coreclr WhatRustCancels Gate.cs 'ThreadPool.UnsafeQueueUserWorkItem(cancelNow, cancellable.Target(handle));' 'CancelNow(cancellable.Target(handle));'
  mutation coreclr RustDoesNotWait Gate.cs 'ThreadPool.UnsafeQueueUserWorkItem(cancelNow, cancellable.Target(handle));' 'CancelNow(cancellable.Target(handle));'
  mutation coreclr RustSeesAFault AsyncCall.cs 'text = new byte[0];' 'throw;'
  hangs=1 mutation coreclr ATaskThatNeverEnds AsyncCall.cs 'source = takesToken ?' 'GCHandle.Alloc(this); source = takesToken ?'
  hangs=1 mutation coreclr ATaskWithATokenThatNeverEnds AsyncCall.cs 'task.ContinueWith(Finish' 'source?.Token.Register(() => Finish(task)); task.ContinueWith(Finish'
  echo "mutations: $noticed, each noticed by its test"
}
