"""Series as people have them, from training to answers: command line, Python and HTTP give the same, stamps go on as they came."""

from __future__ import annotations

import datetime

import pytest

import lamella
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
    medians = [float(row[2].replace(decimal, ".")) for row in rows[1:]]
    assert medians == answer["median"]
