"""The spool is the log: each call is on disk as soon as its answer is read, until the destination
has it.

    answer read ─▶ ID.part, fsync ─▶ ID.poll ─▶ ID.tried ─▶ gone: the destination has it
                                        │          └─▶ ID.refused, with the reason in ID.why
                                        └─▶ ID.unreadable: it is not what was written

Whatever becomes of a run, of dlt's packages or of the destination: what is here is loaded by the
next `load`. `tried` says that some of its rows may be in the destination already. What is refused
while others are taken holds up nobody: it is tried again each day.
A file is a line with the SHA-256 of the two that follow: a line of JSON, without the token, and the
answer's bytes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypedDict
from zoneinfo import ZoneInfo

from wolkvox_billing.polling.polls import KEPT_BYTES, Poll
from wolkvox_billing.vendor.answer import Judgement, Outcome, judge_answer
from wolkvox_billing.vendor.client import Answer
from wolkvox_billing.vendor.operations import Operation
from wolkvox_billing.warehouse.working_folder import WorkingFolder

logger = logging.getLogger("wolkvox_billing")

AGAIN = timedelta(days=1)  # after which a refused answer is tried again
_ABANDONED = 3600.0  # seconds after which nobody writes a file any more


class Series(NamedTuple):
    """What is asked again and again: an operation for a report."""

    operation_id: str
    report: str


class Waiting(NamedTuple):
    """A call in the spool, without its answer. `size` is that of its file, in bytes."""

    poll_id: str
    operation_id: str
    report: str
    timezone: str
    started_at: datetime
    file: Path
    size: int

    @property
    def series(self) -> Series:
        return Series(self.operation_id, self.report)

    @property
    def was_tried(self) -> bool:
        """True where some of its rows may be in the destination."""
        return self.file.suffix != ".poll"

    @property
    def was_refused(self) -> bool:
        """True where the destination did not take it while it took others."""
        return self.file.suffix == ".refused"


class Refusal(NamedTuple):
    """Why an answer was set aside, and when."""

    at: datetime
    operation_id: str
    report: str
    reason: str

    @property
    def series(self) -> Series:
        return Series(self.operation_id, self.report)


class Head(TypedDict):
    """What a file says of its call, in JSON; all but the answer's bytes."""

    poll_id: str
    operation_id: str
    server: str
    timezone: str
    report: str
    started_at: str
    finished_at: str
    http_status: int | None
    body_bytes: int
    body_sha256: str | None
    outcome: str
    code: str | None
    msg: str | None
    note: str | None


class Damaged(ValueError):
    """A file is not what was written."""


