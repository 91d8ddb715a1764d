#!/usr/bin/env bash
# The program as a user and a script meet it: cli_test.sh PROGRAM. Stops at the first failure.
. "$(dirname "$0")/support.sh"

# help and version
expect 0 --help; in_out "halfstep train"; in_out "exit codes"; empty err
expect 0 -h
expect 0 help train
expect 2
for command in train eval predict inspect info doctor bench params demo; do
  expect 0 "$command" --help; in_out "usage: halfstep $command"; in_out "--json"
  awk 'length > 100 { exit 1 }' out || fail "$last: a line is wider than 100 columns"
done
expect 0 train --help; in_out "--clip-norm"; in_out "Optimizer:"; in_out "--config"
expect 0 --version; in_out "halfstep "
expect 0 info; in_out "chosen"
expect 0 info --json; one_line; field isas; field threads; field math_reason; in_out '"math":"portable"'
if [ "${HALFSTEP_TEST_EFFORT:-}" != quick ]; then
  expect 0 doctor machine; empty err; in_out "chosen"; in_out "of fp32)"; in_out "trains fastest here"
fi
expect 0 doctor machine --threads 1 --json; one_line; empty err
for name in isas xsimd c_library self_test precisions fastest memory_bytes process_limits floating_point; do field $name; done
in_out '"ok":true,"advice":""'; in_out '"isa":"scalar","kernels":'; in_out '"failures":[]'; in_out '"precision":"fp16"'
expect 2 doctor; in_err "machine"; empty out
expect 2 doctor nothing; in_err "neither an examination"; in_err "doctor machine"
expect 2 doctor machine model.safetensors; in_err "too many arguments"
expect 2 doctor machine --epochs 3; in_err "would ignore"
expect 7 doctor machine --isa nonsense; empty out
expect 0 doctor preflight builtin:digits --threads 1 --quiet; empty err; in_out "recommend  --precision "; in_out "of fp32's speed"
in_out "train      halfstep train"; absent model.safetensors
expect 0 doctor preflight builtin:digits --hidden 8 --json; one_line
for name in tensors columns constants loss_scale layer_precision trials findings recommended why train; do field $name; done
expect 2 doctor preflight; in_err "an argument is missing"
expect 2 doctor preflight builtin:digits --resume auto; empty out
expect 4 doctor preflight nothing.csv; empty out
echo "epochs = 3" >train.conf; expect 2 doctor machine --config train.conf; in_err "would ignore it"
expect 0 train builtin:digits --hidden 8 --steps 20 --precision auto --out chosen.safetensors --json; one_line
in_out '"chosen":{"precision":'; in_out "--precision auto took --precision "
! grep -q '"repeat":"[^"]*--precision auto' out || fail "$last: repeat depends on the machine"
rm chosen.safetensors
expect 0 info --math native; in_out "math       native, "
expect 0 bench gradpass --elements 1000 --threads 1 --isa scalar --repetitions 1 --json
in_out '"pass":"read"'; in_out '"pass":"update"'
for name in gb_per_s read_gb_per_s update_gb_per_s fraction_of_bandwidth; do field "$name"; done
expect 0 bench gradpass --elements 1000 --threads 1 --repetitions 1; in_out fraction
expect 0 bench gradpass --elements 1000 --threads 1 --isa scalar --repetitions 1 --format csv
in_out "pass,elements,gradient,isa,threads,median ns,GB/s,read,update,fraction"; in_out "adamw,1000,fp32,scalar,1,"
expect 0 bench kernels --kernel add,from_fp32 --elements 1000,l1 --isa scalar --repetitions 1 --json
[ "$(wc -l <out)" -eq 8 ] || fail "$last: a line for each kernel, type and size"
in_out '{"bench":"kernels","kernel":"add","dtype":"fp32","isa":"scalar","place":"l1","elements":1024'
for name in median_ns ns_per_element gb_per_s copy_gb_per_s fraction_of_copy speedup; do field "$name"; done
expect 0 bench kernels --kernel softmax_cross_entropy,backward_epilogue_relu --dtype bf16,fp32 --elements 9 --repetitions 1
in_out "x scalar"; in_out "backward_epilogue_relu bf16  scalar       l1          1024"
awk 'length > 100 { exit 1 }' out || fail "$last: a line is wider than 100 columns"
expect 0 bench kernels --kernel add --elements 9 --isa scalar --repetitions 1 --format markdown
in_out "| kernel | dtype | isa "; in_out "|---|---|---|---|---:|"; in_out "| add | fp32 | scalar | l1 | 1024 |"
[ "$(wc -l <out)" -eq 3 ] || fail "$last: a head, a rule and a row"
expect 0 bench step --widths 5,3 --batch 4 --threads 1 --repetitions 1 --format csv
[ "$(wc -l <out)" -eq 2 ] || fail "$last: a head and a row"
expect 0 bench step --trace --widths 5,3 --batch 4,7 --threads 1 --repetitions 1; in_out "on / off"; in_out "mean of on / off"
expect 0 bench step --trace --widths 5,3 --batch 4 --threads 1 --repetitions 1 --json; one_line; field ratio; field off_ns
expect 2 bench gemm --trace; in_err "would ignore"
expect 2 bench step --trace=7; in_err "--trace"
expect 0 bench step --widths 5,9,3 --batch 4,7 --precision all --threads 1 --isa scalar --repetitions 1 --json
[ "$(wc -l <out)" -eq 6 ] || fail "$last: a line for each batch and precision"
in_out '{"bench":"step","widths":[5,9,3],"batch":4,"precision":"bf16"'
for name in optimizer clip_norm isa threads samples_per_s median_ns gflops bound_ns fraction_of_bound peak_gflops \
  read_gb_per_s update_gb_per_s input_ns stages forward loss dgrad wgrad bias summarise update; do field "$name"; done
