#!/usr/bin/env bash
# run.sh [SECONDS [TARGET...]]: runs the targets of build/fuzz for so long each (60), two at a time, or as many as
# HALFSTEP_FUZZ_AT_ONCE says. Fails on any crash, broken promise, leak or timeout; the input that led there stays in
# build/fuzz/findings, new corpora in build/fuzz/corpus.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${HALFSTEP_FUZZ_BUILD:-$here/../../build/fuzz}
build=$(cd "$build" && pwd)
seconds=${1:-60}
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for program in "$build"/tests/fuzz/fuzz_*; do
    [ -f "$program" ] && [ -x "$program" ] && targets+=("${program##*/fuzz_}")
  done
fi
[ ${#targets[@]} -gt 0 ] || { echo "no targets in $build: cmake --preset fuzz && cmake --build --preset fuzz"; exit 1; }

# Model files are synced to disk: in memory that costs nothing.
scratch=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")" halfstep-fuzz-XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch
# A small quarantine, so that the memory limit is the target's. Where memory was allocated is not kept, which is a third of
# an execution: the input that fails tells it when it is run by hand.
export ASAN_OPTIONS=quarantine_size_mb=8:malloc_context_size=0 UBSAN_OPTIONS=print_stacktrace=1

# No array may take more than 64 MB, and no input longer than a second; the limits beyond are for ASan's own memory and
# for a machine that is busy. Counting how rare a feature is takes half of the time of fast targets.
readonly limits=(-malloc_limit_mb=64 -rss_limit_mb=512 -timeout=10 -max_len=4096 -entropic=0)

run_target() {  # run_target NAME
  local name=$1 log=$scratch/$1.log status=0 executions arguments
  mkdir -p "$build/corpus/$name" "$build/findings"
  if [ "$name" = model ]; then "$build/tests/fuzz/seed_models" "$build/corpus/model"; fi
  arguments=("$build/corpus/$name")
  if [ -d "$here/corpus/$name" ]; then arguments+=("$here/corpus/$name"); fi
  if [ -f "$here/$name.dict" ]; then arguments+=("-dict=$here/$name.dict"); fi
  "$build/tests/fuzz/fuzz_$name" "${limits[@]}" -max_total_time="$seconds" -print_final_stats=1 \
    -artifact_prefix="$build/findings/$name-" "${arguments[@]}" > "$log" 2>&1 || status=$?
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  if [ "$status" -eq 0 ] && [ "${executions:-0}" -gt 0 ]; then
    printf '%-12s %s executions, 0 reports\n' "$name" "$executions"
    return 0
  fi
  printf '%-12s FAILED, exit code %d\n' "$name" "$status"
  # What happened, without the progress of the search.
  grep -vE '^#[0-9]+\s|^INFO: |^\s*NEW_FUNC' "$log" | head -60
  return 1
}

failed=0
at_once=${HALFSTEP_FUZZ_AT_ONCE:-2}
for ((i = 0; i < ${#targets[@]}; i += at_once)); do
  pids=()
  for name in "${targets[@]:i:at_once}"; do
    run_target "$name" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
done
exit "$failed"
