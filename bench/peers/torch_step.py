#!/usr/bin/env python3
"""Training steps of the same networks in PyTorch and in halfstep, in turns, with samples/s and ratios.

Every network is trained on one batch of random examples with cross-entropy and clip_grad_norm_(1), in each precision:
fp32, bf16 under autocast, fp16 under autocast with the CPU's GradScaler. Inputs are in place on both sides. PyTorch
runs in this process; halfstep is started anew in each round, after PyTorch's threads have gone to sleep.
"""
import argparse
import contextlib
import inspect
import json
import shutil
import statistics
import subprocess
import sys
import time

PRECISIONS = ("fp32", "bf16", "fp16")
NETWORKS = "30-64-32-2:32:adamw,784-512-512-10:128:adamw,784-512-512-10:512:sgd"
SLEEP = 0.3  # seconds after which no OpenMP runtime keeps its idle threads spinning


class Network:
    """WIDTHS:BATCH:OPTIMIZER, such as 784-512-512-10:128:adamw"""

    def __init__(self, text):
        widths, batch, self.optimizer = text.split(":")
        self.widths = [int(width) for width in widths.split("-")]
        self.batch = int(batch)
        if len(self.widths) < 2 or min(self.widths) < 1 or self.batch < 1:
            raise ValueError("at least two widths and a batch of at least 1")
        if self.optimizer not in ("adamw", "adam", "sgd"):
            raise ValueError("the optimizer is adamw, adam or sgd")
        self.text = text


class TorchStep:
    """One network in one precision: a call is a training step."""

    def __init__(self, torch, network, precision, compiled):
        self.torch, self.network = torch, network
        self.type = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision)
        torch.manual_seed(0)
        self.model = self.build_model()
        self.optimizer = self.build_optimizer()
        self.scaler = torch.amp.GradScaler("cpu") if precision == "fp16" else None
        self.inputs = torch.rand(network.batch, network.widths[0]) * 2 - 1
        self.labels = torch.randint(network.widths[-1], (network.batch,))
        self.loss = torch.compile(self.plain_loss) if compiled else self.plain_loss

    def build_model(self):
        nn, layers = self.torch.nn, []
        for fan_in, fan_out in zip(self.network.widths, self.network.widths[1:]):
            layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    def build_optimizer(self):
        optim = self.torch.optim
        kind = {"adamw": optim.AdamW, "adam": optim.Adam, "sgd": optim.SGD}[self.network.optimizer]
        options = {"lr": 1e-5, "weight_decay": 0.01}
        if self.network.optimizer == "sgd":
            options["momentum"] = 0.9
        if "fused" in inspect.signature(kind).parameters:
            with contextlib.suppress(RuntimeError):  # known, but not on CPUs
                return kind(self.model.parameters(), fused=True, **options)
        return kind(self.model.parameters(), **options)

    def plain_loss(self):
        if self.type is None:
            return self.torch.nn.functional.cross_entropy(self.model(self.inputs), self.labels)
        with self.torch.autocast("cpu", dtype=self.type):
            return self.torch.nn.functional.cross_entropy(self.model(self.inputs), self.labels)

    def clip(self):
        self.torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)

    def __call__(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss()
        if self.scaler is None:
            loss.backward()
            self.clip()
            self.optimizer.step()
            return
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimizer)
        self.clip()
        self.scaler.step(self.optimizer)
        self.scaler.update()


def torch_rate(step, seconds):
    """Samples/s of PyTorch: median of windows that share `seconds`; a step longer than that is timed once."""
    start = time.perf_counter()
    step()
    first = time.perf_counter() - start
    if first > seconds:
        return step.network.batch / first
    windows = 5
    count = max(1, int(seconds / windows / max(first, 1e-7)))
    rates = []
    for _ in range(windows):
        start = time.perf_counter()
        for _ in range(count):
            step()
        rates.append(count * step.network.batch / (time.perf_counter() - start))
    return statistics.median(rates)


def halfstep_rate(options, network, precision, threads):
    """Samples/s and fraction of the bound."""
    command = [options.halfstep, "bench", "step", "--json", "--repetitions", str(options.repetitions)]
    command += ["--widths", ",".join(map(str, network.widths)), "--batch", str(network.batch)]
    command += ["--precision", precision, "--optimizer", network.optimizer]
    command += ["--threads", str(threads), "--isa", options.isa]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr.strip())
    result = json.loads(done.stdout)
    return result["samples_per_s"], result["fraction_of_bound"]


