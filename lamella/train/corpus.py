"""A corpus beyond memory: files of lines read once, in parts, into files of examples, of which no more than a part is in memory.

    FOLDER/corpus-0123456789abcdef/part-00000-89abcdef01234567.safetensors

The folder is named by a digest of the files and of all that their reading hangs on, each part by the checksum of what it holds: what
is read already is not read again, and a reading that was stopped goes on. Beside each example stand hashes of it and of its keys, by
which, without looking at texts again, repeats are left out, examples are held out, and whatever shares a key with those is left out.

Tasks say what of their files can be read in parts (`Training.parts`). All else is read as without shards, and encoded into shards.
"""

import hashlib
import inspect
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella import model
from lamella.errors import DataError, UsageError
from lamella.model import fingerprint
from lamella.model.parts import Part, merged, named_encoding, with_columns
from lamella.model.reading import find_parts
from lamella.storage import sealed
from lamella.task import Example, Task
from lamella.train.checks import check
from lamella.train.gather import HELD_OUT, MOST_HELD_OUT, WATCHED, Gathered, shown
from lamella.train.shards import Parts, Shards, in_shards, making, media, slices, write
from lamella.train.workers import in_processes
from lamella.version import __version__

if TYPE_CHECKING:
    from lamella.train.settings import Settings

IN_MEMORY = 32 << 20  # bytes of files up to which they are read as a whole
SAMPLE = 100_000  # examples that vocabularies and the like are learned from, about
AT_ONCE = 1 << 18  # hashes that are compared at a time
Hashes = NDArray[np.uint64]


