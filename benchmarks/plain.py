"""A plain install of the project, without any extra, in `build/plain`: `make plain` sets it up.

Ours and the bare dlt pipeline are measured in it, since that is what a user has. Where it is not
set up, or BENCHMARK_PLAIN is `no`, as in the tests, what runs the benchmark stands in: it is told.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "plain"
PACKAGES = ("dlt", "duckdb", "pyarrow", "orjson")


def is_used() -> bool:
    is_wanted = os.environ.get("BENCHMARK_PLAIN") != "no"
    return is_wanted and (FOLDER / "bin" / "wolkvox-billing").exists()


def own(name: str) -> Path:
    """Return a program beside what runs this, or in BENCHMARK_PROGRAMS, where the tests put some
    that need not import everything anew."""
    folder = os.environ.get("BENCHMARK_PROGRAMS")
    return (Path(folder) if folder else Path(sys.executable).parent) / name


def python() -> Path:
    return FOLDER / "bin" / "python" if is_used() else own("python")


def program() -> Path:
    """Return the command `wolkvox-billing`, as a user starts it."""
    return FOLDER / "bin" / "wolkvox-billing" if is_used() else own("wolkvox-billing")


def settings() -> dict[str, str]:
    """Return what keeps other places than its own out of the install."""
    return {"PYTHONPATH": ""} if is_used() else {}


def tell() -> None:
    """Print in what is measured. Raises SystemExit where it is not what stands here."""
    if not is_used():
        print("no plain install (`make plain` sets one up): in what runs this", flush=True)
        return
    if changed := sorted(_changed()):
        raise SystemExit(f"the plain install is of other sources, see {changed[0]}: `make plain`")
    packages = ", ".join(f"{name} {number}" for name, number in versions(FOLDER, PACKAGES).items())
    print(f"in a plain install: {packages}", flush=True)


def versions(folder: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of those of the packages that a virtual environment has."""
    installed = dict(
        info.name.removesuffix(".dist-info").split("-", 1)
        for info in folder.glob("lib/*/site-packages/*.dist-info")
    )
    return {name: installed[name] for name in names if name in installed}


def _changed() -> set[str]:
    [installed] = FOLDER.glob("lib/*/site-packages/wolkvox_billing")
    sources = ROOT / "pipelines" / "wolkvox_billing"
    read = [
        {
            str(file.relative_to(folder)): file.read_bytes()
            for file in folder.rglob("*")
            if file.suffix in (".py", ".sql")
        }
        for folder in (installed, sources)
    ]
    names = read[0].keys() | read[1].keys()
    return {name for name in names if read[0].get(name) != read[1].get(name)}
