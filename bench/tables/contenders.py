"""One contender on one table, with its defaults: a line of JSON with its errors and the seconds of its fit.

    contenders.py FOLDER NAME CONTENDER [--seed N] [--threads N] [--halfstep PATH] [--epochs N]

CONTENDER is halfstep-plain, -quick, -good or -best, sklearn, xgboost, lightgbm, catboost, realmlp or tabm. Texts are
categories to those who know them, one-hot columns to scikit-learn. --epochs caps those of realmlp and tabm, which
otherwise take what they want.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings

import numpy
import pandas

warnings.filterwarnings("ignore")


class Table:
    def __init__(self, folder, name):
        with open(os.path.join(folder, "list.json")) as file:
            about = json.load(file)[name]
        self.task, self.target = about["task"], about["target"]
        self.classify = self.task == "classify"
        self.paths = [os.path.join(folder, name, part + ".csv") for part in ("train", "test")]
        self.train, self.test = (self._read(path) for path in self.paths)
        self.y_train, self.y_test = self.train.pop(self.target), self.test.pop(self.target)
        self.numbers = [c for c in self.train if pandas.api.types.is_numeric_dtype(self.train[c])]
        self.texts = [c for c in self.train if c not in self.numbers]
        self.classes = sorted(self.y_train.unique()) if self.classify else []
        if self.classify:
            place = {c: i for i, c in enumerate(self.classes)}
            self.y_train, self.y_test = self.y_train.map(place).to_numpy(), self.y_test.map(place).to_numpy()
        else:
            self.y_train, self.y_test = self.y_train.to_numpy(float), self.y_test.to_numpy(float)

    def _read(self, path):
        kinds = {self.target: str} if self.classify else None
        return pandas.read_csv(path, na_values=["?", "NA", ""], keep_default_na=False, low_memory=False, dtype=kinds)

    def with_categories(self):
        parts = []
        for frame in (self.train.copy(), self.test.copy()):
            for c in self.texts:
                known = sorted(self.train[c].dropna().unique())
                frame[c] = pandas.Categorical(frame[c].astype(object), categories=known)
            parts.append(frame)
        return parts

    def with_texts(self, missing):
        parts = []
        for frame in (self.train.copy(), self.test.copy()):
            for c in self.texts:
                frame[c] = frame[c].astype(object).where(frame[c].notna(), missing).astype(str)
            parts.append(frame)
        return parts


def fitted(model, table, train, test, **how):
    before = time.time()
    model.fit(train, table.y_train, **how)
    seconds = time.time() - before
    return (model.predict_proba(test) if table.classify else model.predict(test)), seconds


def sklearn(table, options):
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    columns = ColumnTransformer([("numbers", make_pipeline(SimpleImputer(), StandardScaler()), table.numbers),
                                 ("texts", OneHotEncoder(handle_unknown="ignore"), table.texts)])
    network = (MLPClassifier if table.classify else MLPRegressor)(random_state=options.seed)
    return fitted(make_pipeline(columns, network), table, *table.with_texts("missing"))


def xgboost(table, options):
    from xgboost import XGBClassifier, XGBRegressor
    kind = XGBClassifier if table.classify else XGBRegressor
    model = kind(enable_categorical=True, n_jobs=options.threads, random_state=options.seed)
    return fitted(model, table, *table.with_categories())


def lightgbm(table, options):
    from lightgbm import LGBMClassifier, LGBMRegressor
    kind = LGBMClassifier if table.classify else LGBMRegressor
    return fitted(kind(n_jobs=options.threads, verbose=-1, random_state=options.seed), table, *table.with_categories())


def catboost(table, options):
    from catboost import CatBoostClassifier, CatBoostRegressor
    kind = CatBoostClassifier if table.classify else CatBoostRegressor
    model = kind(thread_count=options.threads, verbose=0, allow_writing_files=False, random_seed=options.seed)
    return fitted(model, table, *table.with_texts("nan"), cat_features=table.texts)


def by_pytabkit(name, table, options):
    import pytabkit
    import torch
    torch.set_num_threads(options.threads)
    kind = getattr(pytabkit, f"{name}_{'Classifier' if table.classify else 'Regressor'}")
    how = {"device": "cpu", "n_threads": options.threads, "random_state": options.seed}
    if options.epochs:
        how["n_epochs"] = options.epochs
    train, test = table.with_categories()
    means = train[table.numbers].mean()
    for frame in (train, test):
        frame[table.numbers] = frame[table.numbers].fillna(means).astype(float)
    return fitted(kind(**how), table, train, test, cat_col_names=table.texts)


def halfstep(quality, table, options):
    with tempfile.TemporaryDirectory() as folder:
        model, predictions = os.path.join(folder, "model.safetensors"), os.path.join(folder, "predictions.csv")
        command = [options.halfstep, "train", table.paths[0], "--target", table.target, "--task", table.task, "--quality",
                   quality, "--seed", str(options.seed), "--threads", str(options.threads), "--out", model]
        before = time.time()
        subprocess.run(command, capture_output=True, check=True)
        seconds = time.time() - before
        subprocess.run([options.halfstep, "predict", model, table.paths[1], "--out", predictions], capture_output=True,
                       check=True)
        rows = pandas.read_csv(predictions, keep_default_na=False)
    if not table.classify:
        return rows["value"].to_numpy(float), seconds
    return rows[["p_" + c for c in table.classes]].to_numpy(float), seconds


CONTENDERS = {"sklearn": sklearn, "xgboost": xgboost, "lightgbm": lightgbm, "catboost": catboost,
              "realmlp": lambda t, o: by_pytabkit("RealMLP_TD", t, o), "tabm": lambda t, o: by_pytabkit("TabM_D", t, o)}
for level in ("plain", "quick", "good", "best"):
    CONTENDERS["halfstep-" + level] = lambda t, o, level=level: halfstep(level, t, o)


def scores(table, outputs):
    if not table.classify:
        errors = numpy.asarray(outputs, float).ravel() - table.y_test
        return {"rmse": float(numpy.sqrt((errors**2).mean()))}
    p = numpy.clip(numpy.asarray(outputs, float), 1e-7, 1)
    p /= p.sum(1, keepdims=True)
    of_truth = p[numpy.arange(len(p)), table.y_test]
    return {"error": float((p.argmax(1) != table.y_test).mean()), "log_loss": float(-numpy.log(of_truth).mean())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("name")
    parser.add_argument("contender", choices=sorted(CONTENDERS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--halfstep", default="halfstep")
    options = parser.parse_args()
    table = Table(options.folder, options.name)
    outputs, seconds = CONTENDERS[options.contender](table, options)
    line = {"set": options.name, "contender": options.contender, "seed": options.seed, "threads": options.threads}
    line |= scores(table, outputs) | {"seconds": round(seconds, 3)}
    print(json.dumps(line), file=sys.stdout, flush=True)


if __name__ == "__main__":
    main()
