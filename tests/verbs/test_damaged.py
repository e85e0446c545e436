"""A DuckDB file that a kill has torn: each verb says so and leaves it, and `restore` gets back what
is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from builders.loads import REPORT, at, begin, poll, readings
from builders.project import Project
from builders.torn_files import tear
from builders.worlds import once
from wolkvox_billing import SettingsError
from wolkvox_billing.cli.main import main
from wolkvox_billing.errors import WarehouseError
from wolkvox_billing.verbs.load import refresh_marts
from wolkvox_billing.verbs.publish import publish
from wolkvox_billing.verbs.restore import copy, restore
from wolkvox_billing.verbs.status import status

REJECTED = (
    "INSERT INTO wolkvox_billing.rejected_rows "
    "(poll_id, row_number, operation_id, report, raw, reason, read_at, _dlt_load_id, _dlt_id) "
    "VALUES ('p', 1, 'a', 'r', '', '', now(), '1', '1')"
)


@pytest.fixture
def torn(project: Project) -> Path:
    """The file of a record with a reading and a copy of it, which a kill has torn while a rejected
    row was written."""
    once(project, _begin)
    file = project.folder / "wolkvox.duckdb"
    tear(file, REJECTED)
    return file


def _begin(project: Project) -> None:
    begin(project)
    publish("copy.duckdb", clock=lambda: project.vendor.now)


def bytes_of(file: Path) -> list[bytes]:
    return [file.read_bytes(), Path(f"{file}.wal").read_bytes()]


def rejected(project: Project) -> list[tuple[Any, ...]]:
    return project.query("SELECT poll_id FROM rejected_rows")


def test_a_load_into_a_torn_file(project: Project, torn: Path) -> None:
    """What to do is said, and that no new try mends it; the file stays as it is, and answers wait.
    `restore` of the file itself gets all rows back, and the next load takes what waited."""
    before = bytes_of(torn)
    report = poll(project, 7)
    [says] = report.problems
    assert says.startswith("not loaded, kept in the working folder for the next load: the DuckDB")
    assert f"run `wolkvox-billing restore {torn}`" in says
    assert "not lost" in says
    assert (report.may_pass, report.waiting, bytes_of(torn)) == (False, 1, before)
    Path("link.duckdb").symlink_to(torn)
    copied = restore("link.duckdb", clock=lambda: project.vendor.now)
    assert (copied.location, copied.problems) == (str(torn), [])
    assert {name: copied.rows[name] for name in ("polls", "readings", "rejected_rows")} == {
        "polls": 1,
        "readings": 1,
        "rejected_rows": 1,
    }
    assert rejected(project) == [("p",)]
    assert project.query("SELECT count(*) FROM wolkvox_billing_marts.usage_daily") == [(1,)]
    assert poll(project, 9).is_good
    assert readings(project) == [at(1, 5), at(2, 7), at(3, 9)]


def test_whoever_reads_a_torn_file(project: Project, torn: Path) -> None:
    """Each verb that opens the record says the same in one line, ends in 1, and leaves it; nothing
    is put over it."""
    before = bytes_of(torn)
    for verb in (
        status,
        refresh_marts,
        lambda: publish("usage.duckdb"),
        lambda: restore("copy.duckdb"),
        lambda: copy("postgres"),
    ):
        with pytest.raises(WarehouseError, match=f"restore {torn}`"):
            verb()
    for words in (["close", "2026-10", "--by", "ana"], ["documents", "list"], ["sql", "spark"]):
        result = CliRunner().invoke(main, words)
        assert (result.exit_code, result.output.count("\n")) == (1, 1)
        assert f"restore {torn}`" in result.output
    assert bytes_of(torn) == before


def test_a_torn_file_that_was_moved(project: Project, torn: Path) -> None:
    """Out of a torn file that somebody has put elsewhere, with its log, a record comes whole into
    another destination; the file stays as it is."""
    for file in (torn, Path(f"{torn}.wal")):
        file.rename(file.with_name(file.name.replace("wolkvox", "torn")))
    moved = torn.with_name("torn.duckdb")
    before = bytes_of(moved)
    result = CliRunner().invoke(main, ["restore", "torn.duckdb", "--json"])
    assert (result.exit_code, json.loads(result.stdout)["rows"][REPORT]) == (0, 1)
    assert (rejected(project), bytes_of(moved)) == ([("p",)], before)
    with pytest.raises(SettingsError, match="not empty"):
        restore("torn.duckdb")


def test_a_file_that_no_kill_has_damaged(project: Project, torn: Path) -> None:
    """Without its log nobody can tell a tear from other damage: the file stays, and which copy to
    take is said. That copy is put back once the file is elsewhere."""
    Path(f"{torn}.wal").unlink()
    before = torn.read_bytes()
    with pytest.raises(WarehouseError, match=r"Move it elsewhere.*newest copy that `publish` made"):
        restore("wolkvox.duckdb")
    assert torn.read_bytes() == before
    torn.rename(torn.with_name("damaged.duckdb"))
    assert restore("copy.duckdb").rows["readings"] == 1


def test_a_record_that_is_whole(project: Project) -> None:
    """A record that can be read is not restored out of itself."""
    once(project, _begin)
    before = Path("wolkvox.duckdb").read_bytes()
    with pytest.raises(SettingsError, match="is the record itself, and can be read"):
        restore("wolkvox.duckdb")
    assert Path("wolkvox.duckdb").read_bytes() == before
