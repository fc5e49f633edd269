"""Outcomes of acts, subscriptions, help and problems: what a person reads after pressing or typing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot import errors
from bot.declaration import Reply
from bot.model import Channel, ScopeKind, Subscription, Urgency
from bot.render import outcomes, problems, subscribing
from bot.render.help import help_list, help_one, unknown_verb
from bot.render.outcomes import Outcome, Result
from tests.render.conftest import Drawn
from tests.render.samples import (
    ACKNOWLEDGED,
    ALICE,
    BOB,
    CAROL,
    CHECKOUT,
    COMMANDS,
    ESCALATED,
    RESOLVED,
    TRIGGERED,
    ack,
    at,
)


def values(drawn: Drawn) -> list[str]:
    found: list[dict[str, Any]] = []
    for block in drawn.blocks:
        found += [*(block.get("elements") or []), block.get("accessory") or {}]
    return [one["value"] for one in found if "value" in one]


# --------------------------------------------------------------------------------------------------- outcomes


def test_golden_one_acknowledged(golden: Callable[[str, Drawn], None]) -> None:
    golden("outcome-ack", outcomes.acknowledged([Outcome(Result.DONE, "1234", ACKNOWLEDGED)]))


def test_golden_every_outcome(golden: Callable[[str, Drawn], None]) -> None:
    every = [
        Outcome(Result.DONE, "1234", ACKNOWLEDGED),
        Outcome(Result.ALREADY, "1235", ACKNOWLEDGED),
        Outcome(Result.RESOLVED, "1236", RESOLVED),
        Outcome(Result.REOPENED, "1237", TRIGGERED),
        Outcome(Result.REFUSED, "1238", TRIGGERED, "Requester not authorized"),
        Outcome(Result.NOT_FOUND, "<!here>"),
        Outcome(Result.UNKNOWN, "1239", TRIGGERED),
    ]
    away = outcomes.acknowledged([Outcome(Result.NOT_DONE, "1240", TRIGGERED)])
    assert "refused" not in away.text
    assert away.text.endswith("PagerDuty does not answer right now. Try again in a minute.")
    golden("outcome-every", outcomes.acknowledged(every))


def test_an_acknowledgement_that_reopened_says_so_and_offers_resolve() -> None:
    reply = outcomes.acknowledged([Outcome(Result.REOPENED, "1234", TRIGGERED)])
    assert "this acknowledgement reopened it" in reply.text
    assert values(reply) == ["resolve Q1ABCDEF"]


def test_a_resolved_incident_is_reported_and_left_alone() -> None:
    reply = outcomes.acknowledged([Outcome(Result.RESOLVED, "1234", RESOLVED)])
    assert "acknowledging would reopen it" in reply.text
    assert values(reply) == []


def test_already_so_is_success_and_names_who() -> None:
    reply = outcomes.resolved([Outcome(Result.ALREADY, "1234", RESOLVED)])
    assert reply.text == "#1234 Checkout API p99 latency above 2 s was already resolved."
    assert "by *Alice Anderson*" in json.dumps(reply.blocks)


def test_250_outcomes_fit(golden: Callable[[str, Drawn], None]) -> None:
    reply = outcomes.acknowledged([Outcome(Result.DONE, str(n), TRIGGERED) for n in range(250)])
    assert reply.text.startswith("Acknowledged 250 of 250.")
    assert len(reply.text) <= 4000
    assert len(reply.blocks) <= 50


def test_of_many_what_is_not_done_comes_first() -> None:
    ends = [Result.DONE] * 30 + [Result.ALREADY, Result.RESOLVED, Result.NOT_DONE, Result.REFUSED]
    reply = outcomes.acknowledged(
        [Outcome(one, "1234", TRIGGERED, "" if n < 33 else "Ask an admin.") for n, one in enumerate(ends)]
    )
    told = [str(block["text"]["text"]) for block in reply.blocks]
    assert told[0] == "*Acknowledged* 30 of 34 incidents."
    assert [words.split("  ")[1].split(":")[0] for words in told[1:]] == [
        "Left as they are, PagerDuty refused",
        "Left as they are",
        "Resolved already, so I left them alone; acknowledging would reopen them",
        "Acknowledged already",
        "Acknowledged",
    ]
    assert "refused: Ask an admin. #1234." in reply.text


def test_escalation_says_where_it_stands() -> None:
    assert (
        outcomes.escalated(ESCALATED, level=2, of=3, to=[BOB]).text
        == "Escalated #1234 to Bob Brown, level 2 of 3."
    )
    again = outcomes.already_escalated(ESCALATED, level=2, wanted=2)
    assert again.text == "#1234 is at level 2 already; nothing was done."
    assert "past level 2" in outcomes.already_escalated(ESCALATED, level=3, wanted=2).text
    asked = outcomes.ask_level(ESCALATED, [(2, [BOB]), (3, [CAROL, ALICE])], why="You escalated it 10 s ago.")
    assert values(asked) == ["escalate Q1ABCDEF 2", "escalate Q1ABCDEF 3"]


def test_whoami_tells_both_names_or_what_to_do() -> None:
    known = outcomes.whoami(
        slack_name="alice", person_name="Alice Anderson", email="a@acme.example", role="admin"
    )
    assert known.text == "You are alice in Slack and act as Alice Anderson in PagerDuty."
    unknown = outcomes.whoami(slack_name="dana", person_name=None, email="dana@acme.example")
    assert "Ask a PagerDuty admin" in json.dumps(unknown.blocks)


# ---------------------------------------------------------------------------------------------- subscriptions

RULE = Subscription(
    Channel("T0ACME", "C0CHECK"),
    ScopeKind.SERVICE,
    CHECKOUT,
    frozenset({Urgency.HIGH}),
    frozenset({"P2", "P1"}),
    made_by="U0ALICE",
)


def test_golden_subscriptions(golden: Callable[[str, Drawn], None]) -> None:
    everything = replace(RULE, kind=ScopeKind.ALL, target=None, urgencies=frozenset(), priorities=frozenset())
    golden("greeting", subscribing.greeting())
    golden("subscriptions", subscribing.subscription_list([RULE, replace(everything, broken_since=at(0))]))
    golden("subscribed", subscribing.subscribed(RULE, posting=3, undo="unsubscribe PSVCCHK"))


def test_before_a_flood_the_three_answers_are_absolute_words() -> None:
    reply = subscribing.ask_before_flood(
        RULE,
        open_now=412,
        urgent=12,
        everything="subscribe X all-open",
        only_urgent="subscribe X urgent-open",
        only_new="subscribe X none-open",
    )
    assert set(values(reply)) == {"subscribe X all-open", "subscribe X urgent-open", "subscribe X none-open"}


def test_nothing_subscribed_yet_offers_to_begin() -> None:
    assert values(subscribing.subscription_list([])) == ["subscribe"]


def test_the_one_who_set_it_up_learns_what_mends_it() -> None:
    told = subscribing.broken_notice("C0CHECK", [RULE], "I was removed from it.").text
    assert told.startswith("I can no longer post to <#C0CHECK>. I was removed from it. Invite me")


# ------------------------------------------------------------------------------------------------------- help


def test_golden_help(golden: Callable[[str, Drawn], None]) -> None:
    golden("help", help_list(COMMANDS))
    golden("help-ack", help_one(ack, slash="/pd"))


def test_every_command_stands_under_a_heading_whatever_it_is_about() -> None:
    listed = [replace(ack, verb="a"), replace(ack, verb="b", scope="schedules.write")]
    listed += [replace(ack, verb="c", admins_only=True), replace(ack, verb="d", scope=None)]
    heads = [block["text"]["text"].partition("\n")[0] for block in help_list(listed).blocks[:-1]]
    assert heads == ["*Incidents*", "*You and me*", "*More of PagerDuty*", "*For admins*"]


def test_hidden_commands_stay_hidden() -> None:
    reply = help_list(COMMANDS)
    assert "more <" not in reply.text
    assert "`/pager more" not in json.dumps(reply.blocks)


def test_a_mistyped_word_gets_the_nearest_one_with_the_rest_kept() -> None:
    reply = unknown_verb("akc", ["ack"], rest="1234 1235")
    assert values(reply) == ["ack 1234 1235"]
    assert "`/pager ack 1234 1235`" in json.dumps(reply.blocks)
    assert values(unknown_verb("<!here>")) == ["help"]
    assert "<!here>" not in json.dumps(unknown_verb("<!here>", ["ack"], rest="<!channel> `x`").blocks)


# --------------------------------------------------------------------------------------------------- problems

FAILURES: dict[str, tuple[errors.Failure, str]] = {
    "not linked": (errors.NotLinked(""), "give your user the e-mail address"),
    "not allowed": (errors.NotAllowed("Your role observer may not do this. Ask an admin."), "observer"),
    "forbidden": (errors.PagerDutyForbidden("no"), "scope incidents.write"),
    "down": (
        errors.PagerDutyUnavailable("no", retry_after=90),
        "does not answer right now. Nothing was done. Try again in 1 min.",
    ),
    "limiting": (
        errors.PagerDutyUnavailable("no", status=429, retry_after=0.2),
        "limiting how much I may ask. Nothing was done. Try again in 1 s.",
    ),
    "unknown": (errors.PagerDutyUnavailable("no", maybe_done=True), "may or may not have happened"),
    "unseen": (errors.SlackFailure("not_in_channel"), "Invite me"),
    "archived": (errors.SlackFailure("is_archived"), "Unarchive it"),
    "slack limiting": (errors.SlackFailure("ratelimited", retry_after=3), "Slack is limiting"),
    "slack other": (errors.SlackFailure("ekm_access_denied"), "ekm_access_denied"),
    "store": (errors.StoreUnavailable("disk full at /x"), "cannot remember anything right now"),
    "credentials": (errors.PagerDutyUnauthorized("no"), "credentials"),
    "refused": (
        errors.PagerDutyRefused("no", reasons=("Incident Already Resolved",)),
        "Incident Already Resolved. Look",
    ),
    "not found": (errors.PagerDutyNotFound("no"), "Check the number or name"),
    "user error": (errors.UserError("There is no <!here>. Check it."), "There is no"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_says_one_next_step(name: str) -> None:
    failure, wanted = FAILURES[name]
    reply = problems.problem(failure, scope="incidents.write")
    assert wanted in reply.text
    assert "<!" not in json.dumps(reply.blocks)
    assert "disk full" not in reply.text


def test_what_to_type_is_shown_as_code_and_what_was_typed_is_not() -> None:
    said = problems.problem(errors.UserError("I do not understand “`x`”. Type `/pager ack [N…]`."))
    assert "“ˋxˋ”. Type `/pager ack [N…]`." in json.dumps(said.blocks, ensure_ascii=False)


def test_what_failed_for_now_can_be_tried_again_with_one_press() -> None:
    down = errors.PagerDutyUnavailable("no")
    assert values(problems.problem(down, words="ack Q1")) == ["ack Q1"]
    assert values(problems.problem(errors.PagerDutyUnavailable("no", maybe_done=True), words="ack Q1")) == []


def test_a_bug_is_an_apology_with_an_id() -> None:
    assert "e-4711" in problems.apology("e-4711").text


def interrupted(*, done: bool | None) -> Reply:
    return problems.interrupted("resolve 1234", TRIGGERED, done=done, again="resolve Q1ABCDEF")


def test_an_interrupted_act_is_reported_with_the_present_state() -> None:
    assert "It was done. Triggered: #1234" in interrupted(done=True).text
    assert values(interrupted(done=True)) == values(interrupted(done=None)) == []
    assert values(interrupted(done=False)) == ["resolve Q1ABCDEF"]
    assert "cannot tell" in interrupted(done=None).text
    assert values(problems.expired("ack Q1ABCDEF", TRIGGERED, again="ack Q1ABCDEF")) == ["ack Q1ABCDEF"]


def test_golden_problems(golden: Callable[[str, Drawn], None]) -> None:
    golden(
        "problem-down", problems.problem(errors.PagerDutyUnavailable("no", retry_after=30), words="ack Q1")
    )
    golden("problem-expired", problems.expired("ack Q1ABCDEF", TRIGGERED, again="ack Q1ABCDEF"))
    golden("problem-apology", problems.apology("e-4711"))
    golden("problem-working", problems.working())
