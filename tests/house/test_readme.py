"""The README is a transcript: what it says to type is typed, and prints what it says."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click

from builders.project import NOON
from fake_wolkvox import Vendor

ROOT = Path(__file__).parents[2]
POSTGRES_IN_README = "postgresql://loader:secret@localhost:5432/warehouse"
SET_UP = ("make ", ". .venv/")  # done before the tests run, and by CI as the README says it


def transcript() -> list[tuple[str, str]]:
    """Return the README's commands, each with the output that is promised (`...` stands for
    anything)."""
    steps: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.S):
        for line in block.splitlines(keepends=True):
            if line.startswith("$ "):
                steps.append((line[2:], ""))
            elif line.startswith("> "):
                steps[-1] = (steps[-1][0] + line[2:], steps[-1][1])
            else:
                steps[-1] = (steps[-1][0], steps[-1][1] + line)
    return steps


def test_the_readme_replays(
    tmp_path: Path, vendor: Vendor, new_database: Callable[[], str]
) -> None:
    """Each command of the README works as it stands, and prints what the README shows."""
    vendor.add_operation(name="Ventas  Norte", server="0010", token="a1" * 32)
    (tmp_path / "inbox").mkdir()  # an invoice, as it came by mail
    (tmp_path / "inbox" / "mail.zip").write_bytes(vendor.invoice("a1" * 32, "2026-10"))
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "DLT_DATA_DIR": str(tmp_path / "dlt"),
        "COLUMNS": "114",
        "TERM": "xterm",  # for rich: tables have lines
        "TTY_COMPATIBLE": "1",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "SOURCES__WOLKVOX_BILLING__BASE_URL": vendor.url,
        "SOURCES__WOLKVOX_BILLING__PACE_MINUTES": "0",
    }
    database = new_database()
    checker = doctest.OutputChecker()
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    steps = [step for step in transcript() if not step[0].startswith(SET_UP)]
    assert len(steps) > 8
    for command, want in steps:
        command = command.replace(POSTGRES_IN_README, database)
        if export := re.fullmatch(r"export (\w+)=(.*)\n", command):
            (value,) = shlex.split(export[2])
            environment[export[1]] = "a1" * 32 if value == "..." else value
            continue
        process = subprocess.run(
            ["/bin/sh", "-ec", command],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert process.returncode == 0, f"{command}\n{process.stdout}{process.stderr}"
        said = click.unstyle(process.stdout)
        difference = f"{command}\nsaid:\n{said}\nnot:\n{want}"
        assert checker.check_output(want, said, flags), difference


def test_make_has_every_target_that_the_readme_names() -> None:
    """Each `make TARGET` of the README is a target of the Makefile."""
    in_readme = set(
        re.findall(r"make ([a-z-]+)", re.sub(r"and make", "", (ROOT / "README.md").read_text()))
    )
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert {"demo", "test", "install", "check"} <= in_readme <= targets


def test_the_clock_of_the_readme() -> None:
    """The transcript's dates are those of the stand-in vendor's clock."""
    assert f"{NOON:%Y-%m-%d} 12:00:00" in (ROOT / "README.md").read_text()