expect 0 bench step --widths 5,3 --batch 4 --clip-norm 0 --optimizer sgd --moments bf16 --master stochastic \
  --activation gelu --threads 1 --repetitions 1
in_out "samples/s"; in_out "summarise"
expect 0 params; in_out "weight-decay = "
expect 0 params --json; one_line; in_out '"name":"lr"'; field range

# the demonstrations
expect 0 demo; in_out "underflow: "; in_out "scaling: "; in_out "overflow: "; empty err
grep -q $'\x1b' out && fail "$last: colour in a pipe"
awk 'length > 100 { exit 1 }' out || fail "$last: a line is wider than 100 columns"
expect 0 demo overflow --json; one_line; in_out '"command":"demo"'; in_out '"inf"'; in_out '"nan"'
expect 2 demo overflew; in_err "underflow, scaling or overflow"

# usage errors
expect 2 trian; in_err "did you mean halfstep train?"; empty out
expect 2 train --epoch 3; in_err "did you mean --epochs?"; in_err "error[HS-0001]"
expect 2 train --lr 0; in_err "--lr"
expect 2 train --lr nan
expect 2 train --lr
expect 2 train --out --lr 1
expect 2 train --batch 0
expect 2 train --epochs -1
expect 2 train --hidden 1e9
expect 6 train --hidden 1048576,1048576 --steps 1 --out gone; in_err "error[HS-0005]: this run needs "; in_err "try: "; absent gone
expect 2 train --lr 1 --lr 2; in_err "twice"
expect 2 train --json=1
expect 2 train a b; in_err "too many"
expect 2 train -x
expect 2 train --nesterov
expect 2 eval model.safetensors
expect 2 eval m d --lr 1; in_err "would ignore"
expect 2 predict m d --target y
expect 2 inspect m --quiet
expect 2 params --threads 1
expect 2 train --epoch 3 --json; in_out '"code":"HS-0001"'; in_out '"exit_code":2'; in_out "did you mean"; one_line
expect 7 info --isa nonsense
expect 2 bench nothing; in_err "gradpass"; in_err "bench step"; in_err "bench kernels"
expect 2 bench kernels --kernel ad; in_err "did you mean add?"; empty out
expect 2 bench kernels --kernel adam --dtype bf16; in_err "does not have this type"
expect 2 bench kernels --elements l9; in_err "l1, l2, memory"
expect 2 bench kernels --threads 2; in_err "would ignore"
expect 2 bench kernels --gradient bf16; in_err "would ignore"
expect 7 bench kernels --isa nonsense; empty out
expect 2 bench gemm --format html; in_err "table, csv, markdown"
expect 2 bench gemm --format csv --json; in_err "not both"
expect 2 bench gradpass --elements l1
expect 2 bench gradpass --m 5; in_err "would ignore"
expect 2 bench gradpass --elements 0
expect 2 bench gradpass --optimizer adamw,sgd
expect 7 bench gradpass --isa nonsense
expect 2 bench step --m 5; in_err "would ignore"
expect 2 bench step --widths 784; in_err "--widths 784,512,512,10"; empty out
expect 2 bench step --widths 784,0,10; in_err "--widths"
expect 2 bench step --batch 0; in_err "--batch"
expect 2 bench step --precision int8; in_err "bf16, fp16, fp32"
expect 2 bench step --clip-norm -1; in_err "--clip-norm"
expect 2 bench step --activation step; in_err "--activation"
expect 2 bench step --precision fp32 --master kahan; in_err "their own masters"
expect 7 bench step --isa nonsense; [ "$(wc -l <err)" -eq 1 ] || fail "$last: stderr should be one line"
expect 2 info --math fast; in_err "portable|native"
absent model.safetensors

