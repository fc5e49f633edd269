"""README and docs show the pictures that `make pictures` takes; the walk that takes them gets everywhere."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.pictures.__main__ import FOLDER
from tests.pictures.camera import MOST_BYTES, SCHEMES, SHARPNESS, file_name
from tests.pictures.png import INDEXED, SIGNATURE, indexed_png
from tests.pictures.scenes import PICTURES, ROOT, walk

PAPERS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PICTURE = re.compile("<picture>(.*?)</picture>", re.DOTALL)
SHOWN = [one for paper in PAPERS for one in PICTURE.findall(paper.read_text("utf-8"))]
FILES = {file_name(name, scheme) for name in PICTURES for scheme in SCHEMES}
SHORTEST_ALT = 40  # characters: less does not say what there is to see
MESSAGE_WIDTH = 600  # CSS pixels


def test_the_papers_show_them_all_in_light_and_dark() -> None:
    dark = re.compile(
        r'<source media="\(prefers-color-scheme: dark\)" srcset="(?:docs/)?pictures/([\w-]+)-dark\.png">'
    )
    light = re.compile(r'<img src="(?:docs/)?pictures/([\w-]+)-light\.png"')
    assert [dark.findall(one) for one in SHOWN] == [light.findall(one) for one in SHOWN]
    assert sorted(name for one in SHOWN for name in light.findall(one)) == sorted(PICTURES)


def test_every_picture_says_in_words_what_is_on_it() -> None:
    words = [re.findall(r'alt="([^"]*)"', one) for one in SHOWN]
    assert all(len(alt) == 1 and len(alt[0]) >= SHORTEST_ALT for alt in words), words
    assert len({alt[0] for alt in words}) == len(words)


def test_they_are_there_and_nothing_else_is() -> None:
    assert {path.name for path in FOLDER.iterdir()} == FILES


def size_and_kind(path: Path) -> tuple[int, int, int]:
    """Width, height, colour type."""
    content = path.read_bytes()
    assert content.startswith(SIGNATURE)
    width, height, _, kind = struct.unpack(">IIBB", content[16:26])
    return width, height, kind


@pytest.mark.parametrize("name", sorted(FILES))
def test_each_is_crisp_and_small(name: str) -> None:
    path = FOLDER / name
    width, height, kind = size_and_kind(path)
    assert path.stat().st_size <= MOST_BYTES
    assert kind == INDEXED
    assert height > 50 * SHARPNESS
    if not name.startswith("form"):
        assert width >= MESSAGE_WIDTH * SHARPNESS


async def test_the_walk_takes_them_all(page: Page, tmp_path: Path) -> None:
    browser = page.context.browser
    assert browser is not None
    assert sorted(await walk(browser, tmp_path)) == sorted(PICTURES)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == len(FILES)


def test_a_png_holds_what_was_put_in() -> None:
    png = indexed_png(2, 3, (255, 0, 0, 0, 0, 255), bytes((0, 1, 1, 0, 0, 0)))
    at, chunks = len(SIGNATURE), {}
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + content)
        chunks[kind] = content
        at += 12 + length
    assert zlib.decompress(chunks[b"IDAT"]) == bytes((0, 0, 1, 0, 1, 0, 0, 0, 0))
    assert chunks[b"PLTE"] == bytes((255, 0, 0, 0, 0, 255))


def test_pixels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="5 pixels do not make 2 × 3"):
        indexed_png(2, 3, (0, 0, 0), bytes(5))
