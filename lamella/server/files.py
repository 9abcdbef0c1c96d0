"""Files over HTTP: uploaded documents, answers as downloads, and the page itself."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from lamella.data.readers.suffixes import is_table
from lamella.errors import LamellaError
from lamella.model import Model, shipped
from lamella.server.limits import Limits
from lamella.server.replies import Refused
from lamella.server.scratch import Scratch
from lamella.task import Answer, Example, Task

WEB = Path(__file__).parent.parent / "web"
TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".webp": "image/webp",
    ".json": "application/json", ".webmanifest": "application/manifest+json", ".txt": "text/plain; charset=utf-8",
}  # fmt: skip


def download(name: str, raw: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """A reply that browsers save and never display, whatever its content."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return Response(raw, 200, {"Content-Disposition": disposition, **(headers or {})}, "application/octet-stream")


def answer_document(
    scratch: Scratch, model: Model, name: str, raw: bytes, columns: Mapping[str, str] | None = None
) -> tuple[bytes, str, dict[str, int]]:
    """A document's bytes -> the bytes of its answers, their suffix, and counts. columns: of a table, by field."""
    from lamella.model.answering import predict_file

    suffix = Path(name).suffix.lower()
    if columns and not is_table(name):
        raise Refused(400, f"columns: expected a table, received {suffix[:20] or 'no suffix'}. Leave the field out.")
    with scratch.file(f"{_stem(name)}{suffix}", raw) as place:
        if any(field.media for field in model.task.fields.values()):
            raise Refused(
                415, "a table of pictures or sounds names files, and none is loaded here. Send them one by one."
            )
        own = suffix if suffix == ".xlsx" else ""  # else it would come back as CSV
        return predict_file(model, place, columns, suffix=own)


def answer_rows(scratch: Scratch, model: Model, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows of a table that is answered as a whole, such as series -> a reply with the rows of its answers."""
    from lamella.model.whole_tables import answer_path

    raw = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    with scratch.file("rows.jsonl", raw) as place:
        found, notes = answer_path(model, place)
    rendered = [", ".join(f"{name}: {cell}" for name, cell in row.items()) for row in found]
    return {"answers": found, "rendered": rendered, **({"notes": notes} if notes else {})}


def rows_of(
    scratch: Scratch, model: Model, name: str, raw: bytes, columns: Mapping[str, str] | None
) -> list[Example] | None:
    """The rows of a table that are to be answered; None where the file is no table, as a `.json` of a page's texts."""
    from lamella.data.documents.json_locale import is_locale
    from lamella.model.answering import read_rows

    suffix = Path(name).suffix.lower()
    if not is_table(name) or suffix in model.task.output.suffixes and suffix != ".json":
        return None
    with scratch.file(f"{_stem(name)}{suffix}", raw) as place:
        if suffix in model.task.output.suffixes and is_locale(place):
            return None
        return read_rows(model.task, place, columns)


def columns_of(given: str, job: Task) -> dict[str, str] | None:
    """A form's `columns`: "text=review,label=stars", or the name of the one column alone; Refused with 400 for others."""
    if not given.strip():
        return None
    parts = [part.partition("=") for part in given.split(",")]
    if len(job.fields) == 1 and not any(equals for _, equals, _ in parts):
        return {next(iter(job.fields)): given.strip()}
    if not all(name.strip() and column.strip() for name, _, column in parts):
        expected = ",".join(f"{name}=COLUMN" for name in job.fields)
        raise Refused(400, f"columns: expected {expected}, received {given[:80]!r}.")
    return {name.strip(): column.strip() for name, _, column in parts}


class Known(Model):
    """A model whose answers to the rows of a table have been computed, each in the language that it is in."""

    def __init__(self, model: Model, rows: Sequence[Example], answers: Sequence[Answer | LamellaError]) -> None:
        vars(self).update(vars(model))
        self._known = dict(zip(map(_key, rows), answers, strict=True))

    def predict(self, examples: Any) -> Any:
        """The answers to a list of rows; raises what a row among them has instead of one."""
        found = [self._known[_key(example)] for example in examples]
        for answer in found:
            if isinstance(answer, LamellaError):
                raise answer
        return found


def _key(example: Example) -> str:
    return repr(sorted(example.items()))


def words_of(scratch: Scratch, name: str, raw: bytes) -> str:
    """The first words of a document, without its tags and times, to tell their language; "" if it cannot be read."""
    with scratch.file(f"{_stem(name)}{Path(name).suffix.lower()}", raw) as place:
        return shipped.words_of(place)


def name_of(name: str, suffix: str, source: str = "", target: str = "answers") -> str:
    """The name of a file of answers: never that of the file which was sent.

    >>> name_of("letter.md", ".md", "en", "fr"), name_of("letter.en.md", ".md", "en", "fr"), name_of("rows.csv", ".csv")
    ('letter.fr.md', 'letter.fr.md', 'rows.answers.csv')
    """
    stem = Path(name).stem
    return f"{stem.removesuffix(f'.{source}') if source else stem}.{target}{suffix}"


def _stem(name: str) -> str:
    """A safe file name made from a client's, for use in errors."""
    return re.sub(r"[^\w-]", "_", Path(name).stem)[:60] or "document"


def page(name: str, request: Request) -> Response:
    """One of the page's files; browsers cache it and revalidate."""
    if not re.fullmatch(r"[\w-]+(\.[\w-]+)+", name) or Path(name).suffix not in TYPES or not (WEB / name).is_file():
        raise Refused(404, "no such file.")
    raw = (WEB / name).read_bytes()
    headers = {"ETag": f'"{hashlib.sha256(raw).hexdigest()[:24]}"', "Cache-Control": "no-cache"}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(None, 304, headers)
    return Response(raw, 200, {**headers, "Content-Type": TYPES[Path(name).suffix]})


async def upload(form: Any, limits: Limits) -> tuple[str, bytes]:
    """The name and the bytes of a form's file."""
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise Refused(400, "expected a form with a file in its field `file`.")
    name = file.filename.replace("\\", "/").rpartition("/")[2].encode(errors="replace").decode()
    return name[-200:], await file.read()
