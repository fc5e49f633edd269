"""The world around the bot under load, as a process of its own: both fakes, and a sink for answers.

`python -m tests.bench.world` prints one JSON line that says where everything is, and serves until it is told
to stop. Slack's rate limits are off: the bench measures the bot, whose own pace stays on.
"""

from __future__ import annotations

import asyncio
import json
import signal

from aiohttp import web

from bot.sandbox.pagerduty import FakePagerDuty
from bot.sandbox.slack import FakeSlack
from bot.sandbox.world import acme

HOST = "127.0.0.1"


async def _sink(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(text="ok")


async def serve() -> None:
    """Both fakes and the sink, until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    slack, pagerduty = FakeSlack(acme()), FakePagerDuty(acme())
    slack.rate_limits(enabled=False)
    slack_url, pagerduty_url = await slack.start(), await pagerduty.start()
    app = web.Application()
    app.router.add_post("/sink", _sink)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    place = {
        "slack_url": slack_url,
        "bot_token": slack.bot_token,
        "signing_secret": slack.signing_secret,
        "pagerduty_url": pagerduty_url,
        "api_key": pagerduty.api_key,
        "sink_url": f"http://{HOST}:{runner.addresses[0][1]}/sink",
    }
    print(json.dumps(place), flush=True)
    await stop.wait()
    await runner.cleanup()
    await slack.stop()
    await pagerduty.stop()


if __name__ == "__main__":
    asyncio.run(serve())
