"""A month that was read and billed, and what `reconcile` says of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from builders.documents import declared, line, period, ubl
from builders.project import TOKENS, Project
from builders.record import REPORT, Call, write_documents, write_polls
from builders.sheets import HEADINGS, changed
from builders.sheets import csv as csv_of
from builders.worlds import once
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation.mart import Filled
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.values.periods import Period
from wolkvox_billing.verbs.invoices import invoices
from wolkvox_billing.verbs.reconcile import Reconciliation, reconcile

BOGOTA = timezone(timedelta(hours=-5))
MAP = "supplier_id,item_code,pattern,report,operation_id,product,role\n"
CARD = "report,operation_id,product,from_quantity,unit_price,currency,valid_from,valid_to\n"
ONE_LINE = f"{MAP},,*grabaciones*,{REPORT},,,quantity\n"
ONE_PRICE = f"{CARD}{REPORT},,,0,100,COP,2026-01-01,\n"
OCTOBER = period("2026-10-01", "2026-10-31")
OCTOBER_PERIOD = Period(date(2026, 10, 1), date(2026, 11, 1))


def local(day: int, hour: int = 12, minute: int = 0, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BOGOTA)


def read(project: Project, *readings: tuple[datetime, str], product: str = "AUDIOS") -> None:
    """Polls at these times, with what the counter shows then. What most tests begin with is
    written once in a session."""
    if list(readings) == READ and not project.dsn:
        once(project, _read, *readings, product=product)
    else:
        _read(project, *readings, product=product)


def _read(project: Project, *readings: tuple[datetime, str], product: str) -> None:
    write_polls(project, *calls_of(*readings, product=product), measures={REPORT: "month_to_date"})


def calls_of(
    *readings: tuple[datetime, str], product: str = "AUDIOS", operation: str = "acme"
) -> list[Call]:
    """Calls at these times, with what the counter shows then."""
    return [Call(at, [_row(at, items, product)], operation=operation) for at, items in readings]


def poll(project: Project, *readings: tuple[datetime, str], product: str = "AUDIOS") -> None:
    """The same by polling, the last of them by a load."""
    for at, items in readings:
        project.vendor.now = at
        project.vendor.answer(TOKENS["acme"], REPORT, [_row(at, items, product)])
        if (at, items) == readings[-1]:
            assert project.load(measures={REPORT: "month_to_date"}, force=True).is_good
        else:
            assert project.poll(force=True).is_good


def _row(at: datetime, items: str, product: str) -> dict[str, str]:
    day = f"{at:%Y-%m-%d}"
    return {"operation": "ACME", "description": product, "items": items, "date": day}


def bill(project: Project, *documents: str) -> None:
    """These documents come and are read."""
    write_documents(project, _files_of(project, documents))


def sheet(project: Project, number: str, quantity: str, net: str, **cells: str) -> None:
    """A spreadsheet with this one invoice comes and is read."""
    row = changed(Factura=number, Cantidad=quantity, Unitario="100", Subtotal=net, **cells)
    file = project.folder / "inbox" / f"{len(number)}-{number.replace('/', '_')}.csv"
    file.parent.mkdir(exist_ok=True)
    file.write_text(csv_of(HEADINGS, row))
    write_documents(project, [file])


def receive(project: Project, *documents: str) -> None:
    """The same by the verb `invoices`, which fills the mart anew."""
    files = _files_of(project, documents)
    invoices(files, destination=project.destination, clock=lambda: project.vendor.now)


def _files_of(project: Project, documents: Sequence[str]) -> list[Path]:
    inbox = project.folder / "inbox"
    inbox.mkdir(exist_ok=True)
    files = [inbox / f"{len(list(inbox.iterdir()))}-{n}.xml" for n, _ in enumerate(documents)]
    for file, text in zip(files, documents, strict=True):
        file.write_bytes(declared(text))
    return files


def invoice(quantity: str | None, net: str, about: str = "Grabaciones en S3", **more: Any) -> str:
    """An invoice of October with one line, of recordings."""
    kind = more.get("kind", "Invoice")
    own = line(quantity, net, kind=kind, description=about, price=None, tax=None,
               currency=more.get("currency", "COP"))  # fmt: skip
    return ubl(own, **{"net": net, "tax": None, "periods": OCTOBER, **more})


def write_maps(line_map: str = ONE_LINE, rate_card: str = ONE_PRICE) -> None:
    """The line map and the rate card of the project in whose folder this is."""
    Path("line_map.csv").write_text(line_map)
    Path("rate_card.csv").write_text(rate_card)


def judged(
    project: Project,
    line_map: str = ONE_LINE,
    rate_card: str = ONE_PRICE,
    at: datetime | None = None,
    **policy: Any,
) -> Reconciliation:
    """What `reconcile` says of October, late enough for every invoice to be due."""
    write_maps(line_map, rate_card)
    project.vendor.now = at or local(30, month=11)
    return reconcile(
        "2026-10",
        destination=project.destination,
        policy=Policy(**policy),
        clock=lambda: project.vendor.now,
    )


def only(result: Reconciliation | Filled) -> ReconciledRow:
    [row] = result.rows
    return row


def statuses(result: Reconciliation | Filled) -> list[str]:
    return [row.reconciliation_status for row in result.rows]


READ = [(local(1), "10"), (local(15), "500"), (local(31, 23, 50), "1000")]
