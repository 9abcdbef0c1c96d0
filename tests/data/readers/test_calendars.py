"""Dates in seven languages, endings of days, zones by name: read, and written on as they came."""

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
