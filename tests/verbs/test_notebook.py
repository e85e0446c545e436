"""The notebook in a real browser, on a DuckDB file, a snapshot of it, and PostgreSQL."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from builders.browser import FLAGS, Browser, ChromiumMissing, running_browser, running_notebook
from builders.evidence import write_evidence
from builders.months import MAP, ONE_PRICE, REPORT, bill, invoice, judged, local
from builders.project import NOON, SERVERS, TOKENS, Project, configure, empty_project, held_open
from fake_wolkvox import Vendor
from wolkvox_billing.errors import WarehouseError
from wolkvox_billing.evidence import verify
from wolkvox_billing.reconciliation.policy import Policy
from wolkvox_billing.verbs import notebook as overview
from wolkvox_billing.verbs.notebook import Source, read_overview
from wolkvox_billing.verbs.publish import publish

MARKUP = (
    "<script>alert(1)</script> **x** <img src='http://evil.example/x' onerror=alert(2)> $y$ "
    "'); DROP TABLE readings; -- \u202ex\x1b[31m"
)
PRINTED = MARKUP.replace("\u202e", "\\u202e").replace("\x1b", "\\x1b")  # what does not print
LINE_MAP = f"{MAP},,*grabaciones*,{REPORT},acme,,quantity\n"
OVERBILLED = (
    "wolkvox billed 1,450 audios; your last reading on 31 Oct 23:50 showed 1,000 audios; "
    "450 audios more than measured (+45.0 %)"
)


def poll_both(project: Project, at: datetime, acme: str, beta: str) -> None:
    """Both operations are polled, and their counters show this."""
    project.vendor.now = at
    for name, items in (("acme", acme), ("beta", beta)):
        row = {"operation": f"<b>{name}</b>", "description": MARKUP if name == "acme" else "B",
               "items": items, "date": f"{at:%Y-%m-%d}"}  # fmt: skip
        project.vendor.answer(TOKENS[name], REPORT, [row])
    assert project.load(measures={REPORT: "month_to_date"}, force=True).is_good


def october(project: Project) -> None:
    """An invoice that bills 450 audios and 5,000 COP too much."""
    poll_both(project, local(1), "10", "4")
    poll_both(project, local(31, 23, 50), "1000", "40")
    bill(project, invoice("1450", "150000.00"))
    judged(project, LINE_MAP, ONE_PRICE)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    try:
        with running_browser(tmp_path_factory.mktemp("downloads")) as running:
            yield running
    except ChromiumMissing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project on DuckDB of two operations that lived through two months."""
    with (
        pytest.MonkeyPatch.context() as patch,
        Vendor(now=NOON, operations=[]) as vendor,
    ):
        for name, token in TOKENS.items():
            vendor.add_operation(name=name.upper(), server=SERVERS[name], token=token)
        project = empty_project(tmp_path_factory.mktemp("notebook"), patch, vendor)
        configure(patch, vendor, "acme", "beta")
        poll_both(project, local(30, 23, 50, month=9), "700", "30")
        october(project)
        publish(project.folder / "snapshot.duckdb", clock=lambda: vendor.now)
        yield project


@pytest.fixture(scope="module")
def address(project: Project) -> Iterator[str]:
    with running_notebook(project.folder, {}) as url:
        yield url


def test_a_month_is_chosen_and_its_numbers_are_the_marts(
    browser: Browser, address: str, project: Project
) -> None:
    """The newest judged month is shown first; another month and operation show theirs. What no
    invoice bills has no bridge."""
    page = browser.open(address, OVERBILLED, "Evidence")
    [(explanation, measured, billed)] = project.query(
        "SELECT explanation, consumed_quantity, billed_quantity "
        "FROM wolkvox_billing_marts.invoice_reconciliation "
        "WHERE operation_id = 'acme' AND billing_period_start = DATE '2026-10-01'"
    )
    assert explanation in page and (measured, billed) == (1000, 1450)
    assert "acme rsync_s3_mp3 2026-10 1,000 1,450 +450 +50,000.00 COP overbilled_quantity" in page
    [bridge] = browser.find("svg[aria-label^='From contract']")
    assert bridge.get_attribute("aria-label") == (
        "From contract to invoice: contracted cost 100,000.00 COP, volume effect +45,000.00 (more),"
        " price effect +5,000.00 (more), billed cost 150,000.00 COP"
    )
    assert "no answer 30 days" in page and "2 of 31 days answered" in page
    browser.choose("2026-09")
    page = browser.until("700 audios were used", without=OVERBILLED)
    assert "2026-09 700" in page and "2026-09 30" in page
    browser.choose("<b>beta</b> (beta)")
    page = browser.until("30 audios were used", without="700 audios were used")
    assert "As of 2026-11-30 12:00 -05" in page
    judged(project, LINE_MAP, ONE_PRICE, at=local(30, 13, month=11))
    browser.press("button", "Refresh")  # what was chosen stays
    browser.until("As of 2026-11-30 13:00 -05", "30 audios", without="700 audios")


def test_the_page_asks_nobody_else(browser: Browser, address: str) -> None:
    """No request leaves the notebook's own address, and the console has no complaint."""
    browser.open(address, OVERBILLED, "Evidence")
    assert browser.hosts() == {address.split("/")[2]}
    assert browser.complaints() == []


def test_what_comes_from_outside_is_text(browser: Browser, address: str) -> None:
    """HTML, markdown, formulas, SQL and marks of direction in a name are shown as they are; nothing
    of them runs."""
    page = browser.open(address, OVERBILLED, "Evidence")
    assert f"acme, {REPORT}, {PRINTED}" in page
    assert browser.find("img[src*='evil']") == browser.find("script", "alert(1)") == []
    [option] = browser.find("select option", "beta")
    assert option.text == "<b>beta</b> (beta)"


