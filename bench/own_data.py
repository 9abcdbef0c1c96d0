"""Figures on data that people know: forecasts, topics, pictures of signs, a map of a table. One command a data set.

    python -m bench.own_data air_passengers
    python -m bench.own_data nyc_taxi nyc_taxi.csv            from github.com/numenta/NAB, data/realKnownCause
    python -m bench.own_data min_temperatures temps.csv       daily minimum temperatures in Melbourne, date and value
    python -m bench.own_data banking77 train.csv test.csv     from github.com/PolyAI-LDN/task-specific-datasets, banking_data
    python -m bench.own_data sign_digits "Dataset/"           from github.com/ardamavi/Sign-Language-Digits-Dataset
    python -m bench.own_data spambase spambase.data           from archive.ics.uci.edu/dataset/94/spambase

The air passengers of 1949 to 1960 (Box and Jenkins, 1976) stand here; the other files a person downloads. Each prints one
JSON object: what was measured, the answer without a net beside it, minutes of wall time.
"""

import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import lamella

AIR = """112 118 132 129 121 135 148 148 136 119 104 118 115 126 141 135 125 149 170 170 158 133 114 140 145 150 178 163
172 178 199 199 184 162 146 166 171 180 193 181 183 218 230 242 209 191 172 194 196 196 236 235 229 243 264 272 237 211 180
201 204 188 235 227 234 264 302 293 259 229 203 229 242 233 267 269 270 315 364 347 312 274 237 278 284 277 317 313 318 374
413 405 355 306 271 306 315 301 356 348 355 422 465 467 404 347 305 336 340 318 362 348 363 435 491 505 404 359 310 337 360
342 406 396 420 472 548 559 463 407 362 405 417 391 419 461 472 535 622 606 508 461 390 432"""


def quiet(line: str) -> None:
    """Progress to standard error."""
    print(line, file=sys.stderr)


def forecast(rows: list[tuple[str, float]], ahead: int, horizon: int, folder: Path, **how: Any) -> dict[str, Any]:
    """Train on all but the last `ahead` values, forecast these horizon by horizon, each from all before it.

    Returns mase, mae and the coverage of the 80% interval, and the seasonal-naive forecast's mase beside them.
    """
    train = folder / "train.csv"
    with train.open("w", newline="") as file:
        csv.writer(file).writerows([("date", "value"), *rows[:-ahead]])
    season = how.pop("measured_season")
    model = lamella.train(
        "time-series-forecasting", str(train), out=str(folder / "m"), horizon=horizon, tell=quiet, **how
    )
    values = np.array([value for _, value in rows])
    unit = np.abs(values[season:-ahead] - values[: -ahead - season]).mean()
    errors, naive, inside = [], [], []
    for end in range(len(values) - ahead, len(values), horizon):
        past, future = values[:end], values[end : end + horizon]
        answer = model.predict({"past": past.tolist(), "start": rows[0][0]})
        median, band = np.array(answer["median"])[: len(future)], np.array(answer["80%"])[: len(future)]
        errors += np.abs(median - future).tolist()
        again = np.array([past[len(past) - season + h % season] for h in range(len(future))])
        naive += np.abs(again - future).tolist()
        inside += ((band[:, 0] <= future) & (future <= band[:, 1])).tolist()
    return {
        "mase": float(np.mean(errors) / unit), "naive": float(np.mean(naive) / unit), "mae": float(np.mean(errors)),
        "coverage_80": float(np.mean(inside)), "windows": ahead // horizon,
    }  # fmt: skip


def read_pairs(path: str) -> list[tuple[str, float]]:
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    return [(row[0], float(row[1])) for row in rows if len(row) > 1 and row[1][:1].isdigit()]


def air_passengers(folder: Path) -> dict[str, Any]:
    values = [float(v) for v in AIR.split()]
    rows = [(f"{1949 + m // 12}-{m % 12 + 1:02}", value) for m, value in enumerate(values)]
    return forecast(rows, 24, 12, folder, measured_season=12, minutes=1)


def nyc_taxi(folder: Path, path: str) -> dict[str, Any]:
    rows = read_pairs(path)
    return {
        "2 minutes": forecast(rows, 8 * 48, 48, folder / "a", measured_season=48, minutes=2),
        "30 seconds": forecast(rows, 8 * 48, 48, folder / "b", measured_season=48, minutes=0.5),
    }


def min_temperatures(folder: Path, path: str) -> dict[str, Any]:
    return forecast(read_pairs(path), 360, 30, folder, measured_season=7, minutes=2)


def banking77(folder: Path, train: str, test: str) -> dict[str, Any]:
    model = lamella.train("text-classification", train, test=[test], out=str(folder / "m"), minutes=2, tell=quiet)
    return {name: score["value"] for name, score in model.manifest.scores["held out"]["scores"].items()}


def sign_digits(folder: Path, path: str) -> dict[str, Any]:
    model = lamella.train("image-classification", path, out=str(folder / "m"), minutes=2, tell=quiet)
    return {name: score["value"] for name, score in model.manifest.scores["held out"]["scores"].items()}


def spambase(folder: Path, path: str) -> dict[str, Any]:
    """A map of two numbers of all but the last column; how often 5 nearest neighbours on it know the last one."""
    with open(path, newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    table = folder / "table.csv"
    table.write_text("\n".join(",".join(row[:-1]) for row in rows) + "\n")
    model = lamella.train("dimensionality-reduction", str(table), out=str(folder / "m"), minutes=2, tell=quiet)
    names = [column["name"] for column in model.task.columns_]
    every = [f"column {i}" for i in range(1, len(rows[0]))]
    given = [{"example": {n: v for n, v in zip(every, row, strict=False) if n in names}} for row in rows]
    points = np.array([answer["point"] for answer in model.predict(given)])
    labels, order = np.array([row[-1] for row in rows]), np.random.default_rng(0).permutation(len(rows))
    test, learn = order[: len(rows) // 5], order[len(rows) // 5 :]
    near = [np.argsort(np.square(points[learn] - points[i]).sum(axis=1))[:5] for i in test]
    said = [max(set(labels[learn][n].tolist()), key=labels[learn][n].tolist().count) for n in near]
    return {"accuracy": float(np.mean(np.array(said) == labels[test]))}


BENCHES: dict[str, Callable[..., dict[str, Any]]] = {
    f.__name__: f for f in (air_passengers, nyc_taxi, min_temperatures, banking77, sign_digits, spambase)
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in BENCHES:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as place:
        for name in ("a", "b"):
            Path(place, name).mkdir()
        begun = time.monotonic()
        found = BENCHES[sys.argv[1]](Path(place), *sys.argv[2:])
        print(json.dumps({"bench": sys.argv[1], **found, "wall minutes": round((time.monotonic() - begun) / 60, 2)}))
