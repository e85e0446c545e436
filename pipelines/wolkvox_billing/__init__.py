"""wolkvox_billing: a dlt source that keeps what wolkvox's billing API says.

    wolkvox ──one call──▶ answer ──judge──▶ polls          one row per call, with its outcome
                                    ├──▶ readings          one row per call and row returned
                                    ├──▶ rsync_s3_mp3      newest reading of each operation,
                                    │                      description and date; one table a report
                                    └──▶ rejected_rows     what could not be read, and why
    invoice files ──read──▶ invoice_documents, invoice_lines, rejected_documents
    polls, readings ──SQL views──▶ usage_daily, usage_monthly, usage_restatements, poll_coverage
    usage, invoice lines, line map, rate card ──reconcile──▶ invoice_reconciliation
    invoice_reconciliation ──▶ evidence file; month_closes, append-only

    from wolkvox_billing import load, publish          what the command line has, as calls
    if failures := load().failures:
        raise RuntimeError("; ".join(failures))
    publish("usage.duckdb")

    import dlt                                         or the source alone, in a pipeline of yours
    pipeline = dlt.pipeline("wolkvox", destination="duckdb", dataset_name="my_billing")
    pipeline.run(wolkvox_billing())

Most calls take these keywords, and each says what it has beside them:

    destination  dlt's name of it, such as duckdb (the default) or postgres
    dataset      the schema of the tables, wolkvox_billing; the marts are in wolkvox_billing_marts
    policy       the rules of the comparison, for tests; without it those of the settings
    clock        tells the moment, for tests

Settings come from .dlt/*.toml and the environment, as on the command line. What a person can mend
is raised as a WolkvoxError; what the vendor refuses is never raised: it is in the report.

The API shows the current month only, takes no date and no page, and is asked once per operation and
report; all tables are fed from that one answer. It is in the spool as soon as it is read, and
leaves it when the destination has it: everything behind can be thrown away and made anew.
`readings` keeps each value that was ever received.

The rooms of the package, and who may know whom, are drawn in docs/architecture.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wolkvox_billing.errors import Refused, SettingsError, WarehouseError, WolkvoxError
from wolkvox_billing.version import __version__

if TYPE_CHECKING:
    from wolkvox_billing.closing import close, reopen
    from wolkvox_billing.evidence import order_evidence, verify
    from wolkvox_billing.evidence.workbook import order_workbook
    from wolkvox_billing.polling.source import wolkvox_billing
    from wolkvox_billing.verbs.bucket import bucket as count_copies
    from wolkvox_billing.verbs.check import check
    from wolkvox_billing.verbs.claim import claim, list_claims, withdraw_claim
    from wolkvox_billing.verbs.dbt import write_dbt_sources
    from wolkvox_billing.verbs.documents import documents
    from wolkvox_billing.verbs.documents import reinstate as reinstate_document
    from wolkvox_billing.verbs.documents import withdraw as withdraw_document
    from wolkvox_billing.verbs.explain import explain
    from wolkvox_billing.verbs.invoices import invoices as read_invoices
    from wolkvox_billing.verbs.load import load, marts_sql
    from wolkvox_billing.verbs.load import refresh_marts as refresh
    from wolkvox_billing.verbs.operations import forget as forget_operation
    from wolkvox_billing.verbs.operations import merge as merge_operations
    from wolkvox_billing.verbs.operations import operations
    from wolkvox_billing.verbs.operations import rename as rename_operation
    from wolkvox_billing.verbs.operations import restore as restore_operation
    from wolkvox_billing.verbs.poll import poll
    from wolkvox_billing.verbs.publish import publish
    from wolkvox_billing.verbs.reconcile import reconcile
    from wolkvox_billing.verbs.restore import copy, restore
    from wolkvox_billing.verbs.status import status

__all__ = [
    "Refused",
    "SettingsError",
    "WarehouseError",
    "WolkvoxError",
    "__version__",
    "check",
    "claim",
    "close",
    "copy",
    "count_copies",
    "documents",
    "explain",
    "forget_operation",
    "list_claims",
    "load",
    "marts_sql",
    "merge_operations",
    "operations",
    "order_evidence",
    "order_workbook",
    "poll",
    "publish",
    "read_invoices",
    "reconcile",
    "refresh",
    "reinstate_document",
    "rename_operation",
    "reopen",
    "restore",
    "restore_operation",
    "status",
    "verify",
    "withdraw_claim",
    "withdraw_document",
    "wolkvox_billing",
    "write_dbt_sources",
]

# Where each call is, and its name there where that is another: `invoices` and `bucket` are
# rooms of the house.
_CALLS = {
    "check": "verbs.check:check",
    "claim": "verbs.claim:claim",
    "close": "closing:close",
    "copy": "verbs.restore:copy",
    "count_copies": "verbs.bucket:bucket",
    "documents": "verbs.documents:documents",
    "explain": "verbs.explain:explain",
    "forget_operation": "verbs.operations:forget",
    "list_claims": "verbs.claim:list_claims",
    "load": "verbs.load:load",
    "marts_sql": "verbs.load:marts_sql",
    "merge_operations": "verbs.operations:merge",
    "operations": "verbs.operations:operations",
    "order_evidence": "evidence:order_evidence",
    "order_workbook": "evidence.workbook:order_workbook",
    "poll": "verbs.poll:poll",
    "publish": "verbs.publish:publish",
    "read_invoices": "verbs.invoices:invoices",
    "reconcile": "verbs.reconcile:reconcile",
    "refresh": "verbs.load:refresh_marts",
    "reinstate_document": "verbs.documents:reinstate",
    "rename_operation": "verbs.operations:rename",
    "reopen": "closing:reopen",
    "restore": "verbs.restore:restore",
    "restore_operation": "verbs.operations:restore",
    "status": "verbs.status:status",
    "verify": "evidence:verify",
    "withdraw_claim": "verbs.claim:withdraw_claim",
    "withdraw_document": "verbs.documents:withdraw",
    "wolkvox_billing": "polling.source:wolkvox_billing",
    "write_dbt_sources": "verbs.dbt:write_dbt_sources",
}


def __getattr__(name: str) -> Any:
    """Return a call, once somebody asks for it: dlt takes half a second to import, and `poll`,
    `--help` or an editor that completes a word has no use for it."""
    if name not in _CALLS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _CALLS[name].split(":")
    return getattr(import_module(f"{__name__}.{module}"), attribute)


def __dir__() -> list[str]:
    """Return the public names beside the module's own: those of calls that nobody asked for yet."""
    return sorted({*globals(), *__all__})
