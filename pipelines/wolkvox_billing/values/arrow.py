"""pyarrow, which is imported where an answer is large: it takes 45 MB and 0.1 s."""

from __future__ import annotations

import os
import sys
from typing import Any, TypeAlias

Arrow: TypeAlias = Any  # pyarrow has no types: an array, a table, a type or a module of its
ColumnValues: TypeAlias = list[Any] | Arrow  # a column's values, in a list or in an Arrow array


def pyarrow() -> Arrow:
    """Return the module `pyarrow`. Arrow's own allocator would keep 70 MB of a large answer until
    the process ends, so the system's is used, unless somebody has chosen or imported before."""
    if "pyarrow" not in sys.modules:
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    import pyarrow

    return pyarrow


def compute() -> Arrow:
    """Return the module `pyarrow.compute`."""
    pyarrow()
    from pyarrow import compute as functions

    return functions


def take(column: ColumnValues, places: list[int]) -> ColumnValues:
    """Return the values at these places of a column."""
    if isinstance(column, list):
        return [column[place] for place in places]
    return column.take(pyarrow().array(places, pyarrow().int64()))
