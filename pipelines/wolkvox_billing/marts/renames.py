"""Which operations the vendor calls otherwise now, as the database itself tells.

    report's table ─▶ operations under several names ─▶ candidates ─┬▶ renames
    readings ─▶ those that ever came together in one answer ──less──┘

A table of a report holds a row a day, `readings` all that was ever read: that one is looked through
only for an operation of which a product came under several names. Where no operation has several,
the usual case, one statement says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import NamedTuple

from wolkvox_billing.marts.identities import NOBODY, Identities, Query
from wolkvox_billing.vendor.reports import REPORTS
from wolkvox_billing.warehouse.sql import listed, literal


class Rename(NamedTuple):
    """A product's older name of its operation, and the newest one: a row of the table `renames`."""

    operation_id: str
    report: str
    product: str
    operation_name: str
    newest_name: str


def find_renames(
    query: Query, raw: str, tables: Collection[str], identities: Identities = NOBODY
) -> list[Rename]:
    """Return the Renames in the tables of reports, in the order of report, operation and names.

    Where one product of an operation came under several names, and no answer for the operation
    ever held two, the vendor has renamed it, and its counter goes on; the newest name is the one
    that was read last. `status` tells of it, since it is a guess.

    raw: the schema. tables: the names of those in it. identities: what ids count as one operation,
    each of which has a Rename of its own.
    """
    renames: list[Rename] = []
    counted = {
        report: identities.counted(f"{raw}.{report}", _COLUMNS)
        for report in REPORTS
        if report in tables
    }
    for report, operations in _under_several_names(query, counted).items():
        candidates = _operations_of(query, _CANDIDATES, counted[report], report, operations)
        readings = identities.counted(f"{raw}.readings", (*_COLUMNS, "report"))
        renamed = candidates - _operations_of(query, _TOGETHER, readings, report, candidates)
        if renamed:
            renames += (
                Rename(read, report, product, older, newest)
                for operation_id, product, older, newest in query(
                    _RENAMES.format(table=counted[report], operations=listed(renamed))
                )
                for read in identities.read_as(operation_id)
            )
    return renames


_COLUMNS = ("operation", "description", "read_at", "poll_id")
# Names are compared byte by byte, whatever the database's collation, and as the other engine does.
_UNDER_SEVERAL_NAMES = (
    "SELECT {report} AS report, operation_id FROM {table} GROUP BY operation_id "
    'HAVING MIN(operation COLLATE "C") <> MAX(operation COLLATE "C")'
)
# Those of which a product has several names that are not seen together. Two names that stand beside
# one poll_id here came together: most that did are seen already.
_CANDIDATES = (
    "SELECT DISTINCT operation_id FROM (SELECT operation_id FROM {table} "
    "WHERE operation_id IN ({operations}) GROUP BY operation_id, description "
    'HAVING MIN(operation COLLATE "C") <> MAX(operation COLLATE "C")) AS products '
    "WHERE operation_id NOT IN (SELECT operation_id FROM {table} "
    "WHERE operation_id IN ({operations}) GROUP BY operation_id, poll_id "
    'HAVING MIN(operation COLLATE "C") <> MAX(operation COLLATE "C"))'
)
# Those of which an answer, be it years ago, held two names.
_TOGETHER = (
    "SELECT DISTINCT operation_id FROM (SELECT operation_id FROM {table} "
    "WHERE report = {report} AND operation_id IN ({operations}) GROUP BY operation_id, poll_id "
    'HAVING MIN(operation COLLATE "C") <> MAX(operation COLLATE "C")) AS answers'
)
_RENAMES = (
    "SELECT operation_id, description, operation, newest FROM ("
    "SELECT operation_id, description, operation, FIRST_VALUE(operation) OVER ("
    "PARTITION BY operation_id, description "
    'ORDER BY MAX(read_at) DESC, operation COLLATE "C" DESC) AS newest '
    "FROM {table} WHERE operation_id IN ({operations}) "
    "GROUP BY operation_id, description, operation) AS names WHERE operation <> newest "
    'ORDER BY operation_id COLLATE "C", description COLLATE "C", operation COLLATE "C"'
)


def _under_several_names(query: Query, tables: Mapping[str, str]) -> dict[str, set[str]]:
    """Return report → its operations that have several names, be it for different products.
    tables: by report."""
    selects = [
        _UNDER_SEVERAL_NAMES.format(report=literal(report), table=table)
        for report, table in tables.items()
    ]
    operations: defaultdict[str, set[str]] = defaultdict(set)
    for report, operation_id in query(" UNION ALL ".join(selects)) if selects else ():
        operations[report].add(operation_id)
    return {report: operations[report] for report in tables if report in operations}


def _operations_of(
    query: Query, sql: str, table: str, report: str, operations: Collection[str]
) -> set[str]:
    """Return which of these operations the SQL names."""
    if not operations:
        return set()
    rows = query(sql.format(table=table, report=literal(report), operations=listed(operations)))
    return {operation_id for (operation_id,) in rows}
