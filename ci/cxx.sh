#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The C and C++ bindings: headers, test programs with both compilers in every mode, sanitizers, the
# installed packages, and the generators of bindings.
#
#   ci/cxx.sh             everything
#   ci/cxx.sh PART..      only headers, programs, guide, mutations, install, exports, sanitizers
#   RINGBACK_BLESS=1 ci/cxx.sh headers exports      renews the generated headers
#   RINGBACK_SKIP_CXX=1   skips this check, on a machine that cannot have its tools
source "$(dirname "$0")/lib.sh"
[ "$(uname -s)" = Linux ] || skip "the test programs of the bindings are set up for Linux"
must_run RINGBACK_SKIP_CXX
need_debian gcc g++ clang make cmake pkg-config libclang-dev mono-mcs mono-runtime
export RUST_BACKTRACE=0
target=${CARGO_TARGET_DIR:-$PWD/target}
out=$target/cxx
mkdir -p "$out"

native=bindings/native
include=(-D_GNU_SOURCE -Ibindings/c/include -Ibindings/cpp/include "-I$native" -Ibindings/c/tests/programs)
flags=(-g -Wall -Wextra -Wpedantic -Wshadow -Werror "${include[@]}")
system=(-lpthread -ldl -lm)

# program NAME COMPILER SOURCE ARG.. : compiles, runs, shows what the program says of its tests.
program() {
  local name=$1 compiler=$2 source=$3
  shift 3
  "$compiler" "${flags[@]}" "$source" "$@" -o "$out/$name"
  local said code=0
  said=$(timeout -k 5 300 "$out/$name" 2>"$out/$name.stderr") || code=$?
  [ "$code" = 0 ] || { cat "$out/$name.stderr"; echo "$said"; echo "failed with code $code (124 is a time-out): $name"; return 1; }
  grep -qE '[1-9][0-9]* tests, 0 failed checks' <<<"$said" || { echo "$name ran no test"; return 1; }
  echo "  $name: ${said##*: }"
}

