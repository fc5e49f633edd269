"""`python -m tests.pictures [folder]`: take every picture anew, into docs/pictures unless told otherwise."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.browser import find_chromium, launched
from tests.pictures.camera import SCHEMES, file_name
from tests.pictures.scenes import ROOT, walk

FOLDER = ROOT / "docs" / "pictures"


async def _take(executable: str, folder: Path) -> None:
    async with launched(executable) as browser:
        for name in await walk(browser, folder):
            for scheme in SCHEMES:
                path = folder / file_name(name, scheme)
                print(f"{path.stat().st_size / 1000:6.0f} kB  {path}")


def main(arguments: list[str]) -> int:
    executable = find_chromium()
    if executable is None:
        print("Pictures need Chromium. On Debian: apt-get install chromium", file=sys.stderr)
        return 1
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_take(executable, folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
