"""Brings an EC2 security group's inbound rules to the addresses PagerDuty's webhooks come from.

Called by bot/cli/safelist.py. Only rules that carry our description are ever removed, and only after
everything missing was added: a group that is being changed lets in too much rather than too little. Amazon's
library is not among the bot's own dependencies; this is the only module that knows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from bot.errors import UserError
from bot.pagerduty.safelist import Network, networks

try:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:  # whoever has no such group does not need it
    boto3 = None
    BotoCoreError = ClientError = OSError

MARK = "PagerDuty webhooks (pagerline)"  # the description of our rules
INSTALL = (
    "This needs Amazon's library. Run `.venv/bin/python -m pip install --require-hashes -r "
    "requirements-aws.lock`, then this again."
)


@dataclass(frozen=True, slots=True)
class Plan:
    """`remove`: rule id to the range it lets in."""

    add: tuple[Network, ...]
    remove: Mapping[str, str]


def plan(rules: Iterable[Mapping[str, Any]], wanted: Sequence[Network], *, port: int) -> Plan:
    """What leads from these rules (as EC2 describes them) to the wanted ones. Somebody else's rule for the
    same range counts as there, and is left alone.
    """
    inbound = [
        one
        for one in rules
        if not one.get("IsEgress")
        and (one.get("IpProtocol"), one.get("FromPort"), one.get("ToPort")) == ("tcp", port, port)
    ]
    there = {_range(one): one for one in inbound if _range(one)}
    texts = {str(one) for one in wanted}
    ours = (one for one in inbound if one.get("Description") == MARK and _range(one) not in texts)
    return Plan(
        tuple(one for one in wanted if str(one) not in there),
        {str(one["SecurityGroupRuleId"]): _range(one) for one in ours},
    )


def _range(rule: Mapping[str, Any]) -> str:
    return str(rule.get("CidrIpv4") or rule.get("CidrIpv6") or "")


def bring_up_to_date(
    group: str, addresses: Sequence[str], *, port: int, apply: bool, remove: bool = True
) -> list[str]:
    """Lines that say what was done, or what would be without `apply`. Raises UserError.

    `remove` False: the addresses are old news, so that only adding is safe.
    """
    if boto3 is None:
        raise UserError(INSTALL)
    wanted = networks(addresses)
    if not wanted:
        raise UserError("There is no address to let in: the group is left as it is.")
    try:
        client = boto3.client("ec2")
        pages = client.get_paginator("describe_security_group_rules").paginate(
            Filters=[{"Name": "group-id", "Values": [group]}]
        )
        rules = [one for page in pages for one in page["SecurityGroupRules"]]
        if not rules:
            client.describe_security_groups(GroupIds=[group])  # a group that is not there has none either
        todo = plan(rules, wanted, port=port)
        if apply:
            _carry_out(client, group, todo, port=port, remove=remove)
    except (BotoCoreError, ClientError) as error:
        raise UserError(
            f"EC2 did not take it: {error} Adding comes before removing, so none of PagerDuty's addresses "
            "was shut out. Mend it and run this again."
        ) from None
    return _told(group, todo, apply=apply, remove=remove)


def _carry_out(client: Any, group: str, todo: Plan, *, port: int, remove: bool) -> None:
    if todo.add:
        four = [{"CidrIp": str(n), "Description": MARK} for n in todo.add if isinstance(n, IPv4Network)]
        six = [{"CidrIpv6": str(n), "Description": MARK} for n in todo.add if not isinstance(n, IPv4Network)]
        permission: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
        permission |= {"IpRanges": four} if four else {}
        permission |= {"Ipv6Ranges": six} if six else {}
        client.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    if todo.remove and remove:
        client.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=list(todo.remove))


def _told(group: str, todo: Plan, *, apply: bool, remove: bool) -> list[str]:
    if not todo.add and not (todo.remove and remove):
        lines = [f"{group} lets in what it should; nothing to change."]
    else:
        lines = [f"{group}, {'changed' if apply else 'a dry run: nothing was changed, --apply does it'}:"]
        lines += [f"  + {one}" for one in todo.add]
        lines += [f"  - {one}" for one in todo.remove.values() if remove]
    if todo.remove and not remove:
        lines.append("Nothing is removed: PagerDuty's present list could not be had.")
    return lines