# The header is what the sources say, and passes as C99 and as C++ by itself.
headers() {
  cargo_test -p ringback-c
  for compiler in gcc clang; do
    "$compiler" "${flags[@]}" -std=c99 -fsyntax-only -x c bindings/c/include/ringback.h
  done
  for header in bindings/c/include/ringback.h bindings/cpp/include/ringback/*.hpp; do
    for compiler in g++ clang++; do
      for mode in -std=c++17 -std=c++20 "-std=c++17 -fno-exceptions -fno-rtti"; do
        # shellcheck disable=SC2086
        echo "#include \"$PWD/$header\"" | "$compiler" "${flags[@]}" $mode -Wconversion -fsyntax-only -x c++ -
      done
    done
  done
}

programs() {
  cargo build --quiet -p ringback-native
  local library=$target/debug/libringback_native.a
  for compiler in gcc clang; do
    for test in structs loop; do
      program "$test-$compiler" "$compiler" "bindings/c/tests/programs/$test.c" -std=c11 "$library" "${system[@]}"
    done
  done
  for compiler in g++ clang++; do
    for test in bindings/cpp/tests/*.cpp; do
      name=$(basename "$test" .cpp)-$compiler
      program "$name-17" "$compiler" "$test" -std=c++17 "$library" "${system[@]}"
      program "$name-20-optimised" "$compiler" "$test" -std=c++20 -O2 "$library" "${system[@]}"
      program "$name-noexcept" "$compiler" "$test" -std=c++17 -fno-exceptions -fno-rtti "$library" "${system[@]}"
    done
  done
  # The shared library, as most programs will load it.
  program callbacks-shared g++ bindings/cpp/tests/callbacks.cpp -std=c++17 \
    "-L$target/debug" -lringback_native "-Wl,-rpath,$target/debug" "${system[@]}"
}

# The programs that the guide shows parts of, and what they print.
guide() {
  local folder=guide language compiler standard
  cargo build --quiet -p ringback-guide
  for language in c:gcc:c99 c:clang:c11 cpp:g++:c++17 cpp:clang++:c++20; do
    IFS=: read -r language compiler standard <<<"$language"
    "$compiler" "${flags[@]}" "-std=$standard" "-I$folder" "$folder/door.$language" "$target/debug/libdoor.a" "${system[@]}" -o "$out/door"
    timeout -k 5 60 "$out/door" >"$out/door.txt"
    diff "$out/door.txt" "$folder/door.$language.expected"
    echo "  door.$language-$compiler: as the guide says"
  done
}

# Rust, std and C++ all instrumented, with the one runtime that comes with Rust.
sanitizers() {
  [ "$host" = x86_64-unknown-linux-gnu ] || skip "the sanitizers are set up for Linux x86-64"
  have_rust_src || lacks "the sanitizers need the component rust-src, which is out of reach"
  local sanitizer short library runtime
  # A test asks for more memory than there is.
  export ASAN_OPTIONS=detect_stack_use_after_return=1:allocator_may_return_null=1
  # The count of a std::exception_ptr lives in libstdc++.so, which is not instrumented: that the thread
  # which drops the last one is ordered after the others cannot be seen.
  echo 'race:std::__exception_ptr::exception_ptr::_M_release' >"$out/tsan.supp"
  export TSAN_OPTIONS=halt_on_error=1:allocator_may_return_null=1:suppressions=$out/tsan.supp:print_suppressions=0
  for sanitizer in address thread; do
    short=${sanitizer:0:1}san
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=$sanitizer" cargo build --quiet -Zbuild-std --target "$host" \
      --target-dir "$target/$sanitizer-sanitizer" -p ringback-native
    library=$target/$sanitizer-sanitizer/$host/debug/libringback_native.a
    runtime=$(echo "$(rustc --print sysroot)/lib/rustlib/$host/lib"/librustc-*_rt."$short".a)
    link=("$library" -Wl,--whole-archive "$runtime" -Wl,--no-whole-archive -Wl,--export-dynamic "${system[@]}" -lrt)
    for test in bindings/c/tests/programs/*.c; do
      instrumented clang "$test" -std=c11
    done
    for test in bindings/cpp/tests/*.cpp; do
      instrumented clang++ "$test" -std=c++17 -O1
    done
  done
}

# instrumented COMPILER SOURCE ARG.. : as `program`, compiled with -fsanitize and linked without.
instrumented() {
  local compiler=$1 source=$2 name
  shift 2
  name=$(basename "$source" | tr . -)-$sanitizer
  "$compiler" "${flags[@]}" "$@" "-fsanitize=$sanitizer" -fno-omit-frame-pointer -c "$source" -o "$out/$name.o"
  program "$name" "$compiler" "$out/$name.o" "${link[@]}"
}

# mutant : which test notices what $copy holds; nothing if none does. One that hangs does not notice.
mutant() {
  local test code
  for test in tokens callbacks errors async; do
    g++ -std=c++17 -g -w -fsanitize=leak "-I$copy" "${include[@]}" "bindings/cpp/tests/$test.cpp" \
      "$target/debug/libringback_native.a" "${system[@]}" -o "$out/mutated" 2>"$out/mutated.txt" ||
      { echo "nobody: it does not compile"; return; }
    code=0
    { timeout -k 5 60 "$out/mutated" >"$out/mutated.txt" 2>&1; } 2>/dev/null || code=$?
    case $code in
      0) ;;
      124 | 137) echo "hang: $test"; return ;;
      *) echo "$test"; return ;;
    esac
  done
}

# The tests would notice: each of these breaks the headers in one place, and some test must fail. Where
# the last column says `hangs`, the test may also wait for ever.
mutations() {
  local file from to name hangs noticed broken=0 copy=$out/mutant
  cargo build --quiet -p ringback-native
  rm -rf "$copy" && cp -r bindings/cpp/include "$copy"
  noticed=$(mutant)
  [ -z "$noticed" ] || { echo "  without a mutation, $noticed fails"; cat "$out/mutated.txt"; return 1; }
  while IFS='|' read -r file from to name hangs; do
    [ -n "$file" ] || continue
    rm -rf "$copy" && cp -r bindings/cpp/include "$copy"
    FROM=$from TO=$to perl -0pi -e '$n = s/\Q$ENV{FROM}\E/$ENV{TO}/; END { exit !$n }' "$copy/ringback/$file" ||
      { echo "  $name: the code to mutate is not in $file any more; update ci/cxx.sh"; return 1; }
    noticed=$(mutant)
    case $hangs$noticed in
      hangshang:*) echo "  noticed by ${noticed#hang: }, which hangs: $name" ;;
      hang:*) echo "  HANGS in ${noticed#hang: }: $name"; tail -3 "$out/mutated.txt"; broken=1 ;;
      '' | hangs | nobody* | hangsnobody*) echo "  NOT NOTICED: $name ${noticed#nobody: }"; broken=1 ;;
      *) echo "  noticed by $noticed: $name" ;;
    esac
  done <<'MUTATIONS'
token.hpp|        if (retain_) retain_(context_);||copies of a token are not retained
token.hpp|        if (release_) release_(context_);||a token is not released|hangs
token.hpp|        if (release_ && !retain_) share();||copies of a token without retain share nothing
token.hpp|if (before == 1) delete|if (before == 2) delete|the last but one reference frees
token.hpp|memory_order_relaxed) > limit)|memory_order_relaxed) > SIZE_MAX - 1)|a count wraps to zero
token.hpp|if (before > limit) counted->|if (before == 0) counted->|a saturated count comes down again
token.hpp|    return [pointer, token = std::move(token)](A... args)|    return [pointer](A... args)|a function does not carry its token
ringback.hpp|std::exchange(token_.release_, nullptr)|token_.release_|what is given away is released as well
ringback.hpp|if (token_ && token_.context_ != context_)|if (false)|a shared struct is given away bare
ringback.hpp|if (readable && given.release) given.release(given.context);||a refused struct is not released
ringback.hpp|            if (!callable) return;||an empty std::function is not empty
wire.hpp|if (abi != RB_ABI)|if (false)|the version is not checked
wire.hpp|if (retain && !release)|if (false)|a struct that cannot be freed is adopted
wire.hpp|if (!result) return answer(error, result.failure());||a failure is taken for a value
error.hpp|    } catch (...) {|    } catch (const char *) {|an exception of another type is not caught
error.hpp|thrown.status(), thrown.what());|RB_ERROR, thrown.what());|the status of an Error is lost
error.hpp|return status == RB_OK ? RB_ERROR : status;|return status;|a failure may be RB_OK
error.hpp|        ~Clear() { clear(error); }||the text of an error is not given back
async.hpp|        waiting->forget();||a refused start is told twice
async.hpp|if (told_.exchange(true)) return RB_INVALID;||an outcome is told twice
async.hpp|        if (task_.release) task_.release(task_.context);||a task is not let go of
MUTATIONS
  return "$broken"
}

# A program outside the tree finds the package through CMake and through pkg-config, wherever it was
# moved to, and the loader refuses a library of another ABI.
install_and_consume() {
  local libdir build said
  rm -rf "$out/prefix" "$out/moved"
  for libdir in lib lib/x86_64-linux-gnu; do
    rm -rf "$out/moved"
    bindings/install.sh --prefix "$out/prefix" --libdir "$libdir"
    mv "$out/prefix" "$out/moved"
    ! grep -rIl "$target" "$out/moved/$libdir/cmake" "$out/moved/$libdir/pkgconfig" "$out/moved/include" ||
      { echo "an installed file holds a path of the build"; return 1; }

    for licence in LICENSE-MIT LICENSE-APACHE; do
      cmp "$licence" "$out/moved/share/licenses/ringback/$licence"
    done

    build=$out/consumer
    rm -rf "$build"
    cmake -S bindings/c/tests/consumer -B "$build" -DCMAKE_PREFIX_PATH="$out/moved" >"$out/cmake.txt" || { cat "$out/cmake.txt"; return 1; }
    cmake --build "$build" >"$out/cmake.txt" || { cat "$out/cmake.txt"; return 1; }
    for consumer in shared static headers; do
      said=$("$build/$consumer") || said="$said, exit code $?"
      [ "$said" = consumed ] || { echo "cmake: $consumer: $said"; return 1; }
    done

    export PKG_CONFIG_PATH=$out/moved/$libdir/pkgconfig
    # shellcheck disable=SC2046
    gcc bindings/c/tests/consumer/consumer.c $(pkg-config --cflags --libs ringback) -o "$out/consumer-shared"
    # shellcheck disable=SC2046
    gcc bindings/c/tests/consumer/consumer.c $(pkg-config --cflags ringback) \
      "$(pkg-config --variable=libdir ringback)/libringback_c.a" \
      $(pkg-config --static --libs-only-l ringback | sed 's/-lringback_c//') -o "$out/consumer-static"
    # shellcheck disable=SC2046
    g++ -std=c++17 bindings/c/tests/consumer/consumer.cpp $(pkg-config --cflags ringback) -o "$out/consumer-headers"
    for consumer in shared static headers; do
      said=$(LD_LIBRARY_PATH=$out/moved/$libdir "$out/consumer-$consumer") || said="$said, exit code $?"
      [ "$said" = consumed ] || { echo "pkg-config: $consumer: $said"; return 1; }
    done

    mv "$out/moved/$libdir/libringback_c.so.1" "$out/moved/$libdir/libringback_c.so.2"
    ! LD_LIBRARY_PATH=$out/moved/$libdir "$out/consumer-shared" 2>"$out/refused.txt" ||
      { echo "the loader took a library of another ABI"; return 1; }
    grep -q libringback_c.so.1 "$out/refused.txt"
    echo "  installed below $libdir: found by cmake and pkg-config, shared, static and headers alone"
  done
  ! bindings/install.sh --libdir lib 2>/dev/null || { echo "install.sh works without a prefix"; return 1; }
}

exports() {
  cargo fmt --check --manifest-path bindings/exports/Cargo.toml
  cargo_test --manifest-path bindings/exports/Cargo.toml --target-dir "$target/exports" --tests
}

# The sanitizers last: where they lack something, the script ends.
[ $# -gt 0 ] || set -- headers programs guide mutations install exports sanitizers
for part in "$@"; do
  echo "cxx: $part"
  case $part in
    headers | programs | guide | mutations | sanitizers | exports) "$part" ;;
    install) install_and_consume ;;
    *) echo "no such part: $part"; exit 2 ;;
  esac
done
