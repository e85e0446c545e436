"""Polls: every operation asked for every report, each call a record, whatever became of it.

    operations x reports ─▶ due? ─▶ the token's lock ─▶ one call ─▶ Poll   (again after a pause?)
                              └─▶ Skip: asked a moment ago, resting, or refused just now

Operations are asked side by side; calls of one token never are, neither in this process nor
between processes of this machine, nor between hosts that load into one PostgreSQL: the vendor
forbids it. There the second look at what is due comes under the lock.
"""

from __future__ import annotations

import logging
import queue
import secrets
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING, Literal, Protocol

from wolkvox_billing.errors import TokenInUse, WolkvoxError
from wolkvox_billing.polling.token_lock import hold_token, lock_folder
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.vendor.answer import Judgement, Outcome
from wolkvox_billing.vendor.client import Answer, Limits, ask, new_session
from wolkvox_billing.vendor.operations import Operation
from wolkvox_billing.vendor.rejections import UnreadableRows

if TYPE_CHECKING:
    import requests
    import tenacity

    from wolkvox_billing.polling.hosts import Hosts

logger = logging.getLogger("wolkvox_billing")

MOST_RETRIES = 3
LONGEST_PAUSE = 60.0
KEPT_BYTES = 64 * 1024
_WAITING = 2  # events that may wait for who takes them, the one that was taken included


@dataclass(frozen=True)
class Manner:
    """How to ask: the settings of one run. Pauses and waits are in seconds."""

    max_parallel: int = 8
    most_retries: int = MOST_RETRIES
    retry_pause: float = 2.0  # before the first new try; it doubles, with a jitter
    token_wait: float = 300.0  # for another process that uses the token
    limits: Limits = field(default_factory=Limits)
    sleep: Callable[[int | float], None] | None = None  # a pause that ends with the run


@dataclass(frozen=True)
class Poll:
    """One call and what became of it. Times are UTC, by the clock that was passed in."""

    poll_id: str
    operation: Operation
    report: str
    started_at: datetime
    finished_at: datetime
    answer: Answer = field(repr=False)
    rejected: int | None = None  # rows that are no readings; None until somebody tried
    unreadable: UnreadableRows | None = None  # those of them that are a loss

    @property
    def date(self) -> date:
        """The day of `started_at` in the vendor's time zone."""
        return self.started_at.astimezone(self.operation.zone).date()

    @property
    def judgement(self) -> Judgement:
        return self.answer.judgement

    def without_rows(self) -> Poll:
        """Return the poll for the record: an answer of 60,000 rows is 30 MB, and a run may have
        many."""
        bare = replace(self.judgement, rows=[])
        return replace(self, answer=replace(self.answer, judgement=bare, body=b""))

    @property
    def outcome(self) -> Outcome:
        return self.judgement.outcome

    @property
    def words(self) -> str:
        """The vendor's words about the call, and ours."""
        return "; ".join(filter(None, (self.judgement.msg, self.judgement.note)))


Reason = Literal["pace", "quota", "token_in_use", "refused", "stopped", "failed"]


@dataclass(frozen=True)
class Skip:
    """A call that was not made, and why."""

    operation_id: str
    report: str
    reason: Reason
    detail: str

    @property
    def is_failure(self) -> bool:
        return self.reason != "pace"


class Due(Protocol):
    """Why a report is not to be asked for now; `answered` is when another host had its answer."""

    def __call__(
        self, operation: Operation, report: str, answered: datetime | None = None, /
    ) -> Skip | None: ...


class NotKept(WolkvoxError):
    """An answer came, and the disk did not take it: it is as if nobody had asked."""


@dataclass(frozen=True, eq=False)
class Run:
    """What all operations of a run share. `due` may forbid a call: see Skip. `keep` gets each poll
    at once, in the thread that asked, which still holds the token."""

    due: Due
    clock: Clock = utc_now
    manner: Manner = Manner()
    hosts: Hosts | None = None
    keep: Callable[[Poll], None] | None = None
    stopped: threading.Event = field(default_factory=lambda: threading.Event())


