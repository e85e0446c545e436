"""`documents`: which documents count and why others do not, and a person's word on one of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from builders.documents import element
from builders.evidence import csv_rows, forge, members_of, write_evidence
from builders.months import (
    OCTOBER,
    ONE_LINE,
    ONE_PRICE,
    READ,
    bill,
    invoice,
    judged,
    local,
    read,
    receive,
    sheet,
    statuses,
)
from builders.project import Project
from builders.sheets import HEADINGS, changed
from builders.sheets import csv as csv_of
from builders.worlds import once
from wolkvox_billing.cli.main import main
from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.evidence import verify
from wolkvox_billing.invoices.decisions import Decision
from wolkvox_billing.reconciliation.mart import refill
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.verbs import documents as verb
from wolkvox_billing.verbs.documents import Decided, ListedDocument
from wolkvox_billing.verbs.explain import explain
from wolkvox_billing.verbs.invoices import invoices
from wolkvox_billing.verbs.notebook import Source, read_month, read_overview
from wolkvox_billing.verbs.publish import publish
from wolkvox_billing.verbs.reconcile import reconcile
from wolkvox_billing.warehouse.place import opened

pytestmark = pytest.mark.usefixtures("kept_open", "straight_records")
NOTED = element("cbc:Note", "sent again")


@pytest.fixture(autouse=True)
def contract(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("warehouse" if "warehouse" in request.fixturenames else "project")
    Path("line_map.csv").write_text(ONE_LINE)
    Path("rate_card.csv").write_text(ONE_PRICE)


def decide(project: Project, action: Callable[..., Decided], name: str, **words: Any) -> Decided:
    project.vendor.now = local(30, month=11)
    where = {"destination": project.destination, "policy": Policy(),
             "clock": lambda: project.vendor.now}  # fmt: skip
    return action(name, **{"by": "ana", "reason": "sent twice", **where, **words})


def withdraw(project: Project, name: str, **words: Any) -> Decided:
    return decide(project, verb.withdraw, name, **words)


def reinstate(project: Project, name: str, **words: Any) -> Decided:
    return decide(project, verb.reinstate, name, **words)


def listed(project: Project, **policy: Any) -> dict[str, ListedDocument]:
    """The documents, each by the end of its file's name."""
    listing = verb.documents(destination=project.destination, policy=Policy(**policy))
    return {(row.file_name or "").rpartition("/")[2]: row for row in listing.documents}


def standings(project: Project, **policy: Any) -> dict[str, str]:
    return {name: row.standing for name, row in listed(project, **policy).items()}


def decisions(project: Project) -> list[tuple[Any, ...]]:
    tables = "SELECT table_name FROM information_schema.tables"
    if ("document_decisions",) not in project.query(tables):
        return []
    return project.query(
        "SELECT decision_id, decision, decided_at, decided_by, reason FROM document_decisions "
        "ORDER BY decision_id"
    )


def sent_twice(project: Project) -> str:
    """October is billed by an XML that was sent again with a note: which one counts? Return the
    second one's id."""
    once(project, _sent_twice)
    return listed(project)["1-0.xml"].document_id


def _sent_twice(project: Project) -> None:
    read(project, *READ)
    bill(project, invoice("1000", "100000.00"))
    bill(project, invoice("1000", "100000.00", before=NOTED))


