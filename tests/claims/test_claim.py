"""The claim: a letter, a row in `claims`, and what is still open of it.

A record of October shows 1,000 audios, which cost 100 COP each; F-1 bills 1,450 of them with 19 %
of tax: 45,000 and 8,550 too much. It is issued on Tuesday, 3 November 2026.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import docx
import pytest
from click.testing import CliRunner

from builders.documents import SUPPLIER, line, ubl
from builders.evidence import csv_rows, members_of
from builders.months import MAP, OCTOBER, READ, bill, judged, local, read, write_maps
from builders.project import Project
from builders.worlds import once
from wolkvox_billing.claims.records import NotClaimed, append_claim
from wolkvox_billing.cli.main import main
from wolkvox_billing.closing import close, find_broken_closes, settlement_of
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.evidence import order_evidence
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.verbs.claim import ClaimedMonth, claim, list_claims
from wolkvox_billing.verbs.reconcile import reconcile
from wolkvox_billing.verbs.status import status
from wolkvox_billing.warehouse.place import opened

pytestmark = pytest.mark.usefixtures("kept_open", "straight_records")
CUSTOMER = (
    SUPPLIER.replace("Supplier", "Customer")
    .replace("Nube de Voz SAS", "Cliente SAS")
    .replace("900123456", "901555777")
)
WITH_FEE = f"{MAP},,*soporte*,,,,fee\n,,*,rsync_s3_mp3,,,quantity\n"


def use(quantity: str, net: str, **parts: Any) -> str:
    own = {"description": "Grabaciones en S3", "price": None, "tax": None, **parts}
    return line(quantity, net, **own)


def overbilled(**parts: Any) -> str:
    """F-1, which bills 1,450 of 1,000."""
    own = {"net": "145000.00", "tax": "27550.00", "periods": OCTOBER, **parts}
    return ubl(use("1450", "145000.00"), supplier=SUPPLIER + CUSTOMER, **own)


def note(quantity: str, net: str, tax: str, **parts: Any) -> str:
    """A credit note on F-1."""
    own = {"number": "NC-1", "corrects": "F-1", "issued": "2026-11-10", "periods": OCTOBER, **parts}
    return ubl(use(quantity, net, kind="CreditNote"), kind="CreditNote", net=net, tax=tax, **own)


def billed(project: Project, *documents: str, **options: Any) -> None:
    """These documents beside the record of October, and the contract, on 5 November."""
    once(project, _billed, *documents, **options)


def _billed(project: Project, *documents: str, **options: Any) -> None:
    read(project, *READ)
    bill(project, *documents)
    write_maps(**options)
    project.vendor.now = local(5, month=11)


def claimed_once(project: Project) -> Path:
    """F-1 was claimed by ana; return the letter."""
    once(project, _claimed)
    return project.folder / "out" / "claim-2026-10-F-1.docx"


def _claimed(project: Project) -> None:
    billed(project, overbilled())
    claimed(project)


def claimed(project: Project, **options: Any) -> ClaimedMonth:
    policy = Policy(language=options.pop("language", "en"))
    return claim(
        "2026-10",
        **{"by": "ana", "out": project.folder / "out", **options},
        destination=project.destination,
        policy=policy,
        clock=lambda: project.vendor.now,
    )


def text_of(letter: Path) -> str:
    """All that stands in a letter, a line each paragraph and each row of a table."""
    word = docx.Document(io.BytesIO(letter.read_bytes()))
    lines = [paragraph.text for paragraph in word.paragraphs]
    lines += [
        " | ".join(cell.text for cell in row.cells) for table in word.tables for row in table.rows
    ]
    return "\n".join(lines)


def open_rows(project: Project) -> list[tuple[Any, ...]]:
    """Of `claims_open` the amounts in pesos, the status, since when, and by which notes."""
    rows = project.query(
        "SELECT claimed_amount, credited_amount, open_amount, status, open_since, credit_notes "
        "FROM wolkvox_billing_marts.claims_open ORDER BY document_number"
    )
    return [(*map(int, row[:3]), *row[3:]) for row in rows]


def warnings(project: Project) -> list[str]:
    """What `status` says of F-1."""
    state = status(destination=project.destination, clock=lambda: project.vendor.now)
    return [text for text in state.warnings if "F-1" in text]


def test_the_letter_says_all_that_the_supplier_has_to_know(project: Project) -> None:
    """Parties, number, CUFE, dates, measured, billed, difference, amounts with tax, what is asked
    for, the evidence's SHA-256, the last day, that it is no legal advice, and a place to sign; in
    Spanish with numbers and days as Colombia writes them."""
    letter = claimed_once(project)
    text = text_of(letter)
    sha256 = hashlib.sha256(
        (project.folder / "out" / "wolkvox-evidence-2026-10.zip").read_bytes()
    ).hexdigest()
    for expected in (
        "Claim on invoice F-1",
        "November 5, 2026",
        "Name | Cliente SAS | Nube de Voz SAS",
        "NIT | 901555777 | 900123456",
        f"CUFE | {'a' * 96}",
        "Issued | November 3, 2026",
        "Period | October 1, 2026 to October 31, 2026",
        "Asks for | 172,550.00 COP",
        "line 1 | Grabaciones en S3 | 145,000.00 | 100,000.00 | 45,000.00",
        "Total, with tax |  |  |  | 53,550.00",
        "acme, rsync_s3_mp3, all together, 2026-10 | 1,000 audios | 1,450 audios | 450 audios | "
        "+45,000.00 COP",
        "We ask for a credit note over 53,550.00 COP on invoice F-1: 45,000.00 COP before tax, and "
        "8,550.00 COP of tax.",
        "can be claimed until November 6, 2026",
        "no legal advice",
        sha256,
        "Signature: ____",
    ):
        assert expected in text
    assert project.query("SELECT letter_sha256, evidence_sha256 FROM claims") == [
        (hashlib.sha256(letter.read_bytes()).hexdigest(), sha256)
    ]
    [again] = claimed(project, language="es_CO").claimed
    assert again.says.startswith("factura F-1: ya reclamada el 5 de noviembre de 2026 por ana, ")
    text = text_of(again.letter)
    for expected in (
        "Reclamo sobre la factura F-1",
        "5 de noviembre de 2026",
        "Pedimos una nota crédito por 53.550,00 COP sobre la factura F-1: 45.000,00 COP antes de "
        "impuesto, y 8.550,00 COP de impuesto.",
        "hasta el 6 de noviembre de 2026",
        "no una asesoría jurídica",
        "1.000 audios | 1.450 audios | 450 audios | +45.000,00 COP",
    ):
        assert expected in text


@pytest.mark.by_dlt
def test_a_claim_is_open_until_notes_give_it_back(warehouse: Project) -> None:
    """Claimed, claimed again without a row, credited in part by a note that comes, claimed again as
    what is left, and credited: on both engines, and told by `status`."""
    billed(warehouse, overbilled())
    judged(warehouse, at=local(5, month=11))
    [warning] = warnings(warehouse)
    assert warning.startswith(
        "invoice F-1: 53,550.00 COP questioned, 53,550.00 of it claimed, can "
    )
    assert claimed(warehouse).claimed[0].made == "claimed"
    assert warnings(warehouse) == [
        "invoice F-1: 53,550.00 COP of 53,550.00 claimed is open since 2026-11-05 (0 days)"
    ]
    day = date(2026, 11, 5)
    assert open_rows(warehouse) == [(53_550, 0, 53_550, "open", day, None)]
    warehouse.vendor.now = local(12, month=11)
    [again] = claimed(warehouse).claimed
    assert (again.made, again.claim.claimed_at) == ("claimed_before", local(5, month=11))
    bill(warehouse, note("200", "20000.00", "3800.00"))
    judged(warehouse, at=local(12, month=11))
    part = (53_550, 23_800, 29_750, "credited_in_part", day, "NC-1")
    assert open_rows(warehouse) == [part]
    assert claimed(warehouse).claimed[0].made == "claimed_before"
    assert open_rows(warehouse) == [part]
    assert warehouse.query("SELECT claim_id FROM claims") == [(f"{again.claim.document_id}.0001",)]
    bill(warehouse, note("250", "25000.00", "4750.00", number="NC-2"))
    assert claimed(warehouse).claimed == []  # judged by what came
    assert open_rows(warehouse) == [(53_550, 53_550, 0, "credited", day, "NC-1,NC-2")]
    assert list_claims(destination=warehouse.destination)[0] == []


@pytest.mark.by_dlt
def test_the_same_claim_is_the_same_letter(project: Project) -> None:
    """The bytes that were recorded, be it days later and by somebody else; one that a person has
    edited is not touched. Of two who claim at the same moment one is told."""
    billed(project, overbilled())
    [first] = claimed(project).claimed
    project.vendor.now = local(12, month=11)
    again = claimed(project, by="berta")
    assert again.evidence is None
    assert again.claimed[0].letter == first.letter
    assert again.claimed[0].claim == first.claim
    first.letter.write_bytes(b"edited")
    [third] = claimed(project).claimed
    assert third.letter.name == "claim-2026-10-F-1.2.docx"
    assert hashlib.sha256(third.letter.read_bytes()).hexdigest() == first.claim.letter_sha256
    assert first.letter.read_bytes() == b"edited"
    with opened(project.destination) as pipeline, pytest.raises(NotClaimed, match="claimed by ana"):
        append_claim(pipeline, replace(first.claim, claimed_by="berta"))


def test_nothing_is_claimed_where_nobody_is_blamed(project: Project) -> None:
    """Of an open period, of a fee that no contract names, of what agrees; and it is said why."""
    fee = line("1", "50000.00", description="Soporte", number="2", tax=None, price=None)
    text = ubl(use("1000", "100000.00"), fee, net="150000.00", tax=None, periods=OCTOBER)
    billed(project, text, line_map=WITH_FEE)
    result = claimed(project)
    [told] = result.unclaimed
    assert (result.claimed, result.evidence, told.settlement) == ([], None, "question")
    assert told.says.startswith("nothing is claimed: invoice F-1 asks for 150,000.00")
    assert "no contract names this fee" in told.says
    project.vendor.now = local(31, 23, 55)
    assert claimed(project).unclaimed[0].settlement == "wait"
    Path("line_map.csv").write_text(WITH_FEE.replace(",fee", ",accepted"))
    project.vendor.now = local(5, month=11)
    assert claimed(project).unclaimed == []
    assert claimed(project, document="f1").unclaimed[0].settlement == "pay"
    assert not (project.folder / "out").exists()
    assert "claims" not in {name for (name,) in project.query("SHOW TABLES")}
    with pytest.raises(SettingsError, match="no document 'F-9' bills 2026-10: there is F-1"):
        claimed(project, document="F-9")


def test_evidence_holds_the_claims_and_may_be_given(project: Project) -> None:
    """What `reconcile` writes later has the row; a file that is given is the one that the letter
    names, where its verdicts are those of now."""
    letter_sha256 = hashlib.sha256(claimed_once(project).read_bytes()).hexdigest()
    order = {"destination": project.destination, "clock": lambda: project.vendor.now}
    file = reconcile(
        "2026-10", evidence=order_evidence("later", "2026-10"), policy=Policy(), **order
    ).evidence
    assert file
    [row] = csv_rows(members_of(file)["claims.csv"])
    assert (row["claimed_by"], row["claimed_amount"]) == ("ana", "53550.0000")
    assert row["letter_sha256"] == letter_sha256
    _, _, listed = members_of(file)["report.html"].decode().partition("<h2>Claims</h2>")
    for says in ("invoice F-1", "53,550.00", "ana", letter_sha256):
        assert says in listed, says
    Path("rate_card.csv").write_text(Path("rate_card.csv").read_text().replace(",100,", ",90,"))
    with pytest.raises(SettingsError, match="its verdicts are not those of now"):
        claimed(project, evidence=file)


def test_a_close_tells_the_claims_and_stands_on_none(project: Project) -> None:
    """Before the letter it says what may be claimed, and after it what is open. A letter that is
    written for a month that is closed leaves the close as it was."""
    billed(project, overbilled())
    words: dict[str, Any] = {"by": "ana", "policy": Policy(), "reason": "claimed next week",
                             "clock": lambda: project.vendor.now}  # fmt: skip
    place = {"destination": project.destination}
    close("2026-10", **words, **place)
    assert settlement_of("2026-10", **place).claims == [
        "invoice F-1: 53,550.00 COP may be claimed, and was not: `wolkvox-billing claim 2026-10` "
        "writes the letter"
    ]
    [made] = claimed(project).claimed
    assert find_broken_closes(**place) == []
    assert settlement_of("2026-10", **place).claims == [
        f"invoice F-1: 53,550.00 COP was claimed on {made.claim.claimed_at:%Y-%m-%d} by ana, and "
        "53,550.00 COP of it is open"
    ]
    [own] = settlement_of("2026-10", **place).claimed
    assert (own.document_number, own.open_amount) == ("F-1", 53_550)


def test_a_claim_at_the_command_line(project: Project) -> None:
    """Letters as a file or in a folder, JSON, and what is open without a month."""
    billed(project, overbilled(number="F 1/á"))
    run = CliRunner().invoke
    done = run(main, ["claim", "2026-10", "--by", "ana", "--out", "letter.docx"])
    assert "invoice F 1/á: 53,550.00 COP claimed" in done.output
    assert Path("letter.docx").exists()
    assert run(main, ["claim"], env={"COLUMNS": "140"}).output.count("53,550.00") == 2
    printed = json.loads(run(main, ["claim", "2026-10", "--json"]).stdout)
    assert printed["claimed"][0]["made"] == "claimed_before"
    assert Path(printed["claimed"][0]["letter"]).name == "claim-2026-10-F_1_.docx"
    [row] = json.loads(run(main, ["claim", "--json"]).stdout)["claims_open"]
    assert (row["status"], row["open_amount"]) == ("open", "53550.0000")
    assert run(main, ["claim", "--by", "ana"]).exit_code == 2
    assert run(main, ["claim", "2026-10", "--reason", "x"]).exit_code == 2
    credit = note("200", "20000.00", "3800.00", corrects="F 1/á")
    bill(project, overbilled(number="F-2", uuid="b" * 96), credit)
    refused = run(main, ["claim", "2026-10", "--out", "letter.docx"])
    assert (refused.exit_code, "2 letters do not fit into" in refused.output) == (2, True)
    run(main, ["claim", "2026-10", "--by", "ana", "--document", "F-2"])
    first, second = open_rows(project)  # what was given back of the first one stays
    assert first[:4] == (53_550, 23_800, 29_750, "credited_in_part") and second[3] == "open"
    words = ["claim", "2026-10", "--document", "F-1-á", "--withdraw", "--by", "ana"]
    assert run(main, words).exit_code == 2
    run(main, ["claim", "2026-10", "--document", "F-2", "--withdraw", "--reason", "no"])
    done = run(main, [*words, "--reason", "nobody had mapped it"])
    assert "the claim over 53,550.00 COP of " in done.output
    assert run(main, ["claim"]).output == "no claim is open\n"
    assert project.query(
        "SELECT document_number, reason FROM claims WHERE claimed_amount = 0 ORDER BY claimed_at"
    ) == [("F-2", "no"), ("F 1/á", "nobody had mapped it")]
    assert project.query("SELECT DISTINCT claimed_by FROM claims WHERE reason <> 'no'") == [
        ("ana",)
    ]


def test_a_claim_on_a_withdrawn_document_is_told(project: Project) -> None:
    """By the withdrawal and by `status`, with how the claim is taken back; not where another paper
    of the invoice counts in its place, nor once the claim is taken back."""
    billed(project, overbilled(number="FE1001"))
    claimed(project)
    run = CliRunner().invoke
    told = (
        "53,550.00 COP of 53,550.00 COP claimed is still open: `wolkvox-billing claim 2026-10 "
        "--withdraw --document FE1001 --reason ...` takes the claim back, where that is right"
    )
    withdrawal = run(main, ["documents", "withdraw", "FE1001", "--reason", "void", "--by", "ana"])
    assert f"warning: invoice FE1001: {told}" in withdrawal.output

    def is_told() -> bool:
        state = status(destination=project.destination, clock=lambda: project.vendor.now)
        return any(told in text for text in state.warnings)

    assert is_told()
    bill(project, overbilled(number="FE-1001", uuid="b" * 96))
    assert not is_told()
    project.execute("DELETE FROM invoice_documents WHERE document_number = 'FE-1001'")
    words = ["claim", "2026-10", "--withdraw", "--document", "FE1001", "--by", "ana"]
    assert run(main, [*words, "--reason", "void"]).exit_code == 0
    assert not is_told()


def test_what_a_note_gave_back_is_not_claimed_again(project: Project) -> None:
    """19 % of tax where the contract has 5, and a note over the 14,000 of tax alone, which is in no
    verdict: no second letter is written."""
    card = (
        "report,operation_id,product,from_quantity,unit_price,currency,valid_from,valid_to,term\n"
        "rsync_s3_mp3,,,0,100,COP,2026-01-01,,\nrsync_s3_mp3,,,0,5,COP,2026-01-01,,tax_percent\n"
    )
    own = use("1000", "100000.00")
    text = ubl(own, net="100000.00", tax="19000.00", periods=OCTOBER)
    billed(project, text, rate_card=card)
    assert [int(made.claim.claimed_amount) for made in claimed(project).claimed] == [14_000]
    bill(project, note("0", "0.00", "14000.00"))
    result = claimed(project)
    assert result.claimed == []
    assert any(
        told.says.startswith(
            "invoice F-1: 14,000.00 COP was claimed on November 5, 2026, and notes gave all of it "
            "back: it is not claimed again; invoice F-1 asks for 119,000.00 COP"
        )
        for told in result.unclaimed
    )
