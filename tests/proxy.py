"""HAProxy with the file of deploy/, where it is installed: ask for `haproxy`."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.stories.waiting import until_async

HOST = "127.0.0.1"
FILE = Path(__file__).resolve().parents[1] / "deploy" / "haproxy.cfg"


@pytest.fixture(scope="session")
def haproxy() -> str:
    """Its program."""
    found = shutil.which("haproxy")
    if found is None:
        pytest.skip("HAProxy is not installed (on Debian: apt-get install haproxy)")
    return found


@asynccontextmanager
async def proxied(program: str, folder: Path, *, port: int, bots: Sequence[int]) -> AsyncIterator[None]:
    """The file of deploy/ as it is, but that it listens on `port` and finds the bots on these ports."""
    text = FILE.read_text("utf-8").replace("bind :3000", f"bind {HOST}:{port}")
    servers = "\n".join(f"    server bot{n} {HOST}:{bot} check" for n, bot in enumerate(bots))
    for wanted, here in (
        (r"^    default-server .*$", "    default-server inter 500ms fall 3 rise 1"),
        (r"^    server-template .*$", servers),
        (r"^resolvers docker\n(    .*\n)+", ""),
    ):
        text, found = re.subn(wanted, here, text, flags=re.MULTILINE)
        assert found == 1, wanted
    file = folder / "haproxy.cfg"
    file.write_text(text)
    process = await asyncio.create_subprocess_exec(program, "-db", "-f", str(file))
    try:
        async with aiohttp.ClientSession() as session:

            async def ready() -> bool:
                try:
                    async with session.get(f"http://{HOST}:{port}/health/ready") as answer:
                        return answer.status == 200
                except aiohttp.ClientError:
                    return False

            await until_async(ready, "the proxy did not find the bots")
        yield
    finally:
        process.terminate()
        await process.wait()
