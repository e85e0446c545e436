"""`make superset`: the dashboard over the demo's record in a local Superset, to look at.

All of it listens on 127.0.0.1, lives in a folder that goes with it, and ends with Ctrl-C. Whoever
is on this machine may sign in.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

from builders.local_superset import PASSWORD, running_superset
from builders.story_of_bi import lived

SAFE = "?access_mode=read_only&enable_external_access=false"


def main(*copies: str) -> None:
    """Show a copy that `publish` made; without one the demo's."""
    stopped = threading.Event()
    for ends in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ends, lambda *_: stopped.set())
    print("starting: a minute", flush=True)
    with tempfile.TemporaryDirectory(prefix="wolkvox-superset-") as name:
        folder = Path(name)
        if copies:
            show(folder, Path(os.path.abspath(copies[0])), stopped)
            return
        with lived(folder / "demo") as copy:
            show(folder, copy, stopped)


def show(folder: Path, copy: Path, stopped: threading.Event) -> None:
    with running_superset(folder / "home", f"duckdb:///{copy}{SAFE}") as superset:
        print(f"{superset.url}/superset/dashboard/wolkvox/\nadmin, password {PASSWORD}")
        print("end it with Ctrl-C", flush=True)
        stopped.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
