"""`api`: any call, by admins alone, as themselves; what changes something waits for its button."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.store.audit_reading import AuditReading, Wanted
from tests.command.switchboard import Switchboard

CAROL = "U0CAROL"  # the switchboard's one admin


def sent(board: Switchboard, path: str) -> list[Any]:
    return [one for one in board.pagerduty.journal if one.direction == "in" and one.path == path]


async def test_it_is_for_admins(board: Switchboard) -> None:
    assert "people who run this bot" in await board.types("api GET /abilities", by="U0ALICE")
    assert sent(board, "/abilities") == []


async def test_a_read_is_answered_privately(board: Switchboard) -> None:
    incident = await board.breaks("Disk `full` & <!here>")
    words = "api GET /incidents query=limit=1 query=statuses[]=triggered query=statuses[]=acknowledged"
    said = await board.types(words, by=CAROL)
    assert "PagerDuty answered 200 to GET /incidents?limit=1&amp;statuses[]=triggered" in said
    assert incident.id in said
    assert "<!here>" not in said
    assert board.checkout.messages() == []
    (call,) = sent(board, "/incidents")
    assert call.query == {"limit": ["1"], "statuses[]": ["triggered", "acknowledged"]}


async def test_a_query_may_stand_in_the_path(board: Switchboard) -> None:
    await board.types("api get incidents?limit=1&total=true", by=CAROL)
    (call,) = sent(board, "/incidents")
    assert call.query == {"limit": ["1"], "total": ["true"]}


async def test_a_header_goes_along(board: Switchboard) -> None:
    await board.types("api GET /abilities header=X-EARLY-ACCESS: feature", by=CAROL)
    (call,) = sent(board, "/abilities")
    assert call.headers["x-early-access"] == "feature"


async def test_a_write_waits_for_its_button_and_is_the_persons(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    body = json.dumps({"note": {"content": "By hand & <3"}})
    path = f"/incidents/{incident.id}/notes"
    said = await board.types(f"api POST {path} body={body}", by=CAROL)
    assert "Nothing was sent yet" in said
    assert board.truth(incident).notes == []
    question = board.newest(CAROL)
    assert question.buttons == ["Send it"]
    await question.press("Send it", by=CAROL)
    await board.settle()
    assert "PagerDuty answered 2" in board.newest(CAROL).text
    assert "Send it" not in [label for one in board.checkout.private(CAROL) for label in one.buttons]
    (note,) = board.truth(incident).notes
    assert (note.content, note.user) == ("By hand & <3", "PCAROL3")


async def test_the_form_asks_too(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    await board.types("api", by=CAROL)
    body = json.dumps({"incident": {"type": "incident_reference", "urgency": "low"}})
    await board.carol.fills(method="put", path=f"/incidents/{incident.id}", body=body)
    await board.settle()
    assert board.truth(incident).urgency == "high"
    await board.newest(CAROL).press("Send it", by=CAROL)
    await board.settle()
    assert board.truth(incident).urgency == "low"


async def test_it_is_on_record_without_its_body(board: Switchboard) -> None:
    incident = await board.breaks("Disk full")
    path = f"/incidents/{incident.id}/notes"
    await board.types(
        f'api POST {path} header=X-Key: s3cret1 body={{"note": {{"content": "s3cret2"}}}}', by=CAROL
    )
    await board.newest(CAROL).press("Send it", by=CAROL)
    await board.settle()
    acts = await AuditReading(board.database).newest(Wanted(team_id="T0ACME"), 5)
    told = [(act.verb, act.words, act.user_id, act.person_id, act.status) for act in acts]
    assert ("api", f"api post {path}", CAROL, "PCAROL3", 200) in told
    assert "s3cret" not in str(acts)


async def test_what_was_refused_is_on_record_without_its_body(board: Switchboard) -> None:
    await board.types('api POST /incidents body={"note": "s3cret3"}', by="U0ALICE")
    (act,) = await AuditReading(board.database).newest(Wanted(team_id="T0ACME"), 5)
    assert (act.words, act.outcome) == ("api post /incidents", "not_allowed")
    assert "s3cret" not in str(act)


async def test_keys_and_secrets_are_hidden(board: Switchboard) -> None:
    key = board.pagerduty.state.services["PSVCCHK"].routing_key
    said = await board.types("api GET /services/PSVCCHK query=include[]=integrations", by=CAROL)
    assert "[hidden]" in said
    assert key not in said
    assert board.pagerduty.api_key not in said


async def test_what_is_too_long_is_cut_and_said(board: Switchboard) -> None:
    for number in range(12):
        board.pagerduty.trigger("PSVCCHK", f"Disk {number} full")
    said = await board.types("api GET /incidents", by=CAROL)
    assert "Cut after " in said
    assert "python -m bot api" in said


async def test_a_write_that_no_button_can_carry_is_not_sent(board: Switchboard) -> None:
    said = await board.types(f'api POST /incidents body={{"x": "{"y" * 2000}"}}', by=CAROL)
    assert "too long for a button" in said
    assert sent(board, "/incidents") == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("GET https://evil.example/incidents", "the path alone"),
        ("GET //evil.example/incidents", "the path alone"),
        ("GET /incidents/../users", "without “..”"),
        ("GET /incidents/%252e%252e/users", "without “..”"),
        ("GET /incidents query=limit", "name=value"),
        ("GET /incidents query=a=1 query=a=2", "given twice"),
        ("GET /incidents header=Authorization: Token token=x", "mine to write"),
        ("GET /incidents header=From: bob@acme.example", "mine to write"),
        ("POST /incidents body={not json", "no JSON"),
        ("FETCH /incidents", "api METHOD path"),
    ],
)
async def test_what_would_lead_elsewhere_is_refused(board: Switchboard, words: str, said: str) -> None:
    assert said in await board.types(f"api {words}", by=CAROL)
    assert board.calls() == []


async def test_pagerdutys_refusal_is_told_in_its_words(board: Switchboard) -> None:
    said = await board.types("api GET /incidents/Q404404", by=CAROL)
    assert "404" in said
    assert "Not Found" in said
