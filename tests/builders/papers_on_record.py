"""Papers that are held against a record without being stored in it, as `reconcile` would.

What was read, the readings and the odd answers are the record's own, which is asked for its facts
once. That papers get there, and verdicts into the marts, other tests show; ten times as many are
judged so in the same time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

from builders.months import OCTOBER_PERIOD, ONE_LINE, ONE_PRICE, local, write_maps
from builders.project import Project
from builders.settled_papers import state_papers
from wolkvox_billing.reconciliation.billed_lines import bill_lines
from wolkvox_billing.reconciliation.collect import read_facts
from wolkvox_billing.reconciliation.facts import Facts
from wolkvox_billing.reconciliation.mart import Filled, compare_facts
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.values.clock import epoch
from wolkvox_billing.warehouse.place import DATASET
from wolkvox_billing.warehouse.sql import Client


@dataclass(frozen=True)
class _Asked:
    """Asks a project's record, as a client of dlt's does, without opening the place anew."""

    project: Project

    @property
    def capabilities(self) -> SimpleNamespace:
        return SimpleNamespace(sqlglot_dialect=self.project.destination)

    def execute_sql(self, query: str) -> list[tuple[Any, ...]]:
        return self.project.query(query)


class _Known(NamedTuple):
    """The facts of a record, and of what."""

    of: tuple[object, ...]
    facts: Facts


_LAST: list[_Known] = []  # which most tests ask for again and again


def judged_unstored(
    project: Project,
    *papers: str,
    line_map: str = ONE_LINE,
    rate_card: str = ONE_PRICE,
    at: datetime | None = None,
    **policy: Any,
) -> Filled:
    """Return what is said of October, late enough for every invoice to be due, where these papers
    and no others were read."""
    assert not policy.keys() & {"billing_cycle_day", "supplier_ids"}, "papers are read by these"
    write_maps(line_map, rate_card)
    known = _facts_of(project, at or local(30, month=11))
    stated = state_papers(project.folder, papers)
    facts = replace(known.facts, lines=bill_lines(stated), stated=stated)
    client, own = cast("Client", _Asked(project)), Policy(**policy)
    compared = compare_facts(client, DATASET, facts, own, {"rejected_rows"}, OCTOBER_PERIOD)
    return compared.filled(OCTOBER_PERIOD, is_stored=True)


def _facts_of(project: Project, at: datetime) -> _Known:
    """Return the facts as of a moment, read anew where something was polled since."""
    polled = project.query("SELECT COUNT(*), MAX(poll_id) FROM polls")
    of = project.folder, at, *polled
    if not _LAST or _LAST[0].of != of:
        project.execute(f"UPDATE wolkvox_billing_marts.refreshed SET as_of_epoch = {epoch(at)}")
        # Without the tables of papers, of which the tests have their own.
        facts = read_facts(cast("Client", _Asked(project)), DATASET, Policy(), ())
        _LAST[:] = [_Known(of, facts)]
    return _LAST[0]
