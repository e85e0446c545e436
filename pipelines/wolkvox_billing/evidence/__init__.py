"""The evidence of a month: one zip that a stranger can check, and `verify`, which checks one.

    marts, tables ─▶ contents ─▶ report.html; tables: CSV and Parquet ─┐
    line map, rate card, policy, versions ─────────────────────────────┼─▶ manifest.json ─▶ archive
    documents: their files, where they are given ──────────────────────┘      verification ◀───┘
                                                                              layout

The same inputs as of the same moment give the same bytes: order, times and permissions of the
members are fixed, and what else they depend on is in versions.json. The moment is stated, and not
that of the newest call, since it decides verdicts: whether a month is over, an invoice due.
"""

from __future__ import annotations

import hashlib
import os
import platform
import zlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import duckdb

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.evidence.archive import write_archive
from wolkvox_billing.evidence.contents import collect
from wolkvox_billing.evidence.documents import find_documents
from wolkvox_billing.evidence.manifest import MANIFEST, VERSIONS, Manifest, Member, as_json
from wolkvox_billing.evidence.tables import as_members
from wolkvox_billing.evidence.verification import Examined, examine, verify
from wolkvox_billing.evidence_report import Page, report
from wolkvox_billing.polls import Clock, utc_now
from wolkvox_billing.reconcile import fill_anew
from wolkvox_billing.reconciliation.month import read_month
from wolkvox_billing.reconciliation.policy import Policy, read_policy
from wolkvox_billing.version import __version__
from wolkvox_billing.warehouse import DATASET, DESTINATION, configured, opened, reading

__all__ = ["Examined", "examine", "verify", "write_evidence"]


def write_evidence(
    folder: str | os.PathLike[str],
    month: str,
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    policy: Policy | None = None,
    files: Sequence[str | os.PathLike[str]] = (),
    clock: Clock = utc_now,
) -> Path:
    """The zip in the folder, such as wolkvox-evidence-2026-10.zip. One that is there already is
    never replaced: where its bytes are others, the new one is wolkvox-evidence-2026-10.2.zip.

    files: files and folders in which the month's documents are looked for, by their SHA-256.
    Raises SettingsError for what cannot be meant, WarehouseError where nothing is loaded, and
    WolkvoxError where nothing can be written.
    """
    period = read_month(month)
    paths = [Path(one) for one in files]
    if absent := [str(one) for one in paths if not one.exists()]:
        raise SettingsError(f"there is no {', '.join(absent)}")
    target = Path(os.path.abspath(folder)) / f"wolkvox-evidence-{month}.zip"
    there = next(one for one in target.parents if os.path.lexists(one))
    if not there.is_dir():
        raise SettingsError(f"{there} is no folder: name one for the evidence")
    policy = policy or configured(read_policy)
    with opened(destination, dataset) as pipeline, reading(pipeline):
        rows, _, warnings = fill_anew(pipeline, policy, clock(), period)
        page, tables = collect(pipeline, period, rows, policy)
    documents, page.given = find_documents(tables["invoice_documents"].rows, paths)
    page.warnings, page.versions = warnings, _versions()
    members = as_members(tables) | _rules(policy) | _about(page) | documents
    members[MANIFEST] = _manifest(page, members)
    return write_archive(target, members)


def _rules(policy: Policy) -> dict[str, bytes]:
    """The line map and the rate card, as the finance people wrote them. Raises SettingsError."""
    members: dict[str, bytes] = {}
    for name in ("line_map", "rate_card"):
        try:
            members[f"{name}.csv"] = Path(getattr(policy, name)).read_bytes()
        except OSError as error:
            raise SettingsError(f"the {name} cannot be read: {error}") from None
    return members


def _about(page: Page) -> dict[str, bytes]:
    """The report, and what the verdicts and the bytes depend on. The versions repeat the month and
    the moment, so that a manifest with others is told."""
    meant = {"month": page.month, "created_as_of": page.as_of.isoformat()}
    return {
        "report.html": report(page).encode(),
        "policy.json": as_json(dict(page.policy)),
        VERSIONS: as_json({**meant, **page.versions}),
    }


def _versions() -> dict[str, str]:
    """What the bytes depend on beside the inputs."""
    return {
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
