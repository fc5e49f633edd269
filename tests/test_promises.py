"""docs/promises.md: every promise has a proof, and every proof is a test that exists.

docs/comparison.md: every statement about others says where it comes from, and when it was looked at.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PROMISES = (DOCS / "promises.md").read_text("utf-8")
COMPARISON = (DOCS / "comparison.md").read_text("utf-8")
PROOF = re.compile(r"\[`(test_\w+)`\]\(\.\./(tests/[\w/]+\.py)\)")
PAPERS = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/promises.md",
    "docs/comparison.md",
    "docs/network.md",
    "docs/manners.md",
    "deploy/README.md",
)


def promises() -> list[tuple[str, str]]:
    """What is promised in bold, and everything that stands under it."""
    parts = re.split(r"^- \*\*(.+?)\*\*", PROMISES, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


@cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_bytes())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize(("promise", "said"), promises(), ids=[name for name, _ in promises()])
def test_a_promise_has_proofs_that_exist(promise: str, said: str) -> None:
    proofs = PROOF.findall(said)
    assert proofs, f"nothing proves {promise!r}"
    assert len(re.findall(r"^  - ", said, re.MULTILINE)) == len(proofs), "a line under it names no test"
    assert [(name, path) for name, path in proofs if name not in names_in(path)] == []


def test_no_promise_is_made_twice() -> None:
    names = [name for name, _ in promises()]
    assert len(names) > 10
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("paper", PAPERS)
def test_links_inside_the_project_lead_somewhere(paper: str) -> None:
    path = ROOT / paper
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", path.read_text("utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_comparison_has_its_date_and_its_sources() -> None:
    assert re.search(r"\bas of \w+ 20\d\d\b", COMPARISON)
    noted = set(re.findall(r"\[\^(\w+)\](?!:)", COMPARISON))
    sources = dict(re.findall(r"^\[\^(\w+)\]: (.+(?:\n    .+)*)", COMPARISON, re.MULTILINE))
    assert noted == set(sources)
    assert all("https://" in source for source in sources.values())


def test_every_cell_about_others_has_a_source_or_says_not_known() -> None:
    rows = [row for row in COMPARISON.splitlines() if row.startswith("| ") and not row.startswith("| |")]
    cells = [cell.strip() for row in rows for cell in row.strip("|").split("|")[2:]]
    assert cells
    assert [cell for cell in cells if "[^" not in cell and cell != "not known"] == []
