"""Values as people write them, over HTTP: categories by name, truth values, numbers with marks; read as a table's cells are."""

from __future__ import annotations

import csv
import random

import pytest

import lamella
from tests.serving import serving

PLACES = ("north", "south", "far east")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """A table of houses, and a series with what is known of its future."""
    rng, folder = random.Random(0), tmp_path_factory.mktemp("tables")
    with (folder / "houses.csv").open("w") as file:
        file.write("price,place,garden,rooms,grade\n")
        for _ in range(80):
            price = f'"{rng.randint(1, 9)},{rng.randint(100, 999)}.{rng.randint(10, 99)}"'
            place, garden, grade = rng.choice(PLACES), rng.choice(("True", "False")), rng.choice(("1", "2", "x"))
            file.write(f"{price},{place},{garden},{rng.randint(1, 5)},{grade}\n")
    with (folder / "sales.csv").open("w") as file:
        file.write("date,sales,weather,holiday\n")
        for day in range(145):
            sales = f'"{1000 + 10 * (day % 7) + rng.random():,.2f}"'
            weather = ("rain", "light rain", "sun")[day % 3]
            file.write(
                f"2020-{1 + day // 28:02}-{1 + day % 28:02},{sales},{weather},{'yes' if day % 7 == 6 else 'no'}\n"
            )
    return folder


@pytest.fixture(scope="module")
def server(tables):
    usual = {"size": "tiny", "steps": 8, "threads": 1, "tell": lambda line: None}
    houses, sales = str(tables / "m" / "houses"), str(tables / "m" / "sales")
    lamella.train("dimensionality-reduction", str(tables / "houses.csv"), out=houses, **usual)
    known = {"known": "weather,holiday", "horizon": 5, "ensemble_size": 1, "context": 28}
    lamella.train("time-series-forecasting", str(tables / "sales.csv"), out=sales, **known, **usual)
    with serving({"houses": lamella.load(houses), "sales": lamella.load(sales)}) as found:
        yield found


USUAL = {"price": 1299.5, "place": "far east", "garden": "True", "rooms": 3, "grade": "1"}


def point(server, row, **options):
    reply = server.post("/models/houses/predict", {"examples": [{"example": row}], "options": options})
    assert reply.status == 200, reply.raw
    return reply.json["answers"][0]["point"]


@pytest.mark.parametrize(
    "row",
    [
        {**USUAL, "price": "1,299.50"},
        {**USUAL, "price": "$1,299.50"},
        {**USUAL, "price": " 1299.50 "},
        {**USUAL, "rooms": "3"},
        {**USUAL, "place": " far east "},
        {**USUAL, "garden": True},
        {**USUAL, "garden": "true"},
        {**USUAL, "grade": 1},
        {**USUAL, "grade": 1.0},
        {**USUAL, "another": "column"},
        {**USUAL, "price": "1.299,50"},
        {**USUAL, "place": "Far East"},
        {name.upper() + " ": value for name, value in USUAL.items()},
        [1299.5, "far east", True, 3, 1],
        ["1,299.50", "far east", "True", "3", "1"],
        '"1,299.50", far east, True, 3, 1',
        "1,299.50; far east; True; 3; 1",
        '{"price": "1,299.50", "place": "far east", "garden": true, "rooms": 3, "grade": "1"}',
    ],
)
def test_a_row_is_read_as_a_table_is(server, row):
    assert point(server, row) == point(server, USUAL)


@pytest.mark.parametrize(
    "examples",
    [
        [USUAL, USUAL],
        [{**USUAL, "another": "column"}] * 2,
        [list(USUAL.values())] * 2,
        {name: [value] * 2 for name, value in USUAL.items()},
        {name.title(): [value] * 2 for name, value in USUAL.items()},
    ],
)
def test_a_table_is_a_request(server, examples):
    reply = server.post("/models/houses/predict", {"examples": examples})
    assert [answer["point"] for answer in reply.json["answers"]] == [point(server, USUAL)] * 2, reply.raw


def test_tables_that_are_none(server):
    for examples, line in (
        ({"price": [1, 2], "place": ["north"]}, "columns of one length"),
        ([{"price": 1}], "expected the fields example"),
        ([[1, 2]], "expected 5 values"),
        ("all", "| array`, got `str`"),
    ):
        reply = server.post("/models/houses/predict", {"examples": examples})
        assert reply.status in (400, 422) and line in reply.error, reply.raw


def test_a_decimal_comma_where_it_is_said(server):
    assert point(server, {**USUAL, "price": "1.299,50"}, decimal=",") == point(server, USUAL)


@pytest.mark.parametrize("unknown", ["west", "FAR EAST!", "", None, True])
def test_an_unknown_category_is_missing(server, unknown):
    row = {**USUAL, "place": unknown}
    assert point(server, row) == point(server, {**USUAL, "place": None}) != point(server, USUAL)


def test_the_same_from_a_file(server, tables):
    raw = b'price,place,garden,rooms,grade\n"1,299.50",far east,True,3,1\n"2,000.00",west,False,2,x\n'
    lines = server.send_file("/models/houses/document", "rows.csv", raw).raw.decode().splitlines()
    fresh = {"price": 2000, "place": None, "garden": False, "rooms": 2, "grade": "x"}
    for line, row in zip(lines[1:], (USUAL, fresh), strict=True):
        assert all(f"{number:g}"[:6] in line for number in point(server, row)), line


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ({**USUAL, "price": "cheap"}, 'a number in "price"'),
        ({**USUAL, "price": True}, 'a number in "price"'),
        ({"price": 1}, 'a value for "place"'),
        ([1, 2], "expected 5 values"),
        ([[1]], "a row"),
        (7, "a value for each column"),
    ],
)
def test_rows_that_are_none(server, row, line):
    reply = server.post("/models/houses/predict", {"examples": [{"example": row}]})
    assert reply.status in (400, 422) and line in reply.error


