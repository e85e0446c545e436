"""Asking all: tries and pauses, what is no longer asked, and one call in flight for each token.

Every call goes over a real socket, every foreign holder of a token is a real process. Pauses are
written down, not slept.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from builders.project import SERVERS, TOKENS
from fake_wolkvox import MISBEHAVIOURS, Vendor
from fake_wolkvox.misbehaviour import Scene
from fake_wolkvox.reply import Reply, envelope, page
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.polling.polls import Manner, Poll, Run, Skip, ask_all, new_poll_id
from wolkvox_billing.polling.token_lock import hold_token
from wolkvox_billing.vendor.client import Limits
from wolkvox_billing.vendor.operations import Operation

AUDIOS, MINUTES, CALLS, CHARS = "rsync_s3_mp3", "ivr_minutes", "ivr_calls", "tts_chars"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The locks of a test are its own: in this process, and in those that it starts."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path / f"wolkvox-billing-{os.getuid()}"


def operation(vendor: Vendor, name: str = "acme") -> Operation:
    """An operation at the stand-in; one that the stand-in does not know has a token too."""
    url = f"{vendor.url}/api/v2/billing.php"
    return Operation(name, SERVERS.get(name, "0099"), url, TOKENS.get(name, name))


def asked(
    vendor: Vendor,
    names: str = "acme",
    reports: tuple[str, ...] = (AUDIOS,),
    due: Callable[[Operation, str], Skip | None] = lambda *_: None,
    **manner: Any,
) -> list[Poll | Skip]:
    """All events of one run, whose pauses take no time."""
    operations = [operation(vendor, name) for name in names.split()]
    how = Manner(**{"sleep": lambda _: None, **manner})
    return list(ask_all(operations, reports, Run(due, lambda: vendor.now, how)))


def told(events: list[Poll | Skip]) -> list[tuple[str, str, str]]:
    """Each event in short, those of one operation in their order."""
    short = [
        (event.operation.operation_id, event.report, event.outcome.value)
        if isinstance(event, Poll)
        else (event.operation_id, event.report, event.reason)
        for event in events
    ]
    return sorted(short, key=lambda call: call[0])


@pytest.fixture
def answer_after(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the vendor do something first whenever it answers, while the call is in flight."""

    def install(first: Callable[[], object], **which: Any) -> None:
        def special(scene: Scene) -> Reply:
            def pieces() -> Iterator[bytes]:
                first()
                yield envelope(scene.rows)

            return Reply(200, pieces())

        monkeypatch.setitem(MISBEHAVIOURS, "special", special)
        vendor.misbehave("special", **which)

    return install


@contextmanager
def each_message(do: Callable[[str], object]) -> Iterator[None]:
    """Does something with each message of the log, at once."""

    def see(record: logging.LogRecord) -> bool:
        do(record.getMessage())
        return True

    logger = logging.getLogger("wolkvox_billing")
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addFilter(see)
    try:
        yield
    finally:
        logger.removeFilter(see)
        logger.setLevel(before)


