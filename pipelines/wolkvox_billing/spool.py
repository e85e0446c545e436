"""The spool: each call, on disk as soon as its answer is read, until a load package holds it.

    answer read ─▶ POLL_ID.part, fsync ─▶ POLL_ID.poll ─▶ extracted, by this run or the next ─▶ gone

dlt extracts when all calls of a run are over. A run that is killed before, or while it extracts,
leaves its answers here, and the next `load` extracts them first. One that was extracted and is
still here is extracted again: its rows have the same keys, so that nothing is there twice.
A file is one line of JSON, without the token, and then the answer's bytes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from wolkvox_billing.client import Answer
from wolkvox_billing.operations import Operation
from wolkvox_billing.polls import KEPT_BYTES, Poll
from wolkvox_billing.verdict import Outcome, Verdict, judge

logger = logging.getLogger("wolkvox_billing")


class Spool:
    """The folder of one pipeline's answers. It is made when the first one comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, poll: Poll) -> None:
        """Writes a call to the disk, whole or not at all. A disk that does not take it is told, and
        no reason to fail: the run has the answer."""
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
            "kept_sha256": hashlib.sha256(body).hexdigest(),
        }
        part = self.folder / f"{poll.poll_id}.part"
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(json.dumps(head).encode() + b"\n")
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            part.rename(self._file(poll))
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)  # the name too
            finally:
                os.close(folder)
        except OSError as error:
            logger.warning("an answer is not safe before the run ends: %s", error)

    def waiting(self) -> Iterator[list[Poll]]:
        """The calls that an earlier run left, in rounds that are to be extracted one by one: the
        oldest first, and none with two of one operation and report, whose newest reading counts.

        A file that is damaged is set aside, and told: it must not hold up the others."""
        rounds: defaultdict[int, list[Path]] = defaultdict(list)
        seen: Counter[tuple[str, str]] = Counter()
        for file in sorted(self.folder.glob("*.poll")):
            with self._setting_aside(file), file.open("rb") as lines:
                head = json.loads(lines.readline())
                key = head["operation_id"], head["report"]
                rounds[seen[key]].append(file)
                seen[key] += 1
        for number in sorted(rounds):
            polls = []  # one round's at a time: an answer may be large
            for file in rounds[number]:
                with self._setting_aside(file):
                    polls.append(_read(file))
            if polls:
                yield polls

    @contextmanager
    def _setting_aside(self, file: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:  # which may pass
            logger.warning("%s cannot be read: %s", file, error)
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("%s is damaged, and is set aside: %s", file, error)
            file.rename(file.with_suffix(".unreadable"))

    def unreadable(self) -> list[str]:
        """A sentence for each file that was set aside."""
        return [
            f"an answer could not be read again, and is kept in {file}: it is in no table"
            for file in sorted(self.folder.glob("*.unreadable"))
        ]

    def drop(self, polls: Iterable[Poll]) -> None:
        """Removes calls that a load package holds; and what a killed run had half written."""
        for poll in polls:
            self._file(poll).unlink(missing_ok=True)
        for part in self.folder.glob("*.part"):
            part.unlink(missing_ok=True)

    def _file(self, poll: Poll) -> Path:
        return self.folder / f"{poll.poll_id}.poll"


def _read(file: Path) -> Poll:
    line, _, body = file.read_bytes().partition(b"\n")
    head = json.loads(line)
    if hashlib.sha256(body).hexdigest() != head["kept_sha256"]:
        raise ValueError("it is not what was written")
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
