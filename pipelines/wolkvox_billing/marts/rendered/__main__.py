"""Writes duckdb.sql and postgres.sql anew: `make views`."""

from __future__ import annotations

from pathlib import Path

from wolkvox_billing.marts.engine import Engine
from wolkvox_billing.marts.rendered import DIALECTS, MARTS, RAW
from wolkvox_billing.marts.sql import VIEWS, transpiled
from wolkvox_billing.marts.tables import TABLES


def render(dialect: str) -> str:
    """Return the text of an engine's file: each table and view, a statement a line."""
    engine = Engine(dialect, RAW, MARTS)
    sections = ["-- Written by `make views`, of the files one folder up: change those."]
    for kind, names in (("table", TABLES), ("view", VIEWS)):
        for name in names:
            lines = (f"{statement};" for statement in transpiled(name, engine))
            sections.append("\n".join([f"-- {kind} {name}", *lines]))
    return "\n\n".join(sections) + "\n"


if __name__ == "__main__":
    for dialect in DIALECTS:
        Path(__file__).with_name(f"{dialect}.sql").write_text(render(dialect), "utf-8")
