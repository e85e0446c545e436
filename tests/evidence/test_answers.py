"""The answers in the evidence: which they are, that they are as received, and that `verify` reads
the numbers out of them again."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from builders.documents import SUPPLIER, line, ubl
from builders.duckdb_files import let_go
from builders.evidence import csv_rows, forge, members_of, write_evidence
from builders.leaks import TOKEN, leaks
from builders.months import OCTOBER, bill, invoice, local, read, write_maps
from builders.project import Project
from builders.worlds import once
from wolkvox_billing.evidence import answers as chosen
from wolkvox_billing.evidence import verify
from wolkvox_billing.evidence.answers import (
    Measured,
    MonthMeaning,
    choose_answers,
)
from wolkvox_billing.evidence.report.month import Call, LoadedReading, Restatement
from wolkvox_billing.marts.reconciled import ReconciledRow
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.vendor.readings import interpret_items

pytestmark = pytest.mark.usefixtures("kept_open")
POLLS = "wolkvox_billing.polls"
CUSTOMER = SUPPLIER.replace("Supplier", "Customer").replace("900123456", "860001002").replace(
    "Nube de Voz SAS", "Ventas del Norte SAS"
)  # fmt: skip


def write_october(project: Project) -> Path:
    project.vendor.now = local(30, month=11)
    return write_evidence(
        project.folder / "evidence", "2026-10", destination=project.destination,
        policy=Policy(), clock=lambda: project.vendor.now,
    )  # fmt: skip


def october(project: Project) -> None:
    once(project, _october)


def october_written(project: Project) -> Path:
    """The same, and its evidence."""
    once(project, _october_written)
    [file] = project.folder.glob("evidence/*.zip")
    return file


def _october_written(project: Project) -> None:
    october(project)
    write_october(project)


def _october(project: Project) -> None:
    read(project, (local(1), "10"), (local(15), "500"), (local(31, 23, 50), "1000"))
    bill(project, invoice("1000", "100000.00"))
    write_maps()


def test_the_answers_of_the_verdicts_are_in_it(warehouse: Project) -> None:
    """The month's last reading and those of its turn, byte for byte, tied to their calls; what was
    read in between is not in it."""
    file = october_written(warehouse)
    members = members_of(file)
    files = {name: data for name, data in members.items() if name.startswith("answers/")}
    listed = csv_rows(members["answers.csv"])
    calls = {row["poll_id"]: row for row in csv_rows(members["polls.csv"])}
    assert [json.loads(data)["data"][0]["items"] for data in files.values()] == ["10", "1000"]
    assert [row["stands_for"] for row in listed] == [
        "night of the month's turn", "last reading of the month; night of the month's turn",
    ]  # fmt: skip
    for row in listed:
        data = files[row["file"]]
        digest = hashlib.sha256(data).hexdigest()
        assert row["file"] == f"answers/{row['poll_id']}.json" and row["completeness"] == "whole"
        assert row["file_sha256"] == row["answer_sha256"] == digest
        assert int(row["file_bytes"]) == int(row["answer_bytes"]) == len(data)
        assert calls[row["poll_id"]]["answer_sha256"] == digest
        assert row["outcome"] == "ok"
    assert verify(file) == []
    page = members["report.html"].decode()
    assert all(name in page for name in files)


def test_an_answer_that_is_not_whole_says_so(project: Project) -> None:
    """A long one is cut, one that held the token is masked, one that nobody kept is nothing, and
    one that is not what was hashed is named."""
    october(project)
    ids = [poll_id for (poll_id,) in project.query(f"SELECT poll_id FROM {POLLS} ORDER BY 1")]
    project.execute(
        f"UPDATE {POLLS} SET answer = CAST(repeat('x', 65536) AS BLOB), answer_bytes = 70000 "
        f"WHERE poll_id = '{ids[0]}'"
    )
    project.execute(
        f"UPDATE {POLLS} SET note = 'the answer repeated the token: it is masked', "
        f"answer_sha256 = 'f' WHERE poll_id = '{ids[2]}'"
    )
    file = write_october(project)
    listed = csv_rows(members_of(file)["answers.csv"])
    assert [(row["completeness"], row["file"]) for row in listed] == [
        ("cut", f"answers/{ids[0]}.cut.txt"), ("masked", f"answers/{ids[2]}.json"),
    ]  # fmt: skip
    assert verify(file) == []
    project.execute(f"UPDATE {POLLS} SET note = NULL, answer_bytes = 1")
    assert {row["completeness"] for row in csv_rows(members_of(write_october(project))[
        "answers.csv"])} == {"differs"}  # fmt: skip
    project.execute(f"UPDATE {POLLS} SET answer = NULL")
    members = members_of(write_october(project))
    assert {(row["completeness"], row["file"]) for row in csv_rows(members["answers.csv"])} == {
        ("nothing", "")
    }


def test_verify_recomputes_what_the_answers_say(project: Project) -> None:
    """Though the manifest agrees: another answer, another sum, another reading, or a file that no
    table knows."""
    file = october_written(project)
    members = members_of(file)
    name = max(name for name in members if name.startswith("answers/"))
    poll_id = name.removeprefix("answers/").removesuffix(".json")
    other = members[name].replace(b"1000", b"1450")
    digest, forged = (hashlib.sha256(data).hexdigest().encode() for data in (members[name], other))
    tables = {t: members[t].replace(digest, forged) for t in ("answers.csv", "polls.csv")}
    for change, says in (
        ({name: other}, f"{name}: its SHA-256 is not that of answers.csv"),
        ({name: other, "answers.csv": tables["answers.csv"]}, "is not as in polls.csv: answer_sha"),
        ({name: other, **tables}, f"readings.csv: row 1 of {poll_id} is not in {name}"),
        ({"readings.csv": members["readings.csv"].replace(b"1000,", b"1001,")}, "readings.csv: ro"),
        ({"answers/other.json": b"{}"}, "answers/other.json: answers.csv does not know it"),
        ({"answers.csv": b"poll_id\n1\n"}, "answers.csv: it cannot be held against"),
    ):
        assert any(says in problem for problem in verify(forge(file, change))), says


def test_evidence_of_older_versions_is_checked_by_its_own_layout(project: Project) -> None:
    """It has neither answers nor the months' meaning; evidence of this version has to."""
    file = october_written(project)
    members = members_of(file)
    new = [n for n in members if n.startswith(("answers", "usage_monthly"))]
    assert {f"{name}: missing" for name in new if "/" not in name} <= set(
        verify(forge_without(file, new))
    )
    versions = json.loads(members["versions.json"])
    del versions["evidence"]
    old = {"versions.json": json.dumps(versions).encode()}
    assert verify(forge_without(file, new, old)) == []