# bad data and bad models
expect 4 train missing.csv; in_err "missing.csv"
printf 'a,b,y\n1,2,0\n3,4\n5,6,1\n' >ragged.csv
expect 3 train ragged.csv; in_err "3"
expect 4 eval missing.safetensors builtin:digits
mkdir folder
expect 3 inspect folder; in_err "directory"
expect 3 eval folder builtin:digits; in_err "directory"
: >empty; expect 3 inspect empty; in_err "0 bytes"
printf 'a,b,y\n' >wide.csv
for i in $(seq 1 60); do echo "$i,$((i * 7 % 11)),$((i % 2))"; done >>wide.csv
if gzip -c wide.csv >whole.csv.gz 2>/dev/null; then
  head -c 100 whole.csv.gz >cut.csv.gz
  expect 3 train cut.csv.gz --epochs 1
fi
expect 4 train --out folder --epochs 1; in_err "directory"
expect 4 train --out missing/m.safetensors --epochs 1; in_err "mkdir -p missing"
absent model.safetensors
[ -z "$(ls -A folder)" ] || fail "something was left in folder"
ls -A | grep -q tmp- && fail "a temporary was left behind"

# config files
printf 'epochs = 1 # short\nhidden = 8\n' >run.conf
printf 'epochs = 1\nepochs = 2\n' >twice.conf
expect 2 train --config twice.conf; in_err "line 2"

# train, eval, predict, inspect
expect 0 train --config run.conf --batch 32 --out m.safetensors
in_err "epoch 1/1"; in_err "machine"; in_out "accuracy"; in_out "m.safetensors"
in_out "halfstep train --hidden 8 --epochs 1 --batch 32 --out m.safetensors builtin:digits"
grep -q $'\r' err && fail "a pipe got a progress line"
expect 0 train builtin:spirals --epochs 200 --hidden 4 --out m.safetensors; in_err "epoch 1/200"; in_err "epoch 200/200"
[ "$(grep -c '^epoch' err)" -lt 20 ] || fail "$last: $(grep -c '^epoch' err) lines for a run of no time"
expect 0 train builtin:spirals --epochs 40 --hidden 4 -v --out m.safetensors
[ "$(grep -c '^epoch' err)" -eq 40 ] || fail "$last: -v says each epoch"
expect 0 train builtin:spirals --epochs 50 --early-stop 2 --hidden 4 --lr 1e-30 --out m.safetensors
[ "$(grep '^epoch' err | tail -n 1 | cut -d/ -f1)" = "epoch 3" ] || fail "$last: the last epoch is said"

# a search for a learning rate gives a command that runs
expect 0 lr builtin:digits --hidden 16; in_out "suggested"; absent model.safetensors
found=$(sed -n 's/^train *halfstep //p' out)
expect 0 $found --epochs 1 --out m.safetensors; in_out "--lr"
expect 0 lr builtin:digits --hidden 16 --json; one_line; for key in points suggested least exploded train; do field $key; done
expect 2 lr builtin:digits --epochs 3
expect 0 train --epochs 1 --hidden 8 -v --out m.safetensors; in_err "MiB planned"; in_err "MiB  master weights"
expect 0 train --epochs 1 --hidden 8 --quiet --out 'quo te.safetensors'; empty err; in_out "'quo te.safetensors'"
expect 0 train --epochs 1 --hidden 8 --json --seed 7 --out a.safetensors; one_line
for key in command precision isa math threads train steps attempted applied skipped loss_scale samples_per_s seconds \
  model weights_digest accuracy test; do field $key; done
