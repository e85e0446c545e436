"""The pages of docs that are made of the code: `python tests/builders/pages.py` writes them, and a
test holds them against it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import duckdb

from builders.schemas import schema_text, verbs_with_json
from wolkvox_billing.marts.engine import MARTS, STAR
from wolkvox_billing.verbs.dbt import known_tables
from wolkvox_billing.warehouse.known_settings import SETTINGS, VARIABLES

DOCS = Path(__file__).parents[2] / "docs"
_SETTINGS = """\
# Settings

For whoever looks a setting up. They stand in `.dlt/config.toml` and `.dlt/secrets.toml` of the
current folder, or in the environment, as in any dlt project; what is in the environment wins. Lists
and tables are JSON there. A name that nobody knows ends in 2, with its file and line and the near
name. `check` looks at all of them.

[example.secrets.toml](../.dlt/example.secrets.toml) shows several operations, each with a token of
its own.
"""
_VARIABLES = """\
## Variables alone

Of the command line, the notebook and Airflow's DAGs, which [airflow](airflow.md) and [bi](bi.md)
explain:
"""
_TABLES = """\
# Tables, views and columns

For whoever looks a column up. Each has the same words as a comment in the database. Quantities are
DECIMAL(18,4), and so is money, with its currency beside it; times are UTC, days and months the
vendor's, a period's end is exclusive.

`poll_id` leads from any row to its call, and from there to the bytes of the answer. A refusal is a
row in `polls` (and in `rejected_rows`, number 0, where it is not even the vendor's envelope): it is
never a zero, and never changes a reading. A number with more than 4 decimals is rounded half up to
4; `items_raw` has it as it came.
"""


def settings_page() -> str:
    """Return docs/settings.md: each setting with its variable, default and sentence."""
    lines = [_SETTINGS]
    for section, settings in SETTINGS.items():
        prefix = "__".join((*section, "")).upper()
        lines += [f"## `[{'.'.join(section)}]`", "", f"As a variable: `{prefix}NAME`.", ""]
        lines += ["| setting | default | |", "|---|---|---|"]
        lines += [f"| `{s.name}` | {_code(s.default)} | {s.says} |" for s in settings]
        lines.append("")
    lines.append(_VARIABLES)
    lines.append(", ".join(f"`{name}`" for name in VARIABLES) + ".")
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def tables_page(file: Path) -> str:
    """Return docs/tables.md: what is read, by the code, and the marts, by the comments that they
    have in a record in DuckDB."""
    lines = [_TABLES, "## What was read: `wolkvox_billing`", ""]
    for name, table in known_tables(["rsync_s3_mp3"]).items():
        columns = [(column, says) for column, (_, says) in table.columns.items()]
        lines += _listed(name, table.says, columns)
    lines += ["## Marts: `wolkvox_billing_marts`", ""]
    with closing(duckdb.connect(str(file), read_only=True)) as db:
        for view in MARTS:
            lines += _listed_view(db, view, "wolkvox_billing_marts")
        lines += ["## The star: `wolkvox_billing_bi`", ""]
        for view in STAR:
            lines += _listed_view(db, view, "wolkvox_billing_bi")
    return "\n".join(lines).rstrip("\n") + "\n"


def _listed_view(db: duckdb.DuckDBPyConnection, view: str, schema: str) -> list[str]:
    (says,) = db.execute(
        "SELECT comment FROM duckdb_views() WHERE view_name = $1", [view]
    ).fetchall()[0]
    columns = db.execute(
        "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = $1 "
        "AND schema_name = $2 ORDER BY column_index",
        [view, schema],
    ).fetchall()
    return _listed(view, says, columns)


def _listed(table: str, says: str, columns: Sequence[tuple[str, str]]) -> list[str]:
    rows = [f"| `{name}` | {text} |".replace("\n", " ") for name, text in columns]
    return [
        f"### `{table}`",
        "",
        f"{says.rstrip('.')}.",
        "",
        "| column | |",
        "|---|---|",
        *rows,
        "",
    ]


def main() -> None:
    """Write all of them; the page of tables by living through the demo."""
    from wolkvox_demo.demo import demo

    (DOCS / "json").mkdir(exist_ok=True)
    for verb in verbs_with_json():
        (DOCS / "json" / f"{verb}.json").write_text(schema_text(verb), encoding="utf-8")
    (DOCS / "settings.md").write_text(settings_page(), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        demo(lambda day: None)
        [file] = Path(folder).glob("wolkvox-demo-*/wolkvox.duckdb")
        (DOCS / "tables.md").write_text(tables_page(file), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
