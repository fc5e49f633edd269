"""Which channel shows what: several rules, one message; broken channels, told once, and mended."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import update

from bot.model import Channel, ScopeKind, Status, Subscription, Urgency
from bot.store.tables import incidents, messages
from tests.store.conftest import Store, store_on
from tests.store.news import (
    CHECKOUT,
    DEV,
    OPS,
    P1,
    P3,
    PLATFORM,
    SEARCH,
    a_reading,
    a_subscription,
    an_event,
    an_incident,
    resolved,
)

ALL = a_subscription(OPS, ScopeKind.ALL, None)
TEAM = a_subscription(OPS, ScopeKind.TEAM, PLATFORM)


async def test_what_is_asked_for_is_kept(store: Store) -> None:
    wish = a_subscription(
        urgencies=frozenset({Urgency.HIGH}), priorities=frozenset({"P1", "Sev 2, bad"}), mention=False
    )
    added = await store.subscriptions.add(wish)
    assert added.id is not None
    assert replace(added, id=None) == wish
    assert await store.subscriptions.of_channel(OPS) == [added]
    assert await store.subscriptions.of_channel(DEV) == []
    assert await store.subscriptions.all() == [added]


async def test_asking_again_replaces_the_filters(store: Store) -> None:
    first = await store.subscriptions.add(a_subscription(urgencies=frozenset({Urgency.HIGH})))
    again = await store.subscriptions.add(a_subscription(priorities=frozenset({"P1"})))
    assert again.id == first.id
    assert (again.urgencies, again.priorities) == (frozenset(), frozenset({"P1"}))
    assert await store.subscriptions.of_channel(OPS) == [again]


async def test_what_is_no_longer_wanted_is_not_followed(store: Store) -> None:
    await store.subscriptions.add(a_subscription())
    assert await store.subscriptions.remove(OPS, "service", CHECKOUT.id)
    assert not await store.subscriptions.remove(OPS, "service", CHECKOUT.id)
    await store.incidents.accept(an_event())
    assert await store.shown_in() == []


async def test_several_rules_of_a_channel_make_one_message(store: Store) -> None:
    for wish in (ALL, TEAM, a_subscription(), a_subscription(DEV, mention=False)):
        await store.subscriptions.add(wish)
    await store.incidents.accept(an_event(incident=an_incident(teams=(PLATFORM,))))
    await store.incidents.accept(an_event("priority_updated", 9, an_incident(teams=(PLATFORM,), priority=P1)))
    assert [(row.channel_id, row.mention) for row in await store.messages()] == [
        ("C0DEV", False),
        ("C0OPS", True),
    ]


async def test_what_was_open_before_mentions_nobody(store: Store) -> None:
    old = an_incident("Q1")
    await store.incidents.accept(an_event(incident=old))
    await store.subscriptions.add(a_subscription(), incidents=[old])
    await store.incidents.accept(an_event(incident=an_incident("Q2")))
    rows = {row.incident_id: row.mention for row in await store.messages()}
    assert rows == {"Q1": False, "Q2": True}


@pytest.mark.parametrize(
    ("wish", "shown"),
    [
        (ALL, True),
        (TEAM, True),
        (a_subscription(), True),
        (a_subscription(target=SEARCH), False),
        (a_subscription(urgencies=frozenset({Urgency.LOW})), False),
        (a_subscription(priorities=frozenset({"p1"})), True),
        (a_subscription(priorities=frozenset({"P3"})), False),
    ],
)
async def test_a_rule_shows_what_it_matches(store: Store, wish: Subscription, shown: bool) -> None:
    await store.subscriptions.add(wish)
    await store.incidents.accept(an_event(incident=an_incident(teams=(PLATFORM,), priority=P1)))
    assert (await store.shown_in() == [("C0OPS", "Q1")]) is shown


async def test_an_incident_that_comes_to_match_is_shown_then(store: Store) -> None:
    await store.subscriptions.add(a_subscription(priorities=frozenset({"P1"})))
    await store.incidents.accept(an_event(incident=an_incident(priority=P3)))
    assert await store.shown_in() == []
    await store.incidents.accept(an_event("priority_updated", 5, an_incident(priority=P1)))
    assert await store.shown_in() == [("C0OPS", "Q1")]


async def test_one_first_seen_resolved_is_not_shown_until_it_opens_again(store: Store) -> None:
    await store.subscriptions.add(a_subscription())
    began = await store.incidents.now()
    await store.incidents.save_reading(a_reading(5, resolved(an_incident(), 5)), began_at=began)
    assert await store.shown_in() == []
    await store.incidents.accept(an_event("reopened", 20))
    assert await store.shown_in() == [("C0OPS", "Q1")]


# ------------------------------------------------------------------------------------------------ subscribing


async def test_subscribing_shows_the_open_incidents_that_were_chosen(store: Store) -> None:
    await store.incidents.accept(an_event())
    chosen = [
        an_incident(),
        an_incident("Q2"),  # nobody has told us of it yet
        an_incident("Q3", service=SEARCH),
        an_incident("Q4", status=Status.RESOLVED),
    ]
    await store.subscriptions.add(a_subscription(), incidents=chosen)
    assert await store.shown_in() == [("C0OPS", "Q1"), ("C0OPS", "Q2")]
    assert await store.is_stale("Q2")


async def test_only_new_ones_means_none_of_those_known(store: Store) -> None:
    began = await store.incidents.now()
    for name in ("Q1", "Q2"):
        await store.incidents.save_reading(a_reading(5, an_incident(name)), began_at=began)
    await store.subscriptions.add(a_subscription(), since=began, listed={"Q1", "Q2"})
    assert await store.shown_in() == []
    await store.incidents.save_reading(a_reading(6), began_at=await store.incidents.now())
    assert await store.shown_in() == []  # the sweep reads it again
    await store.incidents.accept(an_event(incident=an_incident("Q3")))
    assert await store.shown_in() == [("C0OPS", "Q3")]


async def test_one_that_came_while_a_person_chose_is_not_missed(store: Store) -> None:
    await store.incidents.accept(an_event(incident=an_incident("Q1")))
    await asyncio.sleep(0.005)
    asked = await store.incidents.now()
    await store.incidents.accept(an_event(incident=an_incident("Q2")))
    await store.incidents.accept(an_event(incident=an_incident("Q3", service=SEARCH)))
    await store.subscriptions.add(a_subscription(), since=asked, listed={"Q1"})
    assert await store.shown_in() == [("C0OPS", "Q2")]


async def test_subscribing_and_saving_at_once_miss_nothing(postgresql_url: str) -> None:
    """Two replicas: whoever commits second sees the other."""
    async with store_on(postgresql_url) as one, store_on(postgresql_url) as other:
        for number in range(12):
            channel, name = Channel("T0ACME", f"C{number}"), f"Q{number}"
            since = await one.incidents.now()
            await asyncio.gather(
                one.subscriptions.add(a_subscription(channel), since=since),
                other.incidents.accept(an_event(incident=an_incident(name))),
            )
            assert (channel.id, name) in await one.shown_in()


# ----------------------------------------------------------------------------------------------------- broken


async def test_a_broken_channel_is_told_of_once(store: Store) -> None:
    first = await store.subscriptions.add(a_subscription())
    second = await store.subscriptions.add(ALL)
    await store.subscriptions.add(a_subscription(DEV))
    told = await store.subscriptions.mark_broken(OPS, "channel_not_found")
    assert [one.id for one in told] == [first.id, second.id]
    assert all(one.broken_since for one in told)
    assert await store.subscriptions.mark_broken(OPS, "channel_not_found") == []
    await store.incidents.accept(an_event())
    assert await store.shown_in() == [("C0DEV", "Q1")]


async def test_a_mended_channel_shows_what_is_open(store: Store) -> None:
    await store.subscriptions.add(a_subscription())
    for name in ("Q1", "Q2"):
        await store.incidents.accept(an_event(incident=an_incident(name)))
    broken = await store.subscriptions.mark_broken(OPS, "not_in_channel")
    await store.incidents.accept(an_event(incident=an_incident("Q3")))
    await store.incidents.accept(an_event(incident=an_incident("Q4", service=SEARCH)))
    over = an_incident("Q2", status=Status.RESOLVED)
    await store.incidents.accept(an_event("resolved", 9, over))
    mended = await store.subscriptions.mend(OPS)
    assert [one.id for one in mended] == [one.id for one in broken]
    assert [(row.incident_id, row.gone is None) for row in await store.messages()] == [
        ("Q1", True),
        ("Q2", False),  # never shown, and over: there is nothing left to tell
        ("Q3", True),
    ]
    (now,) = await store.subscriptions.of_channel(OPS)
    assert now.broken_since is None
    assert await store.subscriptions.mend(OPS) == []
    assert len(await store.subscriptions.mark_broken(OPS, "again")) == 1


RESTRICTED = ("restricted_action", "posting_to_channel_denied")


async def _is_posted(store: Store, ts: str) -> None:
    async with store.database.write() as connection:
        await connection.execute(update(messages).values(ts=ts))


async def _told_of_a_restriction(store: Store, reason: str = RESTRICTED[0]) -> list[str]:
    broken = await store.subscriptions.mark_broken(OPS, reason, alike=RESTRICTED)
    return [one.made_by for one in broken]


async def test_what_is_opened_only_to_try_tells_of_the_same_refusal_once(store: Store) -> None:
    await store.subscriptions.add(a_subscription())
    await store.incidents.accept(an_event())
    await _is_posted(store, "1785585600.000100")
    assert await _told_of_a_restriction(store) == ["U0MAKER"]
    for reason in (*RESTRICTED, *RESTRICTED):
        assert len(await store.subscriptions.mend(OPS, probing=True)) == 1
        assert await _told_of_a_restriction(store, reason) == []
        (one,) = await store.subscriptions.of_channel(OPS)
        assert one.broken_since is not None


@pytest.mark.parametrize("change", ["a post", "the first post", "an invitation", "another reason"])
async def test_after_a_true_change_the_makers_are_told_again(store: Store, change: str) -> None:
    await store.subscriptions.add(a_subscription())
    await store.incidents.accept(an_event())
    if change != "the first post":
        await _is_posted(store, "1785585600.000100")
    reason = "not_in_channel" if change == "another reason" else RESTRICTED[0]
    assert len(await store.subscriptions.mark_broken(OPS, reason, alike=RESTRICTED)) == 1
    await store.subscriptions.mend(OPS, probing=change != "an invitation")
    if change == "a post":
        await _is_posted(store, "1785585600.000200")
    elif change == "the first post":
        await _is_posted(store, "4102444800.000100")
    assert await _told_of_a_restriction(store) == ["U0MAKER"]
    await store.subscriptions.mend(OPS, probing=True)
    assert await _told_of_a_restriction(store) == []
    await store.subscriptions.mend(OPS, probing=True)
    assert len(await store.subscriptions.mark_broken(OPS, "It was archived.")) == 1


async def test_who_asks_while_posts_are_only_tried_again_is_told_too(store: Store) -> None:
    await store.subscriptions.add(a_subscription())
    await store.subscriptions.add(ALL)
    assert await _told_of_a_restriction(store) == ["U0MAKER", "U0MAKER"]
    await store.subscriptions.add(replace(ALL, made_by="U0OTHER"))
    assert await _told_of_a_restriction(store) == ["U0OTHER"]


async def test_what_came_to_match_while_the_channel_was_broken_is_shown_too(store: Store) -> None:
    await store.subscriptions.add(a_subscription(priorities=frozenset({"P1"})))
    for name in ("Q1", "Q2"):
        await store.incidents.accept(an_event(incident=an_incident(name, priority=P3)))
    async with store.database.write() as connection:
        long_ago = store.database.now_sql(-60)
        await connection.execute(update(incidents).values(heard_at=long_ago, accepted_at=long_ago))
    await store.subscriptions.mark_broken(OPS, "not_in_channel")
    await store.incidents.accept(an_event("priority_updated", 9, an_incident("Q1", priority=P1)))
    await store.subscriptions.mend(OPS)
    assert await store.shown_in() == [("C0OPS", "Q1")]


async def test_following_again_mends_a_broken_channel(store: Store) -> None:
    await store.subscriptions.add(a_subscription())
    await store.subscriptions.mark_broken(OPS, "not_in_channel")
    await store.incidents.accept(an_event(incident=an_incident("Q1")))
    again = await store.subscriptions.add(a_subscription())
    assert again.broken_since is None
    await store.incidents.accept(an_event(incident=an_incident("Q2")))
    assert [row.incident_id for row in await store.messages()] == ["Q1", "Q2"]


async def test_mending_leaves_a_post_whose_outcome_is_unknown(store: Store) -> None:
    await store.subscriptions.add(a_subscription())
    await store.incidents.accept(an_event())
    async with store.database.write() as connection:
        await connection.execute(update(messages).values(posting_since=store.database.now_sql()))
    await store.subscriptions.mark_broken(OPS, "not_in_channel")
    await store.incidents.accept(an_event("resolved", 9, an_incident(status=Status.RESOLVED)))
    await store.subscriptions.mend(OPS)
    assert [row.gone for row in await store.messages()] == [None]


async def test_hostile_names_are_kept_as_far_as_they_can_be(store: Store) -> None:
    wish = a_subscription(target=replace(CHECKOUT, name="a\x00b\ud800"), priorities=frozenset({"P\n1"}))
    kept = await store.subscriptions.add(wish)
    assert kept.target is not None
    assert (kept.target.name, kept.priorities) == ("a\ufffdb\ufffd", frozenset({"P 1"}))