def build_steps(torch, options, network):
    """PyTorch's steps by name, warmed up; what does not work here is said and left out."""
    steps = {}
    for precision in options.precision:
        for compiled in (False, True) if options.compile else (False,):
            name = precision + (" compiled" if compiled else "")
            try:
                step = TorchStep(torch, network, precision, compiled)
                step()
                steps[name] = step
            except Exception as error:  # whatever a back end or a compiler throws
                print(f"# PyTorch {name}: {str(error).splitlines()[0]}", file=sys.stderr)
    return steps


def measure(torch, options, network, threads):
    """Samples/s by contender, a value for each round, and halfstep's fractions of the bound."""
    torch.set_num_threads(threads)
    steps = build_steps(torch, options, network)
    rates, fractions = {}, {}
    for _ in range(options.rounds):
        for name, step in steps.items():
            rates.setdefault("torch " + name, []).append(torch_rate(step, options.seconds))
        time.sleep(SLEEP)
        for precision in options.ours:
            rate, fraction = halfstep_rate(options, network, precision, threads)
            rates.setdefault("halfstep " + precision, []).append(rate)
            fractions.setdefault("halfstep " + precision, []).append(fraction)
    return rates, fractions


def report(options, network, threads, rates, fractions):
    """A row for each contender; ratios are medians over rounds of halfstep's rate by theirs, side by side."""
    ours = [name for name in rates if name.startswith("halfstep")]
    for name, values in rates.items():
        row = {"bench": "torch_step", "network": network.text, "threads": threads, "contender": name}
        row["samples_per_s"] = statistics.median(values)
        if name in fractions:
            row["fraction_of_bound"] = statistics.median(fractions[name])
        else:
            row["ratios"] = {mine: statistics.median(a / b for a, b in zip(rates[mine], values)) for mine in ours}
        if options.json:
            print(json.dumps(row), flush=True)
            continue
        text = f"{network.text:<28} {threads:>7}  {name:<20} {row['samples_per_s']:>12.0f}"
        if name in fractions:
            text += f"  {row['fraction_of_bound']:.3f} of its bound"
        else:
            text += "  " + "  ".join(f"{mine.split()[1]} {ratio:.2f}x" for mine, ratio in row["ratios"].items())
        print(text, flush=True)


def precisions(text):
    names = text.split(",")
    for name in names:
        if name not in PRECISIONS:
            raise argparse.ArgumentTypeError(f"'{name}' is not one of {', '.join(PRECISIONS)}")
    return names


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--halfstep", default="build/release/halfstep", help="our program (default %(default)s)")
    parser.add_argument("--networks", default=NETWORKS, help="WIDTHS:BATCH:OPTIMIZER,.. (default %(default)s)")
    parser.add_argument("--threads", default="2", help="numbers of threads (default %(default)s)")
    parser.add_argument("--precision", type=precisions, default=PRECISIONS, help="PyTorch's (default fp32,bf16,fp16)")
    parser.add_argument("--ours", type=precisions, default=PRECISIONS, help="halfstep's (default fp32,bf16,fp16)")
    parser.add_argument("--isa", default="auto", help="halfstep's (default %(default)s)")
    parser.add_argument("--compile", action="store_true", help="also through torch.compile")
    parser.add_argument("--rounds", type=int, default=5, help="(default %(default)s)")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a PyTorch mode in a round (default %(default)s)")
    parser.add_argument("--repetitions", type=int, default=15, help="of halfstep in a round (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="a JSON object a line")
    options = parser.parse_args()
    try:
        options.networks = [Network(text) for text in options.networks.split(",")]
        options.threads = [int(count) for count in options.threads.split(",")]
    except ValueError as error:
        parser.error(str(error))
    if options.rounds < 1 or min(options.threads) < 1:
        parser.error("--rounds and --threads must be at least 1")
    if shutil.which(options.halfstep) is None:
        parser.error(f"no program {options.halfstep}: build it, or name it with --halfstep")
    return options


def main():
    options = parse_arguments()
    try:
        import torch
    except ImportError:
        sys.exit("torch_step.py: PyTorch is not installed for this Python: pip install torch")
    print(f"# PyTorch {torch.__version__}, clip on; ratio: halfstep's samples/s by PyTorch's", file=sys.stderr)
    for network in options.networks:
        for threads in options.threads:
            report(options, network, threads, *measure(torch, options, network, threads))


if __name__ == "__main__":
    main()
