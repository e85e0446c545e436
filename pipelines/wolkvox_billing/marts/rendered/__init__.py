"""The statements that make the marts' tables and views, as they are shipped for two engines.

`make views` writes duckdb.sql and postgres.sql of what stands beside this folder, so that no load
has to: sqlglot takes a quarter of a second for them. __raw__ and __marts__ stand for the
schemas, __raw___internal for that of what is nobody's to read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

from wolkvox_billing.marts.engine import Engine

DIALECTS = ("duckdb", "postgres")
RAW, MARTS = "__raw__", "__marts__"


@lru_cache
def text_of(dialect: str) -> str:
    """Return an engine's file, as it is shipped."""
    return (resources.files(__package__) / f"{dialect}.sql").read_text("utf-8")


@lru_cache
def statements_of(engine: Engine) -> Mapping[str, tuple[str, ...]]:
    """Return table or view → the statements that make it, with the engine's names of schemas."""
    text = text_of(engine.dialect).replace(RAW, engine.raw).replace(MARTS, engine.marts)
    sections = re.findall(r"^-- (?:table|view) (\w+)\n(.*?)(?=\n\n|\Z)", text, re.M | re.S)
    return {
        name: tuple(line.removesuffix(";") for line in lines.splitlines())
        for name, lines in sections
    }
