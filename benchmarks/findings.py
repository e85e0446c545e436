"""What a benchmark found, held against its aim: printed, and kept for the report."""

from __future__ import annotations

import json
import os
from pathlib import Path


def note(work: str, aim: str, measured: str, met: bool | None) -> None:
    """One finding; `met` is None where there is no aim. `parts.py` says where it is kept."""
    says = {True: "met", False: "MISSED", None: "no aim"}[met]
    print(f"{work}: {measured} (aim: {aim}) {says}", flush=True)
    if kept := os.environ.get("BENCHMARK_FINDINGS"):
        with Path(kept).open("a") as file:
            file.write(json.dumps([work, aim, measured, says]) + "\n")