def forge_without(file: Path, names: list[str], change: dict[str, bytes] | None = None) -> Path:
    return forge(file, {**dict.fromkeys(names), **(change or {})})


def test_the_report_names_parties_sums_and_who_says_what_numbers_mean(project: Project) -> None:
    """Both with their tax ids, the CUFE, what is to be paid with tax, and the setting that says
    that a number is a running one; the same in the tables."""
    read(project, (local(1), "10"), (local(31, 23, 50), "1.004"))
    own = line("1004", "100400.00", description="Grabaciones en S3", price=None, tax="19076.00")
    bill(project, ubl(own, net="100400.00", tax="19076.00", payable="119476.00", periods=OCTOBER,
                      supplier=SUPPLIER + CUSTOMER))  # fmt: skip
    write_maps()
    members = members_of(write_october(project))
    page = members["report.html"].decode()
    for text in (
        "Nube de Voz SAS, tax id 900123456",
        "Ventas del Norte SAS, tax id 860001002",
        "a" * 96,
        "100,400.00 COP", "19,076.00 COP", "119,476.00 COP",
        "a setting",
        "decimals: 1.004; with a dot between thousands it would be 1,004",
    ):  # fmt: skip
        assert text in page, text
    [document] = csv_rows(members["invoice_documents.csv"])
    assert (document["customer_id"], document["customer_name"]) == (
        "860001002", "Ventas del Norte SAS",
    )  # fmt: skip
    [use] = csv_rows(members["usage_monthly.csv"])
    assert (use["measure"], use["measure_source"]) == ("month_to_date", "setting")
    assert [row["interpretation"][:8] for row in csv_rows(members["readings.csv"])] == [
        "", "decimals",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "items", "says"),
    [
        ("1.004", "1004", "thousands: 1,004; with decimals behind the dot it would be 1.004"),
        (" 2.887 % ", "2.887", "decimals: 2.887; with a dot between thousands it would be 2,887"),
        ("-1.004", "-1004", "thousands: -1,004; with decimals behind the dot it would be -1.004"),
        ("1,004", "1004", None),
        ("1.0045", "1.0045", None),
        ("0.500", "0.5", None),
        ("1004", "1004", None),
        ("1004.000", "1004", None),
    ],
)
def test_a_number_that_reads_in_two_ways_says_how(text: str, items: str, says: str | None) -> None:
    """What reads in one way says nothing."""
    assert interpret_items(text, Decimal(items)) == says


def verdict(status: str = "matched", **fields: Any) -> ReconciledRow:
    blank: dict[str, Any] = dict.fromkeys(ReconciledRow.__dataclass_fields__)
    own = {"operation_id": "acme", "report": "rsync", "reconciliation_status": status,
           "billing_period_start": date(2026, 10, 1), "billing_period_end": date(2026, 11, 1),
           "is_material": False, "explanation": ""}  # fmt: skip
    return ReconciledRow(**{**blank, **own, **fields})


