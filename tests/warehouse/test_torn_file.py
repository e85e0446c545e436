"""A DuckDB file that a kill has torn: nothing that was committed is lost, and other damage is not
taken for it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from builders.torn_files import HEADERS, PAGE, tear
from wolkvox_billing.errors import WarehouseError
from wolkvox_billing.warehouse.torn_file import is_damaged, mend, mended_copy

INSERT = "INSERT INTO readings SELECT range, 'Audios ' || range FROM range(300, 350)"
DROP = "DROP TABLE other"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of two tables, written out three times."""
    file = tmp_path / "record's.duckdb"
    for start in (0, 100, 200):
        with closing(duckdb.connect(str(file))) as db:
            db.execute("CREATE TABLE IF NOT EXISTS readings (id BIGINT, description VARCHAR)")
            db.execute("CREATE TABLE IF NOT EXISTS other AS FROM range(7)")
            db.execute(
                "INSERT INTO readings SELECT range, 'Audios ' || range "
                f"FROM range({start}, {start + 100})"
            )
    return file


def rows(file: Path) -> list[tuple[int, int]]:
    with closing(duckdb.connect(str(file))) as db:
        return db.execute("SELECT count(*), sum(id)::INT FROM readings").fetchall()


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_a_torn_file_is_mended(file: Path, pages: int) -> None:
    """What DuckDB does not open any more has all rows after it is mended, those of the log too, and
    nothing is left beside it."""
    tear(file, INSERT, pages=pages)
    assert is_damaged(file)
    with pytest.raises(duckdb.Error, match="Corrupt database file"):
        duckdb.connect(str(file))
    contents = mend(file)
    assert {table.name: content.rows for table, content in contents.items()} == {
        "other": 7,
        "readings": 350,
    }
    assert not is_damaged(file)
    assert rows(file) == [(350, sum(range(350)))]
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_copy_of_it_is_whole(file: Path) -> None:
    """A copy is whole by itself, and the torn file stays as it is."""
    tear(file, INSERT, DROP)
    before = bytes_of(file.parent)
    with mended_copy(file) as mended:
        assert rows(mended.copy) == [(350, sum(range(350)))]
        assert [table.name for table in mended.contents] == ["readings"]
    assert bytes_of(file.parent) == before


def _without_log(file: Path) -> None:
    tear(file, INSERT)
    Path(f"{file}.wal").unlink()


def _in_the_header(file: Path) -> None:
    tear(file, INSERT)
    _flip(file, PAGE + 100)


def _in_the_rows(file: Path) -> None:
    """A bit is another one where rows are, beside a log: no kill does that."""
    with closing(duckdb.connect(str(file))) as db:
        query = "SELECT block_id FROM pragma_storage_info('readings') WHERE block_id >= 0"
        [block] = {block for (block,) in db.execute(query).fetchall()}
        db.execute(INSERT)
        content, log = file.read_bytes(), Path(f"{file}.wal").read_bytes()
    file.write_bytes(content)
    Path(f"{file}.wal").write_bytes(log)
    _flip(file, HEADERS + block * 262_144 + 1000)


def _in_the_log(file: Path) -> None:
    tear(file, INSERT)
    log = Path(f"{file}.wal")
    _flip(log, log.stat().st_size // 2)


def _flip(file: Path, place: int) -> None:
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("damage", [_without_log, _in_the_header, _in_the_rows, _in_the_log])
def test_other_damage_is_not_hidden(file: Path, damage: object) -> None:
    """Damage that no kill does, or that nobody can tell from it, stays, and what to do is said."""
    assert callable(damage)
    damage(file)
    before = bytes_of(file.parent)
    assert is_damaged(file)
    with pytest.raises(WarehouseError, match=r"damaged, and not only as a kill leaves it \(.*copy"):
        mend(file)
    assert bytes_of(file.parent) == before


def test_a_whole_file_is_not_torn(file: Path) -> None:
    """A file that can be read is not torn; nor is one that is no database, or is locked."""
    assert not is_damaged(file)
    text = file.with_name("text.duckdb")
    text.write_text("no database")
    assert not is_damaged(text)
