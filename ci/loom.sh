#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Explores every interleaving of the slot's state machine, then breaks the code in one place after
# the other and checks that a model notices: a model that cannot fail proves nothing.
# ci/loom.sh TEXT : only the mutations with TEXT in their names.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTFLAGS="--cfg ringback_loom -Awarnings" CARGO_PROFILE_RELEASE_DEBUG=false

# build FOLDER : its program of models. To cargo the folders are the same package, and what is older than
# the program need not be built: so there is none.
build() {
  rm -f "$target"/release/deps/ringback-*
  (cd "$1" && cargo test -p ringback --lib --release --target-dir "$target" --no-run 2>&1) |
    tee target/loom-build.txt | sed -n 's/.* Executable .*(\(.*\))$/\1/p'
}

target=$PWD/target/loom
mkdir -p target
echo "loom: models"
program=$(build .) || { cat target/loom-build.txt; exit 1; }
"$program" model | tee target/loom-output.txt
grep -q '^test result: ok. [1-9]' target/loom-output.txt || { echo "loom: ran no model"; exit 1; }

echo "loom: each of these mutations must be noticed"
copy=$PWD/target/loom-mutant
broken=0 tried=0
while IFS='|' read -r file from to name; do
  [[ -n $file && $name == *"${1:-}"* ]] || continue
  tried=$((tried + 1))
  rm -rf "$copy" && mkdir -p "$copy"
  git ls-files -z Cargo.toml Cargo.lock bindings crates guide | xargs -0 cp --parents -t "$copy"
  path=$copy/crates/ringback/src/$file
  FROM=${from//'\n'/$'\n'} TO=${to//'\n'/$'\n'} perl -0pi -e '$n = s/\Q$ENV{FROM}\E/$ENV{TO}/; END { exit !$n }' "$path" ||
    { echo "  $name: the code to mutate is not in $file any more; update ci/loom.sh"; exit 1; }
  if ! program=$(build "$copy"); then
    echo "  does not compile: $name"; tail -5 target/loom-build.txt; broken=1
    continue
  fi
  # One that fails is enough: the others need not come to their ends.
  : >"$copy/output"
  timeout -k 5 300 "$program" model >"$copy/output" 2>&1 &
  while kill -0 $! 2>/dev/null && ! grep -q ' FAILED$' "$copy/output"; do sleep 0.1; done
  kill $! 2>/dev/null || true
  code=0
  wait $! 2>/dev/null || code=$?
  noticed=
  if grep -q '^test .* FAILED$' "$copy/output"; then
    noticed=1
  else
    case $code in
      0) echo "  NOT NOTICED: $name" ;;
      124 | 137) echo "  HANGS, which notices nothing: $name" ;;
      *) # Ended by a signal, or by a panic that nothing caught.
        { [ "$code" -gt 128 ] || grep -q 'panicked at' "$copy/output"; } && noticed=1 ||
          { echo "  no model failed, but code $code: $name"; tail -5 "$copy/output"; }
        ;;
    esac
  fi
  [ -n "$noticed" ] && echo "  noticed: $name" || broken=1
done <<'MUTATIONS'
inbound/slot.rs|        fence();\n        if self.active.load(Acquire) == link {|        if self.active.load(Acquire) == link {|a call enters without its fence
inbound/slot.rs|if self.active.load(Acquire) == link {|if true {|a call does not look at the slot again
inbound/slot.rs|cell.store(link, Release);|cell.store(link, Relaxed);|the entry store is relaxed
inbound/slot.rs|        cell.store(ptr::null_mut(), Release);\n        fence();\n        self.somebody_waits()|        cell.store(ptr::null_mut(), Relaxed);\n        fence();\n        self.somebody_waits()|the exit store is relaxed
inbound/slot.rs|        cell.store(ptr::null_mut(), Release);\n        fence();\n        self.somebody_waits()|        cell.store(ptr::null_mut(), Release);\n        self.somebody_waits()|a call leaves without its fence
inbound/slot.rs|        fence();\n        self.somebody_waits()\n    }\n\n    /// Whether|        false\n    }\n\n    /// Whether|a withdrawn call does not look who waits
inbound/slot.rs|if self.sweep.compare_exchange(RUNNING, IDLE, AcqRel, Relaxed).is_ok() {|if { self.sweep.store(IDLE, Release); true } {|a sweep does not look once more
inbound/slot.rs|self.inflight[phase].fetch_add(1, SeqCst);\n        total_order();|self.inflight[phase].fetch_add(1, SeqCst);|a counted call enters out of order
inbound/slot.rs|seen & BOTH_DRAINED == BOTH_DRAINED && !protectors|!protectors|a sweep does not look at the counters
inbound/slot.rs|BOTH_DRAINED && !protectors.protects(header.as_ptr())|BOTH_DRAINED|a sweep does not look at the cells
inbound/slot.rs|self.state.load(Acquire) & (HANDLE|self.state.load(Relaxed) & (HANDLE|a box is taken relaxed
inbound/record.rs|header_in(cell, Acquire)|header_in(cell, Relaxed)|a sweep reads the cells relaxed
inbound/waiter.rs|if header.is_quiet() { Poll::Ready(()) } else { Poll::Pending }|Poll::Pending|a waiter does not look again after registering
inbound/free.rs|list.last = last;||the end of the free list is lost
inbound/mailbox/ring.rs|cell.stamp.store(tail + 1, Release);|cell.stamp.store(tail + 1, Relaxed);|a message is published relaxed
inbound/mailbox/ring.rs|fence(SeqCst); // against the consumer's, in `Inbox::poll_next`||a push ends without its fence
inbound/mailbox/inbox.rs|fence(SeqCst); // against the producer's, in `Ring::push`||a consumer parks without its fence
inbound/mailbox/ring.rs|cell.stamp.store(head.wrapping_add(self.one_lap), Release);|cell.stamp.store(head.wrapping_add(self.one_lap), Relaxed);|a cell is freed relaxed
inbound/mailbox/inbox.rs|let found = self.take_fresh();|let found = None::<M>;|a parking consumer does not look again
inbound/mailbox/shared.rs|            if self.is_full()\n                && let Some(oldest) = self.pop()|            if let Some(oldest) = self.pop()|a message that is being handed over costs others
inbound/mailbox/shared.rs|if before != 0 {\n            self.discard_queued();|if before != 0 {|the last one to go leaves messages behind
outbound/count.rs|count.fetch_sub(1, Release)|count.fetch_sub(1, Relaxed)|a reference is given up relaxed
outbound/count.rs|        count.load(Acquire);\n        return true;|        return true;|the last reference does not acquire the others
outbound/count.rs|while now != 0 {|while now < LIMIT {|an upgrade comes back from zero
outbound/count.rs|match strong.compare_exchange_weak(now, more, Acquire, Relaxed) {|match { let _ = more; strong.store(now + 1, Release); Ok::<usize, usize>(now) } {|an upgrade loses what others count
MUTATIONS
[ "$tried" -gt 0 ] || { echo "no mutation has '$1' in its name"; exit 1; }
exit $broken
