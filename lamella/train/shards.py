"""Encoded examples in files that are mapped into memory: a training holds the batch that it works on, not its corpus.

    FOLDER/shards-0123456789abcdef/shard-00000-89abcdef01234567.safetensors

The folder is named by a digest of all that the arrays hang on: examples, task, options, and what was learned from the data,
such as a vocabulary. Each shard is named by the checksum of what it holds. So shards are made once, used again while nothing has
changed, and made on where that was stopped; one that was changed is refused. Shards of other data stand beside them.

Numbers are kept in the narrowest type that holds them all, and handed over in the task's own: batches, and so losses, are those
of a training from memory, bit for bit.
"""

import hashlib
import inspect
import json
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lamella import model
from lamella.errors import DataError, TrainingError, UsageError
from lamella.model.learned import learned
from lamella.storage import disk, sealed
from lamella.storage.tensors import KINDS
from lamella.task import Arrays, Example, Task
from lamella.train.batches import Ints
from lamella.train.engine import Store
from lamella.train.workers import in_processes
from lamella.version import __version__

FORMAT = 1
BYTES = 16 << 20  # of a shard, about
MOST = 1 << 14  # examples of a shard
HELD = 8  # shards of which something may be in memory
OPEN = 256  # shards that are mapped at a time
NARROW = (np.uint8, np.int8, np.uint16, np.int32)

Parts = Sequence[Callable[[], list[Example]]]  # the examples of each shard


class About(msgspec.Struct):
    """An array of a shard: its type in the task, whether it has a first axis, and how long that is."""

    dtype: str
    ragged: bool
    shortest: int
    longest: int


class Shards:
    """Encoded examples in shards: what `Store` is in memory."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = list(files)
        self._maps: dict[int, tuple[dict[str, NDArray[Any]], Any]] = {}
        self._touched: set[int] = set()  # the system may map megabytes where a byte is read, and counts them as memory
        counts, abouts = [], []
        for number in range(len(files)):
            arrays = self._arrays(number)
            counts.append(int(arrays["count"][0]))
            about = msgspec.json.decode(arrays["about"].tobytes(), type=dict[str, About])
            abouts += [about] if about else []
            self._forget()
        self._ends = np.cumsum(counts)
        self._about = {name: _joined([about[name] for about in abouts]) for name in (abouts[0] if abouts else {})}

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, index: int) -> Arrays:
        shard = bisect_right(self._ends, index)
        row = index - (int(self._ends[shard - 1]) if shard else 0)
        arrays, example = self._arrays(shard), {}
        for name, about in self._about.items():
            starts = arrays[f"starts.{name}"]
            found = arrays[f"flat.{name}"][int(starts[row]) : int(starts[row + 1])].astype(about.dtype)
            example[name] = found if about.ragged else found[0]
        return example

    def batch(self, indices: NDArray[np.int64], collate: Callable[[Sequence[Arrays]], Arrays]) -> Arrays:
        """The arrays of these examples in one, padded as the task does it."""
        batch = collate([self[int(i)] for i in indices])
        self._forget()
        return batch

    def lengths(self) -> "Lengths":
        """(N, M): how long each example's M arrays are, those that vary; looked up where they are asked for."""
        names = list(self._about)
        varying = [name for name in names if self._about[name].shortest != self._about[name].longest]
        return Lengths(self, varying or names[:1])

    def look_up(self, indices: Ints, names: Sequence[str]) -> Ints:
        """(n, M): how long these arrays of these examples are."""
        out = np.empty((len(indices), len(names)), np.int64)
        shards = np.searchsorted(self._ends, indices, side="right")
        order = np.argsort(shards, kind="stable")
        found, firsts = np.unique(shards[order], return_index=True)
        for shard, where in zip(found.tolist(), np.split(order, firsts[1:]), strict=True):
            rows = indices[where] - (int(self._ends[shard - 1]) if shard else 0)
            arrays = self._arrays(shard)
            for column, name in enumerate(names):
                starts = arrays[f"starts.{name}"]
                out[where, column] = starts[rows + 1].astype(np.int64) - starts[rows]
            self._forget()
        return out

    def _arrays(self, shard: int) -> dict[str, NDArray[Any]]:
        if shard not in self._maps:
            if len(self._maps) >= OPEN:
                del self._maps[next(iter(self._maps))]
            self._maps[shard] = sealed.open_mapped(self._files[shard])
        if len(self._touched) >= HELD and shard not in self._touched:
            self._forget()
        self._touched.add(shard)
        return self._maps[shard][0]

    def _forget(self) -> None:
        """Let what was read of the maps count as free again; what is used is a copy."""
        for shard in self._touched & self._maps.keys():
            sealed.forget_pages(self._maps[shard][1])
        self._touched.clear()


class Lengths:
    """The lengths of examples in shards as an array of them would give them: `lengths[indices]`."""

    def __init__(self, shards: Shards, names: Sequence[str]) -> None:
        self._shards, self._names = shards, names

    def __len__(self) -> int:
        return len(self._shards)

    def __getitem__(self, indices: Ints) -> Ints:
        return self._shards.look_up(indices, self._names)


