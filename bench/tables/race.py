"""halfstep beside others on tables: who is nearer to the truth, and after how long.

    race.py FOLDER [--contenders A,B,...] [--sets X,Y,...] [--seeds 0,1,2] [--halfstep PATH] [--picture FILE.svg]

FOLDER is what data_sets.py made. Each run is a process of its own, one after another; its line goes to
FOLDER/results.jsonl, and what has one there is not run again. The others have their seed 0 alone; halfstep's errors are
means over its seeds. Then a table: RMSE, or the share of wrong classes; behind it mean ranks over all sets, of that and
of log-loss or RMSE, and seconds.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ALL = "halfstep-plain,halfstep-quick,halfstep-good,halfstep-best,sklearn,xgboost,lightgbm,catboost"


def lines_of(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [json.loads(line) for line in file]


def run(options, sets, contenders):
    path = os.path.join(options.folder, "results.jsonl")
    done = {(l["set"], l["contender"], l["seed"]) for l in lines_of(path)}
    for name in sets:
        for contender in contenders:
            seeds = [int(s) for s in options.seeds.split(",")] if contender.startswith("halfstep") else [0]
            for seed in seeds:
                if (name, contender, seed) in done:
                    continue
                command = [sys.executable, os.path.join(HERE, "contenders.py"), options.folder, name, contender]
                command += ["--seed", str(seed), "--threads", str(options.threads), "--halfstep", options.halfstep]
                result = subprocess.run(command, capture_output=True, text=True)
                if result.returncode != 0:
                    print(f"FAILED {name} {contender}: {result.stderr.strip().splitlines()[-1:]}", flush=True)
                    continue
                print(result.stdout, end="", flush=True)
                with open(path, "a") as file:
                    file.write(result.stdout)
    return lines_of(path)


def means(lines, sets, contenders):
    """{set: {contender: {measure: mean over seeds}}}"""
    out = {name: {} for name in sets}
    for name in sets:
        for contender in contenders:
            some = [l for l in lines if l["set"] == name and l["contender"] == contender]
            if some:
                measures = [m for m in ("rmse", "error", "log_loss", "seconds") if m in some[0]]
                out[name][contender] = {m: statistics.mean(l[m] for l in some) for m in measures}
    return out


def ranks(results, contenders, measures):
    """Mean rank over the sets on which all contenders have a result; of equal ones the mean of their places."""
    places = {c: [] for c in contenders}
    for of_set in results.values():
        if any(c not in of_set for c in contenders):
            continue
        value = {c: next(of_set[c][m] for m in measures if m in of_set[c]) for c in contenders}
        for c in contenders:
            better = sum(value[o] < value[c] for o in contenders)
            equal = sum(value[o] == value[c] for o in contenders)
            places[c].append(better + (equal + 1) / 2)
    return {c: statistics.mean(p) if p else float("nan") for c, p in places.items()}


def number(value):
    return f"{value:.4g}" if value < 1e4 else f"{value:.0f}"


def table(results, contenders):
    rows = [["set"] + contenders]
    for name, of_set in results.items():
        shown = [next((of_set[c][m] for m in ("rmse", "error") if m in of_set[c]), None) if c in of_set else None
                 for c in contenders]
        rows.append([name] + ["-" if v is None else number(v) for v in shown])
    first, second = ranks(results, contenders, ("rmse", "error")), ranks(results, contenders, ("rmse", "log_loss"))
    rows.append(["rank, error or RMSE"] + [f"{first[c]:.2f}" for c in contenders])
    rows.append(["rank, log-loss or RMSE"] + [f"{second[c]:.2f}" for c in contenders])
    times = {c: [r[c]["seconds"] for r in results.values() if c in r] for c in contenders}
    rows.append(["seconds, median"] + [number(statistics.median(times[c])) if times[c] else "-" for c in contenders])
    rows.append(["seconds, most"] + [number(max(times[c])) if times[c] else "-" for c in contenders])
    return "\n".join("| " + " | ".join(row) + " |" + ("\n|" + "---|" * len(row) if i == 0 else "")
                     for i, row in enumerate(rows))


def picture(results, contenders, path):
    """Mean rank by median seconds."""
    import math
    second = ranks(results, contenders, ("rmse", "log_loss"))
    times = {c: [r[c]["seconds"] for r in results.values() if c in r] for c in contenders}
    points = [(statistics.median(times[c]), second[c], c) for c in contenders if times[c] and second[c] == second[c]]
    low = math.floor(math.log10(min(p[0] for p in points)))
    high = math.ceil(math.log10(max(p[0] for p in points)))
    worst = math.ceil(max(p[1] for p in points))

    def x(seconds):
        return 70 + 520 * (math.log10(seconds) - low) / max(high - low, 1)

    def y(rank):
        return 30 + 320 * (rank - 1) / max(worst - 1, 1)

    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="720" height="420" font-family="sans-serif" font-size="13">',
             '<rect width="720" height="420" fill="white"/>',
             '<text x="70" y="18" fill="#333">mean rank by log-loss or RMSE (higher up is better)</text>',
             '<text x="590" y="400" text-anchor="end" fill="#333">median seconds of a fit</text>']
    for power in range(low, high + 1):
        parts.append(f'<line x1="{x(10 ** power):.0f}" y1="30" x2="{x(10 ** power):.0f}" y2="360" stroke="#ddd"/>'
                     f'<text x="{x(10 ** power):.0f}" y="378" text-anchor="middle" fill="#555">{10 ** power:g}</text>')
    for rank in range(1, worst + 1):
        parts.append(f'<line x1="70" y1="{y(rank):.0f}" x2="590" y2="{y(rank):.0f}" stroke="#eee"/>'
                     f'<text x="60" y="{y(rank) + 4:.0f}" text-anchor="end" fill="#555">{rank}</text>')
    for seconds, rank, name in points:
        colour = "#c0392b" if name.startswith("halfstep") else "#2c3e50"
        parts.append(f'<circle cx="{x(seconds):.1f}" cy="{y(rank):.1f}" r="5" fill="{colour}"/>'
                     f'<text x="{x(seconds) + 8:.1f}" y="{y(rank) + 4:.1f}" fill="{colour}">{name}</text>')
    with open(path, "w") as file:
        file.write("\n".join(parts + ["</svg>"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--contenders", default=ALL)
    parser.add_argument("--sets", default="")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--halfstep", default="build/release/halfstep")
    parser.add_argument("--picture", default="")
    options = parser.parse_args()
    with open(os.path.join(options.folder, "list.json")) as file:
        known = json.load(file)
    sets = options.sets.split(",") if options.sets else sorted(known, key=lambda name: known[name]["rows"])
    contenders = options.contenders.split(",")
    results = means(run(options, sets, contenders), sets, contenders)
    print("\n" + table(results, contenders))
    if options.picture:
        picture(results, contenders, options.picture)


if __name__ == "__main__":
    main()