class Spool:
    """The folder of one pipeline's answers. It is made when the first one comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.closed: list[Path] = []  # files that the last look could not open, or understand

    def keep(self, poll: Poll) -> None:
        """Write a call to the disk, whole or not at all. Raises OSError where it takes nothing."""
        answer, judgement = poll.answer, poll.judgement
        # Of an answer whose rows are not believed no table takes more.
        body = answer.body if judgement.outcome is Outcome.OK else answer.body[:KEPT_BYTES]
        head: Head = {
            "poll_id": poll.poll_id,
            "operation_id": poll.operation.operation_id,
            "server": poll.operation.server,
            "timezone": poll.operation.zone.key,
            "report": poll.report,
            "started_at": poll.started_at.isoformat(),
            "finished_at": poll.finished_at.isoformat(),
            "http_status": answer.http_status,
            "body_bytes": answer.body_bytes,
            "body_sha256": answer.body_sha256,
            "outcome": judgement.outcome.value,
            "code": judgement.code,
            "msg": judgement.msg,
            "note": judgement.note,
        }
        line = json.dumps(head).encode()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self.folder / f"{poll.poll_id}.part"
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_hashes(line, body) + b"\n" + line + b"\n")
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        part.rename(part.with_suffix(".poll"))
        self._sync()  # the name too

    def waiting(self, now: datetime) -> list[Waiting]:
        """Return the calls that the destination does not have yet, the oldest first; of those that
        it refused, the ones of an operation and report of which none was tried for a day. A damaged
        file is set aside, and told; one that cannot be opened now is in `closed`."""
        self.closed = []
        calls = [call for file in self._calls() if (call := self._look(file))]
        lately: dict[Series, datetime] = {}
        for refusal in self._refusals().values():
            if refusal.at <= now:  # else the clock was set back: that holds nothing
                last = lately.get(refusal.series, refusal.at)
                lately[refusal.series] = max(refusal.at, last)
        return [
            call
            for call in calls
            if not call.was_refused or now >= lately.get(call.series, now - AGAIN) + AGAIN
        ]

    def _calls(self) -> list[Path]:
        """Return the file of each call. Of two with one id, such as where somebody has put the
        folder back from a copy, the one that was tried counts: rows of it may be in the
        destination."""
        by_id: dict[str, Path] = {}
        for suffix in (".tried", ".refused", ".poll"):
            for file in self._files(suffix):
                if by_id.setdefault(file.stem, file) != file:
                    file.unlink(missing_ok=True)
        return [by_id[poll_id] for poll_id in sorted(by_id)]

    def _look(self, file: Path) -> Waiting | None:
        with self._setting_aside(file), file.open("rb") as lines:
            head = _head(file, lines.readline(), lines.readline)
            return Waiting(
                file.stem,
                head["operation_id"],
                head["report"],
                head["timezone"],
                datetime.fromisoformat(head["started_at"]),
                file,
                os.fstat(lines.fileno()).st_size,
            )
        return None

    def count(self) -> int:
        """Return how many calls wait, be it for the next load or for their day to be over."""
        return len(self._files(".poll", ".tried", ".refused"))

    def read(self, call: Waiting) -> Poll | None:
        """Return a call with its answer; None where its file is damaged, and was set aside."""
        with self._setting_aside(call.file):
            return _read(call.file)
        return None

    def mark_tried(self, calls: Sequence[Waiting]) -> list[Waiting]:
        """Write down, safe from a power cut, that rows of these calls may be in the destination
        from now on; return the calls as they are called then."""
        untried = [call.file for call in calls if call.file.suffix != ".tried"]
        for file in untried:
            file.rename(file.with_suffix(".tried"))
        if untried:
            self._sync()
        return [call._replace(file=call.file.with_suffix(".tried")) for call in calls]

    def refuse(self, call: Waiting, reason: str, now: datetime) -> None:
        """Set a call aside that the destination did not take while it took others."""
        refusal = Refusal(now, call.operation_id, call.report, " ".join(reason.split()))
        why = call.file.with_suffix(".why")
        why.write_text(json.dumps({**refusal._asdict(), "at": now.isoformat()}))
        call.file.rename(call.file.with_suffix(".refused"))

    def _refusals(self) -> dict[str, Refusal]:
        """Return why each call that is set aside was refused, by its id."""
        refusals = {}
        for file in self._files(".refused"):
            # What has no reason that can be read is tried again at once.
            with suppress(OSError, ValueError, TypeError, KeyError):
                words = json.loads(file.with_suffix(".why").read_text())
                at = datetime.fromisoformat(words.pop("at"))
                refusals[file.stem] = Refusal(at, **words)
        return refusals

    def drop(self, calls: Iterable[Waiting]) -> None:
        """Remove calls that the destination has; and what a killed run has left half written."""
        for call in calls:
            call.file.unlink(missing_ok=True)
            call.file.with_suffix(".why").unlink(missing_ok=True)
        for part in self._files(".part"):
            with suppress(OSError):
                if time.time() - part.stat().st_mtime > _ABANDONED:
                    part.unlink()

    def told(self) -> list[str]:
        """Return a sentence for each file that is damaged, and for each operation and report of
        which answers were refused: what is in no table, and why."""
        sentences = [
            f"an answer could not be read again, and is kept in {file}: it is in no table"
            for file in sorted(self._files(".unreadable"))
        ]
        refused: defaultdict[Series, dict[str, Refusal]] = defaultdict(dict)
        for poll_id, refusal in self._refusals().items():
            refused[refusal.series][poll_id] = refusal
        for (operation_id, report), refusals in sorted(refused.items()):
            newest = max(refusals)
            file = self.folder / f"{newest}.refused"
            more = f" (and {len(refusals) - 1} more beside it)" if len(refusals) > 1 else ""
            sentences.append(
                f"{operation_id} {report}: an answer could not be loaded while others were, and is "
                f"kept in {file}{more}, to be tried again each day: {refusals[newest].reason}"
            )
        return sentences

    def _files(self, *suffixes: str) -> list[Path]:
        with suppress(OSError):  # no answer came yet
            return [file for file in self.folder.iterdir() if file.suffix in suffixes]
        return []

    def _sync(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _setting_aside(self, file: Path) -> Iterator[None]:
        try:
            yield
        except Damaged as error:
            logger.warning("%s is damaged, and is set aside: %s", file, error)
            file.rename(file.with_suffix(".unreadable"))
        except (OSError, LookupError, ValueError, TypeError) as error:
            # It may pass, such as where this machine lacks a time zone. Or another one has it.
            if file.exists():
                logger.warning("%s cannot be read now: %s", file, error)
                self.closed.append(file)


def _hashes(line: bytes, body: bytes) -> bytes:
    """Return a file's first line."""
    return f"{hashlib.sha256(line).hexdigest()} {hashlib.sha256(body).hexdigest()}".encode()


