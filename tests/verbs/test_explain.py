"""`explain`: every figure of a verdict is walked back to a reading, its poll, a line, its file."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from builders.months import (
    MAP,
    ONE_LINE,
    READ,
    REPORT,
    bill,
    invoice,
    judged,
    local,
    read,
    write_maps,
)
from builders.project import Project
from builders.record import Call, write_polls
from builders.worlds import once
from wolkvox_billing.cli.main import main
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.reconciliation.origin import Traced
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.verbs.explain import Explained, explain

pytestmark = pytest.mark.usefixtures("kept_open")


def on_the_30th(project: Project, line_map: str = ONE_LINE, month: int = 11) -> None:
    """Have the contract, and a clock by which October's invoice is due: `explain` judges itself."""
    write_maps(line_map)
    project.vendor.now = local(30, month=month)


def explain_october(project: Project, **more: Any) -> Explained:
    return explain(
        "2026-10",
        destination=project.destination,
        policy=Policy(),
        clock=lambda: project.vendor.now,
        **more,
    )


def only(explanation: Explained) -> Traced:
    [verdict] = explanation.verdicts
    return verdict


def _overbilled(project: Project) -> None:
    """1,000 were read, and 1,450 are billed."""
    read(project, *READ)
    bill(project, invoice("1450", "145000.00"))


def test_a_verdict_is_walked_to_its_reading_and_its_line(warehouse: Project) -> None:
    """The last reading as the vendor sent it, its poll and answer; the line, its file and hash."""
    once(warehouse, _overbilled)
    [row] = judged(warehouse).rows
    verdict = only(explain_october(warehouse))
    assert verdict.row == row
    assert (verdict.polls, verdict.polls_answered) == (3, 3)
    [last] = verdict.measured_from
    at = datetime(2026, 11, 1, 4, 50, tzinfo=timezone.utc)
    assert (last.operation, last.product, last.measure) == ("ACME", "AUDIOS", "month_to_date")
    assert (last.readings, last.items_raw, last.date_raw) == (3, "1000", "2026-10-31")
    assert (last.read_at, last.started_at, last.outcome, last.http_status) == (at, at, "ok", 200)
    [(answer,)] = warehouse.query(f"SELECT answer FROM polls WHERE poll_id = '{last.poll_id}'")
    assert last.answer_sha256 == hashlib.sha256(bytes(answer)).hexdigest()
    [line] = verdict.billed_from
    assert (line.document_kind, line.document_number, line.line_number) == ("invoice", "F-1", 1)
    assert (line.description, line.quantity, line.net_amount, line.billing_currency) == (
        "Grabaciones en S3", 1450, 145000, "COP")  # fmt: skip
    [file] = Path("inbox").iterdir()
    assert line.file_name.endswith(file.name)
    assert line.file_sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert line.document_id == verdict.row.invoice_ids


def test_all_lines_of_a_key_are_there(project: Project) -> None:
    """A credit note's line is negative, as it counts."""
    read(project, *READ)
    credit = invoice("100", "10000.00", kind="CreditNote", number="N-1", corrects="F-1", periods="",
                     issued="2026-12-20")  # fmt: skip
    bill(project, invoice("1100", "110000.00"), credit)
    on_the_30th(project, month=12)
    lines = sorted(
        (line.document_number, line.quantity, line.net_amount)
        for line in only(explain_october(project)).billed_from
    )
    assert lines == [("F-1", 1100, 110000), ("N-1", -100, -10000)]


def test_use_that_nobody_billed_has_a_reading_and_no_line(project: Project) -> None:
    """The verdict of a product without an invoice."""
    read(project, *READ)
    on_the_30th(project)
    verdict = only(explain_october(project))
    assert verdict.row.reconciliation_status == "usage_not_invoiced"
    assert [last.items_raw for last in verdict.measured_from] == ["1000"]
    assert verdict.billed_from == []


def test_a_refused_poll_is_counted_as_one(project: Project) -> None:
    """What was billed without use shows how often the vendor was asked, and answered."""
    write_polls(project, Call(local(20), []), Call(local(20, 13), b"maintenance"))
    bill(project, invoice("1000", "100000.00"))
    on_the_30th(project)
    verdict = only(explain_october(project))
    assert verdict.row.reconciliation_status == "invoiced_without_usage"
    assert verdict.polls is not None and verdict.polls_answered == 1 < verdict.polls
    assert verdict.measured_from == [] and len(verdict.billed_from) == 1


