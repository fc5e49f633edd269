"""The shape of the code, held by a machine: which way imports point, what a file may hold and must not.

When a rule here is in the way, move the thing, not the rule.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("bot", "commands", "tests")
MOST_LINES = 400
COUNTED = {".py", ".js", ".css", ".html"}

TOP_LEVEL = {
    *(
        ".ci",
        ".editorconfig",
        ".github",
        ".gitignore",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "Makefile",
    ),
    *(
        "README.md",
        "bot",
        "commands",
        "deploy",
        "docs",
        "manifest.yml",
        "pyproject.toml",
        "requirements-aws.lock",
        "requirements-dev.lock",
    ),
    *("requirements.lock", "tests", ".env.example"),
}
# A name that says nothing about its content collects everything.
VAGUE = {"common", "core", "helper", "helpers", "lib", "misc", "scripts", "stuff", "util", "utils"}

IMPORTED_ONLY_BY = {"commands": ("bot.__main__",), "bot.sandbox": ("bot.cli",)}
# Where a side effect has one owner, only the owner may import what makes it.
OWNERS: dict[str, tuple[str, ...]] = {
    "aiosqlite": ("bot.store",),
    "alembic": ("bot.store",),
    "asyncpg": ("bot.store",),
    "boto3": ("bot.cli.security_group",),
    "botocore": ("bot.cli.security_group",),
    "cryptography": ("bot.store", "bot.accounts"),
    "prometheus_client": ("bot.metrics",),
    "pydantic_settings": ("bot.environment", "bot.setting_kinds"),
    "slack_bolt": ("bot.inbound",),
    "slack_sdk": ("bot.slack", "bot.inbound"),
    "sqlalchemy": ("bot.store",),
}
# Values in, values out: no clock, no network, no database.
PURE = ("bot.model", "bot.errors", "bot.declaration", "bot.render", "bot.delivery.reconcile")
IMPURE = {
    "aiohttp",
    "asyncio",
    "httpx",
    "os",
    "requests",
    "socket",
    "sqlite3",
    "subprocess",
    "time",
    "urllib.request",
}


@cache
def tracked_files() -> tuple[Path, ...]:
    """What git tracks; in a copy without git, what lies there without a leading dot."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        words = [git, "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
        listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        paths = [ROOT / name for name in listed.split("\0") if name]
    else:
        paths = [path for top in ROOT.iterdir() if top.name in TOP_LEVEL for path in (top, *top.rglob("*"))]
    return tuple(path for path in paths if path.is_file() and "__pycache__" not in path.parts)


def source_files() -> Iterator[Path]:
    return (path for path in tracked_files() if path.suffix == ".py")


def called(path: Path) -> str:
    """A path as a test's name."""
    return path.relative_to(ROOT).as_posix()


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def imported_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def offenders(files: Iterator[Path], wrong: Callable[[Path, ast.Module], Iterator[str]]) -> list[str]:
    """`file: what is wrong`, for every finding of `wrong` in these Python files."""
    return [f"{called(path)}: {what}" for path in files for what in wrong(path, ast.parse(path.read_bytes()))]


def test_imports_point_one_way() -> None:
    words = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as run; run()",
        "--no-cache",
    ]
    outcome = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_every_part_of_the_bot_has_its_layer() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = {contract["id"]: contract for contract in project["tool"]["importlinter"]["contracts"]}
    named = {name.strip(" ()") for layer in contracts["layers"]["layers"] for name in layer.split("|")}
    parts = {".".join(module_name(path).split(".")[:2]) for path in source_files()}
    bots = {part for part in parts if part.startswith("bot.")}
    assert bots - named - {"bot.sandbox"} == set()


def test_the_sandbox_shares_nothing_with_the_bot() -> None:
    """Its fakes must not share our mistakes."""

    def wrong(path: Path, tree: ast.Module) -> Iterator[str]:
        if within(module_name(path), ("bot.sandbox",)):
            for name in imported_names(tree):
                if within(name, ("bot", "commands")) and name != "bot" and not within(name, ("bot.sandbox",)):
                    yield f"imports {name}"

    assert offenders(source_files(), wrong) == []


@pytest.mark.parametrize(("package", "importers"), sorted(IMPORTED_ONLY_BY.items()))
def test_only_the_assembly_imports(package: str, importers: tuple[str, ...]) -> None:
    """`commands` is handed over as a catalog by `__main__`; the sandbox is started by its verb."""

    def wrong(path: Path, tree: ast.Module) -> Iterator[str]:
        if within(module_name(path), ("bot", "commands")) and not within(
            module_name(path), (package, *importers)
        ):
            yield from (f"imports {name}" for name in imported_names(tree) if within(name, (package,)))

    assert offenders(source_files(), wrong) == []


@pytest.mark.parametrize("package", sorted(OWNERS))
def test_a_side_effect_has_one_owner(package: str) -> None:
    def wrong(path: Path, tree: ast.Module) -> Iterator[str]:
        if within(module_name(path), ("bot", "commands")) and not within(module_name(path), OWNERS[package]):
            yield from (f"imports {name}" for name in imported_names(tree) if within(name, (package,)))

    assert offenders(source_files(), wrong) == []


