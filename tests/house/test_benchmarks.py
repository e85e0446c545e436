"""The benchmarks that compare rows, in their short form: all run, and find equal rows. Not timed.

`python benchmarks/report.py --short` runs them all so.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builders.forked import forked_programs
from builders.killing import Stable

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def python(runs: Stable, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Python whose runs need not import everything anew; those that it starts need not either."""
    with forked_programs(runs, "python", "wolkvox-billing") as folder:
        if not any(folder.iterdir()):
            yield Path(sys.executable)
            return
        monkeypatch.setenv("BENCHMARK_PROGRAMS", str(folder))
        yield folder / "python"


ORIGIN = re.compile(
    r"measured at (`[0-9a-f]{7,}`( \+ changes)?|no commit that git knows), "
    r"\d{4}-\d\d-\d\d \d\d:\d\d UTC; load average when it began: [\d., ]+"
)


@pytest.mark.parametrize(
    "name",
    [
        "peers",
        "marts",
        "invoices",
        "settlement",
        "poll",
        "day",
        "staying",
        "loads",
        "stages",
        "record",
        "bucket",
    ],
)
def test_short(name: str, tmp_path: Path, python: Path) -> None:
    """A benchmark that is cut short ends well; it is in the report beside what was kept before."""
    parts, page = tmp_path / "kept", tmp_path / "bench.md"
    parts.mkdir()
    (parts / "month.txt").write_text("measured long ago\nwas printed\n")
    (parts / "month.jsonl").write_text('["a load", "1 s", "0.5 s", "2 s", "MISSED"]\n')
    (parts / f"{name}.txt").write_text("measured before\nis another now\n")
    command = [python, BENCHMARKS / "report.py", "--short", "--only", name]
    process = subprocess.run(
        [*command, "--kept", parts, "--to", page], capture_output=True, text=True, cwd=tmp_path
    )
    assert process.returncode == 0, process.stdout + process.stderr
    text = page.read_text()
    assert "| a load | 1 s | 0.5 s | 2 s | MISSED |" in text
    assert "\n\nmeasured long ago\n\n```\nwas printed\n```\n" in text
    assert f"\n## {name}\n" in text
    assert text.count("```") == 4
    assert "is another now" not in text
    assert len(ORIGIN.findall(text)) == 1
    assert sorted(file.name for file in parts.iterdir()) == sorted(
        f"{file}.{kind}" for file in ("month", name) for kind in ("txt", "jsonl")
    )


def test_a_part_that_fails_is_told_and_ends_no_other(tmp_path: Path, python: Path) -> None:
    """The exit code is 1, the page has both parts, and can be made again without a run."""
    script = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import report
report.BENCHMARKS["invoices"] = ([], ["many"])
report.BENCHMARKS["reconciliation"] = ([], ["2"])
report.main()
"""
    report = [python, "-c", script, BENCHMARKS, "--kept", "kept", "--short"]
    run = [*report, "--only", "invoices,reconciliation"]
    process = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path)
    assert (process.returncode, process.stderr) == (1, "failed: invoices\n"), process.stdout
    page = tmp_path / "kept" / "bench.md"  # a short page is never that of the long form
    text = page.read_text()
    assert "| invoices | ends well |  | exit code 1 | FAILED |" in text
    assert "ValueError" in text.split("## invoices")[1]
    assert "honest invoices: 1" in text.split("## reconciliation")[1]
    assert len(ORIGIN.findall(text)) == 2
    missing = (
        "poll, day, staying, loads, stages, peers, operations, month, record, marts, settlement, "
        "notebook, bucket"
    )
    assert f"Not measured: {missing}.\n" in text

    page.unlink()
    subprocess.run([*report, "--parts"], check=True, cwd=tmp_path)
    assert page.read_text() == text


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


def test_without_any_part_the_page_stays(tmp_path: Path, python: Path) -> None:
    """Such as a clone's, whose parts were measured elsewhere."""
    page = tmp_path / "bench.md"
    page.write_text("measured elsewhere")
    command = [python, BENCHMARKS / "report.py", "--parts"]
    process = subprocess.run(
        [*command, "--kept", tmp_path, "--to", page], capture_output=True, text=True
    )
    assert (process.returncode, process.stderr) == (1, f"no part is kept in {tmp_path}\n")
    assert page.read_text() == "measured elsewhere"


