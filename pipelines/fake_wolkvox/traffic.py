"""The traffic: who called, who is being answered now, and the rule of one call per token."""

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Condition, Event


@dataclass
class Call:
    """One call as received; `status` is None until it is answered, and for one that never is."""

    token: str | None
    report: str | None
    received_at: datetime
    headers: dict[str, str]
    path: str
    status: int | None = None


class Traffic:
    """The record of all calls, and the calls in flight."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.violations = 0
        self._in_flight: list[tuple[Call, socket.socket]] = []
        self._most: dict[str | None, int] = {}  # None: over all tokens
        self._held: Counter[str | None] = Counter()
        self._changed = Condition()
        self._closing = Event()

    @contextmanager
    def hold(self, token: str | None = None) -> Iterator[None]:
        """Keep the answers of a token, or of all, back until the end of the block."""
        with self._changed:
            self._held[token] += 1
        try:
            yield
        finally:
            with self._changed:
                self._held[token] -= 1
                self._changed.notify_all()

    def wait_for_calls(self, count: int, timeout: float = 10) -> None:
        """Return as soon as so many calls came in since the start, answered or not."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.calls) >= count, timeout):
                raise TimeoutError(f"{len(self.calls)} of {count} calls came within {timeout} s")

    def most_in_flight(self, token: str | None = None) -> int:
        """Return the most calls of a token, or of all, ever handled at once, refused ones
        included."""
        return self._most.get(token, 0)

    def enter(self, call: Call, connection: socket.socket) -> bool:
        """Record a call; return whether it keeps the rule. If so, wait while the token is held."""
        with self._changed:
            # Who hung up no longer counts, even if the thread that serves him has yet to notice.
            self._in_flight = [pair for pair in self._in_flight if not _is_gone(pair[1])]
            same = sum(other.token == call.token for other, _ in self._in_flight)
            self._in_flight.append((call, connection))
            self._most[None] = max(self.most_in_flight(), len(self._in_flight))
            self.calls.append(call)
            self._changed.notify_all()
            if call.token is not None:
                self._most[call.token] = max(self.most_in_flight(call.token), same + 1)
                if same:
                    self.violations += 1
                    return False
            self._changed.wait_for(lambda: self._closing.is_set() or not self._is_held(call))
            return True

    def leave(self, call: Call) -> None:
        """Note that the call's answer is on its way: its token is free again."""
        with self._changed:
            self._in_flight = [pair for pair in self._in_flight if pair[0] is not call]

    def _is_held(self, call: Call) -> bool:
        return self._held[None] > 0 or self._held[call.token] > 0


def _is_gone(connection: socket.socket) -> bool:
    """Return whether the other side has closed the connection."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
