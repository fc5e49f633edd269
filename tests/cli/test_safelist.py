"""`python -m bot safelist`: both directions, what changed, and who is told of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.cli.hosts import hosts, in_order
from bot.cli.safelist import VERB, Safelist
from bot.cli.settings import add_places
from bot.errors import UserError
from bot.pagerduty.safelist import SNAPSHOT
from bot.sandbox.pagerduty.server import FakePagerDuty
from bot.settings import Settings
from tests.cli.conftest import Cli

API = "api.pagerduty.com"


class Names:
    """A name server whose answers change: every name has an address of its own, unless told otherwise."""

    def __init__(self) -> None:
        self.answers: dict[str, Sequence[str]] = {}
        self.away: set[str] = set()

    async def resolve(self, name: str) -> Sequence[str]:
        if name in self.away:
            raise OSError(-2, "Name or service not known")
        return self.answers.get(name, [f"198.51.100.{sum(name.encode()) % 250}", "2001:db8::1"])


class Enough(Exception):
    """Ends a watch."""


class Scene:
    def __init__(self, folder: Path, pagerduty: FakePagerDuty, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.pagerduty, self.capsys = folder, pagerduty, capsys
        self.names = Names()
        self.naps: list[Any] = []

    def safelist(self, *words: str) -> Safelist:
        parser = argparse.ArgumentParser()
        add_places(parser)
        VERB.add_arguments(parser)
        arguments = parser.parse_args(["--state", str(self.folder / "state.json"), *words])
        settings = Settings(safelist_url=self.pagerduty.origin)
        return Safelist(settings, arguments, resolve=self.names.resolve, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        if not self.naps:
            raise Enough
        self.naps.pop(0)()

    async def run(self, *words: str) -> tuple[int, str]:
        status = await self.safelist(*words).run()
        return status, self.capsys.readouterr().out

    async def told(self, *words: str) -> tuple[int, Any]:
        status, out = await self.run("--format", "json", *words)
        return status, json.loads(out)


@pytest.fixture
def scene(tmp_path: Path, pagerduty: FakePagerDuty, capsys: pytest.CaptureFixture[str]) -> Scene:
    pagerduty.safelists.publish(["192.0.2.7", "192.0.2.8"])
    return Scene(tmp_path, pagerduty, capsys)


async def test_both_directions_are_there(scene: Scene) -> None:
    scene.names.answers[API] = ["198.51.100.20", "198.51.100.3", "2001:db8::3", "198.51.100.3"]
    status, out = await scene.run()
    assert status == 0
    for name in ("events.pagerduty.com", "identity.pagerduty.com", "slack.com", "wss-primary.slack.com"):
        assert f"  {name}: " in out
    assert "Jira Server" in out
    assert "    198.51.100.3  198.51.100.20  2001:db8::3" in out
    assert "    192.0.2.7  192.0.2.8" in out
    assert "This is the first run" in out
    status, out = await scene.run()
    assert (status, "Nothing changed since the last run." in out) == (0, True)


async def test_a_change_is_told_and_is_the_exit_status(scene: Scene) -> None:
    scene.names.answers[API] = ["198.51.100.3"]
    await scene.run()
    scene.names.answers[API] = ["198.51.100.4"]
    scene.pagerduty.safelists.publish(["192.0.2.8", "192.0.2.9"])
    status, out = await scene.run()
    assert status == 3
    assert out.endswith(
        "Changed since the last run:\n"
        f"  + {API} 198.51.100.4\n  - {API} 198.51.100.3\n  + webhooks 192.0.2.9\n  - webhooks 192.0.2.7\n"
    )
    assert (await scene.run())[0] == 0


async def test_the_json_has_everything(scene: Scene) -> None:
    await scene.run()
    scene.pagerduty.safelists.publish(["192.0.2.7"])
    status, told = await scene.told()
    assert status == 3
    assert told["region"] == "us"
    assert told["webhooks"] == {"addresses": ["192.0.2.7"], "fresh": True, "problem": ""}
    assert told["changes"] == [{"list": "webhooks", "added": [], "gone": ["192.0.2.8"]}]
    assert {one["host"] for one in told["outbound"]} == {
        *("api.pagerduty.com", "events.pagerduty.com", "identity.pagerduty.com", "app.pagerduty.com"),
        *("slack.com", "wss-primary.slack.com", "wss-backup.slack.com"),
    }
    assert {one["port"] for one in told["outbound"]} == {443}


async def test_what_cannot_be_asked_keeps_what_it_was(scene: Scene) -> None:
    await scene.run()
    before = (await scene.told())[1]
    scene.names.away.add(API)
    scene.names.answers["slack.com"] = []
    scene.pagerduty.safelists.say("<html>Sign in</html>")
    status, told = await scene.told()
    assert status == 0
    assert told["webhooks"]["addresses"] == before["webhooks"]["addresses"]
    assert (told["webhooks"]["fresh"], told["webhooks"]["problem"]) == (
        False,
        "the answer is no list of addresses",
    )
    hosts_then, hosts_now = (
        {one["host"]: one["addresses"] for one in told["outbound"]} for told in (before, told)
    )
    assert hosts_then == hosts_now
    assert [one["host"] for one in told["outbound"] if not one["fresh"]] == [API, "slack.com"]


async def test_without_a_network_the_list_in_the_code_is_given_and_called_so(scene: Scene) -> None:
    scene.pagerduty.safelists.say("", status=500)
    status, out = await scene.run()
    assert status == 0
    assert "PagerDuty's developer documentation, August 2026" in out
    assert all(one in out for one in SNAPSHOT["us"])


async def test_the_other_region_has_hosts_and_a_state_of_its_own(scene: Scene) -> None:
    scene.pagerduty.safelists.publish(["192.0.2.99"], region="eu")
    _, told = await scene.told("--region", "eu")
    assert told["webhooks"]["addresses"] == ["192.0.2.99"]
    assert {one["host"] for one in told["outbound"]} >= {"api.eu.pagerduty.com", "events.eu.pagerduty.com"}


async def test_exec_hears_of_a_change_only(scene: Scene) -> None:
    heard = scene.folder / "heard"
    script = scene.folder / "hear.py"
    script.write_text(f"import sys; open({str(heard)!r}, 'a').write(sys.stdin.read() + '\\n')")
    command = f"{sys.executable} {script}"
    await scene.run("--exec", command)
    assert not heard.exists()
    scene.pagerduty.safelists.publish(["192.0.2.7"])
    assert (await scene.run("--exec", command))[0] == 3
    (line,) = heard.read_text().splitlines()
    assert json.loads(line)["changes"] == [{"list": "webhooks", "added": [], "gone": ["192.0.2.8"]}]


async def test_what_exec_could_not_do_is_tried_again(scene: Scene) -> None:
    await scene.run()
    scene.pagerduty.safelists.publish(["192.0.2.7"])
    with pytest.raises(UserError, match="ended with 4"):
        await scene.run("--exec", f"{sys.executable} -c 'raise SystemExit(4)'")
    with pytest.raises(UserError, match="cannot be run"):
        await scene.run("--exec", "/there/is/none")
    assert (await scene.run("--exec", f"{sys.executable} -c pass"))[0] == 3


async def test_a_watch_speaks_when_something_changes_and_goes_on(scene: Scene) -> None:
    lists = scene.pagerduty.safelists
    scene.naps = [
        lambda: None,
        lambda: lists.publish(["192.0.2.9"]),
        lambda: (scene.folder / "state.json").write_text("[1]"),
        (scene.folder / "state.json").unlink,
    ]
    with pytest.raises(Enough):
        await scene.safelist("--watch", "60").run()
    out, err = scene.capsys.readouterr()
    assert out.count("Service region us.") == 2
    assert "  + webhooks 192.0.2.9" in out
    assert "is not what an earlier run has written" in err


@pytest.mark.parametrize("kept", ["[1]", "{", '{"a": 1}'])
async def test_a_state_of_something_else_is_refused(scene: Scene, kept: str) -> None:
    (scene.folder / "state.json").write_text(kept)
    with pytest.raises(UserError, match="--state"):
        await scene.run()


def test_hosts_follow_the_settings() -> None:
    own = Settings(pagerduty_region="eu", pagerduty_api_url="https://pd.relay.example")
    assert [one.name for one in hosts(own, "eu")][:2] == ["pd.relay.example", "events.eu.pagerduty.com"]
    assert [one.name for one in hosts(own, "us")][:2] == ["api.pagerduty.com", "events.pagerduty.com"]
    assert in_order(["2001:db8::1", "10.0.0.2", "10.0.0.10", "10.0.0.2"]) == (
        "10.0.0.2",
        "10.0.0.10",
        "2001:db8::1",
    )


async def test_the_verb_needs_no_setting(process: Cli, pagerduty: FakePagerDuty) -> None:
    """Names are not known on a machine without a network, and the verb says so."""
    pagerduty.safelists.publish(["192.0.2.7"])
    settings = {
        "SAFELIST_URL": pagerduty.origin,
        "SLACK_API_URL": "http://localhost:1/api/",
        "PAGERDUTY_API_URL": "http://localhost:1",
        "PAGERDUTY_EVENTS_URL": "http://localhost:1",
        "PAGERDUTY_IDENTITY_URL": "http://localhost:1",
    }
    outcome = await process("safelist", "--format", "json", settings=settings)
    assert (outcome.status, outcome.err) == (0, "")
    assert json.loads(outcome.out)["webhooks"]["addresses"] == ["192.0.2.7"]
    pagerduty.safelists.publish(["192.0.2.8"])
    assert (await process("safelist", settings=settings)).status == 3
    refused = await process("safelist", "--watch", "0", settings=settings)
    assert (refused.status, "write 1 or more" in refused.err) == (2, True)
