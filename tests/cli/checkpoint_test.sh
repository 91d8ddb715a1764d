#!/usr/bin/env bash
# Runs that stop, are stopped and are killed, and go on: checkpoint_test.sh PROGRAM.
. "$(dirname "$0")/support.sh"

run="train builtin:digits --epochs 6 --hidden 32 --batch 32"
digest() { grep -o '"weights_digest":"[^"]*"' out; }

expect 0 $run --json --quiet --out whole.safetensors; whole=$(digest)

# started [FLAGS]: begins a long run, and gives its process id once it has made steps.
started() {
  "$program" train builtin:digits --hidden 32 --steps 2000000 --checkpoint-dir c --checkpoint-minutes 0 --out m.safetensors "$@" >out 2>err </dev/null &
  started=$!
  for _ in $(seq 1 600); do
    grep -q '^epoch' err && return
    sleep 0.05
  done
  fail "the run does not begin"
}
# ended CODE: waits for it.
ended() {
  wait "$started"
  local got=$?
  last="stopped run"
  [ "$got" -eq "$1" ] || fail "$last: exit code $got, expected $1"
}
newest() { ls c | grep '^step-' | tail -n 1; }

# SIGTERM saves and says how to go on, and that works
rm -rf c
started; kill -TERM $started; ended 143
in_out "stopped"; in_out "go on"; [ -n "$(newest)" ] || fail "no checkpoint after SIGTERM"
command=$(sed -n 's/^go on *halfstep //p' out)
at=$(newest)
"$program" $command --time-limit 0.3 >out 2>err || fail "the command that goes on fails: $command"
in_err "goes on with c/$at"
[ "$(newest)" != "$at" ] || fail "it did not go on"

