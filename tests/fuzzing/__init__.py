"""Fuzzing of everything that reads bytes which lamella did not write.

    make fuzz                                           every reader, ten minutes each
    make fuzz ARGS="--minutes 1 --reader po --reader srt"
    python -m tests.fuzzing --help

What must hold, whatever the bytes: a reader gives its answer or raises one of `lamella.errors`, takes at most a second
for each kilobyte (and far less, in the budget of its entry), and at most 500 MB. `tests/test_fuzzing.py` does seconds of
the same with every run of the tests, and tries again every input that once failed (`regressions.py`).

A new reader is one entry of `table.READERS`: its name, its suffix, its seeds, the words of its format, and a function
that reads a file.
"""
