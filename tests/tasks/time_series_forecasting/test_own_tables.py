"""Series as people have them, from training to answers: command line, Python and HTTP give the same, stamps go on as they came."""

from __future__ import annotations

import datetime

import pytest

import lamella
import lamella.registry
from tests.serving import serving

DAYS = [datetime.date(2020, 1, 1) + datetime.timedelta(days=n) for n in range(90)]
WORK = [day for day in DAYS if day.weekday() < 5]


def ends(count: int) -> list[str]:
    first = [datetime.date(2015 + m // 12, m % 12 + 1, 1) for m in range(count + 1)]
    return [str(day - datetime.timedelta(days=1)) for day in first[1:]]


KINDS = {
    "business days": ([str(day) for day in WORK], ",", "v", ".", ["2020-03-31", "2020-04-01"]),
    "ends of months": (ends(60), ";", "v", ",", ["2020-01-31", "2020-02-29"]),
    "days of a spreadsheet": ([str(43831 + n) for n in range(60)], "\t", "v", ".", ["43891", "43892"]),
    "milliseconds": ([str(1577836800000 + 3600000 * n) for n in range(96)], ",", "v", ".", ["1578182400000", "1578186000000"]),
    "day first": ([day.strftime("%d/%m/%Y 06:15") for day in DAYS], "|", "v", ".", ["31/03/2020 06:15", "01/04/2020 06:15"]),
    "year and month": ([f"{2015 + m // 12},{m % 12 + 1}" for m in range(60)], ",", "v", ".", ["2020-01", "2020-02"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(KINDS))
def test_answers_are_the_same_everywhere(tmp_path, cli, kind):
    stamps, separator, value, decimal, wanted = KINDS[kind]
    head = "Year,Month" if kind == "year and month" else "date"
    end = "\r\n" if separator == ";" else "\n"
    lines = [separator.join([head, value])]
    lines += [separator.join([s, f"{n % 7 + n / 10:.1f}".replace(".", decimal)]) for n, s in enumerate(stamps)]
    path = tmp_path / ("a.tsv" if separator == "\t" else "a.csv")
    path.write_bytes((end.join(lines) + end).encode())
    model = tmp_path / "m"
    done = cli(
        "train", "time-series-forecasting", path, "-o", model, "--steps", 1, "--size", "tiny", "--horizon", 2,
        "--ensemble-size", 1, "--threads", 1,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert cli("predict", model, path, "-o", tmp_path / f"out{path.suffix}").code == 0
    raw = (tmp_path / f"out{path.suffix}").read_bytes()
    rows = [line.split(separator) for line in raw.decode().split(end)[:-1]]
    assert [row[1] for row in rows[1:]] == wanted and rows[1][0] == value
    assert all(decimal in row[2] for row in rows[1:])
    trained = lamella.load(model)
    with serving({"m": trained}) as server:
        assert server.send_file("/models/m/document", path.name, path.read_bytes()).raw == raw
        past = [n % 7 + n / 10 for n in range(len(stamps))]
        example = {"past": past}
        if "start" in trained.task.optional:  # what training accepted is accepted as the start too
            example["start"] = int(stamps[0]) if stamps[0].isdigit() else stamps[0].replace(",", "-")
        answer = trained.predict(example)
        assert server.post(
            "/models/m/predict", {"examples": [{k: str(v) if k == "start" else v for k, v in example.items()}]}
        ).json["answers"] == [answer]
    assert trained.predict(past) == trained.predict([past])[0] == trained.predict({"past": past})
    medians = [float(row[2].replace(decimal, ".")) for row in rows[1:]]
    assert medians == answer["median"]


def weeks(path, count: int):
    days = [datetime.date(2021, 1, 3) + datetime.timedelta(days=7 * n) for n in range(count)]
    path.write_text("week,v\n" + "".join(f"{day},{n % 5 + n / 50}\n" for n, day in enumerate(days)))
    return path


def test_series_shorter_than_their_seasons_are_learned_without(tmp_path, cli):
    path, model = weeks(tmp_path / "a.csv", 80), tmp_path / "m"
    how = ("--steps", 1, "--size", "tiny", "--horizon", 4, "--ensemble-size", 1, "--threads", 1)
    done = cli("train", "time-series-forecasting", path, "-o", model, *how)
    assert done.code == 0 and "seasons of 52 steps are not learned" in done.err + done.out, done.err
    # A model keeps the seasons of its training, whatever later tables are long enough for.
    longer = weeks(tmp_path / "b.csv", 300)
    assert lamella.load(model).task.seasons_ == [1]
    assert cli("evaluate", model, longer).code == 0 and cli("predict", model, longer).code == 0
    done = cli("train", "time-series-forecasting", path, "-o", tmp_path / "n", *how, "--season", 52)
    assert done.code and "expected series of 108 values" in done.err


def test_long_series_keep_their_seasons_and_short_tests_do_not_change_them(tmp_path):
    task = lamella.registry.find("time-series-forecasting")()
    found, lines = task.read([str(weeks(tmp_path / "a.csv", 400))])
    assert task.read_seasons == [52] and not any("not learned" in line for line in lines)
    task.read([str(weeks(tmp_path / "b.csv", 130))])
    task.fit(found)
    assert task.seasons_ == [52]


@pytest.mark.parametrize("name", ["flow.txt", "flow.dat", "flow"])
def test_a_text_that_holds_a_table_is_answered_as_one(tmp_path, cli, name):
    rows = "".join(f"{day:%Y %m %d} {n % 7 + n / 10:8.2f}\n" for n, day in enumerate(DAYS))
    path, model = tmp_path / name, tmp_path / "m"
    path.write_text(f"# the gauge at the bridge\nYYYY MM DD  FLOW\n{rows}")
    done = cli(
        "train", "time-series-forecasting", path, "-o", model, "--steps", 1, "--size", "tiny", "--horizon", 2,
        "--ensemble-size", 1, "--threads", 1,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert cli("predict", model, path, "-o", tmp_path / "out.txt").code == 0
    raw = (tmp_path / "out.txt").read_bytes()
    assert [line.split()[:2] for line in raw.decode().splitlines()[1:]] == [
        ["FLOW", "2020-03-31"],
        ["FLOW", "2020-04-01"],
    ]
    # Values alone are values, in one line or several.
    (tmp_path / "values.txt").write_text("1 2 3 4 5 6 7 8\n9 8 7 6 5 4 3 2\n1 2 3 4 5 6 7 8\n")
    done = cli("predict", model, tmp_path / "values.txt")
    assert done.code == 0 and len(done.out.splitlines()) == 1
