"""`close`: a month is signed off by records that nobody changes, and that say when they fail."""

from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from dlt.common.destination.exceptions import DestinationTransientException

from builders.evidence import rewrite, write_evidence
from builders.months import (
    CARD,
    ONE_LINE,
    ONE_PRICE,
    READ,
    REPORT,
    bill,
    invoice,
    judged,
    local,
    read,
    write_maps,
)
from builders.project import Project, on_postgres_beside
from builders.record import Call, write_polls
from builders.worlds import once
from wolkvox_billing.cli.main import main
from wolkvox_billing.closing import Close, NotClosed, close, find_broken_closes, reopen
from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.totals import DoesNotTieOut
from wolkvox_billing.verbs.publish import publish
from wolkvox_billing.verbs.status import status

pytestmark = pytest.mark.usefixtures("kept_open", "straight_records")
CREDIT = invoice("100", "10000.00", kind="CreditNote", number="N-1", corrects="F-1", periods="",
                 issued="2026-12-20")  # fmt: skip


@pytest.fixture(autouse=True)
def maps(request: pytest.FixtureRequest) -> None:
    """The line map and the rate card of a project, before a verb is called."""
    if {"project", "warehouse"} & set(request.fixturenames):
        fixture = "warehouse" if "warehouse" in request.fixturenames else "project"
        request.getfixturevalue(fixture)
        write_maps()


def prepare(project: Project, quantity: str = "1000", net: str = "100000.00") -> None:
    """October was read, its invoice came, and it is 30 November."""
    once(project, _read_and_billed, quantity, net)
    project.vendor.now = local(30, month=11)


def _read_and_billed(project: Project, quantity: str, net: str) -> None:
    read(project, *READ)
    bill(project, invoice(quantity, net))


def prepare_closed(project: Project) -> None:
    """The same, and ana has closed it."""
    once(project, _closed)


def _closed(project: Project) -> None:
    prepare(project)
    sign(project)


def prepare_evidence(project: Project) -> Path:
    """October as `prepare` has it, and its evidence of that moment."""
    once(project, _with_evidence)
    [file] = project.folder.glob("evidence/*.zip")
    return file


def _with_evidence(project: Project) -> None:
    prepare(project)
    write_october(project)


def sign(project: Project, verb: Any = close, month: str = "2026-10", **more: Any) -> Close:
    where = {"destination": project.destination, "clock": lambda: project.vendor.now}
    record: Close = verb(month, **{"by": "ana", "policy": Policy(), **where, **more})
    return record


def write_october(project: Project, folder: str = "evidence", month: str = "2026-10") -> Path:
    """The evidence of a month, of this moment."""
    return write_evidence(
        project.folder / folder, month, destination=project.destination, policy=Policy(),
        clock=lambda: project.vendor.now,
    )  # fmt: skip


def broken_closes(project: Project) -> list[str]:
    """What `reconcile` warns of closes, which judges anew."""
    result = judged(project, at=project.vendor.now)
    return [warning for warning in result.warnings if "no longer holds" in warning]


def still_broken(project: Project) -> list[str]:
    """The same by the verdicts of the last verb: a close has judged anew."""
    return [str(doubt) for doubt in find_broken_closes(destination=project.destination)]


def status_warnings(project: Project) -> list[str]:
    """What `status` warns of closes."""
    state = status(destination=project.destination, clock=lambda: project.vendor.now)
    return [warning for warning in state.warnings if "close" in warning]


def records(project: Project) -> list[tuple[Any, ...]]:
    return project.query("SELECT * FROM month_closes ORDER BY close_id")


@pytest.mark.by_dlt
def test_a_close_is_a_record(warehouse: Project) -> None:
    """It says who, when, by which policy, with which evidence, and on which verdicts it stands;
    evidence of verdicts that have changed is not signed any more, on either engine."""
    file = prepare_evidence(warehouse)
    record = sign(warehouse, evidence=file)
    stored = warehouse.query(
        "SELECT close_id, month, closed_at, closed_by, status, reason, evidence_sha256, digest, "
        "policy, stands_on FROM month_closes"
    )
    at = datetime(2026, 11, 30, 17, tzinfo=timezone.utc)
    evidence = hashlib.sha256(file.read_bytes()).hexdigest()
    digest = hashlib.sha256(stored[0][9].encode()).hexdigest()
    assert [row[:8] for row in stored] == [
        ("2026-10.0001", "2026-10", at, "ana", "closed", None, evidence, digest)
    ]
    assert json.loads(stored[0][8]) == json.loads(json.dumps(Policy().as_json()))
    [verdict] = json.loads(stored[0][9])
    assert (verdict["reconciliation_status"], verdict["billed_cost"]) == ("matched", "100000.0000")
    assert "explanation" not in verdict
    assert record.digest == digest
    assert still_broken(warehouse) == [] and status_warnings(warehouse) == []
    bill(warehouse, CREDIT)
    says = refused(warehouse, file, verb=reopen)
    assert "billed_quantity 1,000 -> 900, billed_cost 100,000 -> 90,000" in says


