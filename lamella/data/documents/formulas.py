"""Formulas in running text: H2O, x2, 50 m2 with a digit that is raised or lowered. They are one piece, which no net sees.

>>> BASE.search("some H")[0], BASE.search("a word"), bool(RAISED.fullmatch("2")), RAISED.fullmatch("st"), GOES_ON.match("O is")[0]
('H', None, True, None, 'O')
"""

import re

# What stands before a raised or lowered sign that belongs to it.
BASE = re.compile(r"(?<![^\W_])(?:(?:[A-Z][a-z]?|[0-9])+|[a-z]|[cdkm]m|\))$")
# Such a sign; the end of an ordinal and the mark of a note behind a word are none.
RAISED = re.compile(r"[-+\u2212]?(?:[0-9]{1,4}|[ijknmxy])[-+\u2212]?|[-+\u2212]")
# What of the text behind it belongs to it.
GOES_ON = re.compile(r"(?:[A-Z][a-z]?(?![a-z])|[0-9(])+(?![^\W\d_])")