def test_the_rows_behind_a_number_are_one_click_away(
    browser: Browser, address: str, project: Project
) -> None:
    """The last reading as received, its call and answer; the invoice's line, its file and hash."""
    page = browser.open(address, OVERBILLED, "Evidence")
    assert "items, as received" not in page
    browser.press("summary", "Where these numbers come from")
    page = browser.until("items, as received\n1000", "date, as received\n2026-10-31")
    [(sha256,)] = project.query(
        "SELECT answer_sha256 FROM polls JOIN readings USING (poll_id) WHERE items_raw = '1000'"
    )
    [file] = (project.folder / "inbox").iterdir()
    assert sha256 in page and "F-1" in page and "1: Grabaciones en S3" in page
    assert hashlib.sha256(file.read_bytes()).hexdigest() in page


def test_the_evidence_is_downloaded(browser: Browser, address: str) -> None:
    """A press writes it, and what is downloaded is what `verify` finds nothing wrong with."""
    browser.open(address, OVERBILLED, "Evidence")
    browser.press("button", "Write the evidence of 2026-10")
    browser.press("a, button", "Download wolkvox-evidence-2026-10.zip")
    assert verify(browser.downloaded("wolkvox-evidence-2026-10.zip")) == []


def test_the_evidences_page_runs_nothing(
    browser: Browser, project: Project, tmp_path: Path
) -> None:
    """Opened in a browser, the report in the evidence shows such a name as it is: no dialog, no
    element of it, and nobody is asked."""
    file = write_evidence(tmp_path, "2026-10", policy=Policy(), clock=lambda: project.vendor.now)
    with zipfile.ZipFile(file) as archive:
        report = Path(archive.extract("report.html", tmp_path))
    page = browser.open(report.as_uri(), OVERBILLED)
    assert PRINTED in page
    assert browser.find("script, img, iframe, object, embed, link, base, form, a") == []
    assert browser.hosts() == {""} and browser.complaints() == []


def test_an_empty_warehouse_says_what_to_do(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vendor: Vendor
) -> None:
    """Without a file, `load`; it can load while the page is open. Without invoices, `invoices`."""
    project = empty_project(tmp_path, monkeypatch, vendor)
    with running_notebook(project.folder, {}) as url:
        browser.open(url, "wolkvox.duckdb yet: run `wolkvox-billing load` first")
        assert project.load().is_good
        browser.press("button", "Refresh")
        browser.until("No invoice is loaded yet: run `wolkvox-billing invoices PATH`")
        browser.until("1 of 30 days answered")
        project.later(hours=1)
        assert project.load().is_good
        assert browser.complaints() == []


def test_a_snapshot_shows_the_same(browser: Browser, project: Project) -> None:
    """What was published is shown without the warehouse; the evidence is written elsewhere."""
    with running_notebook(
        project.folder.parent, {"WOLKVOX_BILLING_SNAPSHOT": str(project.folder / "snapshot.duckdb")}
    ) as url:
        browser.open(url, OVERBILLED, "acme rsync_s3_mp3 2026-10 1,000 1,450 +450", "Evidence")
        browser.press("summary", "Where these numbers come from")
        browser.until("items, as received\n1000", "1: Grabaciones en S3")
        browser.press("button", "Write the evidence of 2026-10")
        browser.until("the evidence is written where the warehouse is")


def test_postgres_shows_the_same(
    browser: Browser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    vendor: Vendor,
    new_database: Callable[[], str],
) -> None:
    """By the settings of the command line, and with evidence."""
    project = empty_project(tmp_path, monkeypatch, vendor)
    configure(monkeypatch, vendor, "acme", "beta")
    project.destination, project.dsn = "postgres", new_database()
    settings = {
        "WOLKVOX_BILLING_DESTINATION": "postgres",
        "DESTINATION__POSTGRES__CREDENTIALS": project.dsn,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    october(project)
    with running_notebook(project.folder, settings) as url:
        page = browser.open(url, OVERBILLED, "Evidence")
        assert (
            "acme rsync_s3_mp3 2026-10 1,000 1,450 +450 +50,000.00 COP overbilled_quantity" in page
        )
        browser.press("button", "Write the evidence of 2026-10")
        browser.until("Download wolkvox-evidence-2026-10.zip")


def test_a_file_that_is_held_is_waited_for(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another program has it open, it is tried again: until it is free, or for so long."""
    source, file = Source(snapshot=str(project.folder / "wolkvox.duckdb")), "wolkvox.duckdb"
    with held_open(project.folder / file), pytest.raises(WarehouseError, match="a load has it now"):
        read_overview(source, patience=0.3)
    refused, is_held = threading.Event(), overview.is_held
    monkeypatch.setattr(overview, "is_held", lambda error: refused.set() or is_held(error))
    with ThreadPoolExecutor() as pool:
        with held_open(project.folder / file):
            reading = pool.submit(read_overview, source, 20)
            assert refused.wait(20)
        assert reading.result().chosen == "2026-10"


def test_only_this_machine_is_served() -> None:
    """`make notebook` runs it by the same words as these tests."""
    makefile = Path(__file__).parents[2] / "Makefile"
    recipe = makefile.read_text().replace("\\\n\t\t", "")
    run = f"$(BIN)/marimo run notebooks/reconciliation.py {' '.join(FLAGS)}"
    assert f"MARIMO_SKIP_UPDATE_CHECK=1 {run}\n" in recipe
