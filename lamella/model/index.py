"""A vector index: entries to search in, each with its embedding by a model, in one file that may grow.

    lamella predict my-model "a red car" --ask neighbours --corpus cars.txt --index cars.index
    lamella predict my-model "a blue car" --ask neighbours --index cars.index

Vectors are stored as int8 with one scale each, a quarter of the size. Comparing with all of a million takes a tenth of a
second, so there is no search structure to build or rebuild. The file names the model of its vectors, since vectors of
different models cannot be compared, and holds a checksum of its content.
"""

import copy
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella.data.readers.suffixes import is_table
from lamella.data.text.encoding import read_text, split_lines
from lamella.errors import DataError, LamellaError, ModelError, UsageError
from lamella.model import Model
from lamella.model.answering import answer_all, read_rows
from lamella.model.manifest import digest
from lamella.storage.disk import read_regular, write_file
from lamella.task import Example, Task

MAGIC = b"lamella index 1\n"
LARGEST = 8 << 30  # bytes of a file
AT_ONCE = 2048  # entries that are embedded or compared at a time
BLOCK = 65_536
Tell = Callable[[str], None]


class _Header(msgspec.Struct):
    """The first line of a file, in JSON: what follows, and what it must be."""

    model: str  # the digest of the model whose vectors these are
    count: int
    width: int
    entries: int  # bytes of the entries, JSON one a line
    sha256: str  # of all that follows


class Index:
    """Entries with unit vectors (N, D), kept as int8 with a scale each.

    >>> index = Index("")
    >>> index.add([{"text": "a"}, {"text": "b"}], np.array([[1.0, 0.0], [0.0, 1.0]]))
    2
    >>> index.search(np.array([[0.0, 1.0]]), 1)
    [[({'text': 'b'}, 1.0)]]
    """

    def __init__(self, model: str) -> None:
        self.model = model
        self.where = ""  # the file that it was read from
        self.entries: list[Example] = []
        self.bytes: NDArray[np.int8] = np.zeros((0, 0), np.int8)  # (N, D)
        self.scales: NDArray[np.float32] = np.zeros(0, np.float32)  # (N,)
        self._known: set[bytes] = set()

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        return f"<Index of {len(self):,} entries>"

    def lacks(self, entries: Sequence[Example]) -> list[Example]:
        """The distinct entries that are not in the index yet."""
        fresh = {_key(e): e for e in entries}
        return [e for key, e in fresh.items() if key not in self._known]

    def add(self, entries: Sequence[Example], vectors: NDArray[Any]) -> int:
        """Add entries with their vectors (N, D); returns the new number of entries."""
        if not entries:
            return len(self)
        rows = np.asarray(vectors, np.float32).reshape(len(entries), -1)
        scales = np.maximum(np.abs(rows).max(axis=1, initial=0.0), 1e-9) / 127
        fresh = np.rint(rows / scales[:, None]).astype(np.int8)
        self.bytes = np.concatenate([self.bytes, fresh]) if len(self) else fresh
        self.scales = np.concatenate([self.scales, scales.astype(np.float32)])
        self.entries += [dict(e) for e in entries]
        self._known.update(map(_key, entries))
        return len(self)

    def search(self, vectors: NDArray[Any], count: int, holding: str = "") -> list[list[tuple[Example, float]]]:
        """The nearest entries of each vector (N, D), nearest first, with their cosines.

        holding: only those that have this field, where entries of several kinds are in one index, such as pictures and texts.
        """
        kept = np.array([not holding or holding in entry for entry in self.entries], bool)
        if not kept.any():
            return [[] for _ in vectors]
        count = min(count, int(kept.sum()))
        queries = np.asarray(vectors, np.float32)  # (Q, D)
        cosines = np.empty((len(queries), len(self)), np.float32)
        for first in range(0, len(self), BLOCK):
            rows = slice(first, first + BLOCK)
            cosines[:, rows] = queries @ self.bytes[rows].astype(np.float32).T * self.scales[rows]
        cosines[:, ~kept] = -np.inf
        neighbours = []
        for row in cosines:
            near = np.argpartition(-row, min(count, len(row)) - 1)[:count]
            order = near[np.lexsort((near, -row[near]))]  # ties by order of entry
            neighbours.append([(self.entries[i], round(float(row[i]), 5)) for i in order.tolist()])
        return neighbours

    # ---- its file ----------------------------------------------------------------------------------------------

    def write(self, path: Path) -> None:
        """Write the file in one step: the old one or the new one is there at every moment."""
        entries = b"\n".join(map(msgspec.json.encode, self.entries))
        body = b"".join([entries, self.scales.astype("<f4").tobytes(), self.bytes.tobytes()])
        header = _Header(self.model, len(self), self.bytes.shape[1], len(entries), hashlib.sha256(body).hexdigest())
        write_file(b"".join([MAGIC, msgspec.json.encode(header), b"\n", body]), path)

    @classmethod
    def read(cls, path: Path, model: str = "") -> "Index":
        """Read and verify an index file of this model ("": of any). ModelError if it is damaged or another's."""
        try:
            raw = read_regular(path, LARGEST)
        except OSError as error:
            raise DataError(f"{path}: {error.strerror or error}.") from error
        try:
            if not raw.startswith(MAGIC):
                raise ValueError("it does not begin like one")
            end = raw.index(b"\n", len(MAGIC))
            header, body = msgspec.json.decode(raw[len(MAGIC) : end], type=_Header), raw[end + 1 :]
            if hashlib.sha256(body).hexdigest() != header.sha256:
                raise ValueError("its checksum is another")
            if len(body) != header.entries + header.count * (4 + header.width):
                raise ValueError("its size is another")
            index = cls(header.model)
            index.where = str(path)
            lines = body[: header.entries].split(b"\n") if header.count else []
            index.entries = [msgspec.json.decode(line, type=dict[str, Any]) for line in lines]
            numbers = body[header.entries :]
            index.scales = np.frombuffer(numbers[: 4 * header.count], "<f4").astype(np.float32)
            index.bytes = np.frombuffer(numbers[4 * header.count :], np.int8).reshape(header.count, header.width)
            if len(index.entries) != header.count:
                raise ValueError("it has another number of entries")
        except (ValueError, msgspec.DecodeError, RecursionError) as error:
            raise ModelError(
                f"{path}: not an index of lamella, or damaged ({error}). Make it again with --corpus."
            ) from error
        if model and header.model != model:
            raise ModelError(
                f"{path}: expected an index made by this model, received one of another. Make it again with --corpus."
            )
        index._known = set(map(_key, index.entries))
        return index


