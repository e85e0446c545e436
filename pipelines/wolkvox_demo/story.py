"""What happened in the demo, and how it is told on a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

from wolkvox_billing.cli.claims import print_claims
from wolkvox_billing.cli.listing import (
    RECEIPT_HEADINGS,
    VERDICT_HEADINGS,
    receipt_as_row,
    verdict_as_row,
)
from wolkvox_billing.cli.terminal import print_table, say
from wolkvox_billing.closing import Close
from wolkvox_billing.evidence import Examined
from wolkvox_billing.marts.claimed import OpenClaim
from wolkvox_billing.marts.copied import COUNTER_ABOVE, CopiedPeriod
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.values.locales import ENGLISH
from wolkvox_billing.values.periods import format_days, format_period
from wolkvox_billing.verbs.claim import ClaimedDocument
from wolkvox_billing.verbs.invoices import Receipt
from wolkvox_billing.warehouse.place import opened
from wolkvox_billing.warehouse.sql import rows_of


@dataclass
class Settled:
    """What became of the invoices; verdicts are rows as in invoice_reconciliation."""

    copies: list[CopiedPeriod]  # what was counted in the bucket
    receipts: list[Receipt]
    verdicts: list[ReconciledRow]  # of both months, when the invoices had come
    evidence: Path
    examined: Examined
    report: Path  # out of the evidence, for a browser
    claimed: ClaimedDocument
    claims: list[OpenClaim]  # with the note
    note: list[Receipt]
    doubt: str  # why the close of October no longer held
    verdicts_after: list[ReconciledRow]  # of October, with the note
    records: list[Close]  # closed, reopened, closed again


class Listing(NamedTuple):
    """What a query says, as it is listed."""

    headings: list[str]
    rows: list[tuple[object, ...]]


@dataclass
class Story:
    """What happened in the demo, for the command line to tell."""

    folder: Path
    polls: int
    days: Listing  # the last 14 days read, of `ventas`
    months: Listing
    unread: list[date]
    refusals: Listing
    restatements: Listing
    rejected: Listing
    settled: Settled
    location: str


def look_back(folder: Path, polls: int, settled: Settled, last: date) -> Story:
    """Return the Story, by what the tables and marts of the current folder say up to the last
    day."""
    with opened() as pipeline, pipeline.sql_client() as client:
        query = partial(rows_of, client)
        days = query(
            "SELECT usage_date, consumed_quantity, days_covered, month_to_date_quantity "
            "FROM wolkvox_billing_marts.usage_daily WHERE operation_id = 'ventas' "
            f"AND usage_date <= DATE '{last}' "
            "ORDER BY usage_date DESC LIMIT 14"
        )
        months = query(
            "SELECT m.operation_id, m.billing_period_start, m.consumed_quantity, COUNT(*), "
            "ROUND(m.hours_unread_at_end, 1) FROM wolkvox_billing_marts.usage_monthly AS m "
            "JOIN wolkvox_billing_marts.usage_daily AS d ON d.operation_id = m.operation_id "
            "AND d.product = m.product AND d.usage_date >= m.billing_period_start "
            "AND d.usage_date < m.billing_period_end WHERE m.is_closed_period "
            "GROUP BY ALL ORDER BY 1, 2"
        )
        unread = query(
            "SELECT DISTINCT poll_date FROM wolkvox_billing_marts.poll_coverage "
            f"WHERE polls_answered = 0 AND poll_date <= DATE '{last}' ORDER BY poll_date"
        )
        refusals = query(
            "SELECT outcome, COALESCE(msg, note), COUNT(*) FROM polls "
            "WHERE outcome NOT IN ('ok', 'empty', 'not_found') GROUP BY ALL ORDER BY 1"
        )
        restatements = query(
            "SELECT usage_date, previous_quantity, quantity, read_at "
            "FROM wolkvox_billing_marts.usage_restatements ORDER BY read_at, usage_date"
        )
        rejected = query("SELECT reason, raw FROM rejected_rows ORDER BY poll_id, row_number")
    months_headings = ["operation", "month", "audios", "days read", "hours unread at end"]
    return Story(
        folder=folder,
        polls=polls,
        days=Listing(["day", "audios", "days covered", "month to date"], days[::-1]),
        months=Listing(months_headings, months),
        unread=[day for (day,) in unread],
        refusals=Listing(["outcome", "what was said", "calls"], refusals),
        restatements=Listing(["day", "before", "then", "read at"], restatements),
        rejected=Listing(["reason", "row"], rejected),
        settled=settled,
        location=str(folder / "wolkvox.duckdb"),
    )


def tell(story: Story) -> None:
    """Print it: what was read, what was billed, and how October was settled."""
    settled = story.settled
    say(f"Two months, two operations, {story.polls} calls to a stand-in of wolkvox.\n")
    say("What operation ventas used, the last days of October", bold=True)
    print_table(*story.days)
    say("What each month came to", bold=True)
    print_table(*story.months)
    say("Days without an answer, which no later call can bring back", bold=True)
    say(f"  {format_days(story.unread)}\n")
    say("Refusals: kept as such, and never a zero", bold=True)
    print_table(*story.refusals)
    say("Values that changed after their day was over, or that fell", bold=True)
    print_table(*story.restatements)
    say("Rows that could not be read: kept as they came, with the reason", bold=True)
    print_table(*story.rejected)
    say("The copies in the customers' own bucket, counted", bold=True)
    _tell_copies(settled.copies)
    say("The invoices that came by mail", bold=True)
    print_table(RECEIPT_HEADINGS, [receipt_as_row(receipt) for receipt in settled.receipts])
    say("Is what they bill what was used?", bold=True)
    _tell_verdicts(settled.verdicts)
    say("The evidence of October, and its close", bold=True)
    say(f"  {settled.evidence}")
    examined = settled.examined
    result = "; ".join(examined.problems) or "as the manifest says"
    say(f"  verified: {examined.members} members, {result}")
    closed, *later = settled.records
    say(f"  {settled.claimed.says}")
    _tell_record(closed)
    say("A week later a credit note comes, over a part of it", bold=True)
    print_table(RECEIPT_HEADINGS, [receipt_as_row(receipt) for receipt in settled.note])
    say(f"  {settled.doubt}")
    for record in later:
        _tell_record(record)
    _tell_verdicts(settled.verdicts_after)
    say("What is still open of the claim", bold=True)
    print_claims(settled.claims, ENGLISH)
    say("What to open", bold=True)
    say(f"  the claim's letter, in Word:         {settled.claimed.letter}")
    say(f"  the evidence's report, in a browser: {settled.report}")
    say(f"  the tables and marts, in DuckDB:     {story.location}")
    say("  SELECT * FROM wolkvox_billing_marts.invoice_reconciliation;")
    say("  SELECT started_at, outcome, msg FROM wolkvox_billing.polls WHERE outcome <> 'ok';")
    say(f"(remove {story.folder} when you have seen enough)")


def _tell_verdicts(verdicts: list[ReconciledRow]) -> None:
    print_table(VERDICT_HEADINGS, [verdict_as_row(verdict) for verdict in verdicts])
    for verdict in verdicts:
        if verdict.reconciliation_status != "matched" or verdict.cut_off not in (None, "copied"):
            mark = "! " if verdict.is_material else "  "
            say(f"{mark}{verdict.reconciliation_status}: {verdict.explanation}")


def _tell_copies(copies: list[CopiedPeriod]) -> None:
    headings = ["operation", "period", "in the bucket", "counted by wolkvox", "copied later",
                "days without a copy", "status"]  # fmt: skip
    rows = [
        [own.operation_id, format_period(own.billing_period_start, own.billing_period_end),
         own.counted_quantity, own.measured_quantity, own.late_quantity, own.missing_days,
         own.copy_status]
        for own in copies
    ]  # fmt: skip
    print_table(headings, rows)
    for own in copies:
        mark = "! " if own.copy_status == COUNTER_ABOVE else "  "
        say(f"{mark}{own.copy_status}: {own.explanation}")


def _tell_record(record: Close) -> None:
    say(f"  {record}" + (f": {record.reason}" if record.reason else ""))
