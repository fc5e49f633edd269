"""Writes a PNG of at most 256 colours: eight bits a pixel, no filter, which suits flat surfaces best."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

SIGNATURE = b"\x89PNG\r\n\x1a\n"
INDEXED = 3  # colour type: each pixel names a colour of the palette


def indexed_png(width: int, height: int, palette: Sequence[int], pixels: bytes) -> bytes:
    """`palette` is r, g, b, r, …; `pixels` one index each, row by row. Raises ValueError if they misfit."""
    if len(pixels) != width * height:
        raise ValueError(f"{len(pixels)} pixels do not make {width} × {height}.")
    rows = b"".join(b"\0" + pixels[at : at + width] for at in range(0, len(pixels), width))
    head = struct.pack(">IIBBBBB", width, height, 8, INDEXED, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"PLTE", bytes(palette)), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
