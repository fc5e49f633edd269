"""One module per thing a person can do. A new verb is its module and its line here."""

from bot.command.catalog import Catalog
from commands import (
    ack,
    ack_all,
    audit,
    escalate,
    help,  # noqa: A004 - a verb's module bears the verb's name
    link,
    links,
    list,  # noqa: A004 - as help
    more,
    note,
    notes,
    oncall,
    resolve,
    share,
    show,
    subscribe,
    subscriptions,
    team_links,
    trigger,
    unlink,
    unsubscribe,
    whoami,
)

CATALOG = Catalog(
    list.list_,
    show.show,
    ack.ack,
    ack_all.ack_all,
    resolve.resolve,
    escalate.escalate,
    note.note,
    notes.notes,
    trigger.trigger,
    oncall.oncall,
    subscribe.subscribe,
    unsubscribe.unsubscribe,
    subscriptions.subscriptions,
    whoami.whoami,
    link.link,
    unlink.unlink,
    links.approve,
    links.refuse,
    team_links.team_links,
    audit.audit,
    help.help_,
    more.more,
    share.share,
)