def test_the_same_verdicts_have_one_digest_on_every_engine(
    project: Project, new_database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB and PostgreSQL close the same month on the same text."""
    prepare(project)
    on_duckdb = sign(project)
    other = on_postgres_beside(project, monkeypatch, new_database())
    write_maps()
    prepare(other)
    assert sign(other).stands_on == on_duckdb.stands_on


def test_who_closes_is_the_user_unless_named(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --by it is the login name; a user without one has to say it."""
    prepare(project)
    monkeypatch.setattr("getpass.getuser", lambda: "maria")
    assert sign(project, by=None).closed_by == "maria"

    def nobody() -> str:
        raise OSError("no such user")

    monkeypatch.setattr("getpass.getuser", nobody)
    with pytest.raises(SettingsError, match="say with --by who closes"):
        sign(project, reopen, by=" ", reason="why not")


def test_a_month_that_is_not_over_is_not_closed(project: Project) -> None:
    """In the vendor's time zone, to the minute, and whatever the reason."""
    prepare(project)
    for at in (local(20), local(31, 23, 59)):
        project.vendor.now = at
        with pytest.raises(NotClosed, match="2026-10 is not over: close it from 2026-11-01 on"):
            sign(project, reason="the boss wants it")
    project.vendor.now = local(1, 0, 0, month=11)
    with pytest.raises(NotClosed, match="open_period"):  # it waits for the night of the turn
        sign(project)
    project.vendor.now = local(2, 0, 0, month=11)
    assert sign(project).status == "closed"


def test_an_alarm_needs_a_reason(project: Project) -> None:
    """A month with a material finding is closed for a reason only, which is kept."""
    prepare(project, "9450", "945000.00")
    for reason in (None, "  "):
        with pytest.raises(NotClosed, match="acme rsync_s3_mp3 is overbilled_quantity: settle it"):
            sign(project, reason=reason)
    assert sign(project, reason="claimed, ticket 12").reason == "claimed, ticket 12"
    assert still_broken(project) == []


def test_what_is_immaterial_needs_none(project: Project) -> None:
    """A difference below materiality is no alarm."""
    prepare(project, "9450", "945000.00")
    assert sign(project, policy=Policy(materiality=Decimal(845000))).reason is None


def test_a_month_whose_invoice_may_still_come_needs_a_reason(project: Project) -> None:
    """Closed before the invoice is due it would soon no longer hold."""
    read(project, *READ)
    project.vendor.now = local(3, month=11)
    with pytest.raises(NotClosed, match="acme AUDIOS is open_period"):
        sign(project)
    sign(project, reason="early")
    project.vendor.now = local(16, month=11)
    assert broken_closes(project) == [
        "2026-10 was closed on 2026-11-03 17:00 UTC by ana, and no longer holds: "
        "acme AUDIOS: reconciliation_status open_period -> usage_not_invoiced"
    ]


def test_a_month_without_a_verdict_needs_a_reason(project: Project) -> None:
    """Nothing was measured or billed in September; a late invoice for it is told."""
    prepare(project)
    with pytest.raises(NotClosed, match="nothing was measured or billed in it"):
        sign(project, month="2026-09")
    assert sign(project, month="2026-09", reason="before our time").stands_on == "[]"


def test_what_does_not_tie_out_needs_a_reason(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it stands on that, and no longer holds once it ties out."""
    prepare(project)

    def fails(*_: Any) -> None:
        raise DoesNotTieOut("the verdicts bill 1, the lines 2")

    with monkeypatch.context() as defect:
        defect.setattr("wolkvox_billing.reconciliation.mart.tie_out", fails)
        with pytest.raises(NotClosed, match="it does not tie out: the verdicts bill 1, the lines"):
            sign(project)
        sign(project, reason="reported")
        [warning] = status_warnings(project)
        assert "nobody can tell whether the close of 2026-10 still holds" in warning
    [doubt] = broken_closes(project)
    assert "acme rsync_s3_mp3 is new: matched, billed 100,000; it did not tie out then" in doubt


def test_reopening_needs_a_closed_month_and_a_reason(project: Project) -> None:
    """What was never closed cannot be reopened, nor what is open again."""
    prepare(project)
    with pytest.raises(SettingsError, match="say with --reason why 2026-10 is reopened"):
        sign(project, reopen)
    with pytest.raises(NotClosed, match="2026-10 was never closed: there is nothing to reopen"):
        sign(project, reopen, reason="a credit note")
    sign(project)
    sign(project, reopen, reason="a credit note")
    with pytest.raises(NotClosed, match=r"2026-10 was reopened on .* there is nothing to reopen"):
        sign(project, reopen, reason="a credit note")


def test_a_credit_note_breaks_a_close(project: Project) -> None:
    """While a close holds there is nothing to close; when a note came it is reopened first. It is
    told with the numbers before and after, until the month is reopened and closed."""
    prepare_closed(project)
    with pytest.raises(NotClosed, match="by ana, and still holds: there is nothing to close"):
        sign(project, reason="again")
    bill(project, CREDIT)
    with pytest.raises(NotClosed, match=r"no longer holds: .*: reopen it with `wolkvox-billing cl"):
        sign(project, reason="again")
    assert len(records(project)) == 1
    project.vendor.now = local(21, month=12)
    doubt = (
        "2026-10 was closed on 2026-11-30 17:00 UTC by ana, and no longer holds: acme "
        "rsync_s3_mp3: reconciliation_status matched -> underbilled_quantity, "
        "billed_quantity 1,000 -> 900, billed_cost 100,000 -> 90,000; credit note N-1 is new: "
        "payable_amount -10,000, agreed_amount 0, questioned_amount -10,000, claimed_amount 0"
    )
    advice = ": reopen it with `wolkvox-billing close 2026-10 --reopen --reason ...`"
    assert status_warnings(project) == [doubt + advice]  # without a `reconcile` in between
    assert broken_closes(project) == [doubt]
    assert sign(project, reopen, reason="credit note N-1").close_id == "2026-10.0002"
    assert still_broken(project) == [] and status_warnings(project) == []
    again = sign(project, reason="they credited too much")
    assert (again.close_id, again.status) == ("2026-10.0003", "closed")
    assert still_broken(project) == [] and status_warnings(project) == []


def test_a_restated_reading_breaks_a_close(warehouse: Project) -> None:
    """The vendor shows another number for October's last day in November."""
    prepare_closed(warehouse)
    row = {"operation": "ACME", "description": "AUDIOS", "items": "990", "date": "2026-10-31"}
    write_polls(warehouse, Call(local(30, month=11), [row]), measures={REPORT: "month_to_date"})
    [warning] = status_warnings(warehouse)
    assert "consumed_quantity 1,000 -> 990" in warning


def test_a_changed_rate_breaks_a_close(project: Project) -> None:
    """A comment in the rate card does not: the record says by which files it was judged, and stands
    on the verdicts all the same. Without the line map nobody knows whether a close holds, and that
    is no reason for `status` to fail."""
    prepare(project)
    first = sign(project)
    Path("rate_card.csv").write_text(f"{CARD}{REPORT},,,0,90,COP,2026-01-01,\n")
    [warning] = status_warnings(project)
    assert "contracted_unit_price 100 -> 90, contracted_cost 100,000 -> 90,000" in warning
    card = f"# agreed in January\n{ONE_PRICE}"
    Path("rate_card.csv").write_text(card)
    assert status_warnings(project) == []
    Path("line_map.csv").rename("gone.csv")
    [warning] = status_warnings(project)
    says = "nobody can tell whether the close of 2026-10 still holds: there is no"
    assert warning.startswith(says)
    Path("gone.csv").rename("line_map.csv")
    second = sign(project, reopen, reason="to see")
    assert second.stands_on == first.stands_on
    was, now = (json.loads(record.policy) for record in (first, second))
    assert was["line_map_sha256"] == hashlib.sha256(ONE_LINE.encode()).hexdigest()
    assert was["rate_card_sha256"] == hashlib.sha256(ONE_PRICE.encode()).hexdigest()
    assert now == {**was, "rate_card_sha256": hashlib.sha256(card.encode()).hexdigest()}


@pytest.mark.by_dlt
@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
def test_no_record_is_ever_changed(warehouse: Project) -> None:
    """After whatever happens, all records before are there, byte for byte; PostgreSQL is told to
    refuse each UPDATE, DELETE and TRUNCATE of them, and never has to. On DuckDB `test_the_command`
    looks at them."""
    prepare(warehouse)
    sign(warehouse)

    def refuse() -> None:
        with pytest.raises(NotClosed):
            sign(warehouse, reopen, month="2026-08", reason="no such close")

    steps: list[Any] = [
        refuse,
        lambda: bill(warehouse, CREDIT),
        lambda: read(warehouse, (local(22, month=12), "7")),
        lambda: judged(warehouse, at=local(23, month=12)),
        lambda: status_warnings(warehouse),
        lambda: sign(warehouse, reopen, reason="credit note"),
        lambda: sign(warehouse, reason="as credited"),
        lambda: sign(warehouse, month="2026-09", reason="empty"),
        lambda: publish("copy.duckdb", destination=warehouse.destination),
    ]
    for statement in (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'month_closes is append-only'; END $$",
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "
        "wolkvox_billing.month_closes FOR EACH STATEMENT EXECUTE FUNCTION refuse()",
    ):
        warehouse.execute(statement)
    for step in steps:
        before = records(warehouse)
        step()
        assert set(before) <= set(records(warehouse))
    closed = warehouse.query("SELECT month, status FROM month_closes ORDER BY close_id")
    assert closed == [
        ("2026-09", "closed"), ("2026-10", "closed"), ("2026-10", "reopened"),
        ("2026-10", "closed"),
    ]  # fmt: skip


@pytest.mark.by_dlt
def test_two_at_once_record_one(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes second finds the first one's record, and is told."""
    prepare(project)
    sign(project, by="luis")
    monkeypatch.setattr("wolkvox_billing.closing.newest", lambda closes: {})  # not seen yet
    with pytest.raises(NotClosed, match="by luis, at the same moment"):
        sign(project, by="ana")
    assert len(records(project)) == 1


def test_evidence_that_is_not_there_is_a_wrong_word(project: Project) -> None:
    """A folder is no file either."""
    for path in ("nowhere.zip", "."):
        with pytest.raises(SettingsError, match=r"the evidence .* cannot be read"):
            close("2026-10", evidence=path)


def refused(project: Project, file: Path, **more: Any) -> str:
    """Why a close refuses a file as evidence, having written nothing."""
    tables = "SELECT table_name FROM information_schema.tables WHERE table_name = 'month_closes'"
    before = records(project) if project.query(tables) else []
    with pytest.raises(SettingsError, match="Nothing is recorded: write the month's") as caught:
        sign(project, **{"evidence": file, "reason": "signed", **more})
    assert (records(project) if project.query(tables) else []) == before
    return str(caught.value)


def test_what_is_no_whole_evidence_is_not_signed(project: Project) -> None:
    """A table, a text, nothing, an empty or truncated zip, and one of which a member was changed,
    left out or put in, be it with the manifest."""
    file = prepare_evidence(project)
    data = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    other = project.folder / "other.zip"
    for bad in (b"", b"what was seen", b"PK\5\6" + bytes(18), data[:-1], data[: len(data) // 2],
                data + b"\0"):  # fmt: skip
        other.write_bytes(bad)
        assert "it is not as evidence is written" in refused(project, other)
    assert "no zip that can be read" in refused(project, Path("line_map.csv"))
    changed = members["polls.csv"].replace(b"ok", b"no")
    for change, says in (
        ({"polls.csv": changed}, "polls.csv: changed"),
        ({"polls.csv": None}, "polls.csv: missing"),
        ({"notes.txt": b"as agreed"}, "notes.txt: added"),
        ({"manifest.json": members["manifest.json"].replace(b"-10", b"-11")}, "manifest.json: ch"),
    ):
        assert says in refused(project, rewrite(file, change))
    assert sign(project, evidence=file).evidence_sha256 == hashlib.sha256(data).hexdigest()


def test_evidence_of_another_month_is_not_signed(project: Project) -> None:
    """Whole as it is: the month's own is asked for."""
    prepare(project)
    september = write_october(project, month="2026-09")
    says = refused(project, september)
    assert "since it is of 2026-09" in says
    assert "wolkvox-billing reconcile --month 2026-10 --evidence DIR" in says
    assert sign(project, month="2026-09", evidence=september, reason="empty").status == "closed"


def test_evidence_of_verdicts_that_changed_is_not_signed(project: Project) -> None:
    """A rate, a credit note or a reading that came since is told with what it changed; evidence of
    now is taken. That a reopening refuses it too `test_a_close_is_a_record` has, on each engine."""
    file = prepare_evidence(project)
    Path("rate_card.csv").write_text(f"{CARD}{REPORT},,,0,90,COP,2026-01-01,\n")
    assert "contracted_unit_price 100 -> 90" in refused(project, file)
    Path("rate_card.csv").write_text(ONE_PRICE)
    bill(project, CREDIT)
    says = refused(project, file)
    assert "billed_quantity 1,000 -> 900, billed_cost 100,000 -> 90,000" in says
    read(project, (local(31, 23, 55), "900"))
    project.vendor.now = local(30, month=11)
    assert "consumed_quantity 1,000 -> 900" in refused(project, file)
    assert sign(project, evidence=write_october(project), reason="-").status == "closed"


def test_evidence_of_another_record_is_not_signed(project: Project) -> None:
    """Though its verdicts are the same, by other calls, or the same calls with other answers."""
    file = prepare_evidence(project)
    project.execute("UPDATE wolkvox_billing.polls SET answer_sha256 = 'f' WHERE poll_date > "
                    "'2026-10-20'")  # fmt: skip
    assert "another record's: 1 of its 3 calls are not in the dataset" in refused(project, file)


def test_evidence_of_what_does_not_tie_out_is_not_signed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tied out when it was written, and does not now."""
    file = prepare_evidence(project)

    def fails(*_: Any) -> None:
        raise DoesNotTieOut("the verdicts bill 1, the lines 2")

    monkeypatch.setattr("wolkvox_billing.reconciliation.mart.tie_out", fails)
    assert "the month does not tie out now: the verdicts bill 1" in refused(project, file)


@pytest.mark.by_dlt
def test_what_the_warehouse_refuses_is_not_recorded_later(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A close that could not be written does not wait in the working folder for the next load."""
    prepare(project)

    def away(*_: Any) -> None:
        raise DestinationTransientException("the server went away")

    with monkeypatch.context() as broken_off:
        broken_off.setattr("wolkvox_billing.warehouse.records.load_source", away)
        with pytest.raises(
            WarehouseError, match="not recorded, so close the month again: the server went"
        ):
            sign(project)
    read(project, (local(1, month=12), "5"))
    listed = "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'month_closes'"
    if project.query(listed) != [(0,)]:
        assert records(project) == []


@pytest.mark.by_dlt
def test_the_command(project: Project) -> None:
    """0 when recorded, 1 when refused, 2 for wrong words; `reconcile` and `status` tell a close
    that no longer holds. The record before is there after each, byte for byte."""
    run = CliRunner().invoke
    prepare(project)
    assert run(main, ["close", "October"]).exit_code == 2
    assert run(main, ["close", "2026-10", "--reopen"]).exit_code == 2
    done = run(main, ["close", "2026-10", "--by", "ana"])
    assert done.exit_code == 0, done.output
    assert "2026-10 was closed on " in done.output and "by ana (record 2026-10.0001)" in done.output
    again = run(main, ["close", "2026-10"])
    assert again.exit_code == 1 and "nothing to close" in again.output
    before = records(project)
    wrong = run(main, ["close", "2026-10", "--evidence", "line_map.csv"])
    assert wrong.exit_code == 2 and "is not taken" in wrong.output
    bill(project, CREDIT)
    for verb in ("reconcile", "status"):
        done = run(main, [verb])
        assert done.exit_code == 0
        assert "by ana, and no longer holds: acme rsync_s3_mp3" in done.output
    assert records(project) == before
    words = ["close", "2026-10", "--reopen", "--reason", "credit note", "--json"]
    record = json.loads(run(main, words).stdout)
    assert (record["status"], record["reason"]) == ("reopened", "credit note")
    assert record["policy"]["materiality"] is None
    assert record["stands_on"][0]["billed_quantity"] == "900.0000"
    assert record["settlement_totals"] == [
        {"billing_currency": "COP", "documents": 2, "payable_amount": "90000.0000",
         "agreed_amount": "100000.0000", "questioned_amount": "-10000.0000",
         "claimed_amount": "0.0000"}
    ]  # fmt: skip
    assert record["claims"] == []
    assert records(project)[:-1] == before
