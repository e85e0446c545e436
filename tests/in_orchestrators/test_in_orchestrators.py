"""The lines of docs/orchestrators.md in a real Dagster and a real Prefect."""

from __future__ import annotations

import asyncio
import inspect
import re
import runpy
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance, Definitions
from dagster._utils.schedules import schedule_execution_time_iterator
from prefect import Flow
from prefect.server.schemas.schedules import CronSchedule
from prefect.testing.utilities import prefect_test_harness

from builders.project import TOKENS, Project

ROOT = Path(__file__).parents[2]
REFUSAL = "acme rsync_s3_mp3: bad_token"
LinesOf = Callable[[str], dict[str, Any]]
ADVICE = "make a token in wolkvox Manager"


@pytest.fixture
def lines_of(tmp_path: Path) -> LinesOf:
    """Runs the page's lines for a tool as a file of somebody's, and returns what they define."""

    def run(tool: str) -> dict[str, Any]:
        text = (ROOT / "docs" / "orchestrators.md").read_text()
        [code] = re.findall(rf"^## {tool}\n\n```python\n(.*?)```", text, re.S | re.M)
        file = tmp_path / f"{tool.lower()}_lines.py"
        file.write_text(code)
        return runpy.run_path(str(file), run_name=file.stem)

    return run


@pytest.fixture(scope="module")
def prefect() -> Iterator[None]:
    """A Prefect server of this module's own."""
    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def dagster(project: Project, lines_of: LinesOf) -> Iterator[tuple[DagsterInstance, Definitions]]:
    with DagsterInstance.ephemeral() as instance:
        yield instance, lines_of("Dagster")["definitions"]


def materialize(dagster: tuple[DagsterInstance, Definitions]) -> Any:
    instance, definitions = dagster
    job = definitions.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, raise_on_error=False)


def test_dagster_loads(project: Project, dagster: tuple[DagsterInstance, Definitions]) -> None:
    """One run of the asset asks once, loads the answer, and is green."""
    assert materialize(dagster).success
    assert len(project.vendor.calls) == 1
    assert project.query("SELECT COUNT(*) FROM rsync_s3_mp3") == [(1,)]
    assert project.query("SELECT COUNT(*) FROM wolkvox_billing_marts.usage_daily") == [(1,)]


def test_dagster_is_red(project: Project, dagster: tuple[DagsterInstance, Definitions]) -> None:
    """Where wolkvox refuses, the run fails and says who was refused and what to do; the refusal is
    in the tables."""
    project.vendor.misbehave("wrong_token", token=TOKENS["acme"])
    result = materialize(dagster)
    assert not result.success
    [failure] = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    says = failure.event_specific_data.error.cause.message
    assert REFUSAL in says and ADVICE in says
    assert project.query("SELECT outcome FROM polls") == [("bad_token",)]


def test_dagster_asks_before_the_month_ends(lines_of: LinesOf) -> None:
    """The schedule's last two runs of November are at 23:53 and 23:59 in Bogotá."""
    schedule = lines_of("Dagster")["definitions"].resolve_schedule_def("wolkvox")
    start = datetime(2026, 12, 1, 4, 50, tzinfo=timezone.utc).timestamp()
    ticks = schedule_execution_time_iterator(
        start, schedule.cron_schedule, schedule.execution_timezone
    )
    assert [f"{next(ticks):%d %H:%M}" for _ in range(3)] == ["30 23:53", "30 23:59", "01 00:00"]


def test_prefect_loads(project: Project, prefect: None, lines_of: LinesOf) -> None:
    """One run of the flow asks once, loads the answer, and is completed."""
    flow: Flow[[], None] = lines_of("Prefect")["wolkvox_billing"]
    assert flow(return_state=True).is_completed()
    assert len(project.vendor.calls) == 1
    assert project.query("SELECT COUNT(*) FROM rsync_s3_mp3") == [(1,)]


def test_prefect_is_red(project: Project, prefect: None, lines_of: LinesOf) -> None:
    """Where wolkvox refuses, the run fails after its retries, and says who and what to do."""
    project.vendor.misbehave("wrong_token", token=TOKENS["acme"])
    flow: Flow[[], None] = lines_of("Prefect")["wolkvox_billing"]
    assert (flow.retries, flow.retry_delay_seconds) == (2, 60)
    state = flow.with_options(retries=1, retry_delay_seconds=0)(return_state=True)
    assert state.is_failed()
    with pytest.raises(RuntimeError, match=f"{REFUSAL}.*{ADVICE}"):
        asyncio.run(state.aresult())
    assert len(project.query("SELECT * FROM polls")) >= 2  # a retry asks again


def test_prefect_takes_the_schedule(prefect: None, lines_of: LinesOf) -> None:
    """The deployment has both schedules by the vendor's clock, and one run at a time."""
    deployment = lines_of("Prefect")["deployment"]
    if inspect.isawaitable(deployment):
        deployment = asyncio.run(deployment)
    schedules = [each.schedule for each in deployment.schedules]
    assert {each.timezone for each in schedules} == {"America/Bogota"}
    start = datetime(2026, 12, 1, 4, 50, tzinfo=timezone.utc)
    as_asked = CronSchedule(cron=schedules[1].cron, timezone=schedules[1].timezone)
    dates = asyncio.run(as_asked.get_dates(2, start=start))
    assert [f"{date:%d %H:%M}" for date in dates] == ["30 23:53", "30 23:59"]
    assert deployment.concurrency_limit == 1
