"""A program `wolkvox-billing` whose runs need not import everything anew."""

from __future__ import annotations

import json
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from builders.killing import TEMP, Stable

ADDRESS = "socket"  # beside the program
# What a shell starts: it hands over its words, and ends as the run does that was made of them.
PROGRAM = f"""#!{sys.executable} -IS
import json, os, socket, sys
order = {{"words": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd(), "pid": os.getpid()}}
with socket.socket(socket.AF_UNIX) as asking:
    asking.connect(os.path.join(os.path.dirname(__file__), "{ADDRESS}"))
    asking.sendall(json.dumps(order).encode() + b"\\n")
    sys.exit(int(asking.makefile().readline()))
"""
RUN = "from wolkvox_billing.cli.main import run; run()"


@contextmanager
def forked_program(runs: Stable) -> Iterator[Path]:
    """Yield a folder with the program, for the front of a PATH. Empty where the system has no
    /proc, by which a run writes to where its program would."""
    with (
        tempfile.TemporaryDirectory(prefix="forked-", dir=TEMP) as name,  # a short address
        socket.socket(socket.AF_UNIX) as listening,
    ):
        folder = Path(name)
        if Path("/proc/self/fd").exists():
            program = folder / "wolkvox-billing"
            program.write_text(PROGRAM)
            program.chmod(0o755)
            listening.bind(str(folder / ADDRESS))
            listening.listen()
            threading.Thread(target=_serve, args=(listening, runs), daemon=True).start()
        try:
            yield folder
        finally:
            with suppress(OSError):  # nobody listened
                listening.shutdown(socket.SHUT_RDWR)


def _serve(listening: socket.socket, runs: Stable) -> None:
    while True:
        try:
            asking, _ = listening.accept()
        except OSError:  # nobody listens any more
            return
        with asking, asking.makefile("rw") as lines:
            order = json.loads(lines.readline())
            streams = {
                stream: f"/proc/{order['pid']}/fd/{number}"
                for stream, number in (("output", 1), ("errors", 2))
            }
            words = {"code": RUN, "words": order["words"]}
            code = runs.run("script", words, env=order["env"], cwd=order["cwd"], **streams)
            lines.write(f"{code}\n")