class Corpus:
    """Examples in files, of which some are left out."""

    def __init__(self, files: Sequence[Path], name: str) -> None:
        self._files, self.name = list(files), name
        self._out: list[NDArray[np.bool_]] = []
        for arrays in self._each():
            self._out.append(np.zeros(len(arrays["starts"]) - 1, bool))
        self.sampled = 0  # how many of the examples in memory are a sample of these
        self.forbidden: Hashes = np.zeros(0, np.uint64)  # keys of which no example is learned from

    def _each(self) -> Iterator[dict[str, NDArray[Any]]]:
        """The arrays of each part, one part mapped at a time."""
        for file in self._files:
            yield sealed.open_mapped(file)[0]

    def __len__(self) -> int:
        """How many examples there are to learn from."""
        return sum(len(out) - int(out.sum()) for out in self._out)

    @property
    def digest(self) -> str:
        """Of the examples to learn from."""
        return f"{self.name}-{hashlib.sha256(np.sort(self.forbidden).tobytes()).hexdigest()[:16]}"

    def lines(self) -> list[str]:
        """What was said while they were read."""
        return merged([json.loads(arrays["lines"].tobytes()) for arrays in self._each()])

    def parts(self) -> Parts:
        """The examples to learn from, part by part."""
        return [partial(self._decoded, number) for number in range(len(self._files))]

    def _decoded(self, number: int, wanted: Sequence[int] | None = None) -> list[Example]:
        arrays, _ = sealed.open_mapped(self._files[number])
        raw, starts = arrays["rows"], arrays["starts"]
        rows = np.flatnonzero(~self._out[number]).tolist() if wanted is None else wanted
        return [msgspec.msgpack.decode(raw[int(starts[row]) : int(starts[row + 1])].tobytes()) for row in rows]

    def leave_out_repeats(self) -> int:
        """Leave out every example that is the same as an earlier one; returns how many."""
        total = sum(map(len, self._out))
        slots = 1 + total // AT_ONCE  # each holds the examples whose hashes have one remainder
        for slot in range(slots):
            digests, places = [], []
            for number, arrays in enumerate(self._each()):
                own = arrays["digests"].view(np.uint64)
                rows = np.flatnonzero(own % np.uint64(slots) == slot)
                digests.append(own[rows])
                places.append(np.stack([np.full(len(rows), number), rows], axis=1))
            all_digests, all_places = np.concatenate(digests), np.concatenate(places)
            order = np.argsort(all_digests, kind="stable")
            again = np.flatnonzero(all_digests[order][1:] == all_digests[order][:-1]) + 1
            for number, row in all_places[order[again]].tolist():
                self._out[number][row] = True
        return int(sum(out.sum() for out in self._out))

    def lowest(self, count: int) -> list[tuple[int, int]]:
        """(part, row) of the examples whose first keys have the lowest hashes: as good as drawn by the seed."""
        hashes, places = np.zeros(0, np.uint64), np.zeros((0, 2), np.int64)
        for number, arrays in enumerate(self._each()):
            first = arrays["keys"].view(np.uint64)[arrays["key_starts"][:-1]]
            rows = np.flatnonzero(~self._out[number])
            hashes = np.concatenate([hashes, first[rows]])
            places = np.concatenate([places, np.stack([np.full(len(rows), number), rows], axis=1)])
            kept = np.argsort(hashes, kind="stable")[:count]
            hashes, places = hashes[kept], places[kept]
        return [(part, row) for part, row in places.tolist()]

    def examples(self, places: Sequence[tuple[int, int]]) -> list[Example]:
        """These examples, by part and row, in their order."""
        return [self._decoded(part, [row])[0] for part, row in places]

    def leave_out(self, keys: Hashes) -> int:
        """Leave out every example that has one of these keys; returns how many were left out besides those that were."""
        self.forbidden = np.unique(np.concatenate([self.forbidden, keys]))
        before = len(self)
        for out, arrays in zip(self._out, self._each(), strict=True):
            held = np.isin(arrays["keys"].view(np.uint64), self.forbidden)
            starts = arrays["key_starts"]
            if held.any():
                out |= np.add.reduceat(held, starts[:-1].astype(np.int64), dtype=np.int64) > 0
        return before - len(self)

    def sample(self) -> list[Example]:
        """Examples to learn a vocabulary and the like from: all, or about `SAMPLE` of them, chosen by hashes of what they are."""
        limit = np.uint64(SAMPLE * 2**64 // len(self)) if len(self) > SAMPLE else None
        found: list[Example] = []
        for number, arrays in enumerate(self._each()):
            chosen = ~self._out[number]
            if limit is not None:
                chosen &= arrays["digests"].view(np.uint64) < limit
            found += self._decoded(number, np.flatnonzero(chosen).tolist())
        self.sampled = len(found)
        return found

    def fingerprint(self, held: Sequence[Sequence[str]], more: Sequence[Sequence[str]]) -> bytes:
        """The fingerprint of all keys, those of what is held out aside; more: keys of examples that are trained on besides."""
        salt = _salt(self.name)
        hashes = fingerprint.hashes(more, salt)
        for arrays in self._each():
            hashes = np.union1d(hashes, arrays["prints"].view(np.uint64))[: 2 * fingerprint.MOST]
        return fingerprint.of(np.setdiff1d(hashes, fingerprint.hashes(held, salt)), salt)


def gather_corpus(
    job: Task, data: Sequence[str], test: Sequence[str], columns: Mapping[str, str] | None, settings: "Settings",
    tell: Callable[[str], None],
) -> Gathered | None:  # fmt: skip
    """What `gather` does, for a corpus beyond memory; None where it is small, or cannot be read in parts.

    `learn` is a sample of it then. Raises what `gather` does, and TrainingError where the parts cannot be written.
    """
    if list(data) == ["sample"]:
        return None
    found = find_parts(data[0]) if len(data) == 1 and Path(data[0]).is_dir() else None
    paths = found.learn if found else list(data)
    _refuse_inside(str(settings.shards), data)
    size = sum(Path(path).stat().st_size for path in paths if Path(path).is_file())
    if size <= IN_MEMORY:
        return None
    parts = job.training.parts(paths, columns) if job.training.parts else []
    if not parts:
        tell("note: these data cannot be read in parts, and are read into memory as a whole")
        return None
    corpus = _read(job, parts, columns, settings, tell)
    lines = corpus.lines()
    repeats = corpus.leave_out_repeats() if parts[0].distinct else 0
    lines += [f"dropped {repeats:,}: the same as an earlier one"] if repeats else []
    test = test or (found.test if found else [])
    held = job.read(list(test), columns)[0] if test else []
    watched = job.read(found.watch, columns)[0] if found and found.watch else []
    watched = random.Random(settings.seed).sample(watched, min(WATCHED, len(watched)))
    wanted = 0 if held else max(1, min(MOST_HELD_OUT, round(HELD_OUT * len(corpus))))
    also = 0 if watched else max(1, min(WATCHED, round(0.05 * len(corpus))))
    low = corpus.examples(corpus.lowest(wanted + also))
    held, watched = held or low[:wanted], watched or low[wanted:]
    known = _hashes([job.keys(e) for e in held], settings.seed)
    watched = [e for e in watched if not np.isin(_hashes([job.keys(e)], settings.seed), known).any()] or held[:WATCHED]
    if wanted:
        lines.append(f"held out: {len(held)} examples, by seed {settings.seed}, never trained on")
    left = corpus.leave_out(_hashes([job.keys(e) for e in (*held, *watched)], settings.seed)) - len(low)
    if left > 0:
        lines.append(f"left out: {left:,} more that share something with those")
    learn = corpus.sample()
    if len(learn) < job.training.fewest:
        raise DataError(
            f"{', '.join(data)}: expected at least {job.training.fewest} {job.training.noun}, received {len(learn)}. Add more."
        )
    lines += check(job, learn)
    lines.append(f"examples: {len(corpus)} to train on, {len(watched)} to watch it by, {len(held)} to measure it with")
    if len(learn) < len(corpus):
        lines.append(f"what is learned before training, such as a vocabulary, is learned from {len(learn):,} of them")
    for example in random.Random(settings.seed).sample(learn, 3):
        lines.append("sample: " + " | ".join(map(shown, example.values())))
    return Gathered(learn, held, watched, lines, corpus)


def encoded(job: Task, gathered: Gathered, settings: "Settings", tell: Callable[[str], None]) -> Shards:
    """The examples to train on in shards: those of the corpus, where there is one, and those in memory besides."""
    corpus = gathered.corpus
    extra = gathered.learn[corpus.sampled :] if corpus else gathered.learn
    parts = [*(corpus.parts() if corpus else []), *slices(job, extra)]
    rows = json.dumps([corpus.digest if corpus else "", extra], sort_keys=True, default=str)
    data = model.digest(rows.encode(errors="surrogatepass")) + media(job, extra)
    return in_shards(job, parts, data, Path(str(settings.shards)), settings.threads, tell)


def _refuse_inside(folder: str, data: Sequence[str]) -> None:
    """UsageError where shards would lie among the data, and be read as such the next time."""
    place = Path(folder).resolve()
    for path in map(Path, data):
        if path.is_dir() and place.is_relative_to(path.resolve()):
            raise UsageError(f"--shards {folder}: expected a folder outside of the data, received one within {path}.")


def _read(
    job: Task, parts: Sequence[Part], columns: Mapping[str, str] | None, settings: "Settings", tell: Callable[[str], None]
) -> Corpus:  # fmt: skip
    """Read the parts that are not read yet, by several processes, and open what they are written to."""
    name = _name(job, parts, columns, settings.seed)
    place = Path(str(settings.shards)) / f"corpus-{name}"
    stems = [f"part-{number:05}" for number in range(len(parts))]
    read_by = with_columns(job, parts, columns)
    with making(place):
        kept = sealed.listed(place)
        for stem in stems:
            if stem in kept:
                sealed.check(kept[stem])
        todo = [number for number, stem in enumerate(stems) if stem not in kept]

        def work(number: int) -> None:
            part = read_by[number][0]
            with part.only():
                examples, lines = job.read(part.paths, read_by[number][1])
            write(
                _arrays(job, examples, [part.placed(line) for line in lines], settings.seed, name), place, stems[number]
            )

        for done, _ in enumerate(in_processes(work, todo, settings.threads), start=1):
            if done % 20 == 0:
                tell(f"corpus: {len(parts) - len(todo) + done} parts of {len(parts)} read")
        kept = sealed.listed(place)
    tell(f"corpus: {len(parts)} parts in {place}, {f'{len(todo)} read now' if todo else 'all read before'}")
    return Corpus([kept[stem] for stem in stems], name)


def _name(job: Task, parts: Sequence[Part], columns: Mapping[str, str] | None, seed: int) -> str:
    """A digest of the files and of all that their reading hangs on: 16 digits of a sha256."""
    sha = hashlib.sha256()
    facts = {
        "lamella": __version__,
        "task": [type(job).__qualname__, model.digest(Path(inspect.getfile(type(job))).read_bytes())],
        "config": msgspec.to_builtins(job.config),
        "size": job.size_name,
        "columns": dict(columns or {}),
        "encoding": named_encoding(),
        "seed": seed,
        "parts": [
            [Path(path).suffix, span.begin, span.end]
            for p in parts
            for path, span in zip(p.paths, p.spans, strict=True)
        ],
    }
    sha.update(json.dumps(facts, sort_keys=True, default=str).encode(errors="surrogatepass"))
    for path in dict.fromkeys(path for part in parts for path in part.paths):
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                sha.update(chunk)
    return sha.hexdigest()[:16]


def _arrays(job: Task, examples: Sequence[Example], lines: Sequence[str], seed: int, name: str) -> dict[str, Any]:
    """What a part's file holds: the examples in msgpack end to end, and hashes of them and of their keys."""
    rows = [msgspec.msgpack.encode(dict(example), order="sorted") for example in examples]
    keys = [job.keys(example) for example in examples]
    digests = np.frombuffer(b"".join(hashlib.blake2b(row, digest_size=8).digest() for row in rows), np.int64)
    prints = fingerprint.hashes(keys, _salt(name))[: 2 * fingerprint.MOST]
    return {
        "rows": np.frombuffer(b"".join(rows), np.uint8),
        "starts": np.cumsum([0, *map(len, rows)]),
        "digests": digests,
        "keys": _hashes(keys, seed).view(np.int64),
        "key_starts": np.cumsum([0, *map(len, keys)]).astype(np.int32),
        "prints": prints.view(np.int64),
        "lines": np.frombuffer(json.dumps(list(lines)).encode(), np.uint8),
    }


def _hashes(keys: Sequence[Sequence[str]], seed: int) -> Hashes:
    """A hash of each key, all examples' end to end, that depends on the seed."""
    salt = seed.to_bytes(16, "big", signed=False)
    each = (
        hashlib.blake2b(k.encode(errors="surrogatepass"), digest_size=8, salt=salt).digest() for g in keys for k in g
    )
    return np.frombuffer(b"".join(each), np.uint64)


def _salt(name: str) -> bytes:
    """Of the fingerprint of a corpus: it takes the place of one that hangs on all keys, which are never together."""
    return bytes.fromhex(name)[: fingerprint.SALT]