def test_what_decides_does_no_io() -> None:
    def wrong(path: Path, tree: ast.Module) -> Iterator[str]:
        if within(module_name(path), PURE):
            yield from (f"imports {name}" for name in imported_names(tree) if name in IMPURE)

    assert offenders(source_files(), wrong) == []


def test_only_one_module_reads_the_environment() -> None:
    def wrong(path: Path, tree: ast.Module) -> Iterator[str]:
        name = module_name(path)
        if within(name, ("bot", "commands")) and name != "bot.environment":
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}:
                    yield f"line {node.lineno} reads the environment"

    assert offenders(source_files(), wrong) == []


def test_no_import_hides_in_a_function() -> None:
    def wrong(_: Path, tree: ast.Module) -> Iterator[str]:
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                for node in ast.walk(function):
                    if isinstance(node, ast.Import | ast.ImportFrom):
                        yield f"line {node.lineno} imports inside a function"

    assert offenders(source_files(), wrong) == []


def test_nothing_is_global_and_changing() -> None:
    def wrong(path: Path, tree: ast.Module) -> Iterator[str]:
        if within(module_name(path), ("bot", "commands")):
            yield from (
                f"line {node.lineno} says global" for node in ast.walk(tree) if isinstance(node, ast.Global)
            )

    assert offenders(source_files(), wrong) == []


# Runs apart, so that nothing is hidden by what the tests have imported already. A library may read the
# environment for itself: the nearest caller outside the standard library tells whose act it is.
WATCHED_IMPORTS = """
import importlib, os, pkgutil, sys, sysconfig
root, found = sys.argv[1], []
stdlib = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))

def ours():
    frame = sys._getframe(2)
    while frame:
        name = frame.f_code.co_filename
        library = name.startswith("<") or (name.startswith(stdlib) and "site-packages" not in name)
        if not library and name != __file__:
            inside = name.startswith((os.path.join(root, "bot"), os.path.join(root, "commands")))
            return f"{name}:{frame.f_lineno}" if inside else None
        frame = frame.f_back
    return None

class Watched(type(os.environ)):
    def __getitem__(self, key):
        if at := ours():
            found.append(f"{at} reads {key} from the environment")
        return super().__getitem__(key)
    def __iter__(self):
        if at := ours():
            found.append(f"{at} reads the environment")
        return super().__iter__()

loud = {"socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "sqlite3.connect"}
def hear(event, _):
    if event in loud and (at := ours()):
        found.append(f"{at} does {event}")

__file__ = "<watch>"
os.environ.__class__ = Watched
sys.addaudithook(hear)
sys.path.insert(0, root)
for package in (importlib.import_module("bot"), importlib.import_module("commands")):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        # Alembic runs these as scripts; they are no modules of ours to import.
        if ".migrations." not in module.name:
            importlib.import_module(module.name)
print("\\n".join(found))
"""


def test_importing_does_nothing_else() -> None:
    words = [sys.executable, "-W", "error", "-c", WATCHED_IMPORTS, str(ROOT)]
    outcome = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.strip() == ""


def test_no_file_is_long() -> None:
    lengths = {
        called(path): len(path.read_text("utf-8").splitlines())
        for path in tracked_files()
        if path.suffix in COUNTED
    }
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_names_say_what_things_are_about() -> None:
    vague = [
        called(path)
        for path in tracked_files()
        if {Path(part).stem for part in path.relative_to(ROOT).parts} & VAGUE
    ]
    assert vague == []


def test_the_top_level_holds_what_it_should() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked_files()} - TOP_LEVEL == set()


def test_every_test_folder_is_a_package() -> None:
    folders = {path.parent for path in source_files() if path.relative_to(ROOT).parts[0] == "tests"}
    assert [called(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


# Put together here, so that this file does not find itself.
UNFINISHED = re.compile(
    r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error", "HA" + "CK")) + r")\b"
)
EVASIONS = re.compile(
    "|".join(
        (
            "unittest" + r"\.mock",
            "unittest import " + "mock",
            r"\bmocker\b",
            r"monkeypatch\.set" + "attr",
            r"mark\.(?:skip|" + r"xfail)\b",
            r"pytest\.xfail" + r"\(",
            r"importor" + "skip",
        )
    )
)
TEXT = {".py", ".js", ".css", ".html", ".md", ".toml", ".yml", ".yaml", ".json", ".sql", ".mako", ""}
# Each of these needs something that is not on every machine, and says so in plain words.
MAY_SKIP = (
    "tests.browser",
    "tests.conftest",
    "tests.contract",
    "tests.databases",
    "tests.proxy",
    "tests.test_vigilance",
)


def test_nothing_is_left_unfinished() -> None:
    assert _lines_with(UNFINISHED, (path for path in tracked_files() if path.suffix in TEXT)) == []


def test_the_tests_evade_nothing() -> None:
    assert _lines_with(EVASIONS, source_files()) == []


def test_only_what_a_machine_may_lack_is_skipped() -> None:
    tests = (path for path in source_files() if not within(module_name(path), MAY_SKIP))
    assert _lines_with(re.compile(r"pytest\.skip" + r"\(|skip" + r"if\b"), tests) == []


def _lines_with(pattern: re.Pattern[str], files: Iterator[Path]) -> list[str]:
    return [
        f"{called(path)}:{number}: {line.strip()[:100]}"
        for path in files
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
