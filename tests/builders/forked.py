"""Programs `wolkvox-billing` and `python` whose runs need not import everything anew."""

from __future__ import annotations

import json
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from builders.killing import TEMP, Stable

ADDRESS = "socket"  # beside the program
# What a shell starts: it hands over its words, and ends as the run does that was made of them.
PROGRAM = f"""#!{sys.executable} -IS
import json, os, socket, sys
order = {{"program": sys.argv[0], "words": sys.argv[1:], "env": dict(os.environ),
    "cwd": os.getcwd(), "pid": os.getpid()}}
with socket.socket(socket.AF_UNIX) as asking:
    asking.connect(os.path.join(os.path.dirname(__file__), "{ADDRESS}"))
    asking.sendall(json.dumps(order).encode() + b"\\n")
    sys.exit(int(asking.makefile().readline()))
"""
CODE = {
    "wolkvox-billing": "from wolkvox_billing.cli.main import run; run()",
    "python": """
import runpy, sys
from pathlib import Path
del sys.argv[0]
if sys.argv[0] == "-u":
    del sys.argv[0]
if sys.argv[0] == "-c":
    code = sys.argv.pop(1)
    exec(code, {"__name__": "__main__"})
    sys.exit()
sys.path.insert(0, str(Path(sys.argv[0]).parent))
runpy.run_path(sys.argv[0], run_name="__main__")
""",
}


@contextmanager
def forked_programs(runs: Stable, *names: str) -> Iterator[Path]:
    """Yield a folder with these programs, of which `python` runs a script, or what is behind -c.
    Empty where the system has no /proc, by which a run writes to where its program would."""
    with (
        tempfile.TemporaryDirectory(prefix="forked-", dir=TEMP) as name,  # a short address
        socket.socket(socket.AF_UNIX) as listening,
    ):
        folder = Path(name)
        if Path("/proc/self/fd").exists():
            for name in names:
                (folder / name).write_text(PROGRAM)
                (folder / name).chmod(0o755)
            listening.bind(str(folder / ADDRESS))
            listening.listen()
            threading.Thread(target=_serve, args=(listening, runs), daemon=True).start()
        try:
            yield folder
        finally:
            with suppress(OSError):  # nobody listened
                listening.shutdown(socket.SHUT_RDWR)


def _serve(listening: socket.socket, runs: Stable) -> None:
    """Take what programs hand over, each in a thread of its own: one may start others."""
    while True:
        try:
            asking, _ = listening.accept()
        except OSError:  # nobody listens any more
            return
        threading.Thread(target=_run, args=(asking, runs), daemon=True).start()


def _run(asking: socket.socket, runs: Stable) -> None:
    with asking, asking.makefile("rw") as lines:
        order = json.loads(lines.readline())
        streams = {
            stream: f"/proc/{order['pid']}/fd/{number}"
            for number, stream in enumerate(("input", "output", "errors"))
        }
        words = {"code": CODE[Path(order["program"]).name], "words": order["words"]}
        pid = runs.start("script", words, env=order["env"], cwd=order["cwd"], **streams)
        while (code := runs.look(pid)) is None:
            time.sleep(0.005)
        lines.write(f"{code}\n")