def in_shards(
    job: Task, parts: Parts, data: str, folder: Path, workers: int, tell: Callable[[str], None]
) -> Shards:  # fmt: skip
    """The encoded examples of these parts, a shard each; those that are there already are used.

    data: a digest of the examples. Raises UsageError where the folder cannot be one, DataError that names a shard which was changed,
    TrainingError where there is no room for one: what is complete is kept then.
    """
    place = folder / f"shards-{digest(job, data)}"
    start = time.monotonic()
    with making(place):
        kept = sealed.listed(place)
        stems = [f"shard-{number:05}" for number in range(len(parts))]
        for stem in stems:
            if stem in kept:
                sealed.check(kept[stem])
        todo = [number for number, stem in enumerate(stems) if stem not in kept]

        def work(number: int) -> None:
            rows = [{**job.inputs(e), **job.prompt(e), **job.targets(e)} for e in parts[number]()]
            write(_shard(rows), place, stems[number])

        for done, _ in enumerate(in_processes(work, todo, workers), start=1):
            if done % 20 == 0:
                tell(f"shards: {len(parts) - len(todo) + done} of {len(parts)}")
        kept = sealed.listed(place)
    shards = Shards([kept[stem] for stem in stems])
    made = f"{len(todo)} made in {time.monotonic() - start:.0f} s" if todo else "all there already"
    tell(f"shards: {len(parts)} with {len(shards):,} examples in {place}, {made}")
    return shards


def digest(job: Task, data: str) -> str:
    """Of all that encoded examples hang on: 16 digits of a sha256."""
    facts = {
        "format": FORMAT,
        "lamella": __version__,
        "task": [type(job).__qualname__, model.digest(Path(inspect.getfile(type(job))).read_bytes())],
        "config": msgspec.to_builtins(job.config),
        "size": job.size_name,
        "learned": learned(job),
        "data": data,
    }
    raw = json.dumps(facts, sort_keys=True, default=lambda value: model.digest(_bytes(value)))
    return hashlib.sha256(raw.encode(errors="surrogatepass")).hexdigest()[:16]


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else repr(value).encode(errors="surrogatepass")


class making:
    """A folder in which one process at a time makes files; others wait. What killed ones left is removed, and nothing else.

    Raises UsageError where it cannot be made.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        try:
            if place.is_symlink():
                raise OSError(None, "is a link", str(place))
            disk.make_folder(place)
        except OSError as error:
            raise UsageError(
                f"--shards {place.parent}: expected a folder that can be written, and {place.name} in it cannot be made "
                f"({error.strerror or error}). Choose another."
            ) from error
        self._lock = disk.locked(place)

    def __enter__(self) -> None:
        self._lock.__enter__()
        disk.clean(self.place, own=True)

    def __exit__(self, *error: Any) -> None:
        disk.clean(self.place, own=True)
        self._lock.__exit__(*error)


def write(arrays: Arrays, place: Path, stem: str) -> None:
    """Write a sealed file of a folder. TrainingError where the disk is full or cannot be written."""
    try:
        sealed.write(arrays, place, stem)
    except OSError as error:
        raise TrainingError(
            f"{place / stem}: could not be written ({error.strerror or error}). The files that are complete are kept: free some "
            "disk space and run the same command again, which goes on from there."
        ) from error


def slices(job: Task, learn: Sequence[Example]) -> Parts:
    """Examples in memory as parts for shards of about `BYTES`."""
    first = [{**job.inputs(e), **job.prompt(e), **job.targets(e)} for e in learn[:32]]
    size = sum(np.asarray(array).nbytes for row in first for array in row.values()) / max(1, len(first))
    count = max(1, min(MOST, int(BYTES / max(1.0, size))))
    return [_slice(learn, at, at + count) for at in range(0, len(learn), count)]


def _slice(learn: Sequence[Example], begin: int, end: int) -> Callable[[], list[Example]]:
    return lambda: list(learn[begin:end])


def media(job: Task, learn: Iterable[Example]) -> str:
    """A digest of the size and the time of change of all files that examples name, such as pictures; of none "" is known."""
    names = [name for name, field in job.fields.items() if field.media]
    sha = hashlib.sha256()
    for example in learn if names else ():
        for value in (example.get(name) for name in names):
            if isinstance(value, str) and len(value) < 4096 and not value.startswith("data:"):
                try:
                    about = Path(value).stat()
                except (OSError, ValueError):
                    continue
                sha.update(f"{value}\0{about.st_size}\0{about.st_mtime_ns}\n".encode(errors="surrogatepass"))
    return sha.hexdigest()


def _shard(rows: Sequence[Arrays]) -> Arrays:
    """Encoded examples as the arrays of a shard."""
    store = Store.of(rows) if rows else Store({}, {}, {})
    out: Arrays = {"count": np.array([len(rows)])}
    about = {}
    for name, flat in store.flat.items():
        if flat.dtype.newbyteorder("<") not in {np.dtype(kind) for kind in KINDS.values()}:
            raise DataError(f"shards cannot hold the array {name!r} of type {flat.dtype}. Train without --shards.")
        starts = store.starts[name]
        lengths = np.diff(starts)
        about[name] = About(flat.dtype.str, store.ragged[name], int(lengths.min()), int(lengths.max()))
        out[f"flat.{name}"], out[f"starts.{name}"] = _narrowed(flat), _narrowed(starts)
    out["about"] = np.frombuffer(msgspec.json.encode(about), np.uint8)
    return out


def _narrowed(array: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers in the narrowest type that holds them all.

    >>> _narrowed(np.array([0, 300])).dtype, _narrowed(np.array([-1, 1])).dtype, _narrowed(np.array([0.5])).dtype
    (dtype('uint16'), dtype('int8'), dtype('float64'))
    """
    if array.dtype.kind not in "iu" or not array.size:
        return array
    low, high = int(array.min()), int(array.max())
    for kind in NARROW:
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max and np.dtype(kind).itemsize < array.dtype.itemsize:
            return array.astype(kind)
    return array


def _joined(abouts: Sequence[About]) -> About:
    """What is true of an array in all shards; its type is the one that holds those of all, as where all are in memory."""
    dtype = np.result_type(*(np.dtype(about.dtype) for about in abouts)).str
    shortest, longest = min(a.shortest for a in abouts), max(a.longest for a in abouts)
    return About(dtype, abouts[0].ragged, shortest, longest)
