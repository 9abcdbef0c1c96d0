"""Dates in fourteen languages, endings of days, zones by name: read, and written on as they came."""

from __future__ import annotations

import numpy as np
import pytest

from lamella.data.readers import calendars
from lamella.data.readers.stamps import NONE, read_stamps

DAY = 86_400


@pytest.mark.parametrize(
    ("cells", "last", "tomorrow", "in_a_month"),
    [
        (["5 janvier 2020", "6 janvier 2020"], "2020-01-06", "7 janvier 2020", "7 février 2020"),
        (["1er janvier 2020", "2 janvier 2020"], "2020-01-02", "3 janvier 2020", "3 février 2020"),
        (["5. Mai 2020", "6. Mai 2020"], "2020-05-06", "7. Mai 2020", "7. Jun 2020"),
        (["Mo, 6. Januar 2020", "Di, 7. Januar 2020"], "2020-01-07", "Mi, 8. Januar 2020", "Sa, 8. Februar 2020"),
        (["3 de enero de 2020", "4 de enero de 2020"], "2020-01-04", "5 de enero de 2020", "5 de febrero de 2020"),
        (
            ["lundi 6 janvier 2020", "mardi 7 janvier 2020"],
            "2020-01-07",
            "mercredi 8 janvier 2020",
            "samedi 8 février 2020",
        ),
        (["5 gen 2020", "6 gen 2020"], "2020-01-06", "7 gen 2020", "7 feb 2020"),
        (["15-out-2020", "16-out-2020"], "2020-10-16", "17-out-2020", "17-nov-2020"),
        (["5 maart 2020", "6 maart 2020"], "2020-03-06", "7 maart 2020", "7 april 2020"),
        (["Jun 1st 2020", "Jun 2nd 2020"], "2020-06-02", "Jun 3rd 2020", "Jul 4th 2020"),
        (["20th of June 2020", "21st of June 2020"], "2020-06-21", "22nd of June 2020", "23rd of July 2020"),
        (
            ["2020-01-05 06:00 CET", "2020-01-06 06:00 CET"],
            "2020-01-06T05:00",
            "2020-01-07 06:00 CET",
            "2020-02-07 06:00 CET",
        ),
        (
            ["5 Jan 2020 18:00 EST", "6 Jan 2020 18:00 EST"],
            "2020-01-06T23:00",
            "7 Jan 2020 18:00 EST",
            "7 Feb 2020 18:00 EST",
        ),
        (["5 sty 2020", "6 sty 2020"], "2020-01-06", "7 sty 2020", "7 lut 2020"),
        (["8 maja 2020", "9 maja 2020"], "2020-05-09", "10 maja 2020", "10 czerwca 2020"),
        (["5. ledna 2020", "6. ledna 2020"], "2020-01-06", "7. ledna 2020", "7. února 2020"),
        (
            ["5 oktober 2020 kl. 6.15", "6 oktober 2020 kl. 6.15"],
            "2020-10-06T06:15",
            "7 oktober 2020 kl. 6.15",
            "7 november 2020 kl. 6.15",
        ),
        (["5. desember 2020", "6. desember 2020"], "2020-12-06", "7. desember 2020", "7. januar 2021"),
        (["5.1.2020 klo 6.15", "6.1.2020 klo 6.15"], "2020-01-06T06:15", "7.1.2020 klo 6.15", "7.2.2020 klo 6.15"),
        (["5 января 2020 г.", "6 января 2020 г."], "2020-01-06", "7 января 2020 г.", "7 февраля 2020 г."),
        (["05 Oca 2020", "06 Oca 2020"], "2020-01-06", "07 Oca 2020", "07 Şub 2020"),
        (["2020年1月5日(日)", "2020年1月6日(月)"], "2020-01-06", "2020年1月7日(火)", "2020年2月7日(金)"),
        (
            ["2020年1月5日 6时15分", "2020年1月6日 6时15分"],
            "2020-01-06T06:15",
            "2020年1月7日 6时15分",
            "2020年2月7日 6时15分",
        ),
        (
            ["2020-01-05 오후 6:15", "2020-01-06 오후 6:15"],
            "2020-01-06T18:15",
            "2020-01-07 오후 6:15",
            "2020-02-07 오후 6:15",
        ),
        (["2020-01-05 (Sun)", "2020-01-06 (Mon)"], "2020-01-06", "2020-01-07 (Tue)", "2020-02-07 (Fri)"),
    ],
)
def test_read_and_written_on(cells, last, tomorrow, in_a_month):
    found = read_stamps(cells)
    assert np.datetime64(int(found.seconds[-1]), "s") == np.datetime64(last)
    ahead = [found.style.write(int(found.seconds[-1]) + days * DAY) for days in (1, 32)]
    assert ahead == [tomorrow, in_a_month]


@pytest.mark.parametrize("cell", ["12 monkeys 2020", "banana 5 May 2020", "5 Jubilee 2020", "ma 2020"])
def test_other_words_are_no_dates(cell):
    assert read_stamps([cell]).seconds.tolist() == [NONE]


def test_no_form_means_two_months():
    forms: dict[str, set[int]] = {}
    for of in calendars.FORMS.values():
        for form, number in of.items():
            forms.setdefault(form, set()).add(number)
    assert not {form: numbers for form, numbers in forms.items() if len(numbers) > 1}
    assert all(len(names) == 12 for names in (*calendars.LONG.values(), *calendars.SHORT.values()))


@pytest.mark.parametrize(
    ("cells", "last", "after"),
    [
        (["2019 Quarter 4", "2020 Quarter 1"], "2020-01-01", "2020 Quarter 2"),
        (["4th quarter 2019", "1st quarter 2020"], "2020-01-01", "2nd quarter 2020"),
        (["2017/18", "2018/19", "2019/20"], "2019-01-01", "2019/20"),
        (["2009/10", "2010/11", "2011/12"], "2011-01-01", "2011/12"),  # months too, by their shape
        (["FY1998-1999", "FY1999-2000", "FY2000-2001"], "2000-01-01", "FY2000-2001"),
        (["FY2018", "FY2019"], "2019-01-01", "FY2019"),
    ],
)
def test_parts_of_years_and_seasons(cells, last, after):
    found = read_stamps(cells)
    assert np.datetime64(int(found.seconds[-1]), "s") == np.datetime64(last)
    assert found.style.write(int(found.seconds[-1]) + 120 * DAY) == after
    assert read_stamps([cells[-1]], known=found.style).seconds[-1] == found.seconds[-1]


def test_years_with_weeks():
    """202053 is followed by 202101; a number that could be a month is one."""
    cells = ["202051", "202052", "202053", "202101"]
    found = read_stamps(cells, "date")
    assert np.diff(found.seconds).tolist() == [7 * DAY] * 3
    assert found.style.write(int(found.seconds[-1]) + 7 * DAY) == "202102"
    assert read_stamps(["202005"], known=found.style).seconds.tolist() == read_stamps(["2020-01-27"]).seconds.tolist()
    assert read_stamps(["202010", "202011", "202012"], "date").style.kind == "yyyymm"
    assert read_stamps(["202051", "202099"], "date").style.kind == "count"
    months, same = read_stamps(["2010/10", "2010/11", "2010/12"]), read_stamps(["2010-10", "2010-11", "2010-12"])
    assert months.seconds.tolist() == same.seconds.tolist()
