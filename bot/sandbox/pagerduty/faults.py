"""Outages on request: PagerDuty down, slow, limiting, or gone in the middle of an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Mode = Literal["off", "down", "slow", "limited", "error", "drop_before", "drop_after", "late"]
MODES: tuple[Mode, ...] = ("off", "down", "slow", "limited", "error", "drop_before", "drop_after", "late")


@dataclass
class Fault:
    """`count` requests are hit (None: all of them) whose path begins with one of `paths` (none: any path)
    and whose body has these `fields`, such as `{"grant_type": "refresh_token"}`.

    down: 503 · slow: answered `seconds` late · limited: 429, without headers or body when `bare` · error:
    `status` and PagerDuty's `code` · drop_before: the connection drops and nothing is done · drop_after: it
    is done, then it drops · late: it is done at once and answered `seconds` later. (A client of aiohttp's
    repeats a dropped GET or PUT once by itself, so `count` 1 strikes only its first try.)
    """

    mode: Mode
    paths: Sequence[str] = ()
    methods: Sequence[str] = ()
    count: int | None = None
    seconds: float = 0.0
    status: int = 500
    code: int | None = None
    bare: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)

    def hits(self, method: str, path: str, body: Any) -> bool:
        has = body if isinstance(body, Mapping) else {}
        return (
            (not self.paths or path.startswith(tuple(self.paths)))
            and (not self.methods or method in self.methods)
            and all(has.get(name) == value for name, value in self.fields.items())
        )


class Faults:
    def __init__(self) -> None:
        self._active: list[Fault] = []

    def set(self, fault: Fault) -> None:
        """Add a fault; mode `off` ends those on the same paths, or all when no path is named."""
        if fault.mode == "off":
            self._active = [f for f in self._active if fault.paths and f.paths != fault.paths]
        else:
            self._active.append(fault)

    def take(self, method: str, path: str, body: Any = None) -> Fault | None:
        """The fault that hits this request, counted down."""
        for fault in self._active:
            if fault.hits(method, path, body):
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count <= 0:
                        self._active.remove(fault)
                return fault
        return None