def ask_all(
    operations: Sequence[Operation], reports: Sequence[str], run: Run
) -> Iterator[Poll | Skip]:
    """Yield each poll, or the reason for none, as it comes.

    Never raises for what one operation does: the others go on. On Ctrl-C while it waits no new call
    is made; the answers that came, and those of the calls in flight, are given all the same.
    Raises SettingsError where the folder of the locks cannot be used.
    """
    lock_folder()  # where it cannot be used, that is said once, and before anything is asked
    arrivals = _Arrivals(len(operations))
    threads = ThreadPoolExecutor(max(1, run.manner.max_parallel), "wolkvox-billing")
    with run.hosts or nullcontext(), threads:
        try:
            for operation in operations:
                threads.submit(_ask_one, operation, reports, run, arrivals)
            yield from arrivals.take_all(run.stopped)
        except BaseException:  # nobody takes the rest
            run.stopped.set()  # no new call; the one in flight ends, and frees its token
            raise
        finally:
            arrivals.make_room(len(operations) * (len(reports) * (1 + MOST_RETRIES) + 1))


def _ask_one(operation: Operation, reports: Sequence[str], run: Run, arrivals: _Arrivals) -> None:
    """Ask one operation for all reports, in a thread of its own."""
    try:
        with new_session() as session:
            asker = _Asker(operation, run, session)
            for event in (event for report in reports for event in asker.ask(report)):
                arrivals.put(event)  # no token is held meanwhile
    except Exception as error:  # a bug, or a full disk: the others' answers must not go with it
        name = operation.operation_id
        logger.exception("operation %s", name)
        arrivals.put(Skip(name, "", "failed", f"{type(error).__name__}: {error}"))
    finally:
        arrivals.end()


class _Sign(Enum):
    """What comes between the events."""

    END = "a thread puts nothing more"
    CTRL_C = "no new call"


class _Arrivals:
    """What the threads that ask hand over to the one that takes it. Few events wait at a time: an
    answer of 60,000 rows is 30 MB."""

    def __init__(self, threads: int) -> None:
        self._queue: queue.SimpleQueue[Poll | Skip | _Sign] = queue.SimpleQueue()
        self._room = threading.Semaphore(_WAITING)
        self._running = threads

    def put(self, event: Poll | Skip) -> None:
        self._room.acquire()
        self._queue.put(event)

    def end(self) -> None:
        """Tell that a thread puts nothing more."""
        self._queue.put(_Sign.END)

    def make_room(self, events: int) -> None:
        """Let the threads put so many events more, though nobody takes them."""
        self._room.release(events)

    def take_all(self, stopped: threading.Event) -> Iterator[Poll | Skip]:
        """Yield each event until all threads have ended; Ctrl-C while it waits sets `stopped`."""
        while self._running:
            event = self._take()
            if event is _Sign.CTRL_C:
                stopped.set()
            elif event is _Sign.END:
                self._running -= 1
            else:
                yield event
                del event  # with its rows, before the next one comes
                self._room.release()

    def _take(self) -> Poll | Skip | _Sign:
        """Wait for what comes next; a Ctrl-C meanwhile comes by the same way, since an exception
        could come out of any line, and what was taken just then would be lost."""
        with self._ctrl_c_comes_in_turn():
            while True:
                # Python does not see a Ctrl-C that comes just before it begins to wait.
                with suppress(queue.Empty):
                    return self._queue.get(timeout=0.2)

    @contextmanager
    def _ctrl_c_comes_in_turn(self) -> Iterator[None]:
        """Have Ctrl-C put its sign into the queue, where it would be a KeyboardInterrupt: in the
        main thread, unless who called us has a way of their own."""
        usual = signal.default_int_handler
        is_main = threading.current_thread() is threading.main_thread()
        if not is_main or signal.getsignal(signal.SIGINT) is not usual:
            yield
            return
        signal.signal(signal.SIGINT, lambda *_: self._queue.put(_Sign.CTRL_C))
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, usual)


