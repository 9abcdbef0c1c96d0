"""Who chose what and when: every format in which such files come, and what is said of bad ones."""

from __future__ import annotations

import gzip
import json

import pytest

from lamella.data.readers.events import read_histories
from lamella.data.text.names import join_names, split_names
from lamella.errors import DataError

MOVIES = [
    "1|Alien (1979)|x||u|" + "|".join("1" if i == 11 else "0" for i in range(19)),
    "2|Amélie (2001)|x||u|" + "|".join(["0"] * 19),
]
LONG = [("u", f"i{n}", 100 + n) for n in range(5)] + [("v", f"i{n}", 200 + n) for n in range(5)]


def whole(*paths, **more):
    """The history of each user with what came next, none cut into parts, and the lines."""
    read = read_histories([str(p) for p in paths], whole=False, **more)
    return {e["user"]: [*e["history"], e["next"]] for e in read.examples}, read


def written(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


CLICKS = "session_id,product_id,event_time\ns1,b,2024-01-02 10:00:00\ns1,a,2024-01-01 10:00:00\ns2,a,2024-01-03\ns2,c,2024-01-04\n"
REVIEWS = [
    {"reviewerID": "s1", "asin": a, "overall": 5.0, "unixReviewTime": t, "reviewText": "x"}
    for a, t in (("b", 2), ("a", 1))
]
FORMS = {
    "events.csv": "user,item,time\ns1,b,2\ns1,a,1\ns2,a,3\ns2,c,4\n",
    "clicks.csv": CLICKS,
    "ratings.csv": "userId,movieId,rating,timestamp\ns1,b,5,2\ns1,a,4,1\ns2,a,4.5,3\ns2,c,5,4\n",
    "log.tsv": "visitor_id\tsku\tts\ns1\tb\t2\ns1\ta\t1\ns2\ta\t3\ns2\tc\t4\n",
    "ml.inter": "user_id:token\titem_id:token\ttimestamp:float\ns1\tb\t2\ns1\ta\t1\ns2\ta\t3\ns2\tc\t4\n",
    "ratings.dat": "s1::b::5::2\ns1::a::4::1\ns2::a::4::3\ns2::c::5::4\n",
    "u.data": "s1\tb\t5\t881250002\ns1\ta\t4\t881250001\ns2\ta\t4\t881250003\ns2\tc\t5\t881250004\n",
    "yoochoose.csv": "s1,2014-04-07T10:52:00.000Z,b,0\ns1,2014-04-07T10:51:00.000Z,a,0\ns2,2014-04-07T10:51:00.000Z,a,0\ns2,2014-04-07T10:51:01.000Z,c,0\n",
    "diginetica.csv": "sessionId;userId;itemId;timeframe;eventdate\ns1;NA;b;2;2016-05-10\ns1;NA;a;1;2016-05-09\ns2;NA;a;3;2016-05-09\ns2;NA;c;4;2016-05-10\n",
    "events.jsonl": "".join(json.dumps({"user_id": u, "item_id": i, "timestamp": t}) + "\n" for u, i, t in (("s1", "b", 2), ("s1", "a", 1), ("s2", "a", 3), ("s2", "c", 4))),
    "reviews.json": "".join(json.dumps(r) + "\n" for r in [*REVIEWS, {**REVIEWS[0], "reviewerID": "s2", "asin": "a"}, {**REVIEWS[0], "reviewerID": "s2", "asin": "c", "unixReviewTime": 9}]),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_histories(tmp_path, name):
    histories, read = whole(written(tmp_path, name, FORMS[name]))
    assert histories == {"s1": ["a", "b"], "s2": ["a", "c"]}, read.lines


def test_a_packed_table(tmp_path):
    path = tmp_path / "events.csv.gz"
    path.write_bytes(gzip.compress(FORMS["events.csv"].encode()))
    assert whole(path)[0]["s1"] == ["a", "b"]


def test_movielens_with_its_titles_and_genres(tmp_path):
    written(tmp_path, "u.data", "7\t1\t5\t881250001\n7\t2\t4\t881250002\n")
    written(tmp_path, "u.item", "\n".join(MOVIES) + "\n", "latin-1")
    written(tmp_path, "u.user", "7|33|M|artist|12345\n")
    read = read_histories([str(tmp_path)])
    assert read.examples[0]["history"] == ["Alien (1979)"] and read.examples[0]["next"] == "Amélie (2001)"
    assert read.described["Alien (1979)"] == {"genres": "Horror"} and read.ids["Alien (1979)"] == "1"
    other = tmp_path / "ml-1m"
    other.mkdir()
    written(other, "ratings.dat", "7::1::5::1\n7::2::4::2\n")
    written(other, "movies.dat", "1::Alien (1979)::Horror|Sci-Fi\n2::Amélie (2001)::Comedy\n", "latin-1")
    read = read_histories([str(other)])
    assert read.examples[0]["next"] == "Amélie (2001)" and read.described["Alien (1979)"]["genres"] == "Horror|Sci-Fi"


def test_items_are_described_by_a_table_of_their_own(tmp_path):
    events = written(tmp_path, "ml.inter", FORMS["ml.inter"])
    items = written(
        tmp_path,
        "ml.item",
        "item_id:token\tmovie_title:token_seq\tclass:token_seq\na\tAlien\tHorror\nb\tAlien\tWar\nz\tDune\tSpace\n",
    )
    read = read_histories([str(events), str(items)])
    assert set(read.described) == {"Alien", "Alien [b]", "Dune"}, "two that are called the same are told apart"
    assert read.described["Dune"] == {"class": "Space"}
    with pytest.raises(DataError, match=r"expected files that say who chose what, received only .*ml"):
        read_histories([str(items)])


def test_lines_of_ids(tmp_path):
    pairs = written(tmp_path, "pairs.txt", "1 5\n1 6\n2 7\n2 5\n1 6\n")
    assert whole(pairs)[0] == {"1": ["5", "6", "6"], "2": ["7", "5"]}
    sequences = written(tmp_path, "sequences.txt", "5 6 6\n7 5\n")
    assert list(whole(sequences)[0].values()) == [["5", "6", "6"], ["7", "5"]]
    numbered = written(tmp_path, "train.txt", "0 5 6 8\n1 7 5\n")
    assert list(whole(numbered)[0].values()) == [["5", "6", "8"], ["7", "5"]]
    names = written(tmp_path, "names.txt", 'Alien; "One; Two"\nDune; Alien; Solaris\n')
    assert list(whole(names)[0].values()) == [["Alien", "One; Two"], ["Dune", "Alien", "Solaris"]]


def test_tables_of_whole_histories(tmp_path):
    path = written(tmp_path, "h.jsonl", '{"history": ["a", "b"], "next": "c"}\n{"history": "a; b; d"}\n' * 6)
    read = read_histories([str(path)])
    assert read.examples[:2] == [{"history": ["a", "b"], "next": "c"}, {"history": ["a", "b"], "next": "d"}]


def test_what_is_liked_is_chosen_by_the_scale_and_said(tmp_path):
    rows = [f"u{n},i{n % 3},{1 + n % 5},{n}\nu{n},j{n % 2},5,{n + 1}\n" for n in range(20)]
    path = written(tmp_path, "r.csv", "user,item,rating,time\n" + "".join(rows))
    _, read = whole(path)
    [line] = [line for line in read.lines if line.startswith("ratings")]
    assert (
        line
        == "ratings: 1 to 5; 4 or more counts as liked (chosen by the scale; --min-rating changes it, 0 takes all): 28 of 40 choices"
    )
    assert "every one counts" in next(line for line in whole(path, min_rating=0)[1].lines if line.startswith("ratings"))
    with pytest.raises(
        DataError, match="--min-rating 6: expected a rating that some have, received ratings from 1 to 5"
    ):
        whole(path, min_rating=6)
    plays = written(
        tmp_path, "plays.csv", "user,item,score,time\n" + "".join(f"u,i{n},{n * 40},{n}\n" for n in range(9))
    )
    assert "no scale that is known" in next(line for line in whole(plays)[1].lines if line.startswith("ratings"))


def test_leave_one_out(tmp_path):
    path = written(tmp_path, "e.csv", "user,item,time\n" + "".join(f"{u},{i},{t}\n" for u, i, t in LONG))
    read = read_histories([str(path)])
    of_u = [e for e in read.examples if e["user"] == "u"]
    assert [(len(e["history"]), e["next"], e.get("held")) for e in of_u] == [
        (2, "i2", None),
        (3, "i3", 1),
        (4, "i4", 2),
    ]


def test_a_cut_in_time(tmp_path):
    rows = [(f"u{n % 7}", f"i{n % 11}", n) for n in range(100)]
    path = written(tmp_path, "e.csv", "user,item,time\n" + "".join(f"{u},{i},{t}\n" for u, i, t in rows))
    read = read_histories([str(path)], split="time")
    times = {0: [], 1: [], 2: []}
    order = {u: [t for v, _, t in rows if v == u] for u in {u for u, _, _ in rows}}
    for e in read.examples:
        times[e.get("held", 0)].append(order[e["user"]][len(e["history"])])
    assert max(times[0]) < 80 <= min(times[1]) <= max(times[1]) < 90 <= min(times[2])
    assert any(
        line == "split: choices from 90 on are held out, those from 80 on watch the training" for line in read.lines
    )
    no_time = written(tmp_path, "n.csv", "user,item\nu,a\nu,b\n")
    with pytest.raises(DataError, match="--split time: expected choices with a time, received none"):
        read_histories([str(no_time)], split="time")


def test_what_is_said_of_odd_files(tmp_path):
    events = written(tmp_path, "n.csv", "user,item\nu,b\nu,a\nv,a\n")
    histories, read = whole(events)
    assert histories == {"u": ["b", "a"]} and any("order: that of the file" in line for line in read.lines)
    assert any("dropped 1: users with a single choice" in line for line in read.lines)
    for name, text, message in (
        ("one.csv", "user,item\nu,a\nv,b\n", r"expected users with two choices or more, received 2 users with one choice each"),
        ("words.csv", "user,item,time\n" + "u,a,soon\n" * 5, r"line 2: expected a time, received \"soon\""),
        ("rated.csv", "user,item,rating\n" + "u,a,fine\n" * 5, r"at most 10% bad ratings"),
        ("bad.dat", "1::2\n1::3\n", r"expected user::item::rating::time"),
        ("empty.dat", "", r"empty"),
        ("prose.csv", "nothing here\nat all\n", r"expected 2 columns"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=message) as caught:
            whole(written(tmp_path, name, text))
        assert "\n" not in str(caught.value)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="expected a folder with tables of choices"):
        read_histories([str(empty)])


def test_names_between_semicolons():
    for names in (["a"], ["a b", "c; d"], ['say "x"', "y"], ['"q" r', "s"]):
        assert split_names(join_names(names)) == names
    assert split_names("[REC]; Dune") == ["[REC]", "Dune"] and split_names(" ; ;") == []


def rows_of(form, users=6, items=6):
    return "".join(form(u, i, 1_000_000_000 + 1000 * u + i) for u in range(users) for i in range(items))


def test_items_of_amazon_with_lists_and_objects(tmp_path):
    reviews = [
        {"user_id": f"A{u}", "asin": f"Z{i}", "parent_asin": f"B{i}", "title": f"Review {u}{i}", "timestamp": i}
        for u in range(4)
        for i in range(4)
    ]
    meta = [
        {"parent_asin": f"B{i}", "title": f"Pen {i}", "features": ["blue", "fine"], "details": {"Brand": "Nib"}}
        for i in range(4)
    ]
    path = written(tmp_path, "reviews.jsonl", "".join(json.dumps(row) + "\n" for row in reviews))
    beside = written(tmp_path, "meta.jsonl", "".join(json.dumps(row) + "\n" for row in meta))
    histories, read = whole(path, beside)
    assert histories["A0"] == ["Pen 0", "Pen 1", "Pen 2", "Pen 3"]
    histories, read = whole(path)  # the titles are those of reviews
    assert histories["A0"] == ["B0", "B1", "B2", "B3"]
    assert any("items have several titles each, as reviews do" in line for line in read.lines)
    described = read_histories([str(path), str(beside)]).described
    assert described["Pen 0"] == {"features": "blue|fine", "details.Brand": "Nib"}


def test_one_time_that_is_none_among_numbers_is_named(tmp_path):
    text = "user,item,time\n" + rows_of(lambda u, i, t: f"u{u},i{i},{'soon' if (u, i) == (1, 1) else t}\n")
    _, read = whole(written(tmp_path, "a.csv", text))
    assert (
        "dropped 1: choices without a time that can be read, the first: " + str(tmp_path / "a.csv") + ", line 9"
        in read.lines
    )


def test_one_rating_that_is_none_is_counted(tmp_path):
    text = "user,item,rating\n" + rows_of(lambda u, i, t: f"u{u},i{i},{'great' if (u, i) == (1, 1) else 5}\n")
    _, read = whole(written(tmp_path, "a.csv", text))
    assert "kept 35 rows" in read.lines and "dropped 1: bad row" in read.lines
    assert any(line.startswith("bad row: ") and line.endswith('received "great"') for line in read.lines)


def test_other_separators_in_a_dat_file_and_histories_of_users(tmp_path):
    clicks = rows_of(lambda u, i, t: f"{u},2014-04-07T10:5{i}:09.277Z,21453650{i},0\n")
    assert whole(written(tmp_path, "clicks.dat", clicks))[0]["0"][:2] == ["214536500", "214536501"]
    lists = "".join(json.dumps({"user": f"u{u}", "items": ["a", "b", "c"]}) + "\n" for u in range(3))
    assert read_histories([str(written(tmp_path, "a.jsonl", lists))]).examples[0] == {
        "history": ["a", "b"],
        "next": "c",
    }


def test_files_of_a_folder_that_are_not_used_are_named(tmp_path):
    written(tmp_path, "ratings.csv", "userId,movieId,rating,timestamp\n" + rows_of(lambda u, i, t: f"{u},{i},5,{t}\n"))
    written(tmp_path, "tags.csv", "userId,movieId,tag\n1,1,x\n")
    assert f"not used: {tmp_path / 'tags.csv'}" in read_histories([str(tmp_path)]).lines


def test_lists_of_recbole_are_histories_and_its_items_have_names(tmp_path):
    (tmp_path / "a.inter").write_text(
        "user_id:token\titem_id_list:token_seq\titem_id:token\n1\t10 11 12\t13\n2\t12 13\t10\n"
    )
    (tmp_path / "a.item").write_text(
        "item_id:token\tmovie_title:token_seq\n" + "".join(f"{n}\tFilm {n}\n" for n in range(10, 14))
    )
    read = read_histories([str(tmp_path)])
    assert read.examples[0] == {"history": ["Film 10", "Film 11", "Film 12"], "next": "Film 13"}
    assert len(read.examples) == 2 and read.ids["Film 10"] == "10"


def test_events_inside_of_sessions(tmp_path):
    rows = [
        {"session": n, "events": [{"aid": item, "ts": 90 - at, "type": "clicks"} for at, item in enumerate((5, 6, 7))]}
        for n in range(3)
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    examples = read_histories([str(tmp_path / "a.jsonl")]).examples
    assert examples[0]["history"] == ["7", "6"] and examples[0]["next"] == "5"  # by their times, not their places


def test_ratings_of_amazon_that_name_the_item_first(tmp_path):
    rows = "".join(f"B0000{n % 5}ABCD,A{n % 2}XYZ23FGH45QP,5.0,{1400000000 + n}\n" for n in range(10))
    (tmp_path / "a.csv").write_text(rows)
    assert {e["user"] for e in read_histories([str(tmp_path / "a.csv")]).examples} == {
        "A0XYZ23FGH45QP",
        "A1XYZ23FGH45QP",
    }


def test_whole_numbers_that_a_table_made_floats(tmp_path):
    (tmp_path / "a.csv").write_text("user,item\n" + "".join(f"{n % 3}.0,{n % 5}.0\n" for n in range(30)))
    first = read_histories([str(tmp_path / "a.csv")]).examples[0]
    assert first["user"] == "0" and first["history"][:2] == ["0", "3"]
