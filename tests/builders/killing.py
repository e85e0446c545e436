"""Processes that run a verb or a script, and verbs that are killed on the way: at a step, at a
change of files, any time.

One process imports everything and forks for each order, so that 200 runs cost 200 forks.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

Json = dict[str, Any]  # it goes through a pipe, or to a verb of whatever arguments
TEMP = tempfile.gettempdir()  # of the machine: a test may have one of its own
GOES_ON = 1000  # no exit code
NEW_MOUNTS, NEW_USER = 0x00020000, 0x10000000  # of Linux: Python 3.12 has names for them
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod"}


@contextmanager
def stable(
    python: str | Path = sys.executable,
    path: Sequence[str | Path] = sys.path,
    modules: Sequence[str] = (),
    options: Sequence[str] = (),
    env: Mapping[str, str] = os.environ,
) -> Iterator[Stable]:
    """Where runs are started; all that still live end with the block. `python` with its options,
    `path` and `env` are those of another environment, if not of this process; `modules` is what it
    imports in the place of the product, of which it knows scripts only."""
    with subprocess.Popen(
        [python, *options, __file__, *modules],
        env={**env, "PYTHONPATH": os.pathsep.join(map(str, path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        stable = Stable(process)
        try:
            assert stable._ask({}) == 0
            yield stable
        finally:
            for pid in stable.running:
                os.kill(pid, signal.SIGKILL)
            process.kill()


class Stable:
    """Starts runs, and waits for them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process, self.running = process, set[int]()
        self._asking = threading.Lock()

    def start(self, verb: str, arguments: Json, **order: Any) -> int:
        """Start a run of `verb` in the current folder and with its environment; return its process
        id.

        kill: [module:name, "before" or "after", which call of it], or the number of the change of
        files before which it dies, 0 for none. safe: a file that gets the id of each poll that is
        in the spool. output: a file for all that it prints; errors: another one for stderr.
        result: a file for what it returned, and the number of changes. umask: another one than
        022. values: of what is named `module:name`, others. input: a file that it reads, in the
        place of nothing. more: variables of the environment that are others, the folder in PWD.
        mounts: words of `mount`, of each disk that no other process sees."""
        env = {**os.environ, **order.pop("more", {})}
        cwd = env["PWD"] if env.get("PWD") != os.environ.get("PWD") else os.getcwd()
        run = {"verb": verb, "arguments": arguments, "env": env, "cwd": cwd, **order}
        pid = self._ask(run)
        assert pid > 1  # it will be killed: 0 would be all of this session
        self.running.add(pid)
        return pid

    def wait(self, pid: int) -> int:
        """Return how a run ended: its exit code, or minus the signal."""
        self.running.discard(pid)
        return self._ask({"wait": pid})

    def look(self, pid: int) -> int | None:
        """Return how a run ended, None while it goes on: nobody else has to wait meanwhile."""
        if (code := self._ask({"look": pid})) == GOES_ON:
            return None
        self.running.discard(pid)
        return code

    def run(self, verb: str, arguments: Json, **order: Any) -> int:
        return self.wait(self.start(verb, arguments, **order))

    def script(
        self, code: str, *words: str, mounts: Sequence[Sequence[str]] = (), **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script with these words, as `python -c` does, and without a terminal; `mounts` and
        `more` as in `start`."""
        with tempfile.TemporaryDirectory(dir=TEMP) as folder:
            output, errors = Path(folder, "output"), Path(folder, "errors")
            arguments = {"code": code, "words": words}
            places = {"output": output, "errors": errors, "mounts": mounts}
            code_of_end = self.run("script", arguments, **places, more=more)
            texts = [file.read_text() for file in (output, errors)]
            return subprocess.CompletedProcess(words, code_of_end, *texts)

    def _ask(self, order: Json) -> int:
        assert self._process.stdin and self._process.stdout
        with self._asking:
            self._process.stdin.write(json.dumps(order, default=str) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())


# In the process that forks, and in its children.


def serve() -> None:
    # This file's folder: dlt imports what has the name of a project's folder, and `project` is one
    # of the builders.
    del sys.path[0]
    # What is imported may print; the answers are for who asks alone.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if modules := sys.argv[1:]:
        os.setsid()  # Ctrl-C is for who asks, and ends what runs
        for name in modules:
            importlib.import_module(name)
    else:
        import_product()
    gc.freeze()  # what is imported is no rubbish, of no child
    gc.set_threshold(100_000)
    for line in sys.stdin:
        order = json.loads(line)
        if not order:
            answer = 0
        elif "wait" in order:
            answer = os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1])
        elif "look" in order:
            ended, status = os.waitpid(order["look"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if ended else GOES_ON
        elif not (answer := os.fork()):
            answers.close()
            os._exit(live(order))
        answers.write(f"{answer}\n")
        answers.flush()


def import_product() -> None:
    for name in ("verbs.load", "verbs.publish", "verbs.reconcile", "evidence", "closing",
                 "cli.main"):  # fmt: skip
        importlib.import_module(f"wolkvox_billing.{name}")
    for name in ("dlt.destinations.impl.duckdb.duck", "dlt.destinations.impl.postgres.postgres",
                 "dlt.pipeline.pipeline", "dlt.load.load", "dlt.normalize.normalize",
                 "wolkvox_billing.reconciliation.contract.rate_card", "holidays.countries",
                 "babel.messages.mofile", "babel.messages.pofile", "rich.console", "rich.table",
                 "wolkvox_billing.cli.printed", "wolkvox_billing.verbs.status"):  # fmt: skip
        importlib.import_module(name)
    for name in ("dlt.common.libs.sql_alchemy_compat", "dlt.sources.helpers.requests",
                 "dlt._workspace._plugins", "pendulum.locales.en.locale", "pytz"):  # fmt: skip
        with suppress(ImportError):  # where it is another version of dlt
            importlib.import_module(name)
    # Compiled, as it is in a wheel.
    importlib.import_module("wolkvox_billing.values.translation").translate("", "es")
    # Who is turned away by a PostgreSQL asks again for five seconds.
    importlib.import_module("wolkvox_billing.warehouse.sessions").PATIENCE = 0.3  # type: ignore[attr-defined]


def live(order: Json) -> int:
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    tempfile.tempdir = None
    os.umask(order.get("umask", 0o022))
    os.dup2(os.open(order.get("input", os.devnull), os.O_RDONLY), 0)
    output = order.get("output", os.devnull)
    for number, file in ((1, output), (2, order.get("errors", output))):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    # Anew: what Python wrote to before may have been a file, and this be a pipe; and it may have
    # read some of the next orders.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", errors=sys.stdout.errors, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors=sys.stderr.errors, closefd=False)  # noqa: SIM115
    try:
        if mounts := order.get("mounts"):
            mount(mounts)
        for place, value in order.get("values", {}).items():
            module, _, name = place.partition(":")
            setattr(importlib.import_module(module), name, value)
        if "safe" in order:
            note_polls(Path(order["safe"]))
        kill = order.get("kill")
        if isinstance(kill, list):
            die_at(*kill)
        elif kill is not None:
            die_before_change(kill)
        returned = run(order["verb"], order["arguments"])
        if "result" in order:
            Path(order["result"]).write_text(json.dumps([returned, len(changes)], default=str))
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
    return 0


def run(verb: str, arguments: Json) -> Any:
    if verb == "script":
        sys.argv = ["-c", *arguments["words"]]
        exec(arguments["code"], {"__name__": "__main__"})  # noqa: S102 # a test's own script
        return None
    from wolkvox_billing import closing, evidence
    from wolkvox_billing.reconciliation.policy import Policy
    from wolkvox_billing.verbs import load, publish
    from wolkvox_billing.verbs.reconcile import reconcile

    if now := arguments.pop("now", None):
        arguments["clock"] = lambda: datetime.fromisoformat(now)
    if verb == "load":
        report = load.load(**arguments)
        outcomes = [poll.outcome.value for poll in report.polls]
        return [outcomes + [skip.reason for skip in report.skips], report.problems]
    if verb == "publish":
        return str(publish.publish(**arguments).path)
    if verb == "evidence":
        order = evidence.order_evidence(arguments.pop("folder"), arguments["month"])
        return str(reconcile(**arguments, evidence=order, policy=Policy()).evidence)
    return str(closing.close(**arguments, policy=Policy()))


def mount(disks: Sequence[Sequence[str]]) -> None:
    """Mount what no other process sees; whoever runs this need not be root."""
    libc, command = ctypes.CDLL(None, use_errno=True), shutil.which("mount")
    ids = {"setgroups": "deny", "uid_map": f"0 {os.getuid()} 1", "gid_map": f"0 {os.getgid()} 1"}
    if not command or libc.unshare(NEW_USER | NEW_MOUNTS):
        raise OSError(ctypes.get_errno(), "this process may not mount anything of its own")
    for name, text in ids.items():
        Path("/proc/self", name).write_text(text)
    for words in disks:
        subprocess.run([command, *words], check=True)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def note_polls(file: Path) -> None:
    """Write down each poll that the spool has taken: it must not be lost from now on."""
    from wolkvox_billing.polling.spool import Spool

    descriptor, keep = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), Spool.keep

    def keep_and_tell(self: Spool, poll: Any) -> None:
        keep(self, poll)
        os.write(descriptor, f"{poll.poll_id}\n".encode())

    Spool.keep = keep_and_tell  # type: ignore[method-assign]


def die_at(place: str, when: str, which: int = 1) -> None:
    """Die before or after the first, second, ... call of what is named `module:a.b`."""
    module, _, path = place.partition(":")
    holder: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for attribute in outer:
        holder = getattr(holder, attribute)
    original: Callable[..., Any] = getattr(holder, name)
    reached = itertools.count(1)  # calls come from several threads

    def wrapped(*args: Any, **more: Any) -> Any:
        if when == "before" and next(reached) == which:
            die()
        returned = original(*args, **more)
        if when == "after" and next(reached) == which:
            die()
        return returned

    setattr(holder, name, wrapped)


def die_before_change(which: int) -> None:
    """Die before the so-many-th file that Python opens to write, makes, moves or removes; with 0
    only count them."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            is_change = isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
        else:
            is_change = event in CHANGES
        if is_change:
            changes.append(event)
            if len(changes) == which:
                die()

    sys.addaudithook(hook)


changes: list[str] = []  # changes of files so far


if __name__ == "__main__":
    serve()