class _Asker:
    """One operation's reports, asked one after the other, by one thread."""

    def __init__(self, operation: Operation, run: Run, session: requests.Session) -> None:
        self.operation, self.run, self.session = operation, run, session
        # Why the operation's other reports are not asked for, in words and in one.
        self.why = ""
        self.reason: Reason = "refused"

    def ask(self, report: str) -> Iterator[Poll | Skip]:
        """Yield each try of a report's call, or why it was not made."""
        name = self.operation.operation_id
        if self.run.stopped.is_set():
            yield Skip(name, report, "stopped", "stopped before this call")
            return
        if self.why:
            yield Skip(name, report, self.reason, self.why)
            return
        if skip := self.run.due(self.operation, report):
            yield skip
            return
        polls: list[Poll] = []
        try:
            skip = self._try(report, polls)
            if skip:
                yield skip
        except TokenInUse as error:
            self.reason, self.why = "token_in_use", str(error)
            if self.run.stopped.is_set():
                self.reason, self.why = "stopped", "stopped while it waited for the token"
            yield Skip(name, report, self.reason, self.why)
        except NotKept as error:
            self.reason, self.why = "failed", str(error)
            yield Skip(name, report, self.reason, self.why)
        yield from polls
        if polls and polls[-1].outcome.ends_the_operation:
            self.why = f"not asked after {polls[-1].outcome.value} for {report}"

    def _try(self, report: str, polls: list[Poll]) -> Skip | None:
        """Call, and call again after a pause what may pass; each call is put into `polls`. Return
        why there was no call. Raises TokenInUse, NotKept."""
        skip = self._call(report, polls)
        if skip or not polls or not _may_pass(polls[-1]) or not self.run.manner.most_retries:
            return skip
        first = [polls[-1]]

        def again() -> Poll:
            if first:
                return first.pop()
            if not self.run.stopped.is_set():
                self._call(report, polls)
            return polls[-1]

        _retrying(self.run.manner, self.run.stopped)(again)
        return None

    def _call(self, report: str, polls: list[Poll]) -> Skip | None:
        run, operation = self.run, self.operation
        with hold_token(operation, run.manner.token_wait, run.stopped, run.hosts):
            if not polls:  # another process, or host, may have asked while this one waited
                elsewhere = run.hosts.last_answer(operation, report) if run.hosts else None
                if skip := run.due(operation, report, elsewhere):
                    return skip
            started = run.clock()
            answer = ask(self.session, operation, report, run.manner.limits)
            poll = Poll(new_poll_id(started), operation, report, started, run.clock(), answer)
            try:
                if run.keep:
                    run.keep(poll)
            except OSError as error:
                raise NotKept(
                    f"the answer ({poll.outcome.value}) could not be kept: {error}; the call is "
                    "spent: make room, and ask again"
                ) from None
            polls.append(poll)
            if run.hosts and poll.outcome.is_answer:
                run.hosts.note_answer(operation, report, started)
        return None


def _may_pass(poll: Poll) -> bool:
    """Whether a new try makes sense. A server that asks for a longer pause than we make is not
    asked again in this run."""
    return poll.outcome.is_passing and (poll.answer.retry_after or 0) <= LONGEST_PAUSE


def _retrying(manner: Manner, stopped: threading.Event) -> tenacity.Retrying:
    import tenacity  # of use after a refusal only

    growing = tenacity.wait_exponential(
        multiplier=manner.retry_pause, max=LONGEST_PAUSE
    ) + tenacity.wait_random(0, manner.retry_pause)

    def last(state: tenacity.RetryCallState) -> Poll:
        assert state.outcome is not None
        poll: Poll = state.outcome.result()
        return poll

    return tenacity.Retrying(
        retry=tenacity.retry_if_result(_may_pass),
        stop=tenacity.stop_after_attempt(1 + manner.most_retries)
        | tenacity.stop_when_event_set(stopped),
        wait=lambda state: max(growing(state), last(state).answer.retry_after or 0),
        sleep=manner.sleep or tenacity.sleep_using_event(stopped),
        retry_error_callback=last,
    )


def new_poll_id(started: datetime) -> str:
    """Return a name for one call, unique, and in the order of time when sorted as text."""
    return f"{started.astimezone(timezone.utc):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(6)}"
