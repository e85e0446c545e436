"""Which products the vendor spells in more than one way: in case and blanks, and else alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from wolkvox_billing.marts.identities import NOBODY, Identities, Query
from wolkvox_billing.values.spelling import plain
from wolkvox_billing.vendor.reports import REPORTS
from wolkvox_billing.warehouse.sql import literal

_SPELLINGS = (
    "SELECT {report} AS report, operation_id, description, MAX(read_at) AS read_at, "
    "MAX(poll_id) AS poll_id FROM {table} GROUP BY operation_id, description"
)


class Spelling(NamedTuple):
    """A product as it was spelled, and as it was last: a row of the table `spellings`."""

    operation_id: str
    report: str
    product: str
    newest_product: str


def find_spellings(
    query: Query, raw: str, tables: Collection[str], identities: Identities = NOBODY
) -> list[Spelling]:
    """Return the Spellings in the tables of reports, in the order of report, operation and name.

    Two that were last read in one answer are two products all the same.
    raw: the schema. tables: the names of those in it. identities: what ids count as one operation,
    each of which has a Spelling of its own.
    """
    columns = ("description", "read_at", "poll_id")
    selects = [
        _SPELLINGS.format(
            report=literal(report), table=identities.counted(f"{raw}.{report}", columns)
        )
        for report in REPORTS
        if report in tables
    ]
    groups: defaultdict[tuple[str, str, str], list[tuple[datetime, str, str]]] = defaultdict(list)
    for report, operation_id, product, read_at, poll_id in (
        query(" UNION ALL ".join(selects)) if selects else ()
    ):
        groups[report, operation_id, plain(product)].append((read_at, product, poll_id))
    spellings: list[Spelling] = []
    for (report, operation_id, _), spelled in groups.items():
        polls = [poll_id for _, _, poll_id in spelled]
        if len(spelled) == 1 or len(set(polls)) < len(polls):
            continue
        _, newest, _ = max(spelled)
        spellings += (
            Spelling(read, report, product, newest)
            for _, product, _ in spelled
            if product != newest
            for read in identities.read_as(operation_id)
        )
    return sorted(spellings, key=lambda row: (row.report, row.operation_id, row.product))
