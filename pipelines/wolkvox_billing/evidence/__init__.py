"""The evidence of a month: one zip that a stranger can check, and `verify`, which checks one.

    marts, tables ─▶ contents ─▶ report.html; tables: CSV and Parquet ─┐
    line map, rate card, policy, versions ─────────────────────────────┼─▶ manifest.json ─▶ archive
    documents: their files, where they are given ──────────────────────┤      verification ◀───┘
    answers: those that the verdicts' numbers stand on ────────────────┘      layout, recomputed

The same inputs as of the same moment give the same bytes: order, times and permissions of the
members are fixed, and what else they depend on is in versions.json. The moment is stated, and not
that of the newest call, since it decides verdicts: whether a month is over, an invoice due.
"""

from __future__ import annotations

import hashlib
import os
import platform
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import duckdb

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.evidence.answers import MonthMeaning
from wolkvox_billing.evidence.archive import write_archive
from wolkvox_billing.evidence.contents import Contents, collect_contents
from wolkvox_billing.evidence.documents import find_documents
from wolkvox_billing.evidence.manifest import (
    LAYOUT,
    MANIFEST,
    RATES,
    VERSIONS,
    Manifest,
    Member,
    as_json,
)
from wolkvox_billing.evidence.report.month import Page
from wolkvox_billing.evidence.report.report import (
    Annex,
    InterpretedReading,
    ListedAnswer,
    ListedClaim,
    ListedDecision,
    LoadedDocument,
    render_report,
)
from wolkvox_billing.evidence.tables import Table, as_members
from wolkvox_billing.evidence.verification import Examined, examine, verify
from wolkvox_billing.marts.copied import CopiedDay, CopiedPeriod
from wolkvox_billing.reconciliation.claimed import CLAIMS
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.reconciliation.standing_words import explain_standing
from wolkvox_billing.values.periods import Period, read_month
from wolkvox_billing.values.translation import N_, Sentence
from wolkvox_billing.version import __version__

__all__ = ["Examined", "Order", "collect_contents", "examine", "order_evidence", "verify",
           "write_evidence"]  # fmt: skip

Record = TypeVar("Record")


@dataclass(frozen=True)
class Order:
    """A month whose evidence is wanted: the file, and where its documents are looked for."""

    month: Period
    target: Path
    documents: list[Path]


def order_evidence(
    folder: str | os.PathLike[str], month: str, files: Sequence[str | os.PathLike[str]] = ()
) -> Order:
    """Return the Order of a month's evidence in a folder, checked before anything is done.

    files: files and folders in which the month's documents are looked for, by their SHA-256.
    Raises SettingsError for what cannot be meant.
    """
    period = read_month(month)
    paths = [Path(file) for file in files]
    if absent := [str(path) for path in paths if not path.exists()]:
        raise SettingsError(Sentence(N_("there is no {absent}"), absent=", ".join(absent)))
    target = Path(os.path.abspath(folder)) / f"wolkvox-evidence-{month}.zip"
    parent = next(path for path in target.parents if os.path.lexists(path))
    if not parent.is_dir():
        says = N_("{parent} is no folder: name one for the evidence")
        raise SettingsError(Sentence(says, parent=parent))
    return Order(period, target, paths)


def write_evidence(
    order: Order, contents: Contents, policy: Policy, warnings: Sequence[str]
) -> Path:
    """Write the zip of an order, such as wolkvox-evidence-2026-10.zip, and return it.

    One that is there already is never replaced: where its bytes are others, the new one is
    wolkvox-evidence-2026-10.2.zip. Raises SettingsError for a line map or rate card that is not
    there, and WolkvoxError where nothing can be written.
    """
    page, tables, settings, answers, told = contents
    documents = tables["invoice_documents"].as_records(LoadedDocument)
    files = find_documents(documents, order.documents)
    annex = Annex(
        documents=documents,
        members=files.member_of,
        notes={each.document.document_id: explain_standing(each, policy.language) for each in told},
        decisions=tables["document_decisions"].as_records(ListedDecision),
        claims=sorted(tables[CLAIMS].as_records(ListedClaim), key=lambda row: row.claimed_at),
        copies=_records(tables, "copy_reconciliation", CopiedPeriod),
        copied_days=_records(tables, "bucket_daily", CopiedDay),
        meanings=tables["usage_monthly"].as_records(MonthMeaning),
        interpreted=tables["readings"].as_records(InterpretedReading),
        answers=tables["answers"].as_records(ListedAnswer),
        policy=settings,
        versions=_versions(),
        warnings=warnings,
    )
    members = as_members(tables) | _rules(policy) | _about(page, annex) | files.members | answers
    members[MANIFEST] = _manifest(page, members)
    return write_archive(order.target, members)


def _records(tables: Mapping[str, Table], name: str, kind: Callable[..., Record]) -> list[Record]:
    """Return the rows of a table that evidence may have, of which `kind` has all columns."""
    return [kind(*row) for row in tables[name].rows] if name in tables else []


def _rules(policy: Policy) -> dict[str, bytes]:
    """The line map, the rate card and the exchange rates, if there are any, as the finance people
    wrote them. Raises SettingsError."""
    members: dict[str, bytes] = {}
    for name, path in (("line_map", policy.line_map), ("rate_card", policy.rate_card)):
        try:
            members[f"{name}.csv"] = Path(path).read_bytes()
        except OSError as error:
            says = N_("the {name} cannot be read: {error}")
            raise SettingsError(Sentence(says, name=name, error=error)) from None
    rates = Path(policy.exchange_rates)
    if rates.exists():
        members[RATES] = rates.read_bytes()
    return members


def _about(page: Page, annex: Annex) -> dict[str, bytes]:
    """The report, and what the verdicts and the bytes depend on. The versions repeat the month and
    the moment, so that a manifest with others is told."""
    stated = {"month": page.month, "created_as_of": page.as_of.isoformat()}
    return {
        "report.html": render_report(page, annex).encode(),
        "policy.json": as_json(annex.policy),
        VERSIONS: as_json({**stated, **annex.versions}),
    }


def _versions() -> dict[str, str]:
    """What the bytes depend on beside the inputs."""
    return {
        "evidence": LAYOUT,
        "wolkvox-billing": __version__,
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "dlt": version("dlt"),
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
    }


def _manifest(page: Page, members: Mapping[str, bytes]) -> bytes:
    sums = {
        name: Member(hashlib.sha256(data).hexdigest(), len(data)) for name, data in members.items()
    }
    return Manifest(page.month, page.as_of.isoformat(), sums).as_bytes()
