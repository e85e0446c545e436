"""The stand-in vendor in a process of its own, so that its work is in nobody's CPU seconds.

with StandIn("rows", "60000", "1") as vendor: ...      answers that are made beforehand
with StandIn("counters", "1") as vendor: ...           the built-in counters, by its clock
with StandIn("slow", "0.5", "200") as vendor: ...      the same, after so many seconds
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from datetime import datetime, timezone
from typing import Any

import plain

REPORT = "rsync_s3_mp3"
NOW = datetime(2026, 11, 10, 17, tzinfo=timezone.utc)


def token(number: int) -> str:
    """Return 64 letters and digits; some programs read a text of digits alone as a number."""
    return f"a{number:03}" * 16


def operations(count: int) -> str:
    """Return the setting `operations` for so many of them, as JSON."""
    return json.dumps(
        [{"name": f"op{n}", "server": f"{n:04}", "token": token(n)} for n in range(count)]
    )


class StandIn:
    """Runs for the block; `url` is where it listens, `settings` what the product is told."""

    def __init__(self, kind: str, *words: str) -> None:
        self._words = [plain.own("python"), __file__, kind, *words]
        self._count = int(words[-1])

    def __enter__(self) -> StandIn:
        self._process = subprocess.Popen(
            self._words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        self.settings = {
            "SOURCES__WOLKVOX_BILLING__BASE_URL": self.url,
            "SOURCES__WOLKVOX_BILLING__OPERATIONS": operations(self._count),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "RUNTIME__LOG_LEVEL": "ERROR",
        }
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def set_clock(self, moment: datetime) -> None:
        """Move the vendor's clock, by which its counters count."""
        body = json.dumps({"now": moment.isoformat()}).encode()
        order = urllib.request.Request(f"{self.url}/_fake/clock", body)  # noqa: S310, ours
        with urllib.request.urlopen(order) as answer:  # noqa: S310, the same
            answer.read()

    def ask(self, name: str) -> Any:
        """Return what it counted: {"calls", "violations", "most_in_flight"}."""
        assert self._process.stdin
        assert self._process.stdout
        print(name, file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())


def rows(count: int, answers: int) -> bytes:
    """Return an answer of so many rows, no two of one key."""
    from fake_wolkvox.reply import envelope

    return envelope(
        [
            {
                "operation": "ACME",
                "description": f"Audios {n % 2000:04}",
                "items": f"{n % 977},{n % 1000:03}.5" if n % 977 else f"{n % 1000}.25",
                "date": f"2026-{1 + n // 2000 % 10:02}-{1 + n // 20000 % 28:02}",
            }
            for n in range(count // answers)
        ]
    )


def serve(kind: str, words: list[str]) -> None:
    """Run the vendor until its input ends."""
    from fake_wolkvox import Vendor

    class Slow(Vendor):
        """Answers after a while; till then the call is in flight."""

        def take(self, *call: Any) -> Any:
            reply = super().take(*call)
            time.sleep(float(words[0]))
            return reply

    count = int(words[-1])
    with (Slow if kind == "slow" else Vendor)(now=NOW, operations=[]) as vendor:
        for number in range(count):
            vendor.add_operation(name=f"OP{number}", server=f"{number:04}", token=token(number))
        if kind == "rows":
            body = rows(int(words[0]), count)
            for number in range(count):
                vendor.answer(token(number), REPORT, body)
        print(vendor.url, flush=True)
        for _ in sys.stdin:
            counted = {
                "calls": len(vendor.calls),
                "violations": vendor.violations,
                "most_in_flight": vendor.most_in_flight(),
            }
            print(json.dumps(counted), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2:])
