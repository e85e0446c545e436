"""The verb `dbt`: the tables and marts as sources of a dbt project.

    comments, keys ──of each table that is there──▶ DIR/sources.yml

Plain dbt, no package: a key of several columns is tested as `unique` over all of them in one text.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from wolkvox_billing.bucket.tables import BUCKET_TABLES
from wolkvox_billing.closing.records import MONTH_CLOSES
from wolkvox_billing.errors import SettingsError, WarehouseError, WolkvoxError
from wolkvox_billing.invoices.decisions import DECISION_TABLES
from wolkvox_billing.invoices.tables import INVOICE_TABLES
from wolkvox_billing.marts.decisions import OPERATION_TABLES
from wolkvox_billing.marts.engine import MARTS, STAR, star_of
from wolkvox_billing.marts.reconciled import KEY
from wolkvox_billing.marts.transpile import describe_columns
from wolkvox_billing.marts.view_files import grain
from wolkvox_billing.polling.tables import TABLES, report_table
from wolkvox_billing.reconciliation.claimed import CLAIM_TABLES
from wolkvox_billing.vendor.answer import ANSWERS
from wolkvox_billing.vendor.reports import REPORTS
from wolkvox_billing.warehouse.columns import Table
from wolkvox_billing.warehouse.complaints import plain
from wolkvox_billing.warehouse.place import DATASET, DESTINATION, location_of, opened, reading
from wolkvox_billing.warehouse.sql import REFRESHED, among, engine_of, tables_in

Yaml = str | int | Mapping[str, "Yaml"] | list["Yaml"]

_FILE = "sources.yml"
_FIRST_LINE = (
    "# Written by `wolkvox-billing dbt`, which writes it anew: put nothing of your own in here"
)
_SOURCES = {
    "wolkvox_billing": "What wolkvox's billing API answered, and the invoices that were read",
    "wolkvox_billing_marts": "What was used, what was billed, and a verdict on each",
    "wolkvox_billing_bi": "The same as a star: dimensions, and facts by keys of one column",
}
_WARN_HOURS, _ERROR_HOURS = 2, 6
_WEEK = 7 * 24 * 60 * 60
# When the operation and report that waits longest was answered last. Who was not asked for a week
# while others were is asked no more; who never was answered counts from the first call on.
_ANSWERED = (
    "select min(answered_at) from (select coalesce(max(case when {is_answer} then started_at end), "
    "min(started_at)) as answered_at from {{{{ this }}}} group by operation_id, report "
    "having max(started_epoch) >= (select max(started_epoch) from {{{{ this }}}}) - {week}) as each"
)


class _Key(NamedTuple):
    """What a row is known by; of these columns some may be NULL."""

    columns: tuple[str, ...]
    nullable: Collection[str] = ()


def _key_of_usage(*columns: str) -> _Key:
    """Return a key with "operation" in it; one that never showed a reading has no name."""
    return _Key(("operation_id", "operation_name", "report", *columns), {"operation_name"})


def _key_of_fact(*columns: str) -> _Key:
    return _Key(("operation_key", "operation_name", "product_key", *columns), {"operation_name"})


_MART_KEYS = {
    "usage_daily": _key_of_usage("product", "usage_date"),
    "usage_monthly": _key_of_usage("product", "billing_period_start"),
    "usage_restatements": _key_of_usage("product", "usage_date", "read_at"),
    "poll_coverage": _key_of_usage("poll_date"),
    "invoice_reconciliation": _Key(KEY, KEY),
    "invoice_components": _Key(("document_id", "component_number")),
    "invoice_settlement": _Key(("document_id",)),
    "claims_open": _Key(("document_id",)),
    "bucket_daily": _Key(("operation_id", "upload_date")),
    "copy_reconciliation": _Key(("operation_id", "billing_period_start")),
    "verdict_documents": _Key(("verdict_key", "document_id")),
    "focus_costs": _Key(("x_ChargeId",)),
    "forecast": _Key(
        ("operation_id", "report", "product", "billing_period_start", "billing_currency"),
        {"billing_currency"},
    ),
    "usage_anomalies": _Key(("operation_id", "report", "product", "usage_date")),
    "dim_operation": _Key(("operation_key",)),
    "dim_product": _Key(("product_key",)),
    "dim_date": _Key(("date_key",)),
    "dim_status": _Key(("status_key",)),
    "dim_document": _Key(("document_key",)),
    "bridge_verdict_document": _Key(("verdict_key", "document_key")),
    "fact_verdict": _Key(("verdict_key",)),
    "fact_usage": _key_of_fact("date_key"),
    "fact_coverage": _key_of_fact("date_key"),
    "fact_component": _Key(("component_key",)),
}


@dataclass(frozen=True)
class DbtSources:
    """The file that was written, and the tables of each source in it."""

    path: Path
    tables: Mapping[str, list[str]]


def write_dbt_sources(
    out: str | os.PathLike[str] = ".", *, destination: str = DESTINATION, dataset: str = DATASET
) -> DbtSources:
    """Write `sources.yml` for dbt into the folder `out`, and return the DbtSources: of each table
    and mart that is there its description, columns, key as tests, and the freshness of answers.

    The sources are named wolkvox_billing and wolkvox_billing_marts whatever the dataset is. Raises
    SettingsError where a file of somebody else's is in its place, WarehouseError where nothing is
    loaded, and WolkvoxError where it cannot be written.
    """
    path = Path(out) / _FILE
    _check_place(path)
    with opened(destination, dataset, reads=True) as pipeline, reading(pipeline):
        if engine_of(pipeline) not in REFRESHED:
            raise SettingsError(f"dbt reads {' and '.join(REFRESHED)}, not {destination}")
        dataset_name = pipeline.dataset_name
        schemas = [dataset_name, f"{dataset_name}_marts", star_of(dataset_name)]
        with pipeline.sql_client() as client:
            tables, marts, star = (tables_in(client, schema) for schema in schemas)
        if "polls" not in tables:
            raise WarehouseError(
                f"nothing is loaded in {location_of(pipeline)}: run `wolkvox-billing load` first"
            )
    known = known_tables(sorted(REPORTS))
    listed = [
        [_raw_source(name, known[name]) for name in known if name in tables],
        [_mart_source(name) for name in MARTS if name in marts],
        [_mart_source(name) for name in STAR if name in star],
    ]
    sources: list[Yaml] = [
        {"name": name, "description": says, "schema": schema, "tables": [*rows]}
        for (name, says), schema, rows in zip(_SOURCES.items(), schemas, listed, strict=True)
        if rows
    ]
    lines = [_FIRST_LINE, *_as_yaml({"version": 2, "sources": sources})]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise WolkvoxError(f"{path} could not be written: {plain(error)}") from None
    names = [[str(row["name"]) for row in rows] for rows in listed]
    return DbtSources(path, dict(zip(_SOURCES, names, strict=True)))


def _check_place(path: Path) -> None:
    """Raise SettingsError where something is that this verb did not write."""
    try:
        is_ours = path.read_text(encoding="utf-8").startswith(_FIRST_LINE)
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError):
        is_ours = False
    if not is_ours:
        raise SettingsError(
            f"{path} is there, and was not written by `wolkvox-billing dbt`: name another folder "
            "with --out, dbt reads all of `models`"
        )


def known_tables(reports: Iterable[str]) -> dict[str, Table]:
    """Return every table that can be there, in the order of docs/tables.md, with those of these
    reports."""
    return {
        **TABLES,
        **{name: report_table(name) for name in reports},
        **INVOICE_TABLES,
        **DECISION_TABLES,
        **OPERATION_TABLES,
        "month_closes": MONTH_CLOSES,
        **CLAIM_TABLES,
        **BUCKET_TABLES,
    }


def _raw_source(name: str, table: Table) -> dict[str, Yaml]:
    columns = [(column, says) for column, (_, says) in table.columns.items()]
    source = _described(name, table.says, columns, _Key(table.key))
    if name == "polls":
        answered = _ANSWERED.format(is_answer=among("outcome", ANSWERS), week=_WEEK)
        source["config"] = {
            "loaded_at_query": answered,
            "freshness": {
                "warn_after": {"count": _WARN_HOURS, "period": "hour"},
                "error_after": {"count": _ERROR_HOURS, "period": "hour"},
            },
        }
    return source


def _mart_source(name: str) -> dict[str, Yaml]:
    return _described(name, grain(name), describe_columns(name), _MART_KEYS[name])


def _described(
    name: str, says: str, columns: Iterable[tuple[str, str]], key: _Key
) -> dict[str, Yaml]:
    """Return a table as dbt has it: its key is there in each row, and in no two of them."""
    rows: list[Yaml] = []
    for column, sentence in columns:
        row: dict[str, Yaml] = {"name": column, "description": sentence}
        if column != column.lower():
            row["quote"] = True
        if column in key.columns and column not in key.nullable:
            row["data_tests"] = ["not_null"]
        rows.append(row)
    unique: Yaml = {
        "unique": {"name": f"{name}_key", "arguments": {"column_name": _in_one_text(key.columns)}}
    }
    return {"name": name, "description": says, "data_tests": [unique], "columns": rows}


def _in_one_text(columns: tuple[str, ...]) -> str:
    """Return an expression that two rows share only where they share each column; NULL is a value
    of its own."""
    if len(columns) == 1:
        return columns[0] if columns[0] == columns[0].lower() else f'"{columns[0]}"'
    return " || chr(31) || ".join(f"coalesce('=' || cast({c} as varchar), '')" for c in columns)


def _as_yaml(value: Yaml, indent: str = "") -> Iterator[str]:
    """Yield the lines of a mapping or a list; texts are in quotes, as JSON has them."""
    items: Iterable[tuple[str, Yaml]]
    if isinstance(value, Mapping):
        items = ((f"{name}:", content) for name, content in value.items())
    else:
        assert isinstance(value, list)
        items = (("-", content) for content in value)
    for mark, content in items:
        if not isinstance(content, Mapping | list):
            yield f"{indent}{mark} {json.dumps(content, ensure_ascii=False)}"
            continue
        first, *rest = _as_yaml(content, f"{indent}  ")
        if mark == "-":
            yield f"{indent}- {first.lstrip()}"
        else:
            yield f"{indent}{mark}"
            yield first
        yield from rest