def run(*words: str) -> Result:
    result = CliRunner().invoke(main, ["documents", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result
    return result


def test_the_list_says_of_each_whether_it_counts(warehouse: Project) -> None:
    """An invoice and its row in a list, two contents of a number, a test, a pro forma; with whose
    documents are meant, the others too."""
    pro_forma = OCTOBER + element("cbc:InvoiceTypeCode", "325")
    bill(
        warehouse,
        invoice("1000", "100000.00", number="FE1001"),
        invoice("2", "200.00", number="F-2"),
        invoice("3", "300.00", number="F-2"),
        invoice("4", "400.00", number="F-4", profile="2"),
        invoice("5", "500.00", number="F-5", periods=pro_forma),
    )
    bill(warehouse, invoice("6", "600.00", kind="CreditNote", number="NC-6", corrects="F-9"))
    sheet(warehouse, "FE-1001", "1000", "100000.00", IVA="")
    assert standings(warehouse) == {
        "0-0.xml": "counts",
        "0-1.xml": "duplicate",
        "0-2.xml": "duplicate",
        "0-3.xml": "test",
        "0-4.xml": "pre_billing",
        "5-0.xml": "counts",
        "7-FE-1001.csv": "superseded",
    }
    rows = listed(warehouse)
    copy = rows["7-FE-1001.csv"]
    assert (copy.counts, copy.other_ids) == (False, (rows["0-0.xml"].document_id,))
    assert "is FE1001, which is loaded too, with the same totals" in copy.why
    assert (copy.format, copy.document_kind, copy.supplier_id) == ("csv", "invoice", "900123456")
    assert rows["5-0.xml"].payable_amount == -600
    assert set(standings(warehouse, supplier_ids=("800",)).values()) == {"other_supplier"}


def test_before_any_document_there_is_nothing_to_list(project: Project) -> None:
    """A record of use alone has no table of documents."""
    read(project, *READ)
    project.execute("DROP TABLE wolkvox_billing.invoice_documents")
    assert listed(project) == {}
    with pytest.raises(SettingsError, match="no document is loaded"):
        withdraw(project, "F-1")


def test_where_nothing_is_loaded_nothing_is_withdrawn_or_made(project: Project) -> None:
    """Without a DuckDB file that is said, and no empty one is left."""
    with pytest.raises(WarehouseError, match=r"there is no .*wolkvox\.duckdb yet"):
        verb.withdraw("F-1", reason="it is another one's")
    assert not (project.folder / "wolkvox.duckdb").exists()


@pytest.mark.by_dlt
def test_a_withdrawn_content_leaves_the_other_one(warehouse: Project) -> None:
    """The dead end of an XML that was sent twice has a way out, and a way back; each is told by
    name wherever documents are."""
    second = sent_twice(warehouse)
    result = judged(warehouse)
    assert statuses(result) == ["duplicate_document"]
    assert any("`wolkvox-billing documents withdraw ID" in text for text in result.warnings)

    decided = withdraw(warehouse, second[:12])
    assert (decided.is_new, decided.document.standing) == (True, "withdrawn")
    assert decided.says == (
        f"invoice F-1 of {decided.document.file_name} is withdrawn: it bills nothing from now on"
    )
    [beside] = decided.warnings
    assert beside.endswith("0-0.xml counts now: withdraw it too where the whole invoice is meant")
    assert warehouse.query(
        "SELECT reconciliation_status FROM wolkvox_billing_marts.invoice_reconciliation"
    ) == [("matched",)]  # before anybody reconciles
    result = judged(warehouse)
    assert statuses(result) == ["matched"]
    assert [each.document.payable_amount for each in result.settled] == [100000]
    says = (
        f"invoice F-1 of {decided.document.file_name} was withdrawn on 2026-11-30 17:00 UTC by "
        "ana, and bills nothing: sent twice"
    )
    assert says in result.warnings
    explained = explain("2026-10", destination=warehouse.destination, policy=Policy(),
                        clock=lambda: warehouse.vendor.now)  # fmt: skip
    assert explained.not_counted == [says]

    reinstate(warehouse, second)
    assert statuses(judged(warehouse)) == ["duplicate_document"]
    at = decided.decision and decided.decision.decided_at
    assert decisions(warehouse) == [
        (f"{second}.0001", "withdrawn", at, "ana", "sent twice"),
        (f"{second}.0002", "reinstated", at, "ana", "sent twice"),
    ]


def test_a_list_counts_again_where_its_xml_is_withdrawn(project: Project) -> None:
    """What is withdrawn is as if it had never come: the invoice is still to be paid, and the verb
    says by which paper."""
    read(project, *READ)
    bill(project, invoice("1000", "100000.00", number="FE1001"))
    sheet(project, "FE-1001", "1000", "100000.00", IVA="")
    decided = withdraw(project, listed(project)["0-0.xml"].document_id)
    assert standings(project) == {"0-0.xml": "withdrawn", "7-FE-1001.csv": "counts"}
    assert any("FE-1001.csv counts now" in text for text in decided.warnings)
    assert statuses(judged(project)) == ["matched"]
    back = reinstate(project, decided.document.document_id)
    assert any("the electronic one counts" in text for text in back.warnings)
    assert standings(project) == {"0-0.xml": "counts", "7-FE-1001.csv": "superseded"}


def test_a_list_of_another_sum_is_settled_by_a_person(project: Project) -> None:
    """Nobody knows which one counts until one is withdrawn, either of the two."""
    read(project, *READ)
    bill(project, invoice("1000", "100000.00", number="FE1001"))
    sheet(project, "FE-1001", "900", "90000.00", IVA="")
    rows = listed(project)
    withdraw(project, rows["7-FE-1001.csv"].document_id)
    assert statuses(judged(project)) == ["matched"]
    withdraw(project, rows["0-0.xml"].document_id)
    reinstate(project, rows["7-FE-1001.csv"].document_id)
    assert statuses(judged(project)) == ["underbilled_quantity"]


def test_what_is_withdrawn_altogether_bills_nothing(project: Project) -> None:
    """The month is as before its invoice came, and is the only one that hears of it; a note that
    corrects it is told."""
    read(project, *READ)
    note = invoice("100", "10000.00", kind="CreditNote", number="NC-1", corrects="F-1", periods="",
                   issued="2026-12-20")  # fmt: skip
    bill(project, invoice("1000", "100000.00"), note)
    withdraw(project, "f 1")
    result = judged(project)
    assert [each.document.document_number for each in result.settled] == ["NC-1"]
    assert (
        "credit note NC-1 corrects F-1, which is withdrawn: withdraw the note too, or reinstate "
        "what it corrects" in result.warnings
    )
    assert any("F-1" in text and "was withdrawn" in text for text in result.warnings)
    other = reconcile("2026-09", policy=Policy(), clock=lambda: project.vendor.now)
    assert not any("was withdrawn" in text for text in other.warnings)
    withdraw(project, "NC-1")
    assert statuses(judged(project)) == ["usage_not_invoiced"]


def test_a_number_names_a_document_however_it_is_spelled(project: Project) -> None:
    """As it is compared everywhere; who names it otherwise hears that it is withdrawn already."""
    bill(project, invoice("1", "100.00", number="FE-1001"), invoice("1", "100.00", number="F-2"))
    for name in ("FE-1001", "fe 01001", "FE1001", " FE1001 "):
        decided = withdraw(project, name)
        assert decided.document.document_number == "FE-1001"
        assert decided.is_new == (name == "FE-1001")


def test_a_name_of_several_documents_lists_them(project: Project) -> None:
    """Each with its id, kind, day, amount and file; nothing is decided."""
    second = sent_twice(project)
    with pytest.raises(SettingsError) as caught:
        withdraw(project, "F-1")
    text = str(caught.value)
    assert text.startswith("'F-1' may be any of 2 documents; name one by its id: ")
    assert f"{second[:12]}: invoice F-1, 2026-11-03, 100,000.00 COP, " in text
    assert decisions(project) == []


def test_a_name_of_no_document_names_those_near_it(project: Project) -> None:
    """A letter too few is told with what was meant; a few signs of an id are no id."""
    bill(project, invoice("1", "100.00", number="FE-1001"))
    own_id = listed(project)["0-0.xml"].document_id
    with pytest.raises(SettingsError, match=rf"'FE-101': did you mean {own_id[:12]}: invoice FE-1"):
        withdraw(project, "FE-101")
    for name in ("zzz", "", own_id[:3], own_id[:8] + "x"):
        with pytest.raises(SettingsError, match="`wolkvox-billing documents` lists all"):
            withdraw(project, name)
    assert withdraw(project, own_id[:4].upper()).is_new


def test_the_same_decision_is_said_and_adds_nothing(project: Project) -> None:
    """Whoever decides, and why; a document that nobody withdrew is not reinstated."""
    bill(project, invoice("1", "100.00"))
    assert reinstate(project, "F-1").says.endswith(": nothing is added")
    assert decisions(project) == []
    withdraw(project, "F-1", by="luis")
    again = withdraw(project, "F-1", reason="another one")
    assert not again.is_new
    assert "by luis, and bills nothing: sent twice: nothing is added" in again.says
    assert len(decisions(project)) == 1
    reinstate(project, "F-1", reason=None)
    assert "was reinstated on" in reinstate(project, "F-1").says
    assert [row[1] for row in decisions(project)] == ["withdrawn", "reinstated"]


@pytest.mark.by_dlt
def test_of_two_people_at_once_one_decides(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes second is told of the first one's word, and nothing is added."""
    bill(warehouse, invoice("1", "100.00"))
    append = verb.append_decision

    def second(pipeline: Any, own: Decision) -> Decision:
        append(pipeline, Decision(**{**vars(own), "decided_by": "luis", "reason": "void"}))
        return append(pipeline, own)

    monkeypatch.setattr(verb, "append_decision", second)
    decided = withdraw(warehouse, "F-1")
    assert not decided.is_new and "by luis, and bills nothing: void" in decided.says
    assert [row[3] for row in decisions(warehouse)] == ["luis"]


def test_a_withdrawal_needs_a_reason(project: Project) -> None:
    """A blank one is none."""
    bill(project, invoice("1", "100.00"))
    for reason in (None, "  "):
        with pytest.raises(SettingsError, match="say with --reason why F-1 does not count"):
            withdraw(project, "F-1", reason=reason)


@pytest.mark.by_dlt
@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
def test_no_decision_is_ever_changed(warehouse: Project) -> None:
    """Each one that was is there after the next, and PostgreSQL refuses any other way. What is
    there on DuckDB, test_a_withdrawn_content_leaves_the_other_one has."""
    bill(warehouse, invoice("1", "100.00"))
    withdraw(warehouse, "F-1")
    for statement in (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'append-only'; END $$",
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "
        "wolkvox_billing.document_decisions FOR EACH STATEMENT EXECUTE FUNCTION refuse()",
    ):
        warehouse.execute(statement)
    for action in (reinstate, withdraw):
        before = decisions(warehouse)
        action(warehouse, "F-1")
        assert decisions(warehouse)[:-1] == before
    assert warehouse.query("SELECT COUNT(*) FROM invoice_documents") == [(1,)]


def test_another_machines_decision_changes_the_verdicts_of_the_next_load(project: Project) -> None:
    """The mart is filled anew where a decision came since, and not otherwise."""
    second = sent_twice(project)
    judged(project)
    with opened() as pipeline:
        word = Decision(f"{second}.0001", second, "withdrawn", project.vendor.now, "ana", "-")
        verb.append_decision(pipeline, word)
        refill(pipeline, Policy(), anew=False)
    statement = "SELECT reconciliation_status FROM wolkvox_billing_marts.invoice_reconciliation"
    assert project.query(statement) == [("matched",)]


def test_a_withdrawn_document_that_is_read_again_says_so(project: Project) -> None:
    """It stays withdrawn, and is in no sum of the run."""
    read(project, *READ)
    receive(project, invoice("1000", "100000.00"))
    withdraw(project, "F-1")
    intake = invoices(["inbox"], clock=lambda: project.vendor.now)
    [receipt] = intake.receipts
    assert receipt.is_withdrawn and "was withdrawn on" in receipt.warnings[-1]
    assert intake.net_amounts == {}
    assert standings(project) == {"0-0.xml": "withdrawn"}


@pytest.mark.by_dlt
@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
def test_a_copy_is_read_and_not_decided_in(
    warehouse: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A published copy, which is a DuckDB file of either engine, has the decisions and lists the
    documents; a word in it would be lost."""
    second = sent_twice(warehouse)
    withdraw(warehouse, second)
    publish("bi/usage.duckdb", destination=warehouse.destination,
            clock=lambda: warehouse.vendor.now)  # fmt: skip
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", "bi/usage.duckdb")
    copied = verb.documents(policy=Policy())
    assert {row.document_id: row.standing for row in copied.documents}[second] == "withdrawn"
    with pytest.raises(SettingsError, match="a copy that `publish` made"):
        verb.reinstate(second, by="ana", policy=Policy())


@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
def test_the_notebook_names_a_withdrawn_document(warehouse: Project) -> None:
    """On PostgreSQL, as each engine is asked the same: in its month, with who withdrew it, when and
    why; in another month, and once it counts again, nothing is said."""
    second = sent_twice(warehouse)
    source = Source(destination=warehouse.destination)

    def told(month: str = "2026-10") -> list[str]:
        return [*read_month(source, read_overview(source), month).withdrawn]

    assert told() == []
    withdraw(warehouse, second)
    [sentence] = told()
    assert "withdrawn on 2026-11-30 17:00 UTC by ana, and bills nothing: sent twice" in sentence
    assert told("2026-09") == []
    verb.reinstate(second, by="ana", policy=Policy(), destination=warehouse.destination,
                   clock=lambda: warehouse.vendor.now)  # fmt: skip
    assert told() == []


@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
def test_evidence_carries_decisions(warehouse: Project) -> None:
    """On PostgreSQL, as each engine is asked the same: with the withdrawn document, who withdrew it
    and why; a forged one is told by `verify`."""
    second = sent_twice(warehouse)
    withdraw(warehouse, second)
    file = write_evidence("evidence", "2026-10", destination=warehouse.destination,
                          policy=Policy(), clock=lambda: warehouse.vendor.now)  # fmt: skip
    assert verify(file) == []
    members = members_of(file)
    [row] = csv_rows(members["document_decisions.csv"])
    assert (row["decision"], row["decided_by"], row["reason"]) == ("withdrawn", "ana", "sent twice")
    assert second in {row["document_id"] for row in csv_rows(members["invoice_documents.csv"])}
    page = members["report.html"].decode()
    assert "Decisions on documents" in page and "was withdrawn on 2026-11-30 17:00 UTC" in page
    settled = csv_rows(members["invoice_settlement.csv"])[0]["document_id"]
    table = members["document_decisions.csv"]
    for change, says in (
        ({"document_decisions.csv": table.replace(second.encode(), settled.encode())},
         f"{settled} is withdrawn by document_decisions.csv, and settled all the same"),
        ({"document_decisions.csv": table.replace(second.encode(), b"f" * 64)},
         "is decided on, and not in invoice_documents.csv"),
        ({"document_decisions.csv": None, "document_decisions.parquet": None},
         "document_decisions.csv: missing"),
    ):  # fmt: skip
        assert any(says in problem for problem in verify(forge(file, change))), says


def test_what_a_file_says_is_no_bill_is_listed_by_name(project: Project) -> None:
    """A cancelled row is in no document: its number, place and word are told all the same."""
    file = Path("lista.csv")
    rows = [[*changed(Factura="F-1"), "Pagada"], [*changed(Factura="F-7"), "Anulada"]]
    file.write_text(csv_of([*HEADINGS, "Estado"], *rows))
    Path("otra.csv").write_text(csv_of([*HEADINGS, "Estado"], [*changed(Factura="F-8"), "Anulada"]))
    invoices([file, "otra.csv"], clock=lambda: project.vendor.now)
    [listed_too, alone] = verb.documents(policy=Policy()).cancelled
    assert listed_too.file_name.endswith("lista.csv") and "F-7" in listed_too.says
    assert alone.file_name.endswith("otra.csv") and "F-8" in alone.says


def test_the_command(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line a document in a pipe; 0 when decided, or decided before; 2 for wrong words; in the
    language of the settings."""
    second = sent_twice(project)
    header, *lines = [text.split("\t") for text in run().stdout.splitlines()]
    assert (header[0], header[-2:], len(lines)) == ("id", ["status", "why"], 2)
    assert {(row[0], row[8]) for row in lines} >= {(second[:12], "duplicate")}
    for words in (["withdraw"], ["withdraw", "F-1"], ["withdraw", "F-9", "--reason", "-"],
                  ["list", "F-1"], ["drop", "F-1"]):  # fmt: skip
        assert run(*words).exit_code == 2, words
    done = run("withdraw", second[:8], "--reason", "sent twice", "--by", "ana", "--json")
    assert done.exit_code == 0, done.output
    decided = json.loads(done.stdout)
    assert (decided["is_new"], decided["decision"]["decided_by"]) == (True, "ana")
    assert decided["document"]["standing"] == "withdrawn"
    monkeypatch.setenv("RECONCILIATION__LANGUAGE", "es")
    again = run("withdraw", second[:8], "--reason", "otra vez")
    assert again.exit_code == 0 and "fue retirada el" in again.output
    assert again.output.rstrip().endswith("no se añade nada")
    assert "retirado" in run("list").stdout
    rows = json.loads(run("--json").stdout)["documents"]
    assert {row["document_id"]: row["counts"] for row in rows}[second] is False
    assert run("reinstate", second).exit_code == 0
