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

    import dlt

    pipeline = dlt.pipeline("wolkvox", destination="duckdb", dataset_name="wolkvox_billing")
    pipeline.run(wolkvox_billing())

The API shows the current month only, takes no date and no page, and is asked once per operation and
report; all tables are fed from that one answer. It is in the spool as soon as it is read, and
leaves it when the destination has it: everything behind can be thrown away and made anew.
`readings` keeps each value that was ever received.

The rooms of the package, and who may know whom, are drawn in docs/architecture.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wolkvox_billing.errors import Refused, SettingsError, WolkvoxError
from wolkvox_billing.version import __version__

if TYPE_CHECKING:
    from wolkvox_billing.polling.source import wolkvox_billing

__all__ = ["Refused", "SettingsError", "WolkvoxError", "__version__", "wolkvox_billing"]


def __getattr__(name: str) -> Any:
    """The source, once somebody asks for it: dlt takes half a second to import, and `--help` or an
    editor that completes a word has no use for it."""
    if name == "wolkvox_billing":
        from wolkvox_billing.polling.source import wolkvox_billing

        return wolkvox_billing
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
