"""notebooks/superset without a Superset: it names columns that the marts have, and what it has
itself; `make test-superset` runs it."""

from __future__ import annotations

from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from builders.local_superset import FILES, read_files
from wolkvox_billing.marts.engine import MARTS
from wolkvox_billing.marts.transpile import describe_columns

DATASETS = read_files("datasets")
CHARTS = read_files("charts")


@pytest.mark.parametrize("name", [*DATASETS])
def test_each_column_and_metric_is_of_its_mart(name: str) -> None:
    """Whoever renames a column of a mart hears of the dashboard."""
    dataset = DATASETS[name]
    assert dataset["schema"] == "wolkvox_billing_marts"
    assert dataset["table_name"] in MARTS
    columns = {column for column, _ in describe_columns(dataset["table_name"])}
    named = {column["column_name"] for column in dataset["columns"]}
    assert named <= columns
    assert dataset["main_dttm_col"] in named
    for metric in dataset["metrics"]:
        tree = sqlglot.parse_one(f"SELECT {metric['expression']}", read="duckdb")
        assert {column.name for column in tree.find_all(exp.Column)} <= columns, metric


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", [*CHARTS])
def test_each_chart_names_what_its_dataset_has(name: str) -> None:
    """Columns, metrics and filters; and it has a title, and units where it has axes."""
    chart = CHARTS[name]
    [dataset] = [each for each in DATASETS.values() if each["uuid"] == chart["dataset_uuid"]]
    columns = {column["column_name"] for column in dataset["columns"]}
    metrics = {metric["metric_name"] for metric in dataset["metrics"]}
    params = chart["params"]
    named = [
        *params.get("all_columns", []), *listed(params.get("groupby", [])),
        *listed(params.get("x_axis", [])), *params.get("column_config", {}),
        *(each["subject"] for each in params["adhoc_filters"]),
        *(each["column"] for each in params.get("conditional_formatting", [])),
    ]  # fmt: skip
    assert set(named) <= columns
    assert {*params.get("metrics", []), *listed(params.get("metric", []))} <= metrics
    assert chart["slice_name"]
    if chart["viz_type"] == "echarts_timeseries_line":
        assert params["x_axis_title"] and params["y_axis_title"]
    if chart["viz_type"] == "heatmap_v2":
        assert "hours" in chart["slice_name"]


def test_the_dashboard_holds_each_chart_once() -> None:
    """By the charts' ids, and its filters are of its datasets."""
    [dashboard] = read_files("dashboards").values()
    cells = [each for each in dashboard["position"].values() if "meta" in each]
    shown = [cell["meta"]["uuid"] for cell in cells if "uuid" in cell["meta"]]
    assert sorted(shown) == sorted(chart["uuid"] for chart in CHARTS.values())
    by_id = {dataset["uuid"]: dataset for dataset in DATASETS.values()}
    for each in dashboard["metadata"]["native_filter_configuration"]:
        [target] = each["targets"]
        columns = [column["column_name"] for column in by_id[target["datasetUuid"]]["columns"]]
        assert target["column"]["name"] in columns


def test_the_connection_reads_no_other_file() -> None:
    """As docs/bi.md says it: read-only, and without access to what is outside of the copy."""
    [database] = read_files("databases").values()
    address = database["sqlalchemy_uri"]
    assert address.endswith("?access_mode=read_only&enable_external_access=false")
    assert address in (FILES.parents[1] / "docs" / "bi.md").read_text("utf-8")
