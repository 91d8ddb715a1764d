"""The same ensemble on the same table in halfstep and, as TabM's authors train it, in PyTorch: seconds and error.

    tabm_speed.py FOLDER SET [--members 32] [--hidden 256,256] [--batch 256] [--epochs 6] [--threads 2] [--halfstep PATH]

FOLDER is what data_sets.py made; SET one whose columns are numbers. Needs torch, tabm and rtdl_num_embeddings. Both have
piecewise linear embeddings 8 wide with the same number of bins, one scale of the input and a head for each member
("tabm-mini"), dropout, AdamW at one rate. PyTorch runs in each of its modes in turns with halfstep, in a process of its
own; of its epochs the first, in which it compiles, is not counted. halfstep's seconds are those of all its epochs.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

MODES = ["fp32", "bf16", "fp32-compiled", "bf16-compiled"]
WIDTH, BINS, DROPOUT, RATE, DECAY = 8, 48, 0.1, 0.002, 3e-4


def read(folder, name):
    import csv
    with open(os.path.join(folder, "list.json")) as file:
        about = json.load(file)[name]
    parts = []
    for part in ("train", "test"):
        with open(os.path.join(folder, name, part + ".csv")) as file:
            rows = list(csv.DictReader(file))
        target = [row.pop(about["target"]) for row in rows]
        parts.append((numpy.array([[float(v) for v in row.values()] for row in rows], numpy.float32), target))
    return about, parts


def train_torch(options, mode):
    import rtdl_num_embeddings
    import tabm
    import torch
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    about, ((x, y), (x_test, y_test)) = read(options.folder, options.set)
    middle, scale = x.mean(0), x.std(0) + 1e-8
    x, x_test = (torch.from_numpy((part - middle) / scale) for part in (x, x_test))
    classify = about["task"] == "classify"
    if classify:
        names = sorted(set(y))
        y, y_test = (torch.tensor([names.index(v) for v in part]) for part in (y, y_test))
    else:
        y, y_test = (torch.tensor([float(v) for v in part]) for part in (y, y_test))
        middle, scale = y.mean(), y.std()
        y = (y - middle) / scale
    outputs = len(names) if classify else 1
    hidden = [int(w) for w in options.hidden.split(",")]
    bins = rtdl_num_embeddings.compute_bins(x, n_bins=min(BINS, len(x) - 1))
    embeddings = rtdl_num_embeddings.PiecewiseLinearEmbeddings(bins, d_embedding=WIDTH, activation=False, version="B")
    model = tabm.TabM(n_num_features=x.shape[1], d_out=outputs, num_embeddings=embeddings, n_blocks=len(hidden),
                      d_block=hidden[0], dropout=DROPOUT, arch_type="tabm-mini", k=options.members,
                      start_scaling_init="normal")
    run = torch.compile(model) if mode.endswith("compiled") else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    half = mode.startswith("bf16")

    def loss_of(rows):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            out = run(x[rows]).float()
        if classify:
            return torch.nn.functional.cross_entropy(out.flatten(0, 1), y[rows].repeat_interleave(options.members))
        return ((out.squeeze(-1) - y[rows][:, None]) ** 2).mean()

    seconds = []
    for _ in range(options.epochs):
        model.train()
        start = time.time()
        for rows in torch.randperm(len(x)).split(options.batch):
            optimizer.zero_grad()
            loss_of(rows).backward()
            optimizer.step()
        seconds.append(time.time() - start)
    model.eval()
    with torch.no_grad():
        said = torch.cat([model(part).float() for part in x_test.split(1024)])
    if classify:
        error = (said.softmax(-1).mean(1).argmax(-1) != y_test).float().mean()
    else:
        error = ((said.squeeze(-1).mean(1) * scale + middle - y_test) ** 2).mean().sqrt()
    return {"seconds_an_epoch": statistics.median(seconds[1:]), "error": float(error)}


def train_halfstep(options, precision):
    about, ((x, _), _) = read(options.folder, options.set)
    paths = [os.path.join(options.folder, options.set, part + ".csv") for part in ("train", "test")]
    with tempfile.TemporaryDirectory() as folder:
        command = [options.halfstep, "train", paths[0], "--test", paths[1], "--target", about["target"], "--task",
                   about["task"], "--quality", "plain", "--embedding", WIDTH, "--bins", min(BINS, len(x) - 1),
                   "--ensemble", options.members, "--hidden", options.hidden, "--dropout", DROPOUT, "--batch",
                   options.batch, "--lr", RATE, "--weight-decay", DECAY, "--schedule", "constant", "--epochs",
                   options.epochs, "--precision", precision, "--threads", options.threads, "--numeric",
                   ",".join(c for c in header(paths[0]) if c != about["target"]), "--json", "--quiet", "--out",
                   os.path.join(folder, "model.safetensors")]
        told = json.loads(subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True).stdout)
    measures = told["test"]
    error = 1 - measures["accuracy"] if about["task"] == "classify" else measures["rmse"]
    return {"seconds_an_epoch": told["seconds"] / options.epochs, "error": error}


def header(path):
    with open(path) as file:
        return file.readline().strip().split(",")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("set")
    parser.add_argument("--members", type=int, default=32)
    parser.add_argument("--hidden", default="256,256")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--halfstep", default="build/release/halfstep")
    parser.add_argument("--mode", default="", help=argparse.SUPPRESS)  # of a process of its own
    options = parser.parse_args()
    if options.mode:
        print(json.dumps(train_torch(options, options.mode)))
        return
    results = {"halfstep " + precision: train_halfstep(options, precision) for precision in ("bf16", "fp32")}
    for mode in MODES:
        run = subprocess.run([sys.executable, *sys.argv, "--mode", mode], capture_output=True, text=True)
        if run.returncode == 0:
            results["PyTorch " + mode] = json.loads(run.stdout.splitlines()[-1])
        else:
            print(f"PyTorch {mode} failed: {(run.stderr.strip().splitlines() or ['?'])[-1]}", file=sys.stderr)
        again = train_halfstep(options, "bf16")
        results["halfstep bf16"]["seconds_an_epoch"] = min(results["halfstep bf16"]["seconds_an_epoch"],
                                                           again["seconds_an_epoch"])
    ours = results["halfstep bf16"]["seconds_an_epoch"]
    print(f"{options.set}: {options.members} members of {options.hidden}, batch {options.batch}, {options.threads} threads")
    for name, r in results.items():
        print(f"{name:22} {r['seconds_an_epoch']:8.3f} s an epoch  x {r['seconds_an_epoch'] / ours:5.2f}  error {r['error']:.4g}")


if __name__ == "__main__":
    main()
