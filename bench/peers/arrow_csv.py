"""Reading of CSV files by halfstep and by pyarrow, in turns: megabytes a second, of the file read and parsed.

Makes tables of random numbers in a folder that goes away, or takes the files it is given. halfstep says with -v how fast
it reads; pyarrow.csv.read_csv, where it is installed, is timed in this process. Both find the file in the page cache.
"""
import argparse
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

KINDS = {
    "%.6f": lambda draw: "%.6f" % draw.gauss(0, 1),
    "long": lambda draw: repr(draw.gauss(0, 1)),
    "whole": lambda draw: str(draw.randrange(1000)),
}


def write_table(path, rows, columns, kind):
    """Some rows are drawn, and then repeated in other orders: drawing all of them would take a minute."""
    draw = random.Random(0)
    lines = [",".join(KINDS[kind](draw) for _ in range(columns)) + "\n" for _ in range(min(rows, 20000))]
    with open(path, "w") as file:
        file.write(",".join(f"x{i}" for i in range(columns)) + "\n")
        while rows > 0:
            draw.shuffle(lines)
            file.write("".join(lines[:rows]))
            rows -= len(lines)


def by_halfstep(binary, path, threads, folder):
    command = [binary, "train", path, "--steps", "1", "--hidden", "1", "--task", "regress", "--threads", str(threads)]
    command += ["-v", "--out", os.path.join(folder, "model.safetensors")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return float(re.search(r"^read .* ([0-9.e+]+) MB/s", said, re.MULTILINE)[1])


def by_pyarrow(csv, path):
    start = time.perf_counter()
    csv.read_csv(path)
    return os.path.getsize(path) / 1e6 / (time.perf_counter() - start)


def race(options, csv, name, path, folder):
    speeds = {"halfstep": [], "pyarrow": []}
    for _ in range(options.repetitions):
        speeds["halfstep"].append(by_halfstep(options.halfstep, path, options.threads, folder))
        if csv:
            speeds["pyarrow"].append(by_pyarrow(csv, path))
    ours = statistics.median(speeds["halfstep"])
    line = f"{name:24} {os.path.getsize(path) / 1e6:8.1f} MB  halfstep {ours:6.0f} MB/s"
    if csv:
        theirs = statistics.median(speeds["pyarrow"])
        line += f"  pyarrow {theirs:6.0f} MB/s  ratio {ours / theirs:.2f}"
    print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", help="CSV files; none: tables that are made for it")
    parser.add_argument("--halfstep", default="build/release/halfstep")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    try:
        import pyarrow
        from pyarrow import csv

        pyarrow.set_cpu_count(options.threads)
    except ImportError:
        csv = None
        print("# pyarrow is not installed", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        for path in options.files:
            race(options, csv, os.path.basename(path), path, folder)
        for kind in [] if options.files else KINDS:
            path = os.path.join(folder, "table.csv")
            write_table(path, options.rows, options.columns, kind)
            race(options, csv, kind, path, folder)


if __name__ == "__main__":
    main()
