"""What a benchmark has measured, held against its aim: printed, and kept for the report."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple


class Aim(NamedTuple):
    """What a number shall be at most; the moonshot is what nobody promised."""

    most: float
    moonshot: float | None = None
    unit: str = "x"

    def show(self, number: float | None) -> str:
        return "" if number is None else f"{number:g} {self.unit}"


def hold(work: str, aim: Aim, number: float, more: str = "", *, at_most: bool = False) -> None:
    """Note a number against its aim; `more` is said behind it. `at_most`: the real one is unknown,
    and no larger, since what it is compared to was cut off."""
    digits = 0 if aim.unit == "MB" else 2
    measured = f"{'at most ' if at_most else ''}{number:.{digits}f} {aim.unit}{more}"
    met = number <= aim.most
    note(
        work,
        f"{aim.show(aim.most)} at most",
        measured,
        None if at_most and not met else met,
        moonshot=aim.show(aim.moonshot),
        is_moonshot=aim.moonshot is not None and number <= aim.moonshot,
    )


def note(
    work: str,
    aim: str,
    measured: str,
    met: bool | None,
    *,
    moonshot: str = "",
    is_moonshot: bool = False,
) -> None:
    """Note a finding; `met` is None where there is no aim, or nobody can tell. `parts.py` says
    where it is kept."""
    unknown = "no aim" if aim == "none" else "not known"
    says = {True: "met", False: "MISSED", None: unknown}[met]
    if met and is_moonshot:
        says = "met, the moonshot too"
    beyond = f"; moonshot: {moonshot}" if moonshot else ""
    print(f"{work}: {measured} (aim: {aim}{beyond}) {says}", flush=True)
    if kept := os.environ.get("BENCHMARK_FINDINGS"):
        with Path(kept).open("a") as file:
            file.write(json.dumps([work, aim, moonshot, measured, says]) + "\n")
