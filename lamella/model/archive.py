"""A strict reader of zip files for model archives: anything unusual is refused.

    with Archive(path) as archive:
        archive.names                    what it holds, each once
        archive.read("model.json")       the bytes of one member, as many as the list says

Hostile zip files may have a central directory of a million entries, overlapping members, wrong sizes, links, encryption,
or data that unpacks to thousands of times its size, and Python's `zipfile` reads the whole directory before one can check
it. So the end of the file is read first, then a directory of bounded length, and only plain members are unpacked: stored
or deflated, in one piece, of the stated size.
"""

import os
import re
import stat
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import msgspec

from lamella.errors import ModelError

LARGEST = 2 << 30  # bytes of a model, packed or not
MEMBERS = 1000
RATIO, LEAST = 100, 64 << 20  # limit on unpacked / packed, for members above that size
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")  # allowed names of a model's files
END = struct.Struct("<4s4H2LH")  # end of central directory record
ENTRY = struct.Struct("<4s6H3L5H2L")  # central directory entry
LOCAL = struct.Struct("<4s5H3L2H")  # local file header
STORED, DEFLATED = 0, 8
ENCRYPTED = 0x1 | 0x20 | 0x40 | 0x2000  # also: patches, strong encryption, a masked list


class Member(msgspec.Struct, frozen=True):
    """One entry of the central directory."""

    name: str
    method: int
    crc: int
    packed: int  # bytes in the archive
    size: int  # bytes when unpacked
    begin: int  # where its own header lies


class Archive:
    """An opened zip file; ModelError for anything unusual."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise self._odd(error.strerror or str(error)) from error
        try:
            about = os.fstat(self._file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise self._odd("not a plain file")
            self._members = self._list(about.st_size)
        except (OSError, struct.error) as error:
            self._file.close()
            raise self._odd(str(error)) from error
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def names(self) -> list[str]:
        """The names of the members."""
        return list(self._members)

    def read(self, name: str, most: int = LARGEST) -> bytes:
        """The bytes of one member, of exactly the stated size; more than `most` are refused unread."""
        member = self._members[name]
        if member.size > most:
            raise self._odd(f"{name} of {member.size:,} bytes, expected at most {most:,}")
        try:
            packed = self._at(self._start(member), member.packed)
            raw = packed
            if member.method == DEFLATED:
                inflate = zlib.decompressobj(-zlib.MAX_WBITS)
                raw = inflate.decompress(packed, member.size + 1)  # at most one byte more than stated, to notice a lie
                if not inflate.eof or inflate.unused_data:
                    raise self._odd(f"{name} does not end where the list of contents says")
        except (OSError, zlib.error, struct.error) as error:
            raise self._odd(f"{name}: {error}") from error
        if len(raw) != member.size or zlib.crc32(raw) != member.crc:
            raise self._odd(f"{name} is not what the list of contents says")
        return raw

    def _odd(self, reason: str) -> ModelError:
        return ModelError(f"{self.path}: expected a model folder or a .zip made by lamella export ({reason}).")

    def _at(self, begin: int, size: int) -> bytes:
        self._file.seek(begin)
        raw = self._file.read(size)
        if len(raw) != size:
            raise self._odd("it ends too early")
        return raw

    def _start(self, member: Member) -> int:
        """Where a member's bytes begin, after its local header, which must agree with the directory."""
        head = LOCAL.unpack(self._at(member.begin, LOCAL.size))
        magic, _, flags, method, _, _, _, _, _, name_size, extra_size = head
        name = self._at(member.begin + LOCAL.size, name_size)
        if magic != b"PK\3\4" or method != member.method or flags & ENCRYPTED or name != member.name.encode():
            raise self._odd(f"{member.name} has another header than the list of contents says")
        return member.begin + LOCAL.size + int(name_size) + int(extra_size)

    def _list(self, size: int) -> dict[str, Member]:
        """Read the central directory, after checking that it is small."""
        if size > LARGEST:
            raise ModelError(f"{self.path}: {size:,} bytes are too many for a model.")
        if size < END.size:
            raise self._odd("no zip file")
        tail = self._at(max(0, size - END.size - 0xFFFF), min(size, END.size + 0xFFFF))
        place = tail.rfind(b"PK\5\6")
        if place < 0 or len(tail) - place < END.size:
            raise self._odd("no zip file")
        _, disk, first_disk, here, count, length, begin, comment = END.unpack(tail[place : place + END.size])
        end = size - len(tail) + place
        if (disk, first_disk) != (0, 0) or here != count or end + END.size + comment != size:
            raise self._odd("in several parts, or with something behind its end")
        if count > MEMBERS or length > MEMBERS * (ENTRY.size + 1000):
            raise ModelError(
                f"{self.path}: {count:,} members, or {length:,} bytes that list them, are too many for a model."
            )
        if begin + length != end:  # also rejects zip64, whose real numbers are elsewhere
            raise self._odd("its list of contents is not where it should be")
        members = self._entries(self._at(begin, length), count)
        self._check_sizes(members, begin, size)
        return {m.name: m for m in members}

    def _entries(self, raw: bytes, count: int) -> list[Member]:
        members, at = [], 0
        for _ in range(count):
            entry = ENTRY.unpack(raw[at : at + ENTRY.size])
            magic, made_by, _, flags, method, _, _, crc, packed, size, names, extra, comment, disk, _, mode, begin = (
                entry
            )
            name = raw[at + ENTRY.size : at + ENTRY.size + names].decode("ascii", "replace")
            at += ENTRY.size + names + extra + comment
            if magic != b"PK\1\2" or at > len(raw) or disk:
                raise self._odd("its list of contents is damaged")
            if "/" in name or "\\" in name:
                raise ModelError(f"{self.path}: a model's zip has no folders. Was it made by lamella export?")
            if not NAME.fullmatch(name):
                raise self._odd(f"a member called {name[:100]!r}")
            kind = stat.S_IFMT(mode >> 16) if made_by >> 8 == 3 else 0  # 3: Unix, which stores file modes
            if kind not in (0, stat.S_IFREG) or mode & 0x10:
                raise self._odd(f"{name} is a link, a folder or a device")
            if flags & ENCRYPTED or method not in (STORED, DEFLATED):
                raise self._odd(f"{name} is encrypted, or packed otherwise than stored or deflated")
            if method == STORED and packed != size:
                raise self._odd(f"{name} says that it has two sizes")
            members.append(Member(name, method, crc, packed, size, begin))
        if at != len(raw):
            raise self._odd("its list of contents is longer than it says")
        return members

    def _check_sizes(self, members: list[Member], end: int, size: int) -> None:
        """Check that names are unique, members do not overlap, and the unpacked size is within the limit."""
        names = [m.name for m in members]
        if twice := next((n for i, n in enumerate(names) if n in names[:i]), None):
            raise self._odd(f"{twice} is in it twice")
        total = sum(m.size for m in members)
        if total > LARGEST:
            raise ModelError(f"{self.path}: {len(members)} members of {total:,} bytes are too many for a model.")
        if total > max(LEAST, RATIO * size):
            raise ModelError(f"{self.path}: {total:,} bytes out of {size:,} are too many for a model.")
        ordered = sorted(members, key=lambda m: m.begin)
        begins = [*(m.begin for m in ordered), end]
        for member, following in zip(ordered, begins[1:], strict=True):
            if member.begin + LOCAL.size + len(member.name) + member.packed > following:
                raise self._odd(f"{member.name} lies over what comes after it")
