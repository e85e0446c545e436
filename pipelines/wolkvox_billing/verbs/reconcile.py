"""The verb `reconcile`: what was billed against what was measured, and a verdict on each.

line map, rate card ─┐
invoice lines ───────┼─▶ keys (who is compared with what) ─▶ verdicts ─▶ words ─▶ marts
usage marts ─────────┘
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wolkvox_billing.closing import check_closes
from wolkvox_billing.errors import WarehouseError
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.marts.refresh import refresh
from wolkvox_billing.reconciliation.collect import read_facts
from wolkvox_billing.reconciliation.contract.line_map import read_line_map
from wolkvox_billing.reconciliation.contract.templates import propose, write_templates
from wolkvox_billing.reconciliation.mart import fill_anew
from wolkvox_billing.reconciliation.policy import Policy, read_policy
from wolkvox_billing.reconciliation.settlement import Settled, SettledTotal, add_up
from wolkvox_billing.reconciliation.totals import Totals
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.values.periods import read_month
from wolkvox_billing.values.translation import N_, Sentence, phrase, say_in
from wolkvox_billing.vendor.reports import REPORTS
from wolkvox_billing.warehouse.complaints import configured
from wolkvox_billing.warehouse.place import DATASET, DESTINATION, location_of, opened, reading
from wolkvox_billing.warehouse.sql import tables_in

if TYPE_CHECKING:  # what writes files takes a tenth of a second to come, and few ask for them
    from wolkvox_billing.evidence import Order
    from wolkvox_billing.evidence.contents import Contents
    from wolkvox_billing.evidence.workbook import MonthFacts, WorkbookOrder

_FOR_WHO_STORES = N_(
    "evidence and workbooks are of verdicts that are stored, and this role can only read: write "
    "them as the one that loads, or from its DuckDB file while nobody else has it open"
)


@dataclass
class Reconciliation:
    """The mart's rows of one month, or of all, and the documents, settled; `totals` tie out with
    all that there is. `evidence` and `workbook` are the files that were written, `is_closed`
    whether the month's close holds.
    """

    month: str | None
    policy: Policy
    rows: list[ReconciledRow]
    totals: Totals
    settled: list[Settled] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    location: str = ""
    evidence: Path | None = None
    workbook: Path | None = None
    is_closed: bool = False

    @property
    def settled_totals(self) -> list[SettledTotal]:
        """What the documents come to, by currency."""
        return add_up(each.document for each in self.settled)


# The keywords are what the command line has as options, and what tests set.
def reconcile(
    month: str | None = None,
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    policy: Policy | None = None,
    evidence: Order | None = None,
    workbook: WorkbookOrder | None = None,
    clock: Clock = utc_now,
) -> Reconciliation:
    """Return the Reconciliation of a month such as 2026-11, of each key whose period has days in
    it; of all months without one. The mart `invoice_reconciliation` is filled for all months.

    evidence, workbook: files that are wanted of the month, as `order_evidence` and `order_workbook`
    return; they are of the same verdicts, and of the same moment, and for whoever may store these.
    Who can only read gets the verdicts alone, with a warning that they are not stored.
    Raises SettingsError for a month, line map or rate card that cannot be meant, WarehouseError
    where nothing is loaded, and DoesNotTieOut.
    """
    period = read_month(month) if month is not None else None
    policy = policy or configured(read_policy)
    with opened(destination, dataset, reads=True) as pipeline, reading(pipeline):
        filled = fill_anew(pipeline, policy, clock(), period, reads=True)
        if not filled.is_stored and (evidence or workbook):
            raise WarehouseError(Sentence(_FOR_WHO_STORES))
        contents = facts = None
        if evidence:
            from wolkvox_billing.evidence import collect_contents

            contents = collect_contents(pipeline, evidence.month, filled, policy)
        if workbook:
            from wolkvox_billing.evidence.workbook import read_month_facts

            facts = read_month_facts(pipeline, workbook.month, filled.rows)
        closes = check_closes(pipeline)
        result = Reconciliation(
            month=month,
            policy=policy,
            rows=filled.rows,
            totals=filled.totals,
            settled=filled.settled,
            warnings=[*filled.warnings],
            location=location_of(pipeline),
            is_closed=month in closes.holding,
        )
    if evidence and contents:
        _write_evidence(result, evidence, contents)
    result.warnings += [doubt.says for doubt in closes.broken]
    result.warnings = [say_in(policy.language, text) for text in result.warnings]
    if workbook and facts:
        _write_workbook(result, workbook, facts)
    return result


def _write_evidence(result: Reconciliation, order: Order, contents: Contents) -> None:
    """Write the evidence of what was reconciled; a file that is there already is kept."""
    from wolkvox_billing.evidence import write_evidence

    result.evidence = write_evidence(order, contents, result.policy, result.warnings)
    if result.evidence != order.target:
        text = N_(
            "{kept} is there already with other bytes, and is kept, since a close may stand on "
            "it: the new evidence is {file}"
        )
        names = {"kept": order.target.name, "file": result.evidence.name}
        result.warnings.append(Sentence(text, **names))


def _write_workbook(result: Reconciliation, order: WorkbookOrder, facts: MonthFacts) -> None:
    """Write what was reconciled for Excel; a file that is there already is kept."""
    from wolkvox_billing.evidence.workbook import Reconciled, write_workbook

    language = result.policy.language
    told = Reconciled(result.policy, result.rows, result.settled, result.warnings, result.evidence)
    result.workbook = write_workbook(order, told, facts)
    if result.workbook != order.target:
        text = N_(
            "{kept} is there already with other contents, and is kept, since somebody may have "
            "written into it: the new workbook is {file}"
        )
        names = {"kept": order.target.name, "file": result.workbook.name}
        result.warnings.append(phrase(text, language, **names))


def init(
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    policy: Policy | None = None,
    clock: Clock = utc_now,
) -> tuple[list[Path], list[dict[str, str]]]:
    """Write the line map, the rate card and the exchange rates where they are not there yet, and
    propose rows for invoice lines that no row fits; return the files that were written, and these
    rows by columns.

    Raises SettingsError where a file cannot be written or read.
    """
    policy = policy or configured(read_policy)
    files = Path(policy.line_map), Path(policy.rate_card)
    written = write_templates(*files, policy.language, Path(policy.exchange_rates))
    rows = read_line_map(Path(policy.line_map), REPORTS)
    with opened(destination, dataset, reads=True) as pipeline:
        try:
            with reading(pipeline):
                refresh(pipeline, None, clock())
                with pipeline.sql_client() as client:
                    raw = pipeline.dataset_name
                    facts = read_facts(client, raw, policy, tables_in(client, raw))
        except WarehouseError:  # nothing is loaded yet
            return written, []
    return written, propose(Path(policy.line_map), rows, facts.lines)
