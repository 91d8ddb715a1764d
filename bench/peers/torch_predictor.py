"""Predictions of the same networks in PyTorch, in ONNX Runtime and in halfstep, in turns: microseconds a call.

PyTorch runs in this process, in inference mode on one thread: as a plain module, as a frozen graph (torch.jit), with
--compile through torch.compile too. In each round every mode of it has its turn, then bench_predictor_peers, which
times halfstep and, where --onnxruntime names it, ONNX Runtime.
"""
import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time

BATCHES = 16
WARM = 0.01  # seconds of calls that are not counted


class Network:
    def __init__(self, text):
        self.text = text
        self.widths = [int(width) for width in text.split("-")]
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise ValueError("at least two widths")


class TorchCall:
    """One network for batches of so many rows: a call predicts one batch."""

    def __init__(self, torch, network, rows, dtype, mode):
        torch.manual_seed(0)
        nn, layers = torch.nn, []
        for fan_in, fan_out in zip(network.widths, network.widths[1:]):
            layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
        model = nn.Sequential(*layers[:-1], nn.Softmax(dim=1)).eval().to(dtype)
        self.batches = [(torch.rand(rows, network.widths[0]) * 2 - 1).to(dtype) for _ in range(BATCHES)]
        with torch.inference_mode():
            if mode == "graph":
                model = torch.jit.freeze(torch.jit.trace(model, self.batches[0]))
                for batch in self.batches[:3]:  # it is optimised in its first calls
                    model(batch)
            elif mode == "compiled":
                model = torch.compile(model)
                model(self.batches[0])
        self.model = model

    def times(self, seconds):
        """Seconds of single calls. The clock is in them."""
        model, batches, clock, index = self.model, self.batches, time.perf_counter, 0
        times, start = [], clock()
        while clock() - start < WARM:
            model(batches[index % BATCHES])
            index += 1
        start = now = clock()
        while now - start < seconds or len(times) < 5:
            before = clock()
            model(batches[index % BATCHES])
            now = clock()
            times.append(now - before)
            index += 1
        return times


def build_calls(torch, options, network, rows):
    """PyTorch's modes by name; what does not work here is said and left out."""
    calls = {}
    for precision in options.precision.split(","):
        dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
        for mode in ["plain", "graph"] + (["compiled"] if options.compile else []):
            name = f"torch {precision} {mode}"
            try:
                calls[name] = TorchCall(torch, network, rows, dtype, mode)
                with torch.inference_mode():
                    calls[name].times(0)
            except Exception as error:  # whatever a back end or a compiler throws
                calls.pop(name, None)
                print(f"# {name}: {str(error).splitlines()[0]}", file=sys.stderr)
    return calls


def run_program(options, network, rows):
    """What bench_predictor_peers says of its contenders."""
    command = [options.program, "--json", "--networks", network.text, "--rows", str(rows)]
    command += ["--precision", "all", "--isa", options.isa, "--repetitions", str(options.repetitions)]
    if options.onnxruntime:
        command += ["--onnxruntime", options.onnxruntime]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr.strip())
    return [json.loads(line) for line in done.stdout.splitlines()]


def measure(torch, options, network, rows):
    """Medians and 99th percentiles in microseconds by contender, a value for each round."""
    calls, medians, slow = build_calls(torch, options, network, rows), {}, {}
    for _ in range(options.rounds):
        for row in run_program(options, network, rows):
            name = row["contender"].split(",")[0]  # its settings may change from round to round
            medians.setdefault(name, []).append(row["median_us"])
            slow.setdefault(name, []).append(row["p99_us"])
        for name, call in calls.items():
            with torch.inference_mode():
                times = sorted(call.times(options.seconds))
            medians.setdefault(name, []).append(1e6 * statistics.median(times))
            slow.setdefault(name, []).append(1e6 * times[len(times) * 99 // 100])
    return medians, slow


def report(options, network, rows, medians, slow):
    """A row for each contender; ratios are medians over rounds of its time by halfstep's, side by side."""
    ours = [name for name in medians if name.startswith("halfstep")]
    for name, values in medians.items():
        row = {"bench": "torch_predictor", "network": network.text, "rows": rows, "contender": name}
        row["median_us"], row["p99_us"] = statistics.median(values), statistics.median(slow[name])
        if name not in ours:
            row["ratios"] = {mine: statistics.median(a / b for a, b in zip(values, medians[mine])) for mine in ours}
        if options.json:
            print(json.dumps(row), flush=True)
            continue
        text = f"{network.text:<18} {rows:>5} {row['median_us']:>11.2f} {row['p99_us']:>11.2f}  {name:<20}"
        text += "  ".join(f"{mine.split()[1]} {ratio:.2f}x" for mine, ratio in row.get("ratios", {}).items())
        print(text.rstrip(), flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/bench/peers/bench_predictor_peers",
                        help="bench_predictor_peers (default %(default)s)")
    parser.add_argument("--onnxruntime", default="", help="its shared library (default: left out)")
    parser.add_argument("--networks", default="30-64-32-2,784-512-512-10", help="widths (default %(default)s)")
    parser.add_argument("--rows", default="1", help="rows of a call, a list (default %(default)s)")
    parser.add_argument("--precision", default="fp32", help="PyTorch's: fp32, bf16 or both (default %(default)s)")
    parser.add_argument("--isa", default="auto", help="halfstep's (default %(default)s)")
    parser.add_argument("--compile", action="store_true", help="also through torch.compile")
    parser.add_argument("--rounds", type=int, default=5, help="(default %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.2, help="of a PyTorch mode in a round (default %(default)s)")
    parser.add_argument("--repetitions", type=int, default=9, help="of the program in a round (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="a JSON object a line")
    options = parser.parse_args()
    try:
        options.networks = [Network(text) for text in options.networks.split(",")]
        options.rows = [int(count) for count in options.rows.split(",")]
    except ValueError as error:
        parser.error(str(error))
    if options.rounds < 1 or min(options.rows) < 1 or not set(options.precision.split(",")) <= {"fp32", "bf16"}:
        parser.error("--rounds and --rows must be at least 1, --precision fp32 or bf16")
    if shutil.which(options.program) is None:
        parser.error(f"no program {options.program}: build it, or name it with --program")
    return options


def main():
    options = parse_arguments()
    try:
        import torch
    except ImportError:
        sys.exit("torch_predictor.py: PyTorch is not installed for this Python: pip install torch")
    torch.set_num_threads(1)
    print(f"# PyTorch {torch.__version__}, 1 thread; ratio: its time by halfstep's", file=sys.stderr)
    if not options.json:
        print("network             rows   median us      p99 us  contender")
    for network in options.networks:
        for rows in options.rows:
            report(options, network, rows, *measure(torch, options, network, rows))


if __name__ == "__main__":
    main()
