"""What `verify` recomputes: each answer's SHA-256 against the calls, and what was read against the
rows of the answers that are whole; and that what a person withdrew bills nothing."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from wolkvox_billing.evidence.answers import CUT, MASKED, WHOLE
from wolkvox_billing.evidence.manifest import Member
from wolkvox_billing.evidence.tables import shown_in_csv
from wolkvox_billing.invoices.decisions import WITHDRAWN
from wolkvox_billing.vendor.answer import judge_answer

ANSWERS, POLLS, READINGS = "answers.csv", "polls.csv", "readings.csv"
DECISIONS, DOCUMENTS = "document_decisions.csv", "invoice_documents.csv"
SETTLEMENT = "invoice_settlement.csv"
_MOST_BYTES = 1024 * 1024  # of an answer: 64 KiB are kept
_FIELDS = {"operation": "operation", "description": "description", "items": "items_raw",
           "date": "date_raw"}  # fmt: skip


def compare_answers(archive: zipfile.ZipFile, members: Mapping[str, Member]) -> list[str]:
    """Return what of an evidence's answers is not as its tables say, each naming the member; [] of
    evidence without answers. The members have to be as the manifest says."""
    if ANSWERS not in members:
        return []
    try:
        answers = {row["poll_id"]: row for row in _rows(archive, ANSWERS)}
        by_file = {row["file"]: row for row in answers.values() if row["file"]}
        problems = [
            f"{name}: {ANSWERS} does not know it, or there is no such file"
            for name in sorted(by_file.keys() ^ {n for n in members if n.startswith("answers/")})
        ]
        for name in sorted(by_file.keys() & members.keys()):
            problems += _compare_with_sums(name, by_file[name], members[name])
        problems += _compare_with_calls(archive, answers)
        return problems or _compare_with_readings(archive, by_file)
    except (csv.Error, UnicodeError, KeyError, TypeError, ValueError) as error:
        return [f"{ANSWERS}: it cannot be held against the other tables: {error!r}"]


def compare_decisions(archive: zipfile.ZipFile, members: Mapping[str, Member]) -> list[str]:
    """Return which documents are withdrawn by an evidence's decisions, and in its settlement all
    the same, or decided on and not in it; [] of evidence without decisions."""
    if DECISIONS not in members:
        return []
    try:
        decisions = sorted(_rows(archive, DECISIONS), key=lambda row: row["decision_id"])
        newest = {row["document_id"]: row["decision"] for row in decisions}
        documents = {row["document_id"] for row in _rows(archive, DOCUMENTS)}
        settled = {row["document_id"] for row in _rows(archive, SETTLEMENT)}
    except (csv.Error, UnicodeError, KeyError, TypeError, ValueError) as error:
        return [f"{DECISIONS}: it cannot be held against the other tables: {error!r}"]
    return [
        f"{DECISIONS}: {document_id} is decided on, and not in {DOCUMENTS}"
        for document_id in sorted(newest.keys() - documents)
    ] + [
        f"{SETTLEMENT}: {document_id} is withdrawn by {DECISIONS}, and settled all the same"
        for document_id in sorted(settled)
        if newest.get(document_id) == WITHDRAWN
    ]


def _rows(archive: zipfile.ZipFile, name: str) -> Iterator[dict[str, str]]:
    with archive.open(name) as member:
        yield from csv.DictReader(io.TextIOWrapper(member, encoding="utf-8-sig", newline=""))


def _compare_with_sums(name: str, row: Mapping[str, str], member: Member) -> list[str]:
    """What an answer's file is not, by its row."""
    stated = (row["file_sha256"], int(row["file_bytes"]))
    if stated != (member.sha256, member.size):
        return [f"{name}: its SHA-256 is not that of {ANSWERS}"]
    if row["completeness"] == WHOLE and member.sha256 != row["answer_sha256"]:
        return [f"{name}: its SHA-256 is not that of the answer that was received"]
    if row["completeness"] == CUT and member.size >= int(row["answer_bytes"]):
        return [f"{name}: {ANSWERS} calls it cut, and it has as many bytes as were received"]
    return []


def _compare_with_calls(
    archive: zipfile.ZipFile, answers: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """What the table of answers says that the table of calls does not."""
    calls = {row["poll_id"]: row for row in _rows(archive, POLLS) if row["poll_id"] in answers}
    return [
        f"{ANSWERS}: {poll_id} is not as in {POLLS}: {name}"
        for poll_id, row in answers.items()
        for name in ("answer_sha256", "answer_bytes", "outcome")
        if poll_id not in calls or calls[poll_id][name] != row[name]
    ]


def _compare_with_readings(
    archive: zipfile.ZipFile, by_file: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """What was read that does not stand in the answer that it came from."""
    files = {
        row["poll_id"]: name
        for name, row in by_file.items()
        if row["completeness"] in (WHOLE, MASKED)
    }
    readings: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _rows(archive, READINGS):
        if row["poll_id"] in files:
            readings[row["poll_id"]].append(row)
    problems: list[str] = []
    for poll_id, own in readings.items():
        name = files[poll_id]
        with archive.open(name) as member:
            sent = [*judge_answer(200, member.read(_MOST_BYTES)).rows]  # each is looked up
        problems += [
            f"{READINGS}: row {row['row_number']} of {poll_id} is not in {name}"
            for row in own
            if not _is_as_sent(row, sent)
        ]
    return problems


def _is_as_sent(row: Mapping[str, str], sent: Sequence[object]) -> bool:
    number = int(row["row_number"])
    answered = sent[number - 1] if 0 < number <= len(sent) else None
    return isinstance(answered, dict) and all(
        shown_in_csv(str(answered.get(field))) == row[column] for field, column in _FIELDS.items()
    )