def _key(entry: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(msgspec.json.encode(entry, order="sorted")).digest()


def identity(model: Model) -> str:
    """The identity of a model's vectors: a digest of its graphs and of what it learned."""
    names = sorted(name for name in model.files if name.endswith((".onnx", ".model")))
    return digest(b"".join(digest(model.files[name]).encode() for name in names))


def asked(
    model: Model,
    ask: str = "",
    corpus: Sequence[str | Path] = (),
    index: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
    tell: Tell | None = None,
) -> Model:
    """The model set to one of its questions, with the index that it searches, if any.

    ask: the question's name, "": the first. corpus: files whose lines, rows or pictures are searched. index: the file that
    keeps their vectors: read where it exists, and written where entries are added. columns: of a table in the corpus.
    Raises UsageError for an unknown question, and where a corpus is missing, or given to a question that needs none.
    """
    trained = model.ask(ask)
    job = trained.task
    source = job.questions[job.state.asked].corpus if job.state.asked else ""
    if not source:
        if corpus or index:
            searching = [name for name, question in job.questions.items() if question.corpus]
            hint = f" Add --ask {searching[0]}." if searching else " This model searches nothing."
            raise UsageError(f"--corpus and --index: expected a question that is answered by searching.{hint}")
        return trained
    if not corpus and not index:
        raise UsageError(
            f"--ask {job.state.asked}: expected something to search in. Give it with --corpus FILE or --index FILE."
        )
    place = Path(index) if index else None
    if place and not place.exists() and not corpus:
        raise UsageError(f"{place}: no such index. Make it with --corpus FILE --index {place}")
    model_id = identity(model)
    searched = Index.read(place, model_id) if place and place.exists() else Index(model_id)
    entries = [entry for path in corpus for entry in read_corpus(model.ask(source).task, Path(path), columns)]
    fresh, before = searched.lacks(entries), len(searched)
    problems: list[str] = []
    for first in range(0, len(fresh), AT_ONCE):
        part = fresh[first : first + AT_ONCE]
        answered = list(zip(part, answer_all(model.ask(source), part), strict=True))
        problems += [str(vector) for _, vector in answered if isinstance(vector, LamellaError)]
        good = [(entry, vector) for entry, vector in answered if not isinstance(vector, LamellaError)]
        searched.add([entry for entry, _ in good], np.array([vector for _, vector in good], np.float32))
        if tell and len(fresh) > AT_ONCE:
            tell(f"index: {min(first + AT_ONCE, len(fresh)):,} of {len(fresh):,}")
    added = len(searched) - before
    if problems and not added:  # nothing of it can be read: that is no slip but another kind of file
        raise DataError(f"expected entries that can be read, received {len(problems):,} that cannot: {problems[0]}")
    if tell:
        for problem in problems:
            tell(f"left out: {problem}")
    if place and added:
        searched.write(place)
        if tell:
            tell(f"{place}: {added:,} entries added, {len(searched):,} in all")
    if not len(searched):
        raise DataError(f"{', '.join(map(str, corpus)) or place}: expected something to search in, received nothing.")
    return searching_in(trained, searched)


def searching_in(model: Model, index: Index) -> Model:
    """The same model with an index to search in."""
    other = copy.copy(model)
    other.task = copy.copy(model.task)
    other.task.state = other.task.state.changed(index=index)
    return other


def read_corpus(job: Task, path: Path, columns: Mapping[str, str] | None) -> list[Example]:
    """A file's lines or rows, or a folder's pictures or sounds, as examples of the question that makes their vectors."""
    if path.is_dir():
        name = next((name for name, field in job.fields.items() if field.media), "")
        inside = [p for p in sorted(path.rglob("*")) if name and p.suffix.lower() in job.fields[name].suffixes]
        return [{name: str(p)} for p in inside]
    if not path.is_file():
        raise UsageError(f"{path}: no such file. Expected a file of texts or a table to search in.")
    if is_table(path):
        return read_rows(job, path, columns)
    [name] = job.fields
    return [{name: line.strip()} for line in split_lines(read_text(path)[0]) if line.strip()]
