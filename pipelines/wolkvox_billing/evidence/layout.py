"""The bytes of an evidence file's zip beside what its members hold: as `archive` writes them, and
no other. So nothing is hidden in a header, between members, or behind the end of a packed one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import IO
from zipfile import ZipInfo

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
# Version 2.0, no flag, deflated, at 00:00 on 1 January 1980.
_COMMON = (20, 0, 8, 0, 0b0000000_0001_00001)
_UNIX, _FILE = 3 << 8 | 20, 0o100644 << 16
_PART_BYTES = 1024 * 1024


def find_flaw(file: IO[bytes], infos: Sequence[ZipInfo]) -> tuple[str, str] | None:
    """Return the first place of a zip whose bytes are others than would be written: the member's
    name, or "" for none, and what is wrong. Not told are other ways to pack the same bytes.

    infos: what the table of contents says; no more is unpacked than it says.
    """
    at, contents = 0, b""
    for info in infos:
        name = info.filename.encode("utf-8", "replace")
        sums = info.CRC, info.compress_size, info.file_size, len(name)
        if max(sums) >= 1 << 32:
            return info.filename, "its sizes are not as they were written"
        header = _LOCAL.pack(b"PK\3\4", *_COMMON, *sums, 0) + name
        file.seek(at)
        if file.read(len(header)) != header:
            return info.filename, "what stands before it in the zip is not as it was written"
        if not _is_packed_alone(file, info):
            return info.filename, "it does not end where the zip says"
        contents += _CENTRAL.pack(b"PK\1\2", _UNIX, *_COMMON, *sums, 0, 0, 0, 0, _FILE, at) + name
        at += len(header) + info.compress_size
    number = len(infos)
    contents += _END.pack(b"PK\5\6", 0, 0, number, number, len(contents), at, 0)
    file.seek(at)
    if file.read(len(contents) + 1) != contents:
        return "", "the zip's table of contents is not as it was written, or bytes follow it"
    return None


def _is_packed_alone(file: IO[bytes], info: ZipInfo) -> bool:
    """Whether the packed bytes, from here on, are one stream that ends with them, of the size and
    sum that the zip says."""
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    left, size, crc = info.compress_size, 0, 0
    try:
        while left and not unpacking.eof and (part := file.read(min(left, _PART_BYTES))):
            left -= len(part)
            is_full = False
            while part or is_full:
                out = unpacking.decompress(part, _PART_BYTES)
                part, is_full = unpacking.unconsumed_tail, len(out) == _PART_BYTES
                size, crc = size + len(out), zlib.crc32(out, crc)
                if size > info.file_size:
                    return False
    except zlib.error:
        return False
    ends = unpacking.eof and not left and not unpacking.unused_data
    return ends and (size, crc) == (info.file_size, info.CRC)
