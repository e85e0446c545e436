"""The judgement of an answer: decided before any row of it is believed.

    HTTP status     body                                     outcome          asked again?
    200             code 200, rows                           ok               no
    200             code 200, `data` [] or null              empty            no
    404             envelope                                 not_found        no
    401             envelope                                 bad_token        no
    403             PLEASE VALIDATE TOKEN                    bad_token        no
    403             TOKEN LIMIT EXCEEDED                     quota_spent      not today
    403             ...LIMIT OF SIMULTANEOUS REQUESTS...     token_busy       after a pause
    403             any other text                           maintenance      after a pause
    400             envelope                                 unknown_report   no
    5xx             anything                                 server_error     after a pause
    429 [guess]     anything                                 token_busy       after a pause
    any other       or a body that is not the envelope       bad_answer       no
    no answer       name, connection, certificate            unreachable      after a pause
    no answer       in time: the call may still run          timeout          no

A refusal inside HTTP 200 is judged by the `code` of the body, as if it were the status.
Source: wolkvox's API documentation, except where marked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from itertools import chain
from typing import Any, overload

import simplejson

from wolkvox_billing.reports import ROW_FIELDS

_FEW = 1000  # rows that may stay as they are


class Outcome(str, Enum):
    """What became of a call."""

    OK = "ok"
    EMPTY = "empty"
    NOT_FOUND = "not_found"
    BAD_TOKEN = "bad_token"
    QUOTA_SPENT = "quota_spent"
    TOKEN_BUSY = "token_busy"
    MAINTENANCE = "maintenance"
    UNKNOWN_REPORT = "unknown_report"
    BAD_ANSWER = "bad_answer"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    SERVER_ERROR = "server_error"

    @property
    def is_answer(self) -> bool:
        """True where the vendor said what was used, be it nothing; False for every refusal."""
        return self in (Outcome.OK, Outcome.EMPTY, Outcome.NOT_FOUND)

    @property
    def is_passing(self) -> bool:
        """True where the same call may succeed after a pause."""
        return self in (
            Outcome.TOKEN_BUSY,
            Outcome.MAINTENANCE,
            Outcome.UNREACHABLE,
            Outcome.SERVER_ERROR,
        )

    @property
    def needs_somebody(self) -> bool:
        """True where no later call succeeds by itself, or none of this day: a scheduler that tries
        again would only cost calls."""
        return self in (Outcome.BAD_TOKEN, Outcome.QUOTA_SPENT, Outcome.UNKNOWN_REPORT)

    @property
    def ends_the_operation(self) -> bool:
        """True where asking the operation's next report would only cost another call, or run
        beside one that may still be running."""
        return self in (
            Outcome.BAD_TOKEN,
            Outcome.QUOTA_SPENT,
            Outcome.TOKEN_BUSY,
            Outcome.MAINTENANCE,
            Outcome.UNREACHABLE,
            Outcome.TIMEOUT,
        )


class Number(Decimal):
    """A JSON number, which prints as it was written."""

    def __new__(cls, written: str) -> Number:
        number = super().__new__(cls, written)
        number.written = written
        return number

    written: str

    def __str__(self) -> str:
        return self.written


class Ambiguous(dict[str, Any]):
    """A JSON object that has a field twice; `pairs` are all of them."""

    pairs: list[tuple[str, Any]]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        found = Ambiguous(found)
        found.pairs = pairs
    return found


class Texts(Sequence[dict[str, str]]):
    """Rows that are objects of the four fields and no other, in one order, all texts, by column: a
    large answer takes a fifth of the memory until it is its turn."""

    def __init__(self, names: tuple[str, ...], columns: dict[str, list[str]]) -> None:
        self.names = names  # in the rows' order
        self.columns = columns

    @classmethod
    def of(cls, rows: Sequence[Any]) -> Texts | None:
        """These rows by column; None where one of them is something else."""
        if set(map(type, rows)) != {dict}:
            return None
        [names, *others] = set(map(tuple, rows))
        if others or set(names) != set(ROW_FIELDS):
            return None
        columns = {name: [row[name] for row in rows] for name in names}
        is_text = set(map(type, chain(*columns.values()))) == {str}
        return cls(names, columns) if is_text else None

    def held_once(self) -> Texts:
        """The same, with each text that is there often held once; amounts rarely are."""
        seen: dict[str, str] = {}
        held = {
            name: column if name == "items" else list(map(seen.setdefault, column, column))
            for name, column in self.columns.items()
        }
        return Texts(self.names, held)

    def part(self, start: int, end: int) -> Texts:
        return Texts(self.names, {name: self.columns[name][start:end] for name in self.names})

    def __len__(self) -> int:
        return len(self.columns["items"])

    @overload
    def __getitem__(self, place: int) -> dict[str, str]: ...
    @overload
    def __getitem__(self, place: slice) -> list[dict[str, str]]: ...
    def __getitem__(self, place: int | slice) -> dict[str, str] | list[dict[str, str]]:
        if isinstance(place, slice):
            some = (self.columns[name][place] for name in self.names)
            return [dict(zip(self.names, row, strict=True)) for row in zip(*some, strict=True)]
        return {name: self.columns[name][place] for name in self.names}


# Numbers as Decimal: a count must not pass through a float. A bare NaN spoils its row only.
_NUMBERS: dict[str, Any] = {
    "parse_float": Number,
    "parse_int": Number,
    "parse_constant": Decimal,
    "allow_nan": True,
}


@dataclass(frozen=True)
class Verdict:
    """What an answer turned out to be. `rows` only where the outcome is ok, and `count` of them
    stays when they are let go; `note` is ours."""

    outcome: Outcome
    code: str | None = None
    msg: str | None = None
    rows: Sequence[Any] = field(default_factory=list)
    note: str | None = None
    count: int = 0


def judge(status: int, body: bytes) -> Verdict:
    """What an answer is, by its HTTP status and its body: see the table on top."""
    envelope, why_not = _read_envelope(body)
    code = _text(envelope.get("code"))
    msg = _text(envelope.get("msg"))
    error = envelope.get("error")
    said = f"{msg or ''} {_text(error) or ''}".upper()
    effective = status
    if status == 200 and code is not None and code != "200":
        effective = int(code) if code.isascii() and code.isdigit() and len(code) == 3 else 0

    def verdict(outcome: Outcome, note: str | None = None) -> Verdict:
        return Verdict(outcome, code, msg, note=note)

    if effective >= 500:
        return verdict(Outcome.SERVER_ERROR, f"the server answered {effective}")
    if effective == 429:
        return verdict(Outcome.TOKEN_BUSY, "the server asks for fewer calls")
    if why_not:
        return verdict(Outcome.BAD_ANSWER, f"HTTP {status}: {why_not}")
    if effective == 200 and error:  # believe neither, unless it is a refusal that we know
        known = _known_refusal(said)
        return verdict(known or Outcome.BAD_ANSWER, "an error beside code 200")
    if status == 404 and code != "404":
        return verdict(Outcome.BAD_ANSWER, f"HTTP 404 with code {code} contradicts itself")
    if effective == 403:
        return verdict(_known_refusal(said) or Outcome.MAINTENANCE)
    if effective in (400, 401, 404):
        return verdict(
            {400: Outcome.UNKNOWN_REPORT, 401: Outcome.BAD_TOKEN, 404: Outcome.NOT_FOUND}[effective]
        )
    if effective != 200:
        note = f"HTTP {status} with code {code} is no answer that the vendor documents"
        return verdict(Outcome.BAD_ANSWER, note)
    if "data" not in envelope:
        return verdict(Outcome.BAD_ANSWER, "the answer has no `data`")
    data = envelope["data"]
    if not data and (known := _known_refusal(said)):
        return verdict(known, "a refusal in words, beside code 200 and without rows")
    if data is None or data == []:
        return verdict(Outcome.EMPTY, f"`data` is {'null' if data is None else 'an empty list'}")
    if not isinstance(data, list):
        return verdict(Outcome.BAD_ANSWER, "`data` is not a list of rows")
    texts = Texts.of(data) if len(data) > _FEW else None
    rows = texts.held_once() if texts else data
    return Verdict(Outcome.OK, code, msg, rows=rows, count=len(data))


def _known_refusal(said: str) -> Outcome | None:
    """The refusal that the vendor's text stands for; `said` in capitals."""
    for text, outcome in (
        ("VALIDATE TOKEN", Outcome.BAD_TOKEN),
        ("ENTER THE WOLKVOX-TOKEN", Outcome.BAD_TOKEN),
        ("SIMULTANEOUS REQUESTS", Outcome.TOKEN_BUSY),
        ("TOKEN LIMIT EXCEEDED", Outcome.QUOTA_SPENT),
        ("YOU WANT TO CONSULT DOES NOT EXIST", Outcome.UNKNOWN_REPORT),
        ("PARAMETERS ARE REQUIRED", Outcome.UNKNOWN_REPORT),
    ):
        if text in said:
            return outcome
    return None


