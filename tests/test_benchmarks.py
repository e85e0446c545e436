"""The benchmarks that compare rows, in their short form: all run, and find equal rows. Not timed.

`python benchmarks/report.py --short` runs them all so.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


ORIGIN = re.compile(
    r"measured at (`[0-9a-f]{7,}`( \+ changes)?|no commit that git knows), "
    r"\d{4}-\d\d-\d\d \d\d:\d\d UTC; load average when it began: [\d., ]+"
)


@pytest.mark.parametrize("name", ["peers", "marts", "invoices"])
def test_short(name: str, tmp_path: Path) -> None:
    """A benchmark that is cut short ends well; it is in the report beside what was kept before."""
    kept, page = tmp_path / "kept", tmp_path / "bench.md"
    kept.mkdir()
    (kept / "loads.txt").write_text("measured long ago\nwas printed\n")
    (kept / "loads.jsonl").write_text('["a load", "1 s", "2 s", "MISSED"]\n')
    (kept / f"{name}.txt").write_text("measured before\nis another now\n")
    command = [sys.executable, BENCHMARKS / "report.py", "--short", "--only", name]
    made = subprocess.run(
        [*command, "--kept", kept, "--to", page], capture_output=True, text=True, cwd=tmp_path
    )
    assert made.returncode == 0, made.stdout + made.stderr
    said = page.read_text()
    assert "| a load | 1 s | 2 s | MISSED |" in said
    assert "\n\nmeasured long ago\n\n```\nwas printed\n```\n" in said
    assert f"\n## {name}\n" in said
    assert said.count("```") == 4
    assert "is another now" not in said
    assert len(ORIGIN.findall(said)) == 1
    assert sorted(one.name for one in kept.iterdir()) == sorted(
        f"{one}.{kind}" for one in ("loads", name) for kind in ("txt", "jsonl")
    )


def test_a_part_that_fails_is_told_and_ends_no_other(tmp_path: Path) -> None:
    """The exit code is 1, the page has both parts, and can be made again without a run."""
    script = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import report
report.BENCHMARKS["invoices"] = ([], ["many"])
report.BENCHMARKS["reconciliation"] = ([], ["2"])
report.main()
"""
    report = [sys.executable, "-c", script, BENCHMARKS, "--kept", "kept", "--short"]
    run = [*report, "--only", "invoices,reconciliation"]
    made = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path)
    assert (made.returncode, made.stderr) == (1, "failed: invoices\n"), made.stdout
    page = tmp_path / "kept" / "bench.md"  # a short page is never that of the long form
    said = page.read_text()
    assert "| invoices | ends well | exit code 1 | FAILED |" in said
    assert "ValueError" in said.split("## invoices")[1]
    assert "honest invoices: 1" in said.split("## reconciliation")[1]
    assert len(ORIGIN.findall(said)) == 2
    assert "Not measured: loads, stages, peers, operations, month, record, marts.\n" in said

    page.unlink()
    subprocess.run([*report, "--parts"], check=True, cwd=tmp_path)
    assert page.read_text() == said


def test_a_part_that_is_killed_stays_as_it_was(tmp_path: Path) -> None:
    """What is printed and found before the end stands beside what is kept."""
    (tmp_path / "marts.txt").write_text("measured long ago\nwas printed\n")
    (tmp_path / "marts.jsonl").write_text("")
    command = [sys.executable, BENCHMARKS / "report.py", "--kept", tmp_path, "--only", "marts"]
    with subprocess.Popen(
        [*command, "--short"], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if "readings" in line:
                os.killpg(process.pid, signal.SIGKILL)
    assert "readings" in (tmp_path / "marts.txt.new").read_text()
    assert (tmp_path / "marts.txt").read_text() == "measured long ago\nwas printed\n"


def test_without_any_part_the_page_stays(tmp_path: Path) -> None:
    """Such as a clone's, whose parts were measured elsewhere."""
    page = tmp_path / "bench.md"
    page.write_text("measured elsewhere")
    command = [sys.executable, BENCHMARKS / "report.py", "--parts"]
    made = subprocess.run(
        [*command, "--kept", tmp_path, "--to", page], capture_output=True, text=True
    )
    assert (made.returncode, made.stderr) == (1, f"no part is kept in {tmp_path}\n")
    assert page.read_text() == "measured elsewhere"


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
