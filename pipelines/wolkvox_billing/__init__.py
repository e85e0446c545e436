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
    from wolkvox_billing import wolkvox_billing

    pipeline = dlt.pipeline("wolkvox", destination="duckdb", dataset_name="wolkvox_billing")
    pipeline.run(wolkvox_billing())

The API shows the current month only, takes no date and no page, and is asked once per operation and
report; all tables are fed from that one answer. Every table is merged on a key that names what a
row *is* (a call; a row of an answer; a product's day), so a package that is loaded again after a
crash adds nothing, while `readings` keeps each value that was ever received.

The modules, in the order in which they build on each other: `reports` and `operations` (who is
asked for what), `client` (one call), `verdict` (what its answer is), `sessions`, `hosts` and
`token_lock` (one call at a time with a token), `polls` (all calls: pace, new tries), `spool` (what
came, safe from a kill), `readings` (texts to typed rows), `tables` (columns and rows), `files`
(rows to what databases read fast), `source` (the source itself), `dialects`, `marts` (the views),
`configuration` and `address` (the settings without dlt), `warehouse` (where the tables are),
`packages` (what waits to be loaded), `invoices` (files to documents, a package with its own
drawing), `reconciliation` (keys, verdicts and sentences),
`pipeline`, `intake`, `reconcile`, `explain`, `evidence`, `closing`, `check` (which asks `pool` for
Airflow's), `status`, `snapshot` and `demo` (the verbs), `cli`, `listing`, `story` and `terminal`
(their words). What the evidence's report and the notebook show of a month: `page` (the data),
`markup` and `chart` (HTML and SVG), `sections`, and `overview` (the marts, read for the notebook).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wolkvox_billing.errors import SettingsError, WolkvoxError
from wolkvox_billing.version import __version__

if TYPE_CHECKING:
    from wolkvox_billing.source import wolkvox_billing

__all__ = ["SettingsError", "WolkvoxError", "__version__", "wolkvox_billing"]


def __getattr__(name: str) -> Any:
    """The source, once somebody asks for it: dlt takes half a second to import, and `--help` or an
    editor that completes a word has no use for it."""
    if name == "wolkvox_billing":
        from wolkvox_billing.source import wolkvox_billing

        return wolkvox_billing
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
