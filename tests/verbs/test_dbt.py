"""The verb `dbt`: what sources.yml says; tests/in_dbt has dbt read it."""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

import wolkvox_billing
from builders.documents import declared, line, ubl
from builders.loads import begin
from builders.project import Project
from wolkvox_billing.cli.main import main
from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.marts.engine import MARTS, STAR
from wolkvox_billing.verbs.dbt import known_tables, write_dbt_sources
from wolkvox_billing.verbs.invoices import invoices
from wolkvox_billing.warehouse.columns import Table

pytestmark = pytest.mark.usefixtures("kept_open")
RAW = ["polls", "readings", "rejected_rows", "rsync_s3_mp3"]


def sources_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Return each source that is written in a folder, its tables by their names."""
    read = yaml.load((folder / "sources.yml").read_text(), Loader=yaml.CSafeLoader)
    assert read["version"] == 2
    return {
        source["name"]: {
            **source,
            "tables": {table["name"]: table for table in source["tables"]},
        }
        for source in read["sources"]
    }


def test_each_table_that_is_there_is_a_source(project: Project) -> None:
    """The raw tables and all marts, with the words of the code, and whose keys are tested; what is
    not there yet, such as invoices, is not in it, and is once it is there."""
    begin(project)
    written = write_dbt_sources("models")
    sources = sources_of(Path("models"))
    assert list(sources) == ["wolkvox_billing", "wolkvox_billing_marts", "wolkvox_billing_bi"]
    assert sources["wolkvox_billing_marts"]["schema"] == "wolkvox_billing_marts"
    polls = sources["wolkvox_billing"]["tables"]["polls"]
    assert polls["description"].startswith("One row per call to the vendor")
    [key] = [column for column in polls["columns"] if column["name"] == "poll_id"]
    assert key["data_tests"] == ["not_null"]
    assert polls["data_tests"][0]["unique"]["arguments"] == {"column_name": "poll_id"}
    assert polls["config"]["freshness"]["error_after"] == {"count": 6, "period": "hour"}
    monthly = sources["wolkvox_billing_marts"]["tables"]["usage_monthly"]
    [product] = [column for column in monthly["columns"] if column["name"] == "consumed_quantity"]
    assert product["description"].startswith("What was used; NULL where nobody knows")
    assert written.tables == {
        "wolkvox_billing": RAW, "wolkvox_billing_marts": [*MARTS], "wolkvox_billing_bi": [*STAR],
    }  # fmt: skip
    (project.folder / "a.xml").write_bytes(declared(ubl(line(), number="F-2")))
    invoices(["a.xml"])
    again = write_dbt_sources("models")
    papers = ["invoice_documents", "invoice_lines", "rejected_documents"]
    assert again.tables["wolkvox_billing"] == [*RAW, *papers]


@pytest.mark.usefixtures("tables")
def test_it_is_the_same_on_each_engine_and_each_time(warehouse: Project) -> None:
    """The same tables give the same bytes: it can be kept in git, and a change is a change."""
    first = write_dbt_sources("a", destination=warehouse.destination).path.read_bytes()
    assert write_dbt_sources("a", destination=warehouse.destination).path.read_bytes() == first
    for table in sources_of(Path("a"))["wolkvox_billing"]["tables"].values():
        assert all(column["description"] for column in table["columns"])


@pytest.mark.usefixtures("tables")
def test_a_key_is_of_the_columns_that_are_there(project: Project) -> None:
    """Each mart is known by columns that it has."""
    write_dbt_sources()
    sources = sources_of(project.folder)
    marts = sources["wolkvox_billing_marts"]["tables"] | sources["wolkvox_billing_bi"]["tables"]
    assert list(marts) == [*MARTS, *STAR]
    for name, table in marts.items():
        text = table["data_tests"][0]["unique"]["arguments"]["column_name"]
        columns = {column["name"] for column in table["columns"]}
        named = {word for word in columns if f"cast({word} " in text or word == text.strip('"')}
        assert len(named) == max(text.count("cast("), 1), name


@pytest.mark.usefixtures("tables")
def test_a_file_of_somebody_else_stays(project: Project) -> None:
    """Where sources.yml was written by a person, or is a folder, it is named, and stays."""
    Path("sources.yml").write_text("version: 2\n")
    with pytest.raises(SettingsError, match="was not written by `wolkvox-billing dbt`"):
        write_dbt_sources()
    assert Path("sources.yml").read_text() == "version: 2\n"
    Path("models/sources.yml").mkdir(parents=True)
    with pytest.raises(SettingsError, match="name another folder"):
        write_dbt_sources("models")


def test_no_table_is_left_out() -> None:
    """Whatever module describes a table: it is a source, and is in docs/tables.md, which asks the
    same list."""
    for module in pkgutil.walk_packages(wolkvox_billing.__path__, "wolkvox_billing."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    modules = [m for name, m in sys.modules.items() if name.startswith("wolkvox_billing")]
    values = [value for module in modules for value in vars(module).values()]
    values += [each for value in values if isinstance(value, dict) for each in value.values()]
    described = {value.says for value in values if isinstance(value, Table)}
    assert {table.says for table in known_tables([]).values()} == described
    assert len(described) >= 9


def test_before_anything_is_loaded(project: Project) -> None:
    """It says what to do, and writes nothing."""
    with pytest.raises(WarehouseError, match="wolkvox-billing load"):
        write_dbt_sources("models")
    assert not Path("models").exists()


@pytest.mark.usefixtures("tables")
def test_the_command_says_what_it_wrote(project: Project) -> None:
    """A line for each source with its tables, and the file's name."""
    result = CliRunner().invoke(main, ["dbt", "--out", "models"])
    first, second, third, last = result.output.splitlines()
    assert first.startswith("wolkvox_billing: polls, readings, rejected_rows, rsync_s3_mp3")
    assert second.startswith("wolkvox_billing_marts: usage_daily, ")
    assert third.startswith("wolkvox_billing_bi: dim_operation, ")
    assert (last, result.exit_code) == ("written: models/sources.yml", 0)
