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


class Finding(NamedTuple):
    """A row of the report's table."""

    work: str
    aim: str
    moonshot: str
    measured: str
    says: str

    def tell(self) -> None:
        """Print it, and keep it where `parts.py` says."""
        beyond = f"; moonshot: {self.moonshot}" if self.moonshot else ""
        print(f"{self.work}: {self.measured} (aim: {self.aim}{beyond}) {self.says}", flush=True)
        if path := os.environ.get("BENCHMARK_FINDINGS"):
            with Path(path).open("a") as file:
                file.write(json.dumps(self) + "\n")


def hold(work: str, aim: Aim, number: float, more: str = "", *, at_most: bool = False) -> None:
    """Note a number against its aim; `more` is said behind it. `at_most`: the real one is unknown,
    and no larger, since what it is compared to was cut off."""
    digits = 0 if aim.unit == "MB" else 2
    measured = f"{'at most ' if at_most else ''}{number:.{digits}f} {aim.unit}{more}"
    if number > aim.most:
        says = "not known" if at_most else "MISSED"
    else:
        is_moonshot = aim.moonshot is not None and number <= aim.moonshot
        says = "met, the moonshot too" if is_moonshot else "met"
    most = f"{aim.show(aim.most)} at most"
    Finding(work, most, aim.show(aim.moonshot), measured, says).tell()


def note(work: str, aim: str, measured: str, met: bool | None) -> None:
    """Note a finding; `met` is None where there is no aim, or nobody can tell."""
    unknown = "no aim" if aim == "none" else "not known"
    says = {True: "met", False: "MISSED", None: unknown}[met]
    Finding(work, aim, "", measured, says).tell()