def test_one_product_or_report(project: Project) -> None:
    """Of a whole report, only the product that was asked for; one that is not there is refused."""
    row = {"operation": "ACME", "date": "2026-10-31"}
    rows = [{**row, "description": name, "items": n} for name, n in (("A", "300"), ("B", "200"))]
    write_polls(project, Call(local(31, 23, 59), rows), measures={REPORT: "month_to_date"})
    bill(project, invoice("500", "50000.00"))
    on_the_30th(project)
    assert len(only(explain_october(project, report=REPORT)).measured_from) == 2
    [last] = only(explain_october(project, product="B")).measured_from
    assert (last.product, last.items_raw) == ("B", "200")
    with pytest.raises(SettingsError, match=r"no C: there is A \(rsync_s3_mp3\), B \(rsync_s3"):
        explain_october(project, product="C")
    with pytest.raises(SettingsError, match="no verdict of the report x"):
        explain_october(project, report="x")


def test_the_command(project: Project) -> None:
    """A few aligned lines for a person, everything in JSON, and exit codes."""
    once(project, _overbilled)
    on_the_30th(project)
    run = CliRunner().invoke
    done = run(main, ["explain", "2026-10"])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert "  claim: invoice F-1" not in done.output and "! claim: invoice F-1" in done.output
    assert "acme rsync_s3_mp3 2026-10 overbilled_quantity" in lines
    assert "  excluded  unreadable rows: none of this report in this time" in lines
    first = lines.index("  polls     3 in this period, 3 answered")
    assert lines[first : first + 3] == [
        "  polls     3 in this period, 3 answered",
        "  measured  AUDIOS of ACME, month_to_date, by 3 readings; the last one:",
        "            read 2026-11-01 04:50:00 UTC, items '1000', date '2026-10-31'",
    ]
    assert "  billed    F-1 line 1, 'Grabaciones en S3': 1,450 for 145,000.00 COP" in lines
    assert "nothing was measured or billed in 2026-09" in run(main, ["explain", "2026-09"]).output
    assert run(main, ["explain", "2026-10", "--product", "x"]).exit_code == 2
    explanation = json.loads(run(main, ["explain", "2026-10", "--json"]).stdout)
    [verdict] = explanation["verdicts"]
    assert (explanation["month"], verdict["billed_quantity"]) == ("2026-10", "1450.0000")
    assert verdict["measured_from"][0]["items_raw"] == "1000"
    assert verdict["billed_from"][0]["net_amount"] == "145000.0000"


def test_lines_without_a_report_are_walked_too(project: Project) -> None:
    """What no row of the line map fits has no poll, and its line all the same."""
    read(project, *READ)
    bill(project, invoice("1000", "100000.00"))
    on_the_30th(project, f"{MAP},,*minutos*,{REPORT},,,quantity\n")
    [unmapped] = [v for v in explain_october(project).verdicts if v.row.report is None]
    assert unmapped.polls is None
    assert [line.line_number for line in unmapped.billed_from] == [1]


def test_a_reading_whose_call_is_gone_is_not_passed_over(project: Project) -> None:
    """All readings are counted, be it that somebody deleted a call in the table `polls`; where it
    is that of the last reading it is told, with what to do."""
    once(project, _overbilled)
    on_the_30th(project)
    polls = [poll for (poll,) in project.query("SELECT poll_id FROM polls ORDER BY started_at")]
    project.execute(f"DELETE FROM polls WHERE poll_id = '{polls[0]}'")
    [last] = only(explain_october(project)).measured_from
    assert (last.readings, last.poll_id) == (3, polls[-1])
    project.execute(f"DELETE FROM polls WHERE poll_id = '{polls[-1]}'")
    told = CliRunner().invoke(main, ["explain", "2026-10"])
    assert told.exit_code == 1
    assert f"items '1000' of '2026-10-31', came with the call {polls[-1]}, and" in told.output
    assert "put back the rows that somebody deleted there" in told.output