# Ctrl-C too; a job of a script in the background ignores it unless told otherwise
rm -rf c
python3 -c 'import signal' 2>/dev/null && {
  python3 - "$program" >out 2>err <<'PY' || fail "Ctrl-C: $(cat err)"
import signal, subprocess, sys, time
run = [sys.argv[1], 'train', 'builtin:digits', '--hidden', '32', '--steps', '2000000', '--checkpoint-dir', 'c', '--out', 'm.safetensors']
def begin():
    p = subprocess.Popen(run + ['--resume', 'auto'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while 'epoch' not in p.stderr.readline(): pass
    return p
p = begin()
p.send_signal(signal.SIGINT)
out, _ = p.communicate(timeout=60)
assert p.returncode == 130 and 'go on' in out, (p.returncode, out)
# A second one leaves at once, and the checkpoint is good.
p = begin()
p.send_signal(signal.SIGSTOP); p.send_signal(signal.SIGINT); p.send_signal(signal.SIGCONT)
p.send_signal(signal.SIGINT)
p.communicate(timeout=60)
assert p.returncode == 130, p.returncode
PY
  for file in c/step-*; do expect 0 verify "$file"; done
}

# SIGUSR1 saves and goes on
rm -rf c
started; kill -USR1 $started; sleep 0.5
kill -0 $started || fail "SIGUSR1 ended the run"
[ -n "$(newest)" ] || fail "no checkpoint after SIGUSR1"
# meanwhile the folder is taken
expect 4 $run --checkpoint-dir c --out other.safetensors; in_err "another run"; in_err "process $started"; absent other.safetensors
kill -KILL $started; wait "$started" 2>/dev/null
expect 2 $run --checkpoint-dir c --out other.safetensors; in_err "--resume auto" # that lock is gone with it

# --on-save-error stop ends the run where one cannot be saved, and what it says to try works
rm -rf c
started --on-save-error stop -v
kill -USR1 $started
for _ in $(seq 1 600); do grep -q '^checkpoint of step' err && break; sleep 0.05; done
mv c away; kill -USR1 $started; ended 4
in_err "a checkpoint could not be saved"; in_err "no directory c"; in_err "applied steps, in m.safetensors; the checkpoint c/step-"
[ "$(grep -cE '^(error|warning)' err)" -eq 1 ] || fail "it says that more than once"
command=$(sed -n 's/^error.* again: halfstep //p' err)
expect 0 inspect m.safetensors
mv away c
"$program" $command --time-limit 0.3 >out 2>err || fail "what it says to try fails: $command"
in_err "goes on with c/step-"
expect 2 $run --on-save-error stop; in_err "--checkpoint-dir"

# killed at any moment, on other threads and ISAs: the bits of the run that was not
rounds=3
[ "${HALFSTEP_TEST_EFFORT:-}" = exhaustive ] && rounds=200
for round in $(seq 1 $rounds); do
  rm -rf c
  precision=$(echo bf16 fp16 fp32 | cut -d' ' -f$((round % 3 + 1)))
  expect 0 $run --precision $precision --json --quiet --out whole.safetensors; whole=$(digest)
  for try in 1 2 3 4; do
    timeout -s KILL "0.$((try % 2))$((RANDOM % 9 + 1))" "$program" $run --precision $precision --checkpoint-dir c --checkpoint-every 20 \
      --resume auto --threads $((try % 3 + 1)) --out m.safetensors --quiet >/dev/null 2>&1
  done
  expect 0 $run --precision $precision --checkpoint-dir c --checkpoint-every 20 --resume auto --isa scalar --threads 2 \
    --json --quiet --out m.safetensors
  [ "$(digest)" = "$whole" ] || fail "$last: other bits after it was killed, $precision"
  ls -A c | grep -q 'tmp-' && fail "$last: a temporary was left behind"
done

# what is in the folder
expect 0 inspect c/latest.safetensors; in_out "halfstep checkpoint 1"; in_out "attempted steps"; in_out "goes on by"
expect 0 inspect c/latest.safetensors --json; one_line; field run
expect 0 verify c/latest.safetensors m.safetensors; in_out "good: checkpoint of step"; in_out "good: model"
head -c 1000 m.safetensors >cut.safetensors
expect 3 verify m.safetensors cut.safetensors; in_out "cut.safetensors  bad: "
expect 4 verify missing.safetensors
expect 0 eval c/latest.safetensors builtin:digits
expect 0 predict c/latest.safetensors builtin:digits --out p.csv
expect 3 $run --resume m.safetensors --out n.safetensors; in_err "--init-from"
expect 2 $run --resume auto; in_err "--checkpoint-dir"
expect 2 $run --checkpoint-every 5; in_err "--checkpoint-dir"
expect 2 train builtin:digits --hidden 8 --checkpoint-dir c --resume auto --out n.safetensors
in_err "--hidden is 8 here, 32 then"
absent n.safetensors
expect 2 cv builtin:digits --checkpoint-dir c

# a bag goes on with the networks that had ended: killed at any moment, on other threads
bag="train builtin:digits --bag 4 --hidden 32 --epochs 12"
expect 0 $bag --json --quiet --out whole.safetensors; whole=$(digest)
rm -rf c
for try in 1 2 3; do
  timeout -s KILL "0.$((RANDOM % 9 + 1))" "$program" $bag --checkpoint-dir c --resume auto --threads $((try % 3 + 1)) --out m.safetensors \
    --quiet >/dev/null 2>&1
done
expect 0 $bag --checkpoint-dir c --resume auto --threads 2 --json --quiet --out m.safetensors
[ "$(digest)" = "$whole" ] || fail "$last: other bits after it was killed"
ls -A c | grep -q 'tmp-' && fail "$last: a temporary was left behind"
expect 0 verify c/network-1-1.safetensors; in_out "good: network of a bag, number 1"
expect 0 inspect c/network-1-4.safetensors; in_out "halfstep network of a bag 1"; in_out "goes on by"
expect 0 eval c/network-1-4.safetensors builtin:digits
expect 2 $bag --checkpoint-dir c --out m.safetensors; in_err "--resume auto"
expect 2 $run --checkpoint-dir c --resume auto --out m.safetensors; in_err "networks of a bag"

# SIGUSR1 saves nothing of it, and says so; SIGTERM keeps the networks that had ended, and the command goes on
rm -rf c
long="train builtin:digits --bag 4 --hidden 32 --epochs 100"
expect 0 $long --json --quiet --out whole.safetensors; whole=$(digest)
"$program" $long --threads 1 --checkpoint-dir c --out m.safetensors >out 2>err </dev/null &
started=$!
for _ in $(seq 1 600); do grep -q '^network' err && break; sleep 0.05; done
kill -USR1 $started; sleep 0.3
kill -TERM $started; ended 143
in_out "stopped"; in_out "go on"; in_err "each network of a bag is saved when it has ended"
command=$(sed -n 's/^go on *halfstep //p' out)
"$program" $command --json >out 2>err || fail "the command that goes on fails: $command"
in_err "of 4 networks were there already"
[ "$(digest)" = "$whole" ] || fail "$command: other bits after it was stopped"
