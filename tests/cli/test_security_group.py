"""An EC2 group is brought to the list: nothing without --apply, adding first, others' rules untouched."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from bot.cli.security_group import MARK, bring_up_to_date, plan
from bot.errors import UserError
from bot.pagerduty.safelist import networks
from tests.cli.conftest import ROOT

OLD, NEW, OTHER = "192.0.2.7", "192.0.2.8", "203.0.113.0/24"


class Group:
    """A security group in a made-up EC2."""

    def __init__(self) -> None:
        self.client = boto3.client("ec2")
        vpc = self.client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        made = self.client.create_security_group(GroupName="pager", Description="pager", VpcId=vpc)
        self.id: str = made["GroupId"]

    def allow(self, cidr: str, description: str, *, port: int = 443) -> None:
        ranges = [{"CidrIp": cidr, "Description": description}]
        permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": ranges}
        self.client.authorize_security_group_ingress(GroupId=self.id, IpPermissions=[permission])

    def inbound(self) -> dict[tuple[str, int], str]:
        """Range and port to description."""
        found = self.client.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [self.id]}])
        return {
            (rule.get("CidrIpv4") or rule["CidrIpv6"], rule["FromPort"]): rule.get("Description", "")
            for rule in found["SecurityGroupRules"]
            if not rule["IsEgress"]
        }

    def bring(self, *addresses: str, **options: Any) -> list[str]:
        return bring_up_to_date(self.id, addresses, port=443, **({"apply": True} | options))


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> Iterator[Group]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield Group()


def test_missing_rules_are_added_with_our_name_on_them(group: Group) -> None:
    lines = group.bring(NEW, "2001:db8::/48")
    assert lines == [f"{group.id}, changed:", f"  + {NEW}/32", "  + 2001:db8::/48"]
    assert group.inbound() == {(f"{NEW}/32", 443): MARK, ("2001:db8::/48", 443): MARK}
    assert group.bring(NEW, "2001:db8::/48") == [f"{group.id} lets in what it should; nothing to change."]


def test_without_apply_nothing_changes(group: Group) -> None:
    group.bring(OLD)
    lines = group.bring(NEW, apply=False)
    assert lines == [
        f"{group.id}, a dry run: nothing was changed, --apply does it:",
        f"  + {NEW}/32",
        f"  - {OLD}/32",
    ]
    assert group.inbound() == {(f"{OLD}/32", 443): MARK}


def test_only_our_own_rules_are_removed(group: Group) -> None:
    group.allow(OTHER, "the office")
    group.allow(f"{OLD}/32", MARK, port=8443)
    group.bring(OLD)
    group.bring(NEW)
    assert group.inbound() == {
        (OTHER, 443): "the office",
        (f"{OLD}/32", 8443): MARK,
        (f"{NEW}/32", 443): MARK,
    }


def test_a_range_somebody_else_let_in_is_there(group: Group) -> None:
    group.allow(f"{NEW}/32", "by hand")
    assert group.bring(NEW) == [f"{group.id} lets in what it should; nothing to change."]
    assert group.inbound() == {(f"{NEW}/32", 443): "by hand"}


def test_old_news_removes_nothing(group: Group) -> None:
    group.bring(OLD)
    lines = group.bring(NEW, remove=False)
    assert lines[-1] == "Nothing is removed: PagerDuty's present list could not be had."
    assert set(group.inbound()) == {(f"{OLD}/32", 443), (f"{NEW}/32", 443)}
    with pytest.raises(UserError, match="no address"):
        group.bring()


def test_what_ec2_refuses_is_said(group: Group) -> None:
    with pytest.raises(UserError, match=r"EC2 did not take it: .*sg-0123"):
        bring_up_to_date("sg-0123", [NEW], port=443, apply=True)


def test_a_group_that_is_full_loses_nothing(group: Group) -> None:
    group.bring(OLD)
    many = [f"198.51.{one // 200}.{one % 200}" for one in range(70)]
    with pytest.raises(UserError, match="none of PagerDuty's addresses"):
        group.bring(*many)
    assert (f"{OLD}/32", 443) in group.inbound()


def test_a_rule_without_a_range_is_left_alone() -> None:
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    everything = {"IpProtocol": "-1", "FromPort": -1, "ToPort": -1}
    rules = [
        {"SecurityGroupRuleId": "sgr-1", "PrefixListId": "pl-1", **https},
        {"SecurityGroupRuleId": "sgr-2", "CidrIpv4": "0.0.0.0/0", **everything},
    ]
    found = plan(rules, networks([NEW]), port=443)
    assert (found.add, dict(found.remove)) == (networks([NEW]), {})


WITHOUT = """
import sys
sys.modules["boto3"] = None
from bot.cli.main import main
from commands import CATALOG
sys.exit(main(["safelist", "--aws-security-group", "sg-1", "--state", sys.argv[1]], CATALOG))
"""


def test_without_amazons_library_it_says_how_to_install_it(tmp_path: Any) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(tmp_path / "state.json")],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "SAFELIST_URL": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, "requirements-aws.lock" in ended.stderr) == (1, True)