def test_the_description_names_the_categories(server):
    described = server.get("/openapi.json").json["paths"]
    body = described["/models/houses/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    columns = body["properties"]["examples"]["items"]["properties"]["example"]["anyOf"][0]["properties"]
    assert columns["place"]["anyOf"][0]["enum"] == sorted(PLACES) and "number" in columns["price"]["type"]
    body = described["/models/sales/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    fields = body["properties"]["examples"]["items"]["properties"]
    assert fields["weather"]["anyOf"][0]["items"]["anyOf"][0]["enum"] == ["light rain", "rain", "sun"]
    assert "boolean" in fields["holiday"]["anyOf"][0]["items"]["type"]


# --- series


PAST = [1000 + 10 * (day % 7) for day in range(28)]
WEATHER = [("rain", "light rain", "sun")[day % 3] for day in range(33)]
HOLIDAY = [day % 7 == 6 for day in range(33)]


def forecast(server, past=PAST, weather=WEATHER, holiday=HOLIDAY):
    example = {"past": past, "weather": weather, "holiday": holiday}
    reply = server.post("/models/sales/predict", {"examples": [example]})
    assert reply.status == 200, reply.raw
    return reply.json["answers"][0]


def test_series_as_people_write_them(server):
    usual = forecast(server)
    written = [f"{value:,.2f}" for value in PAST]
    assert forecast(server, past=written) == forecast(server, past=" ".join(written)) == usual
    assert forecast(server, weather=", ".join(WEATHER)) == usual
    for yes, no in (("yes", "no"), ("TRUE", "FALSE"), (1, 0), ("1", "0")):
        assert forecast(server, holiday=[yes if day else no for day in HOLIDAY]) == usual
    assert forecast(server, weather=["hail"] * 33) == forecast(server, weather=[None] * 33) != usual


@pytest.mark.parametrize(
    ("example", "line"),
    [
        ({"past": ["1,299.50", "many"]}, "past: expected a finite number, received text 'many'"),
        ({"past": "1 2 x"}, "past: expected finite numbers"),
        ({"past": ["1.234", "5,678"]}, "one way only"),
        ({"past": PAST, "weather": [1] * 33}, "a name at each step"),
        ({"past": PAST, "holiday": ["maybe"] * 33}, "holiday: expected a finite number"),
    ],
)
def test_series_that_are_none(server, example, line):
    reply = server.post("/models/sales/predict", {"examples": [example]})
    assert reply.status == 400 and line in reply.error


def with_days_ahead(tables):
    """The rows of the table of sales, and five days of which only weather and holidays are known."""
    with (tables / "sales.csv").open() as file:
        rows = list(csv.DictReader(file))
    for day in range(145, 150):
        ahead = {"sales": None, "weather": "sun", "holiday": "no"}
        rows.append({"date": f"2020-{1 + day // 28:02}-{1 + day % 28:02}", **ahead})
    return rows


def test_series_as_the_rows_of_a_table(server, tables):
    """By the columns of training a request is the table that `document` takes, and that Python takes."""
    rows = with_days_ahead(tables)
    text = "\n".join(",".join(f'"{cell or ""}"' for cell in row) for row in (rows[0], *map(dict.values, rows)))
    raw = server.send_file("/models/sales/document", "rows.csv", text.encode()).raw
    wanted = list(csv.DictReader(raw.decode().splitlines()))
    for examples in (rows, {name: [row[name] for row in rows] for name in rows[0]}):
        reply = server.post("/models/sales/predict", {"examples": examples})
        assert reply.status == 200, reply.raw
        answers = reply.json["answers"]
        assert [row["time"] for row in answers] == [row["time"] for row in wanted]
        assert [row["median"] for row in answers] == [float(row["median"]) for row in wanted]
        assert len(answers) == 5 and "median" in reply.json["rendered"][0]
        model = lamella.load(tables / "m" / "sales")
        assert model.predict(examples) == lamella.predict(model, examples) == answers


@pytest.mark.parametrize(
    ("examples", "line"),
    [
        ([{"date": "2020-01-01", "sales": [1, 2]}], "example 1, sales: expected one value in each row"),
        ([{"date": "2020-01-01", "sales": "many"}] * 2, 'rows.jsonl: no column "weather"'),
        ([{"day": "2020-01-01"}], "or rows of a table with date"),
    ],
)
def test_rows_of_series_that_are_none(server, examples, line):
    reply = server.post("/models/sales/predict", {"examples": examples})
    assert reply.status in (400, 422) and line in reply.error.replace("\\", "") and "/tmp" not in reply.error, reply.raw


def test_examples_of_the_page_can_be_sent(server):
    for model in server.get("/models").json["models"]:
        for example in model["examples"]:
            assert server.post(f"/models/{model['name']}/predict", {"examples": [example]}).status == 200


def test_categories_are_reasons_too(server):
    example = {"past": PAST, "weather": WEATHER, "holiday": HOLIDAY}
    reply = server.post("/models/sales/explain", {"example": example})
    assert reply.status == 200 and b"weather" in reply.raw


@pytest.mark.parametrize(
    "start", ["2020-01-03", "3 Jan 2020", "2020-01-03T00:00:00Z", 1578009600, 1578009600000, "1578009600"]
)
def test_a_start_in_every_form(server, start):
    given = {"past": PAST, "weather": WEATHER, "holiday": HOLIDAY}

    def answer(**more):
        return server.post("/models/sales/predict", {"examples": [{**given, **more}]}).json["answers"]

    assert answer(start=start) == answer(start="2020-01-03") != answer()
    assert answer(start=None) == answer(), "null is no start"
