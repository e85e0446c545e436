"""Many papers on one record: each shape of them is judged by itself, in one `reconcile` of all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import duckdb

from builders.months import CARD, MAP, READ, judged, local, read
from builders.project import Project
from builders.record import write_documents
from wolkvox_billing.invoices import Document, Rejected, read_invoices
from wolkvox_billing.invoices.files import Content
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.verbs.load import refresh_marts

NIT = "900123456"  # in shapes; each gets another one
REPORT = "rsync_s3_mp3"


class Shape(NamedTuple):
    """Files by their names, each made for a supplier's NIT, and the price that the contract has."""

    files: Mapping[str, Callable[[str], bytes]]
    price: str = "100"


class Outcome(NamedTuple):
    """What a shape is read as, and what is said of it."""

    contents: list[Content]
    rows: list[ReconciledRow]
    warnings: list[str]  # of the reconciliation of all shapes

    @property
    def documents(self) -> list[Document]:
        return [content for content in self.contents if isinstance(content, Document)]

    @property
    def reasons(self) -> list[str]:
        return [str(content) for content in self.contents if isinstance(content, Rejected)]

    @property
    def says(self) -> str:
        """All warnings of its documents."""
        return "\n".join(warning for document in self.documents for warning in document.warnings)

    @property
    def verdict(self) -> tuple[str, int, int]:
        """Status, quantity and amount of the only row."""
        [row] = self.rows
        return row.reconciliation_status, int(row.billed_quantity or 0), int(row.billed_cost)


def judge_papers(project: Project, shapes: Mapping[str, Shape]) -> dict[str, Outcome]:
    """Return what becomes of each shape beside a record of October that was read to its end, and
    shows 1,000: each has a supplier and an operation of its own."""
    read(project, *READ, (local(31, 23, 55), "1000"))
    places = {name: (f"op-{n}", f"900{n:06}") for n, name in enumerate(shapes, 100)}
    _copy_operation(project, [operation for operation, _ in places.values()])
    contents: dict[str, list[Content]] = {}
    line_map, rate_card = MAP, CARD
    all_files: list[Path] = []
    for name, (operation, nit) in places.items():
        folder = project.folder / "inbox" / operation
        folder.mkdir(parents=True)
        for file, build in shapes[name].files.items():
            (folder / file).write_bytes(build(nit))
        files = sorted(folder.iterdir())
        contents[name] = [paper.content for paper in read_invoices(files)]
        all_files += files
        line_map += f"{nit},,*,{REPORT},{operation},,quantity\n"
        rate_card += f"{REPORT},{operation},,0,{shapes[name].price},COP,2026-01-01,\n"
    write_documents(project, all_files)
    result = judged(project, line_map, rate_card)
    return {
        name: Outcome(
            contents[name],
            [row for row in result.rows if operation == row.operation_id],
            result.warnings,
        )
        for name, (operation, _) in places.items()
    }


def _copy_operation(project: Project, names: list[str]) -> None:
    """Let each of these operations have been read as `acme` was, at the same moments."""
    with closing(duckdb.connect(str(project.folder / "wolkvox.duckdb"))) as database:
        database.execute(
            "CREATE TEMP TABLE names AS SELECT unnest($names) AS name", {"names": names}
        )
        for table in ("polls", "readings", REPORT):
            named = "" if table == "polls" else ", 'The ' || name AS operation"
            database.execute(
                f"INSERT INTO wolkvox_billing.{table} BY NAME SELECT * EXCLUDE (name) REPLACE ("
                f"name AS operation_id, poll_id || name AS poll_id, _dlt_id || name AS _dlt_id"
                f"{named}) FROM wolkvox_billing.{table}, names"
            )
    refresh_marts(
        destination=project.destination,
        clock=lambda: project.vendor.now,
        measures={REPORT: "month_to_date"},
    )
