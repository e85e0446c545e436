"""The vendor: what it knows, what it was told to do, and how it judges a call."""

import socket
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from . import copies, invoices, mail, reply, world
from .misbehaviour import MISBEHAVIOURS, Scene
from .reply import Reply, envelope, refusal
from .traffic import Call, Traffic
from .web import BillingHandler, ElsewhereHandler, Listener
from .world import DAILY_QUOTA, DEFAULT_OPERATIONS, REPORTS, Operation, Row

BILLING_PATH = "/api/v2/billing.php"


@dataclass
class _Spell:
    """A misbehaviour that was asked for: for which calls, and for how many more."""

    name: str
    token: str | None
    report: str | None
    times: int | None

    def fits(self, call: Call) -> bool:
        return self.token in (None, call.token) and self.report in (None, call.report)


class Vendor(Traffic):
    """The stand-in vendor; `with` starts it on 127.0.0.1 and closes it, whatever is going on."""

    def __init__(
        self,
        *,
        now: datetime = datetime(2026, 10, 1, 5, tzinfo=timezone.utc),
        operations: Iterable[Operation] = DEFAULT_OPERATIONS,
        zone: str = "America/Bogota",
        port: int = 0,
    ) -> None:
        super().__init__()
        self.now = now
        self.zone = ZoneInfo(zone)
        self.slow_seconds = 1.0
        self.elsewhere_calls: list[Call] = []
        self._operations = {operation.token: operation for operation in operations}
        self._answers: dict[tuple[str, str], list[object] | bytes] = {}
        self._spells: list[_Spell] = []
        self._spent: Counter[tuple[str, str, str]] = Counter()
        self._billing = Listener(port, BillingHandler, self)
        self._elsewhere = Listener(0, ElsewhereHandler, self)

    # Starting and closing.

    def start(self) -> "Vendor":
        """Listen; after `close` again on the same port, so that an outage can be played."""
        self._closing.clear()
        self._billing.start()
        self._elsewhere.start()
        return self

    def close(self) -> None:
        """Stop listening and end every connection; no thread is left."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        self._billing.stop()
        self._elsewhere.stop()

    def __enter__(self) -> "Vendor":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        return self._billing.url

    @property
    def elsewhere_url(self) -> str:
        """Another host, that a redirect may point to; `elsewhere_calls` is what it was sent."""
        return self._elsewhere.url

    @property
    def now(self) -> datetime:
        """The vendor's clock, in UTC; it moves only when it is set."""
        return self._now

    @now.setter
    def now(self, moment: datetime) -> None:
        if moment.tzinfo is None:
            raise ValueError("the vendor's clock needs a time with its zone")
        self._now = moment.astimezone(timezone.utc)

    # What a test tells the vendor.

    def add_operation(
        self, *, name: str, server: str, token: str, daily_quota: int = DAILY_QUOTA
    ) -> Operation:
        """Add a further operation, or other settings for the token of a known one."""
        operation = Operation(name, server, token, daily_quota)
        self._operations[token] = operation
        return operation

    def answer(self, token: str, report: str, rows_or_body: Sequence[object] | None) -> None:
        """Fix what a token's report answers: rows, or a whole body; None: the built-in counters.

        A report that is not among the 27 exists for a token as soon as it has an answer."""
        if rows_or_body is None:
            self._answers.pop((token, report), None)
        elif isinstance(rows_or_body, bytes):
            self._answers[token, report] = rows_or_body
        else:
            self._answers[token, report] = list(rows_or_body)

    def misbehave(
        self,
        name: str,
        *,
        token: str | None = None,
        report: str | None = None,
        times: int | None = None,
    ) -> None:
        """Misbehave in the calls that fit, so many times or until `behave`; several queue up."""
        if name not in MISBEHAVIOURS:
            raise ValueError(f"no misbehaviour {name!r}; there are: {', '.join(MISBEHAVIOURS)}")
        if times is not None and times < 1:
            raise ValueError("a misbehaviour happens at least once")
        with self._changed:
            self._spells.append(_Spell(name, token, report, times))

    def behave(self) -> None:
        """Forget every misbehaviour that was asked for."""
        with self._changed:
            self._spells.clear()

    # What it sends by mail.

    def invoice(  # as it is ordered over HTTP: only token and month are needed
        self,
        token: str,
        month: str,
        *,
        extra: int = 0,
        unit_price: str = "100",
        reports: Sequence[str] = ("rsync_s3_mp3",),
        credited: int | None = None,
    ) -> bytes:
        """Return the zip with an operation's invoice: a line per product of each report, in pesos.

        It bills what the built-in counters show in the month's last second, whatever the clock
        says, and `extra` more in the first line. The number is the same for the same operation and
        month. With `credited` it is the note that gives so many units of the first line back."""
        if token not in self._operations:
            raise ValueError("no operation has this token")
        billed = invoices.bill(
            self._operations[token],
            month,
            self.zone,
            extra=extra,
            unit_price=unit_price,
            reports=reports,
        )
        return mail.packed(billed if credited is None else invoices.credit(billed, credited))

    def copy(  # as it is ordered over HTTP
        self,
        token: str,
        month: str,
        folder: str,
        *,
        failed: Sequence[int] = (),
        kept_back: int = 0,
    ) -> int:
        """Write the recordings that a month's nights copy into a folder, as many as the counter
        shows; return how many. `failed` nights are made good the night after; `kept_back` ones are
        counted, and not copied."""
        if token not in self._operations:
            raise ValueError("no operation has this token")
        operation, place = self._operations[token], Path(folder)
        return copies.copy(operation, month, place, self.zone, failed=failed, kept_back=kept_back)

    # What the listeners ask.

    def call(self, path: str, headers: dict[str, str]) -> Call:
        """Return the record of a call that came in now."""
        reports = parse_qs(urlsplit(path).query).get("api")
        report = reports[0] if reports else None
        return Call(headers.get("wolkvox-token"), report, self.now, headers, path)

    def take(self, call: Call, connection: socket.socket) -> Reply:
        """Let a call in and judge it; `leave` must follow."""
        is_alone = self.enter(call, connection)
        with self._changed:
            operation = self._operations.get(call.token or "")
            if operation:
                self._spent[self._account(operation)] += 1  # whatever it returns
            answer = self._judge(call, operation) if is_alone else refusal(*reply.TOKEN_BUSY)
            call.status = answer.status
            return answer

    def _judge(self, call: Call, operation: Operation | None) -> Reply:
        for spell in self._spells:
            if spell.fits(call):
                if spell.times is not None:
                    spell.times -= 1
                    self._spells = [s for s in self._spells if s.times != 0]
                return MISBEHAVIOURS[spell.name](self._scene(call, operation))
        if urlsplit(call.path).path != BILLING_PATH:
            return reply.page(404, "404 Not Found")
        if call.token is None:
            return refusal(*reply.NO_TOKEN)
        if operation is None:
            return refusal(*reply.WRONG_TOKEN)
        if self._spent[self._account(operation)] > operation.daily_quota:
            return refusal(*reply.QUOTA_SPENT)
        if call.report is None:
            return refusal(*reply.MISSING_PARAMETERS)
        fixed = self._answers.get((call.token, call.report))
        if fixed is None and call.report not in REPORTS:
            return refusal(*reply.UNKNOWN_REPORT)
        if isinstance(fixed, bytes):
            return Reply(200, fixed)
        return Reply(200, envelope(self._rows(call, operation) if fixed is None else fixed))

    def _scene(self, call: Call, operation: Operation | None) -> Scene:
        fixed = self._answers.get((call.token or "", call.report or ""))
        rows = self._rows(call, operation) if operation else []
        if isinstance(fixed, list):
            rows = [row for row in fixed if isinstance(row, dict)]
        return Scene(rows, call.path, self.elsewhere_url, self.slow_seconds, self._closing)

    def _rows(self, call: Call, operation: Operation) -> list[Row]:
        return world.rows(operation.name, call.report or "", self._local())

    def _account(self, operation: Operation) -> tuple[str, str, str]:
        return operation.name, operation.server, f"{self._local():%Y-%m-%d}"

    def _local(self) -> datetime:
        return self.now.astimezone(self.zone)
