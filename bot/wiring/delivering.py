"""What is delivered to Slack, and the loops that keep what we know true."""

from __future__ import annotations

from dataclasses import replace

from bot.background import Background
from bot.delivery.asof import AsOf
from bot.delivery.following import LogFollower
from bot.delivery.loop import Delivery
from bot.delivery.periods import Periods
from bot.delivery.rehearsed import Rehearsing
from bot.delivery.rereader import Rereader
from bot.delivery.sweep import Sweep
from bot.delivery.watch import Watch
from bot.inbound.pagerduty import PATH
from bot.store.cursors import Cursors
from bot.store.pace import Pace, PaceLimits
from bot.store.rehearsals import Rehearsals
from bot.wiring.parts import Parts


def pace(parts: Parts) -> Pace:
    """How fast Slack may be called."""
    settings = parts.settings
    return Pace(
        parts.store.database,
        PaceLimits(
            channel_per_second=settings.pace_channel_per_second,
            channel_burst=settings.pace_channel_burst,
            posts_per_minute=settings.pace_posts_per_minute,
            updates_per_minute=settings.pace_updates_per_minute,
        ),
    )


def build_delivery(parts: Parts) -> Delivery:
    """The only writer of living messages."""
    settings, store = parts.settings, parts.store
    periods = Periods(
        call=settings.slack_call_seconds,
        lease=settings.lease_seconds,
        look_up_after=settings.look_up_seconds,
        poll=settings.poll_seconds,
        tokens=15 * settings.poll_seconds,  # a bad one is asked about far more rarely
    )
    return Delivery(
        database=store.database,
        leases=store.leases,
        pace=pace(parts),
        wake=store.wake,
        messages=store.messages,
        subscriptions=store.subscriptions,
        people=store.people,
        workspaces=parts.slack.workspaces,
        buttons=parts.catalog.buttons(),
        page_verb="ack-all" if parts.catalog.find("ack-all") else None,
        calm_seconds=settings.storm_calm_seconds,
        periods=periods,
        metrics=parts.metrics,
    )


def start_healing(parts: Parts, background: Background) -> None:
    """What finds out that we missed something, and reads it."""
    settings, store, reader = parts.settings, parts.store, parts.pagerduty.reader.in_background()
    levels, cursors = replace(parts.pagerduty.levels, client=reader), Cursors(store.database)
    background.start("reading stale incidents", Rereader(store.incidents, reader, levels, store.wake).run)
    sweep = Sweep(
        store.incidents, reader, store.leases, cursors, seconds=settings.sweep_seconds, levels=levels
    )
    background.start("sweep", sweep.run)
    if settings.pagerduty_webhook_secrets:
        url = settings.public_url.rstrip("/") + PATH if settings.public_url else None
        watch = Watch(
            reader,
            store.leases,
            parts.admins,
            url=url,
            heard_from=store.notices.heard_from_lately,
            heal=sweep.hurry,
            seconds=settings.watch_seconds,
        )
        background.start("watching the webhook", watch.run)
    else:
        follower = LogFollower(
            store.incidents, reader, store.leases, cursors, seconds=settings.follow_seconds
        )
        background.start("following PagerDuty's log", follower.run)
    reach, rehearsed = parts.pagerduty.reach, parts.pagerduty.rehearsed
    rehearsing = None
    if rehearsed is not None:
        rehearsing = Rehearsing(rehearsed, Rehearsals(store.database), store.incidents, reach)
        background.start("game day", rehearsing.run)
    notes = AsOf(
        reach=rehearsing or reach,
        incidents=rehearsing or store.incidents,
        notices=store.notices,
        pace=pace(parts),
        leases=store.leases,
        workspaces=parts.slack.workspaces,
        heal=sweep.hurry,
    )
    background.start("as-of notes", notes.run)
