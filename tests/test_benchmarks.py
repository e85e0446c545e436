"""The benchmarks that compare rows, in their short form: all run, and find equal rows. Not timed.

`python benchmarks/report.py --short` runs them all so.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.parametrize("name", ["peers", "marts", "invoices"])
def test_short(name: str, tmp_path: Path) -> None:
    """A benchmark that is cut short ends well, and what it found is in the report."""
    command = [sys.executable, BENCHMARKS / "report.py", "--short", "--only", name]
    made = subprocess.run(
        [*command, "--to", tmp_path / "bench.md"], capture_output=True, text=True, cwd=tmp_path
    )
    assert made.returncode == 0, made.stdout + made.stderr
    page = (tmp_path / "bench.md").read_text()
    assert f"\n## {name}\n" in page
    assert page.count("```") == 2


def test_other_rows_are_noticed(tmp_path: Path) -> None:
    """A result with one count that the vendor did not send, or of another type, ends the run."""
    script = """
import json, sys
sys.path.insert(0, sys.argv[1])
import duckdb
from peers import checked
from standin import StandIn
with StandIn("rows", "3", "1") as vendor:
    for items in ("0.2500", "0.2501", "0.25::DOUBLE"):
        with duckdb.connect("result.duckdb") as db:
            db.execute(
                "CREATE OR REPLACE TABLE usage AS SELECT 'op0' AS operation_id, "
                "'ACME' AS operation, 'Audios 000' || n AS description, DATE '2026-01-01' AS date, "
                "CASE n WHEN 0 THEN " + items + " WHEN 1 THEN 1001.5 ELSE 2002.5 END"
                + ("" if "DOUBLE" in items else "::DECIMAL(18, 4)") + " AS items "
                "FROM range(3) AS rows(n)"
            )
        try:
            checked(vendor.url, 3, 1)
        except AssertionError as error:
            print(json.dumps(str(error)))
        else:
            print(json.dumps("equal"))
"""
    said = subprocess.check_output(
        [sys.executable, "-c", script, BENCHMARKS], text=True, cwd=tmp_path
    )
    equal, other, double = map(json.loads, said.splitlines())
    assert equal == "equal"
    assert "Decimal('0.2501')" in other
    assert "DOUBLE" in double