@contextmanager
def process(code: str, arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    """Another Python process, which ends with the block, or after a minute."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", code, json.dumps(arguments)]
    with subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe) as running:
        end = threading.Timer(60, running.kill)
        end.start()
        try:
            yield running
        finally:
            end.cancel()
            running.kill()


def read_until(running: subprocess.Popen[bytes], *lines: str) -> None:
    """Returns once the process has printed these lines, in any order."""
    assert running.stdout
    missing = set(lines)
    while missing:
        line = running.stdout.readline().decode()
        assert line, f"it ended without: {missing}"
        missing.discard(line.rstrip("\n"))


HOLD = """
import json, sys
from wolkvox_billing.vendor.operations import Operation
from wolkvox_billing.polling.token_lock import hold_token
with hold_token(Operation(*json.loads(sys.argv[1])), 0):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(vendor: Vendor) -> Iterator[subprocess.Popen[bytes]]:
    """Another process holds the token of `acme`."""
    with process(HOLD, ["other", "0010", vendor.url, TOKENS["acme"]]) as running:
        read_until(running, "held")
        yield running


# Tries and pauses.


@pytest.mark.parametrize(
    ("name", "outcome", "tries", "next_one"),
    [
        ("token_busy", "token_busy", 4, "refused"),
        ("too_many_requests", "token_busy", 4, "refused"),
        ("maintenance", "maintenance", 4, "refused"),
        ("drop", "unreachable", 4, "refused"),
        ("server_error", "server_error", 4, "ok"),
        ("wrong_token", "bad_token", 1, "refused"),
        ("quota_spent", "quota_spent", 1, "refused"),
        ("never_answer", "timeout", 1, "refused"),
        ("unknown_report", "unknown_report", 1, "ok"),
        ("html", "bad_answer", 1, "ok"),
        ("cut", "bad_answer", 1, "ok"),
        ("not_found", "not_found", 1, "ok"),
        ("data_empty", "empty", 1, "ok"),
        ("bom", "ok", 1, "ok"),
    ],
)
def test_each_outcome_has_its_tries_and_its_consequence(
    vendor: Vendor, name: str, outcome: str, tries: int, next_one: str
) -> None:
    """What may pass is tried three times more, each try a poll of its own; a refusal that holds
    for the next reports too ends the operation, and no other."""
    vendor.misbehave(name, token=TOKENS["acme"], report=AUDIOS)
    seconds = 1.0 if name == "never_answer" else 60.0
    events = asked(
        vendor, "acme beta", (AUDIOS, MINUTES, CALLS), limits=Limits(read_seconds=seconds)
    )
    assert told(events) == [
        *[("acme", AUDIOS, outcome)] * tries,
        ("acme", MINUTES, next_one),
        ("acme", CALLS, next_one),
        *(("beta", report, "ok") for report in (AUDIOS, MINUTES, CALLS)),
    ]
    details = {event.detail for event in events if isinstance(event, Skip)}
    refused = {f"not asked after {outcome} for {AUDIOS}"} if next_one == "refused" else set()
    assert details == refused
    polls = {event.poll_id for event in events if isinstance(event, Poll)}
    assert len(polls) == len(vendor.calls) == tries + (3 if refused else 5)
    assert vendor.violations == 0


def test_a_refusal_that_passes_is_overcome(vendor: Vendor) -> None:
    """Two refusals and then an answer are three polls, and the next report is asked."""
    vendor.misbehave("token_busy", times=2)
    assert told(asked(vendor, reports=(AUDIOS, MINUTES))) == [
        ("acme", AUDIOS, "token_busy"),
        ("acme", AUDIOS, "token_busy"),
        ("acme", AUDIOS, "ok"),
        ("acme", MINUTES, "ok"),
    ]


@pytest.mark.parametrize(
    ("first", "least"),
    [(2.0, [2, 4, 8]), (8.0, [8, 16, 32, 60, 60, 60]), (0.0, [0, 0, 0]), (2.0, [])],
)
def test_pauses_grow(vendor: Vendor, first: float, least: list[int]) -> None:
    """Each pause doubles, to 60 s at most, and is longer by a chance part of the first one."""
    vendor.misbehave("maintenance")
    pauses: list[float] = []
    events = asked(vendor, retry_pause=first, most_retries=len(least), sleep=pauses.append)
    assert len(events) == len(vendor.calls) == len(least) + 1
    extra = [pause - low for pause, low in zip(pauses, least, strict=True)]
    assert all(0 <= pause <= first for pause in extra)
    assert len(set(extra)) == (len(least) if first else len(set(least)))


OURS = [(2, 4), (4, 6), (8, 10)]


@pytest.mark.parametrize(
    ("status", "asks_for", "pauses"),
    [
        (503, "1", OURS),
        (503, "Wed, 11 Nov 2026 05:00:00 GMT", OURS),
        (503, "30", [(30, 30)] * 3),
        (503, "60", [(60, 60)] * 3),
        (429, "60", [(60, 60)] * 3),
        (503, "61", []),
        (429, "86400", []),
        (404, "30", []),
    ],
)
def test_the_pause_that_the_server_asks_for_is_made(
    vendor: Vendor,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    asks_for: str,
    pauses: list[tuple[int, int]],
) -> None:
    """Retry-After makes a pause longer, up to 60 s; who asks for more is not asked again."""
    busy = page(status, "Busy", Retry_After=asks_for)
    monkeypatch.setitem(MISBEHAVIOURS, "busy", lambda _: busy)
    vendor.misbehave("busy")
    slept: list[float] = []
    asked(vendor, sleep=slept.append)
    assert len(vendor.calls) == len(slept) + 1 == len(pauses) + 1
    assert all(low <= pause <= high for pause, (low, high) in zip(slept, pauses, strict=True))


# What is not asked, and what fails.


def test_what_is_not_due_is_not_asked(vendor: Vendor) -> None:
    """What `due` says instead of a call is passed on as it is, and the next report is asked."""
    skip = Skip("acme", AUDIOS, "pace", "answered 3 s ago")
    events = asked(
        vendor, "acme", (AUDIOS, MINUTES), lambda _, report, *__: skip if report == AUDIOS else None
    )
    assert events[0] is skip
    assert told(events[1:]) == [("acme", MINUTES, "ok")]
    assert [call.report for call in vendor.calls] == [MINUTES]


def test_a_failure_of_one_operation_is_its_own(vendor: Vendor) -> None:
    """A bug in the work on one operation is told, and takes no poll with it."""

    def due(operation: Operation, report: str, *_: object) -> None:
        if (operation.operation_id, report) == ("acme", MINUTES):
            raise OSError("disk full")

    events = asked(vendor, "acme beta gama", (AUDIOS, MINUTES), due)
    assert told(events) == [
        ("acme", AUDIOS, "ok"),
        ("acme", "", "failed"),
        *((name, report, "ok") for name in ("beta", "gama") for report in (AUDIOS, MINUTES)),
    ]
    [failed] = [event for event in events if isinstance(event, Skip)]
    assert failed.is_failure and failed.detail == "OSError: disk full"


# Side by side, but one call for each token.


@pytest.mark.parametrize("most", [1, 2, 4])
def test_tokens_are_asked_side_by_side(
    vendor: Vendor, answer_after: Callable[..., None], most: int
) -> None:
    """As many operations as `max_parallel` says are asked at once, and no more."""
    together = threading.Barrier(most)

    def wait() -> None:
        together.wait(20)
        with suppress(TimeoutError):
            vendor.wait_for_calls(most + 1, 0.2)  # one too many would come now

    answer_after(wait)
    events = asked(vendor, "one two three four", max_parallel=most)
    assert told(events) == [(name, AUDIOS, "empty") for name in ("four", "one", "three", "two")]
    assert vendor.most_in_flight() == most


def test_a_token_is_in_use_until_the_answers_end(
    vendor: Vendor, answer_after: Callable[..., None]
) -> None:
    """While an answer comes in, a second run with the same token makes no call."""
    second: list[Poll | Skip] = []
    answer_after(lambda: second.extend(asked(vendor, token_wait=0)), times=1)
    assert told(asked(vendor)) == [("acme", AUDIOS, "ok")]
    assert told(second) == [("acme", AUDIOS, "token_in_use")]
    assert (len(vendor.calls), vendor.violations) == (1, 0)


def test_a_token_that_another_process_uses_is_left_alone(vendor: Vendor) -> None:
    """Nothing is asked with a token that stays in use, and who uses it is told, in the log at
    once; other tokens are asked."""
    log: list[str] = []
    with holder(vendor) as other, each_message(log.append):
        started = time.monotonic()
        events = asked(vendor, "acme beta", (AUDIOS, MINUTES), token_wait=0.3)
        assert 0.3 <= time.monotonic() - started < 10
    assert told(events) == [
        ("acme", AUDIOS, "token_in_use"),
        ("acme", MINUTES, "token_in_use"),
        ("beta", AUDIOS, "ok"),
        ("beta", MINUTES, "ok"),
    ]
    [detail] = {event.detail for event in events if isinstance(event, Skip)}
    assert f"by process {other.pid} for more than 0.3 s" in detail
    assert "`token_wait_seconds`" in detail
    assert log == [f"waiting for the token of operation acme: process {other.pid} uses it"]
    assert {call.token for call in vendor.calls} == {TOKENS["beta"]}


@pytest.mark.parametrize("killed", [False, True])
def test_a_token_is_free_once_its_holder_is_gone(vendor: Vendor, killed: bool) -> None:
    """Who waits for a token gets it when the other process ends, be it by SIGKILL."""
    with holder(vendor) as other:
        end = other.kill if killed else lambda: other.communicate(timeout=20)
        with each_message(lambda _: end()):
            assert told(asked(vendor, token_wait=20)) == [("acme", AUDIOS, "ok")]
        assert other.wait(20) == (-signal.SIGKILL if killed else 0)


def test_the_locks_are_the_users_own_and_hide_the_token(vendor: Vendor, own_folder: Path) -> None:
    """The locks are in a folder that only their user enters, and show no token."""
    asked(vendor, "acme beta")
    files = list(own_folder.iterdir())
    assert len(files) == 4
    assert own_folder.stat().st_mode & 0o7777 == 0o700
    texts = " ".join(file.name + file.read_text() for file in files)
    assert not [token for token in TOKENS.values() if token[:8] in texts]


def test_a_folder_that_is_not_ours_is_not_used(vendor: Vendor, own_folder: Path) -> None:
    """A link in the place of the lock folder is not followed: nothing is asked, and it says so."""
    own_folder.symlink_to(own_folder.parent)
    with pytest.raises(SettingsError, match=f"{own_folder} is not a folder of yours"):
        asked(vendor)
    assert not vendor.calls


# Ctrl-C.

RUN = """
import json, logging, queue, signal, sys, tenacity, threading, types
from wolkvox_billing.polling import polls
from wolkvox_billing.vendor.operations import Operation

signal.signal(signal.SIGINT, signal.default_int_handler)
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")

class Arrivals(queue.SimpleQueue):
    def get(self, **more):
        logging.info("what comes next?")
        return super().get(**more)

class Stopped(threading.Event):
    def set(self):
        super().set()
        logging.info("no further call")

class Pause(tenacity.sleep_using_event):
    def __call__(self, seconds):
        logging.info("a pause")
        super().__call__(seconds)

polls.queue = types.SimpleNamespace(SimpleQueue=Arrivals, Empty=queue.Empty)
polls.threading = types.SimpleNamespace(**{**vars(threading), "Event": Stopped})
tenacity.sleep_using_event = Pause
operations, reports, manner = json.loads(sys.argv[1])
how = polls.Run(lambda *_: None, manner=polls.Manner(**manner))
for event in polls.ask_all([Operation(*words) for words in operations], reports, how):
    if isinstance(event, polls.Poll):
        logging.info("- %s %s %s", event.operation.operation_id, event.report, event.outcome.value)
    else:
        logging.info("- %s %s %s", event.operation_id, event.report, event.reason)
"""


@contextmanager
def run(
    vendor: Vendor, names: str, *reports: str, **manner: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Another process asks all, and prints each event, when it waits for one, and each pause."""
    operations = [operation(vendor, name) for name in names.split()]
    plain = [(o.operation_id, o.server, o.url, o.token) for o in operations]
    with process(RUN, [plain, reports, manner]) as running:
        yield running


def events_until_the_end(running: subprocess.Popen[bytes]) -> list[str]:
    """The events that the process still prints until it ends, as it does well and soon."""
    out, err = running.communicate(timeout=20)
    assert running.returncode == 0, err.decode()
    return sorted(line[2:] for line in out.decode().splitlines() if line.startswith("- "))


def test_ctrl_c_lets_the_call_in_flight_end(
    vendor: Vendor, answer_after: Callable[..., None]
) -> None:
    """After Ctrl-C the answer in flight is given, no call is made, and the process ends well."""
    go_on = threading.Event()
    answer_after(lambda: go_on.wait(30), report=MINUTES)
    with run(vendor, "acme", AUDIOS, MINUTES, CALLS, CHARS) as running:
        read_until(running, f"- acme {AUDIOS} ok")
        read_until(running, "what comes next?")
        vendor.wait_for_calls(2)
        running.send_signal(signal.SIGINT)
        read_until(running, "no further call")
        go_on.set()
        assert events_until_the_end(running) == [
            f"acme {CALLS} stopped",
            f"acme {MINUTES} ok",
            f"acme {CHARS} stopped",
        ]
    assert [call.report for call in vendor.calls] == [AUDIOS, MINUTES]


def test_ctrl_c_ends_each_wait(vendor: Vendor) -> None:
    """Ctrl-C ends the wait for a token and the pause before a new try, at once."""
    vendor.misbehave("server_error")
    with hold_token(operation(vendor), 0):
        manner = {"token_wait": 600, "retry_pause": 60}
        with run(vendor, "acme beta", AUDIOS, MINUTES, **manner) as running:
            waiting = f"waiting for the token of operation acme: process {os.getpid()} uses it"
            read_until(running, "what comes next?", waiting, "a pause")
            running.send_signal(signal.SIGINT)
            assert events_until_the_end(running) == [
                f"acme {MINUTES} stopped",
                f"acme {AUDIOS} stopped",
                f"beta {MINUTES} stopped",
                f"beta {AUDIOS} server_error",
            ]
    assert len(vendor.calls) == 1


# Names.


def test_names_of_polls_sort_in_the_order_of_time() -> None:
    """The name of a poll is in the order of time, in whatever zone, and never given twice."""
    noon = datetime(2026, 11, 10, 12, tzinfo=timezone.utc)
    bogota, tokyo = timezone(timedelta(hours=-5)), timezone(timedelta(hours=9))
    steps = [timedelta(), timedelta(microseconds=1), timedelta(seconds=1), timedelta(days=30)]
    names = [new_poll_id((noon + step).astimezone(zone)) for step, zone in
             zip(steps, (tokyo, timezone.utc, bogota, tokyo), strict=True)]  # fmt: skip
    assert names == sorted(names)
    assert names[0].startswith("20261110T120000.000000Z-")
    assert len({new_poll_id(noon) for _ in range(1000)}) == 1000