digest=$(grep -o '"weights_digest":"[^"]*"' out)
expect 0 train --epochs 1 --hidden 8 --json --seed 7 --out b.safetensors; in_out "$digest"
expect 0 eval a.safetensors builtin:digits; in_out "accuracy"
expect 0 eval a.safetensors builtin:digits --json; one_line
in_out '"command":"eval"'; for key in model data rows loss accuracy; do field $key; done
expect 0 predict a.safetensors builtin:digits; in_out "row,class,p_"
rows=$(wc -l <out)
cp out stdout.csv
expect 0 predict a.safetensors builtin:digits --out p.csv; empty out
cmp -s stdout.csv p.csv || fail "$last: the file differs from standard output"
expect 0 predict a.safetensors builtin:digits --json; in_out '"probabilities":{'
[ "$(wc -l <out)" -eq $((rows - 1)) ] || fail "$last: a line per row"
expect 4 predict a.safetensors builtin:digits --out missing/p.csv
expect 0 inspect a.safetensors; in_out "layers.0.weight"; in_out "classifier"
expect 0 inspect a.safetensors --json; one_line
for key in format kind architecture parameters tensors digest weights_digest config; do field $key; done
expect 0 train --epochs 1 --hidden 8 --norm layer --dropout 0.1 --label-smoothing 0.1 --class-weights balanced \
  --out n.safetensors; in_err "layer norm, relu, dropout 0.1"
expect 0 inspect n.safetensors; in_out "layer norm, relu, cross_entropy"; in_out "layers.0.gamma"; in_out "layers.0.beta"
expect 0 train --epochs 1 --hidden 8 --norm batch --out n.safetensors; in_err "batch norm, relu"
expect 0 inspect n.safetensors; in_out "batch norm, relu"; in_out "layers.0.running_mean"; in_out "layers.0.running_var"
expect 0 eval n.safetensors builtin:digits
expect 0 train --epochs 1 --hidden 8,8 --residual --out n.safetensors; in_err "relu, residual"; in_out "--residual"
expect 0 inspect n.safetensors; in_out "relu, residual, cross_entropy"; in_out "residual = true"
expect 0 eval n.safetensors builtin:digits
expect 2 train --epochs 1 --hidden 8 --residual --out x.safetensors; in_err "as wide as its input"
expect 2 train --norm batch --batch 2; in_err "--batch 3 or more"
expect 2 train --epochs 1 --hidden 8 --class-weights eleven=2 --out x.safetensors; in_err "no class"
expect 2 train wide.csv --task auto --target last --hidden none --dropout 0.1; in_err "--dropout"
expect 0 train wide.csv --task regress --epochs 1 --hidden 4 --json --out r.safetensors; field rmse; field r2; field validation
expect 0 predict r.safetensors wide.csv; in_out "row,value"

# a failed run keeps the old model; a damaged one is refused
cp a.safetensors before
expect 3 train ragged.csv --out a.safetensors
cmp -s before a.safetensors || fail "$last: the old model changed"
head -c -1 a.safetensors >cut.safetensors
expect 3 eval cut.safetensors builtin:digits

# a reader that leaves early, a full device, a signal
"$program" predict a.safetensors builtin:digits 2>err | head -n 1 >out
last="predict | head"; empty err
if [ -w /dev/full ]; then
  "$program" eval a.safetensors builtin:digits >/dev/full 2>err
  [ $? -eq 4 ] || fail "eval to a full device: expected exit code 4"
fi
stop_with() {
  rm -f s.safetensors
  "$program" train --epochs 100000 --out s.safetensors >out 2>err </dev/null &
  local pid=$! got
  for _ in $(seq 1 200); do grep -q "^epoch 1/" err && break; sleep 0.1; done
  kill -s "$1" $pid
  wait $pid
  got=$?
  last="train, stopped by $1"
  [ $got -eq "$2" ] || fail "$last: exit code $got, expected $2"
  expect 0 inspect s.safetensors
}
stop_with TERM 143
stop_with HUP 129

ls -A | grep -q tmp- && fail "a temporary was left behind"
echo "cli_test: all passed"
