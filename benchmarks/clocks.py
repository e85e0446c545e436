"""A `load` or `poll` in this process, with clocks round the functions that it is made of.

    python clocks.py load|poll STARTED

STARTED is when the process was started, in seconds since 1970. The last line that it prints is
JSON: the seconds of each stage. A stage that is called out of another one is not in that one's
seconds. It imports little: what it imports counts as the product's start.
"""

from __future__ import annotations

import functools
import importlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

Function = Callable[..., Any]  # any that the product has
START = "start Python, import"
WORDS = "the command line, and what it prints"
# stage: where its functions are, as the caller knows them
STAGES = {
    "load": {
        "read the settings": [
            "wolkvox_billing.verbs.load:read_poll_settings",
            "wolkvox_billing.verbs.load:meaning_of",
        ],
        "ask the vendor": ["wolkvox_billing.polling.polls:ask"],
        "keep the answer in the spool": ["wolkvox_billing.polling.spool:Spool.keep"],
        "round the call: pace, lock, thread": ["wolkvox_billing.verbs.load:ask"],
        "what waits in the spool": ["wolkvox_billing.polling.spool:Spool.waiting"],
        "look at the destination": [
            "wolkvox_billing.verbs.load:waiting_elsewhere",
            "wolkvox_billing.verbs.load:remember",
            "wolkvox_billing.polling.drain:look_at_destination",
            "wolkvox_billing.polling.drain:missing_columns",
            "wolkvox_billing.polling.drain:_Drain._not_there_yet",
        ],
        "mark the answers as tried": ["wolkvox_billing.polling.spool:Spool.mark_tried"],
        "read them again from the spool": ["wolkvox_billing.polling.spool:Spool.read"],
        "read texts as numbers and days": ["wolkvox_billing.polling.source:read_rows"],
        "rows of four tables": [
            f"wolkvox_billing.polling.source:{name}"
            for name in ("poll_row", "readings_in", "rejected_in", "newest_in")
        ],
        "their columns in Arrow": ["wolkvox_billing.warehouse.bulk:_table"],
        "the rest of dlt's extract": ["dlt:Pipeline.extract"],
        "dlt's normalize": ["dlt:Pipeline.normalize"],
        "dlt's load": ["dlt:Pipeline.load"],
        "drop dlt's packages": ["wolkvox_billing.warehouse.loading:drop_packages"],
        "take the answers out of the spool": ["wolkvox_billing.polling.spool:Spool.drop"],
        "comments on tables and columns": ["wolkvox_billing.verbs.load:comment"],
        "refresh the marts": ["wolkvox_billing.verbs.load:refresh"],
        "open and close DuckDB, and the rest": ["wolkvox_billing.verbs.load:load"],
    },
    "poll": {
        "read the settings": ["wolkvox_billing.verbs.poll:read_poll_settings"],
        "find the working folder": ["wolkvox_billing.verbs.poll:place_of"],
        "ask the vendor": ["wolkvox_billing.polling.polls:ask"],
        "keep the answer in the spool": ["wolkvox_billing.polling.spool:Spool.keep"],
        "round the call: pace, lock, thread": ["wolkvox_billing.verbs.poll:ask"],
        "the rest": ["wolkvox_billing.verbs.poll:poll"],
    },
}
# What `dlt's load` waits for, in threads of its own, some side by side: not added up.
JOBS = {
    "  in it: files into tables": [
        "dlt.destinations.impl.duckdb.duck:DuckDbCopyJob.run",
        "dlt.destinations.insert_job_client:InsertValuesLoadJob.run",
    ],
    "  in it: merges": ["dlt.destinations.job_client_impl:SqlLoadJob.run"],
}


class Clocks:
    """Seconds by stage. With a single operation only one thread works at a time, the asking one or
    the one that waits for it: both share one account of what a stage's inner ones took."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inner = 0.0

    def wrap(self, stage: str, path: str, *, is_beside: bool = False) -> None:
        """Put a clock round a function. Raises AttributeError where it is there no more.

        is_beside: it runs beside a stage that waits for it, and is in that one's seconds too."""
        module, _, names = path.partition(":")
        owner: Any = importlib.import_module(module)
        *outer, name = names.split(".")
        for attribute in outer:
            owner = getattr(owner, attribute)
        timed = self.beside if is_beside else self.timed
        setattr(owner, name, timed(stage, getattr(owner, name)))

    def timed(self, stage: str, function: Function) -> Function:
        @functools.wraps(function)
        def timed(*args: Any, **options: Any) -> Any:
            outer, self._inner = self._inner, 0.0
            began = time.perf_counter()
            try:
                return function(*args, **options)
            finally:
                took = time.perf_counter() - began
                self.seconds[stage] += took - self._inner
                self._inner = outer + took

        return timed

    def beside(self, stage: str, function: Function) -> Function:
        @functools.wraps(function)
        def timed(*args: Any, **options: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*args, **options)
            finally:
                self.seconds[stage] += time.perf_counter() - began

        return timed


def main() -> None:
    verb, started = sys.argv[1], float(sys.argv[2])
    from wolkvox_billing.cli.main import main as command

    clocks = Clocks()
    for stage, paths in STAGES[verb].items():
        for path in paths:
            clocks.wrap(stage, path)
    if verb == "load":
        for stage, paths in JOBS.items():
            for path in paths:
                clocks.wrap(stage, path, is_beside=True)
    clocks.seconds[START] = time.time() - started
    try:
        clocks.timed(WORDS, command)([verb, "--force"])
    except SystemExit as end:
        if end.code:
            raise
    print(json.dumps(clocks.seconds))


if __name__ == "__main__":
    main()