def series(*values: tuple[int, str]) -> list[LoadedReading]:
    """Readings at hours of October, called p and the hour."""
    start = datetime(2026, 10, 1, 5, tzinfo=timezone.utc)
    return [
        LoadedReading(
            "acme", "rsync", "ACME", "X", date(2026, 10, 1) + timedelta(days=hour // 24), False,
            Decimal(items), start + timedelta(hours=hour), hour * 3600, f"p{hour}",
        )
        for hour, items in values
    ]  # fmt: skip


def choose(readings: list[LoadedReading], measure: str | None, **more: Any) -> dict[str, str]:
    last = readings[-1]
    meaning = MonthMeaning("acme", "rsync", "X", date(2026, 10, 1), date(2026, 11, 1), measure,
                           "setting", None, "audios", last.read_at, last.poll_id)  # fmt: skip
    own = {"verdicts": [verdict()], "meanings": [meaning], "readings": readings, "calls": [],
           "changes": [], "gauge_month": "max"}  # fmt: skip
    return choose_answers(Measured(**{**own, **more}))


LEVELS = [(1, "5"), (30, "7"), (31, "7"), (60, "9"), (61, "3"), (90, "4")]


def test_what_a_number_stands_on_goes_by_its_meaning() -> None:
    """A level's highest and last, the last of each day where days add up, all changes of an
    average, and both ends of a month that counts up."""
    readings = series(*LEVELS)
    assert choose(readings, "gauge") == {"p90": chosen.LAST, "p60": chosen.HIGHEST}
    assert set(choose(readings, "daily")) == {"p1", "p31", "p61", "p90"}
    average = choose(readings, "gauge", gauge_month="average")
    assert set(average) == {"p1", "p30", "p31", "p60", "p61", "p90"}
    counter = choose(readings, "month_to_date")
    assert set(counter) == {"p1", "p30", "p31", "p90"}  # days 1 and 2, and the last one
    assert next(iter(counter)) == "p90"  # the weightiest is the last to be left out
    cut = verdict(billing_period_start=date(2026, 10, 4))
    assert "p61" in choose(readings, "month_to_date", verdicts=[cut])
    another = verdict(report="rec_minutes")
    assert choose(readings, "gauge", verdicts=[another]) == {}


def test_what_fell_or_was_answered_without_a_row_is_in_it() -> None:
    """Both sides of a fall; of a verdict on nothing, the last answer of each day."""
    readings = series(*LEVELS)
    before, after = readings[3:5]
    fall = Restatement("acme", "rsync", "X", after.date, before.items, after.items, after.read_at,
                       before.read_at)  # fmt: skip
    counter = choose(readings, "month_to_date", changes=[fall])
    assert (counter["p60"], counter["p61"]) == (chosen.CHANGED, chosen.CHANGED)
    calls = [
        Call("acme", "rsync", date(2026, 10, day), outcome, day * 86400, poll_id)
        for poll_id, day, outcome in (
            ("a", 3, "empty"), ("b", 3, "not_found"), ("c", 3, "maintenance"), ("d", 9, "empty"),
        )
    ]  # fmt: skip
    own = choose_answers(Measured(
        verdicts=[verdict("invoiced_without_usage")], meanings=[], readings=[], calls=calls,
        changes=[], gauge_month="max",
    ))  # fmt: skip
    assert own == {"b": chosen.EMPTY, "d": chosen.EMPTY}


def test_too_many_answers_are_left_out_and_listed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weightiest stay; the others have their sum, and no file."""
    october(project)
    monkeypatch.setattr("wolkvox_billing.evidence.answers.MOST_ANSWERS", 1)
    file = write_october(project)
    listed = csv_rows(members_of(file)["answers.csv"])
    assert [row["completeness"] for row in listed] == ["left out", "whole"]
    assert listed[0]["file"] == "" and len(listed[0]["answer_sha256"]) == 64
    assert verify(file) == []


def test_a_token_in_an_answer_is_not_in_the_evidence(project: Project, tmp_path: Path) -> None:
    """What the vendor repeated is masked before it is kept, in the answers' files too."""
    row = {"operation": TOKEN, "description": "AUDIOS", "items": "1000", "date": "2026-10-31"}
    project.vendor.now = local(31, 23, 50)
    project.vendor.answer(TOKEN, "rsync_s3_mp3", [row])
    assert project.load(measures={"rsync_s3_mp3": "month_to_date"}, force=True).is_good
    write_maps()
    members = members_of(write_october(project))
    [listed] = csv_rows(members["answers.csv"])
    assert listed["completeness"] == "masked"
    assert b"[token]" in members[listed["file"]]
    let_go()
    assert leaks(tmp_path) == []
