"""Files that are a ZIP of others (office documents, books): read within bounds, written again with the rest as it was."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping

from lamella.errors import DataError

MOST_FILES = 20_000
MOST = 400 * 2**20  # bytes of all files in it, unpacked
MOST_TEXT = 64 * 2**20  # bytes of one that is read
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # the container of old formats, and of new ones with a password


class Archive:
    """The files of a ZIP. Raises DataError where it is none, is damaged, has a password, or claims to hold too much."""

    def __init__(self, data: bytes, name: str, kind: str) -> None:
        self.data, self.name, self.kind = data, name, kind
        if data.startswith(_OLE):
            raise self._error("one with a password or of an older format", f"Save it as {kind} without a password")
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                self.infos = archive.infolist()
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeError) as error:
            raise self._error(f"a file that is damaged or another format ({error})", "Save it again") from error
        if any(info.flag_bits & 1 for info in self.infos):
            raise self._error("one with a password", "Save it without")
        if len(self.infos) > MOST_FILES or sum(info.file_size for info in self.infos) > MOST:
            raise self._error("one that unpacks to too much", f"At most {MOST // 2**20} MB are read")
        self.names = [info.filename for info in self.infos]

    def _error(self, received: str, remedy: str) -> DataError:
        return DataError(f"{self.name}: expected a {self.kind} file, received {received}. {remedy}")

    def read(self, name: str) -> bytes:
        """One of the files."""
        try:
            with zipfile.ZipFile(io.BytesIO(self.data)) as archive, archive.open(name) as file:
                raw = file.read(MOST_TEXT + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            ValueError,
            OSError,
            EOFError,
            KeyError,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise self._error(f"a damaged one: {name[:80]!r} cannot be read ({error})", "Save it again") from error
        if len(raw) > MOST_TEXT:
            raise self._error(f"one whose {name[:80]!r} is larger than {MOST_TEXT // 2**20} MB", "Divide the document")
        return raw

    def replaced(self, files: Mapping[str, bytes]) -> bytes:
        """The archive with other contents for some files; order, times and kinds of packing stay."""
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(self.data)) as archive, zipfile.ZipFile(out, "w") as new:
            for info in self.infos:
                raw = files.get(info.filename)
                if raw is None:
                    raw = self.read(info.filename) if info.file_size <= MOST_TEXT else archive.read(info)
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    info.compress_type = zipfile.ZIP_DEFLATED
                info.flag_bits &= ~0x8  # sizes stand in the head, where readers of a stream look for them
                new.writestr(info, raw)
        return out.getvalue()
