"""Every reader, whatever the bytes: an answer or a typed error, soon and in little memory. Minutes of it: `make fuzz`."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamella.data.documents.formats import FORMATS
from lamella.data.readers.catalogue_pairs import SUFFIXES
from lamella.data.readers.suffixes import TABLE_SUFFIXES
from lamella.errors import DataError
from tests.fuzzing import mutations
from tests.fuzzing.readers import Reader
from tests.fuzzing.regressions import REGRESSIONS
from tests.fuzzing.table import BY_NAME, READERS
from tests.fuzzing.trial import MEMORY, attempt

NAMES = [reader.name for reader in READERS]
LONG = 20_000  # bytes of one thing many times over
HEAVY = {"picture", "picture marks"}  # some of their seeds are large once decoded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzzing")


def give(reader: Reader, data: bytes, folder: Path) -> None:
    trial = attempt(reader, data, folder / f"input{reader.suffix}")
    assert not trial.problem, f"{reader.name}, {len(data):,} bytes {data[:80]!r}: {trial.problem}\n{trial.where}"


@pytest.mark.parametrize("name", NAMES)
def test_its_seeds_and_what_is_made_of_them(name: str, folder: Path) -> None:
    reader, rng = BY_NAME[name], random.Random(name)
    seeds = reader.seeds()
    for data in [*seeds, *(b for reader_name, _, b in REGRESSIONS if reader_name == name)]:
        give(reader, data, folder)
    small = [data for data in seeds if len(data) < 10_000]
    for _ in range(5 if name in HEAVY else 40):
        give(reader, reader.mend(mutations.mutate(rng, rng.choice(small), reader.words, small)), folder)
    for make in rng.sample(mutations.repeats(reader.words, seeds, LONG), k=4):
        give(reader, make(), folder)


@pytest.fixture
def reader(name: str) -> Reader:
    BY_NAME[name].seeds()  # what is imported is no fault of the reader
    return BY_NAME[name]


@pytest.mark.parametrize("name", NAMES)
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_words_of_its_format_in_any_order(reader: Reader, folder: Path, data: st.DataObject) -> None:
    pieces = st.sampled_from([*reader.words, *mutations.BYTES, *mutations.NUMBERS]) | st.binary(max_size=4)
    give(reader, b"".join(data.draw(st.lists(pieces, max_size=30))), folder)


def test_every_format_is_fuzzed() -> None:
    tried = {reader.suffix for reader in READERS} | {".pot", ".htm", ".markdown", ".tab", ".ndjson"}
    tried |= {".yaml", ".xliff", ".ssa", ".odp"}  # other names
    assert {*FORMATS, *TABLE_SUFFIXES, *SUFFIXES, ".tmx"} <= tried


def test_what_is_wrong_is_noticed(folder: Path) -> None:
    def reader(read) -> Reader:
        return Reader("broken", ".txt", read, lambda: [b""], seconds=0.2, per_kilobyte=0.0)

    def raises(error: Exception):
        def read(path: Path) -> None:
            raise error

        return read

    def hangs(path: Path) -> None:
        while True:
            with suppress(Exception):
                sum(range(1000))

    class Long(DataError):
        def __str__(self) -> str:
            return "two\nlines"

    place = folder / "broken.txt"
    assert not attempt(reader(raises(DataError("one line"))), b"", place).problem
    assert attempt(reader(raises(Long(""))), b"", place).problem.startswith("an error that is not one line")
    assert attempt(reader(raises(KeyError("x"))), b"", place).problem == "KeyError: 'x'"
    assert attempt(reader(raises(RecursionError())), b"", place).problem.startswith("RecursionError")
    assert attempt(reader(hangs), b"", place).problem.startswith("stopped after 0.4 s")
    big = attempt(reader(lambda path: bytearray(b"x") * ((MEMORY + 60) << 20)), b"", place)
    assert f"allowed {MEMORY} MB" in big.problem or "allowed 0.20 s" in big.problem
