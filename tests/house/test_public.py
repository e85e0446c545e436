"""What `wolkvox_billing` offers to somebody who imports it."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import wolkvox_billing as public

CALLS = [
    "check", "claim", "close", "copy", "count_copies", "documents", "explain",
    "forget_operation", "list_claims", "load", "marts_sql", "merge_operations", "operations",
    "order_evidence", "order_workbook", "poll", "publish", "read_invoices", "reconcile", "refresh",
    "reinstate_document", "rename_operation", "reopen", "restore", "restore_operation",
    "status", "verify", "withdraw_claim", "withdraw_document", "wolkvox_billing",
    "write_dbt_sources",
]  # fmt: skip
ERRORS = ["Refused", "SettingsError", "WarehouseError", "WolkvoxError"]
# What the package itself says of them holds for each call.
SHARED = {"destination", "dataset", "policy", "clock"}
HEAVY = {"dlt", "duckdb", "lxml", "openpyxl", "pyarrow", "requests", "sqlglot", "docx", "rich"}


def modules_after(script: str) -> set[str]:
    """Return the packages that a new Python has imported after a script."""
    process = subprocess.run(
        [sys.executable, "-c", f"{script}\nimport sys; print(*sys.modules)"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in process.stdout.split()}


def test_the_public_names_are_these() -> None:
    """Scripts stand on them: one more is a line here, and none is ever taken away. Each is there,
    and an editor that completes a word sees it; no other name is a call."""
    assert public.__all__ == [*ERRORS, "__version__", *CALLS]
    assert all(callable(getattr(public, name)) for name in (*CALLS, *ERRORS))
    assert set(public.__all__) <= set(dir(public))
    with pytest.raises(AttributeError, match="has no attribute 'invoice'"):
        _ = public.invoice


def test_a_type_checker_sees_what_is_called() -> None:
    """Each call that comes when it is asked for is imported for the type checker too, out of the
    module that it comes from."""
    tree = ast.parse(Path(inspect.getfile(public)).read_text())
    [block] = [n for n in tree.body if isinstance(n, ast.If)]
    seen = {
        alias.asname or alias.name: f"{node.module}:{alias.name}"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {name: f"wolkvox_billing.{where}" for name, where in public._CALLS.items()}


def test_the_docs_list_them() -> None:
    """The page for whoever calls them names each, and none that is not there."""
    page = (Path(__file__).parents[2] / "docs" / "orchestrators.md").read_text("utf-8")
    _, _, calls = page.partition("\n## The calls\n")
    assert re.findall(r"^\| `(\w+)", calls, re.MULTILINE) == CALLS


def test_to_import_it_costs_nothing() -> None:
    """No library comes with the package, and with the call `poll` neither dlt nor a database."""
    assert not HEAVY & modules_after("import wolkvox_billing")
    assert not (HEAVY - {"requests"}) & modules_after("from wolkvox_billing import poll")


@pytest.mark.parametrize("name", CALLS)
def test_a_stranger_can_use_it(name: str) -> None:
    """The docstring says what comes out first, and names each argument that is this call's own."""
    call = getattr(public, name)
    text = inspect.getdoc(call) or ""
    assert re.match("(Return|Yield|Load|Make|Write|Poll)", text), text
    own = set(inspect.signature(call).parameters) - SHARED
    assert [argument for argument in own if not re.search(rf"\b{argument}\b", text)] == []
    assert all(f"\n    {argument} " in (public.__doc__ or "") for argument in SHARED)
