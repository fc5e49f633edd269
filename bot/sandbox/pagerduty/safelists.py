"""PagerDuty's published lists of addresses, which it serves from a site of its own without any key."""

from __future__ import annotations

import json
from collections.abc import Iterable

from aiohttp import web

HERE = ("127.0.0.1",)  # where this fake sends its webhooks from
NAMES = tuple(
    f"{kind}-{region}-service-region-json" for kind in ("webhooks", "rest-api") for region in ("us", "eu")
)


class PublishedLists:
    """`publish` and `say` change what is answered; `asked` counts."""

    def __init__(self) -> None:
        self._texts = dict.fromkeys(NAMES, json.dumps(HERE))
        self._statuses = dict.fromkeys(NAMES, 200)
        self.asked = 0

    def publish(self, addresses: Iterable[str], *, kind: str = "webhooks", region: str = "us") -> None:
        """These from now on."""
        self.say(json.dumps(list(addresses)), kind=kind, region=region)

    def say(self, text: str, *, status: int = 200, kind: str = "webhooks", region: str = "us") -> None:
        """Answer with anything at all."""
        name = f"{kind}-{region}-service-region-json"
        self._texts[name], self._statuses[name] = text, status

    async def serve(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.asked += 1
        if name not in self._texts:
            return web.Response(status=404, text="<html><body>Not found</body></html>")
        return web.Response(status=self._statuses[name], text=self._texts[name])

    def add_to(self, router: web.UrlDispatcher) -> None:
        router.add_get("/ip-safelists/{name}", self.serve)