def test_other_rows_are_noticed(tmp_path: Path, python: Path) -> None:
    """A result with one count that the vendor did not send, or of another type, ends the run."""
    script = """
import json, sys
sys.path.insert(0, sys.argv[1])
import duckdb
from peers import check_rows
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
            check_rows(vendor.url, 3, 1)
        except AssertionError as error:
            print(json.dumps(str(error)))
        else:
            print(json.dumps("equal"))
"""
    output = subprocess.check_output([python, "-c", script, BENCHMARKS], text=True, cwd=tmp_path)
    equal, other, double = map(json.loads, output.splitlines())
    assert equal == "equal"
    assert "Decimal('0.2501')" in other
    assert "DOUBLE" in double


def benchmark(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a module of the benchmarks, which see each other as scripts in one folder do."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module(name)


@pytest.mark.parametrize(
    ("number", "at_most", "measured", "says"),
    [
        (0.9, False, "0.90 x (why)", "met, the moonshot too"),
        (1.05, False, "1.05 x (why)", "met"),
        (1.06, False, "1.06 x (why)", "MISSED"),
        (0.95, True, "at most 0.95 x (why)", "met"),
        (1.06, True, "at most 1.06 x (why)", "not known"),
    ],
)
def test_a_number_is_held_against_its_aim(
    number: float,
    at_most: bool,
    measured: str,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each finding says the aim, the moonshot, what was measured, and whether it is met."""
    findings = benchmark("findings", monkeypatch)
    file = tmp_path / "findings.jsonl"
    monkeypatch.setenv("BENCHMARK_FINDINGS", str(file))
    findings.hold("work", findings.Aim(1.05, 0.9), number, " (why)", at_most=at_most)
    assert json.loads(file.read_text()) == ["work", "1.05 x at most", "0.9 x", measured, says]


def test_a_command_is_cut_off_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It and its children are gone after the seconds that it may take; who is quick is not."""
    measured = benchmark("measured", monkeypatch)
    assert measured.run(["true"], tmp_path, {}, longest=30).wall < 30
    with pytest.raises(measured.CutOff, match=r"^cut off after 0\.5 s$"):
        measured.run(["bash", "-c", "sleep 60 & echo $!; wait"], tmp_path, {}, longest=0.5)
    child = Path("/proc", (tmp_path / "output").read_text().strip(), "stat")
    until = time.monotonic() + 10
    while child.exists() and child.read_text().split()[2] != "Z":  # not buried yet
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_plain_install_of_other_sources_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is measured is what stands here; without a plain install that is told."""
    plain = benchmark("plain", monkeypatch)
    monkeypatch.delenv("BENCHMARK_PLAIN", raising=False)
    monkeypatch.delenv("BENCHMARK_PROGRAMS", raising=False)
    monkeypatch.setattr(plain, "FOLDER", tmp_path / "plain")
    monkeypatch.setattr(plain, "ROOT", tmp_path)
    plain.tell()
    assert "no plain install" in capsys.readouterr().out
    assert plain.python() == Path(sys.executable)

    installed = tmp_path / "plain" / "lib" / "python3" / "site-packages"
    for folder in (installed / "wolkvox_billing", tmp_path / "pipelines" / "wolkvox_billing"):
        folder.mkdir(parents=True)
        (folder / "poll.py").write_text("it asks")
    (installed / "dlt-1.31.0.dist-info").mkdir()
    (tmp_path / "plain" / "bin").mkdir()
    (tmp_path / "plain" / "bin" / "wolkvox-billing").touch()
    plain.tell()
    assert capsys.readouterr().out == "in a plain install: dlt 1.31.0\n"
    assert plain.program() == tmp_path / "plain" / "bin" / "wolkvox-billing"

    (tmp_path / "pipelines" / "wolkvox_billing" / "poll.py").write_text("it asks twice")
    with pytest.raises(SystemExit, match=r"of other sources, see poll\.py"):
        plain.tell()
    monkeypatch.setenv("BENCHMARK_PLAIN", "no")
    plain.tell()