def _read_envelope(body: bytes) -> tuple[dict[str, Any], str | None]:
    """The envelope, and why the body is none: exactly one of the two says something."""
    if not body:
        return {}, "the body is empty"
    try:
        text = body.decode("utf-8-sig")
        found = _read_flat(text)
        if found is None:
            found = simplejson.loads(text, object_pairs_hook=_object, **_NUMBERS)
    except UnicodeDecodeError:
        return {}, "the body is not UTF-8 text"
    except (ValueError, ArithmeticError, RecursionError):
        return {}, "the body is not JSON"
    if not isinstance(found, dict) or found.get("code") in (None, False, ""):
        return {}, "the body is JSON, but not the vendor's envelope"
    if isinstance(found, Ambiguous):
        return {}, "the envelope has a field twice"
    return found, None


def _read_flat(text: str) -> dict[str, Any] | None:
    """The envelope, in half the time that it takes to look at each object for a field that is there
    twice. None where that may be, or where rows hold lists or objects: of an envelope without them
    the text has as many names as there are fields."""
    colons = text.count('":')
    # Without an escaped quote each one begins a text or ends it. Without a blank before a colon
    # each name ends in `":`. A text may begin with a colon, which then makes one too many.
    if text.count("[") != 1 or ("\\" in text and '\\"' in text):
        return None
    if text.count(":") > colons and any(f"{blank}:" in text for blank in " \t\r\n"):
        return None
    found = simplejson.loads(text, **_NUMBERS)
    rows = found.get("data") if isinstance(found, dict) else None
    if not isinstance(rows, list) or set(map(type, rows)) != {dict}:
        return None
    return found if colons == len(found) + sum(map(len, rows)) else None


def _text(value: object) -> str | None:
    """A value of the envelope for a text column, which may hold neither NUL nor half a character;
    its whole is in the answer's bytes."""
    if value is None or value is False:
        return None
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", str(value))[:2000]