def _head(file: Path, first: bytes, next_line: Callable[[], bytes]) -> Head:
    """Return what a file says of its call. Before the spool was the log the first line was it.
    Raises Damaged."""
    is_old = first.startswith(b"{")
    line = (first if is_old else next_line()).rstrip(b"\n")
    if not is_old and hashlib.sha256(line).hexdigest() != first.decode("ascii", "replace")[:64]:
        raise Damaged("its first lines are not what was written")
    try:
        head: Head = json.loads(line)
    except ValueError as error:
        raise Damaged(str(error)) from None
    if not is_old and head["poll_id"] != file.stem:
        raise Damaged(f"it is a copy of the answer {head['poll_id']}")
    return head


def _read(file: Path) -> Poll:
    first, _, content = file.read_bytes().partition(b"\n")
    if first.startswith(b"{"):
        head, body = _head(file, first, bytes), content
        is_whole = hashlib.sha256(body).hexdigest() == head.get("kept_sha256")
    else:
        line, _, body = content.partition(b"\n")
        head = _head(file, first, lambda: line)
        is_whole = first == _hashes(line, body)
    if not is_whole:
        raise Damaged("it is not what was written")
    outcome, status = Outcome(head["outcome"]), head["http_status"]
    rows = judge_answer(status or 0, body).rows if outcome is Outcome.OK else []
    judgement = Judgement(outcome, head["code"], head["msg"], rows, head["note"], len(rows))
    return Poll(
        poll_id=file.stem,
        operation=Operation(
            head["operation_id"], head["server"], "", "", ZoneInfo(head["timezone"])
        ),
        report=head["report"],
        started_at=datetime.fromisoformat(head["started_at"]),
        finished_at=datetime.fromisoformat(head["finished_at"]),
        answer=Answer(judgement, status, body, head["body_bytes"], head["body_sha256"]),
    )


def waiting_elsewhere(folder: WorkingFolder) -> list[str]:
    """Return a sentence for each working folder of the same project, destination and dataset, but
    for another address of it, in which answers wait: once the address was mended, nobody would load
    them."""
    others = folder.path.parent.glob(f"{folder.path.name.rsplit('-', 1)[0]}-*")
    return [
        f"answers wait in {path}, for another address of the destination: load with that one"
        for path in sorted(others)
        if path != folder.path
        and (Spool(WorkingFolder(path).spool).count() or WorkingFolder(path).older.exists())
    ]
