"""The spool is the log: each call is on disk as soon as its answer is read, until the destination
has it.

    answer read ─▶ ID.part, fsync ─▶ ID.poll ─▶ ID.tried ─▶ gone: the destination has it
                                        │          └─▶ ID.refused, with the reason in ID.why
                                        └─▶ ID.unreadable: it is not what was written

Whatever becomes of a run, of dlt's packages or of the destination: what is here is loaded by the
next `load`. `tried` says that some of its rows may be in the destination already. What is refused
while others are taken holds up nobody: it is tried again each day.
A file is the SHA-256 of the rest, a line of JSON without the token, and the answer's bytes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from wolkvox_billing.client import Answer
from wolkvox_billing.operations import Operation
from wolkvox_billing.polls import KEPT_BYTES, Poll
from wolkvox_billing.verdict import Outcome, Verdict, judge

logger = logging.getLogger("wolkvox_billing")

SPOOL = "spool"  # the folder's name in a working folder
AGAIN = timedelta(days=1)  # after which a refused answer is tried again
_ABANDONED = 3600.0  # seconds after which nobody writes a file any more


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
    def was_tried(self) -> bool:
        """True where some of its rows may be in the destination."""
        return self.file.suffix != ".poll"


class Spool:
    """The folder of one pipeline's answers. It is made when the first one comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, poll: Poll) -> None:
        """Write a call to the disk, whole or not at all. Raises OSError where it takes nothing."""
        answer, verdict = poll.answer, poll.verdict
        # Of an answer whose rows are not believed no table takes more.
        body = answer.body if verdict.outcome is Outcome.OK else answer.body[:KEPT_BYTES]
        head = {
            "operation_id": poll.operation.operation_id,
            "server": poll.operation.server,
            "timezone": poll.operation.zone.key,
            "report": poll.report,
            "started_at": poll.started_at.isoformat(),
            "finished_at": poll.finished_at.isoformat(),
            "http_status": answer.http_status,
            "body_bytes": answer.body_bytes,
            "body_sha256": answer.body_sha256,
            "outcome": verdict.outcome.value,
            "code": verdict.code,
            "msg": verdict.msg,
            "note": verdict.note,
        }
        line = json.dumps(head).encode() + b"\n"
        digest = hashlib.sha256(line)
        digest.update(body)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self.folder / f"{poll.poll_id}.part"
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(digest.hexdigest().encode() + b"\n" + line)
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        part.rename(part.with_suffix(".poll"))
        self._sync()  # the name too

    def waiting(self, now: datetime) -> list[Waiting]:
        """Return the calls that the destination does not have yet, the oldest first; of those that
        it refused, the ones whose day is over. A damaged file is set aside, and told."""
        calls = []
        for file in sorted(self._files(".poll", ".tried", ".refused")):
            if file.suffix == ".refused" and now < _refused_at(file) + AGAIN:
                continue
            with self._setting_aside(file), file.open("rb") as lines:
                head = _head(lines.readline(), lines.readline)
                calls.append(
                    Waiting(
                        file.stem,
                        head["operation_id"],
                        head["report"],
                        head["timezone"],
                        datetime.fromisoformat(head["started_at"]),
                        file,
                        os.fstat(lines.fileno()).st_size,
                    )
                )
        return calls

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
        tried = []
        for call in calls:
            file = call.file.with_suffix(".tried")
            if call.file != file:
                call.file.rename(file)
            tried.append(call._replace(file=file))
        if any(call.file.suffix != ".tried" for call in calls):
            self._sync()
        return tried

    def refuse(self, call: Waiting, reason: str, now: datetime) -> None:
        """Set a call aside that the destination did not take while it took others."""
        why = call.file.with_suffix(".why")
        why.write_text(f"{now.isoformat()}\n{' '.join(reason.split())}")
        call.file.rename(call.file.with_suffix(".refused"))

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
        """Return a sentence for each file that is in no table, and why."""
        sentences = [
            f"an answer could not be read again, and is kept in {file}: it is in no table"
            for file in sorted(self._files(".unreadable"))
        ]
        for file in sorted(self._files(".refused")):
            with suppress(OSError):
                reason = file.with_suffix(".why").read_text().partition("\n")[2]
                sentences.append(
                    f"an answer could not be loaded while others were, and is kept in {file}, to "
                    f"be tried again each day: {reason}"
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
        except OSError as error:  # which may pass, or another process has loaded it
            if file.exists():
                logger.warning("%s cannot be read: %s", file, error)
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("%s is damaged, and is set aside: %s", file, error)
            file.rename(file.with_suffix(".unreadable"))


def _refused_at(file: Path) -> datetime:
    """Return when a call was refused; the beginning of time where nobody wrote it down."""
    try:
        return datetime.fromisoformat(file.with_suffix(".why").read_text().partition("\n")[0])
    except (OSError, ValueError):
        return datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _head(first: bytes, next_line: Any) -> dict[str, Any]:
    """Return what a file says of its call. Before 0.2 it had no line with a hash in front."""
    line = first if first.startswith(b"{") else next_line()
    head: dict[str, Any] = json.loads(line)
    return head


def _read(file: Path) -> Poll:
    first, _, rest = file.read_bytes().partition(b"\n")
    if first.startswith(b"{"):  # before 0.2: only the answer had a hash
        line, body = first, rest
        is_whole = hashlib.sha256(body).hexdigest() == json.loads(line)["kept_sha256"]
    else:
        line, _, body = rest.partition(b"\n")
        is_whole = hashlib.sha256(rest).hexdigest() == first.decode()
    if not is_whole:
        raise ValueError("it is not what was written")
    head = json.loads(line)
    outcome, status = Outcome(head["outcome"]), head["http_status"]
    rows = judge(status, body).rows if outcome is Outcome.OK else []
    verdict = Verdict(outcome, head["code"], head["msg"], rows, head["note"], len(rows))
    return Poll(
        poll_id=file.stem,
        operation=Operation(
            head["operation_id"], head["server"], "", "", ZoneInfo(head["timezone"])
        ),
        report=head["report"],
        started_at=datetime.fromisoformat(head["started_at"]),
        finished_at=datetime.fromisoformat(head["finished_at"]),
        answer=Answer(verdict, status, body, head["body_bytes"], head["body_sha256"]),
    )
