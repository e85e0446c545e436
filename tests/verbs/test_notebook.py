"""The notebook in a real browser, on a desktop's screen and on a phone, in English and Spanish;
and what it reads from a DuckDB file, a snapshot of it, and PostgreSQL.

One server and one browser see all of it: a test puts another file, or other settings, in the place
of the story's.
"""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from builders.browser import (
    DESKTOP,
    FLAGS,
    PHONE,
    Browser,
    ChromiumMissing,
    running_browser,
    running_notebook,
)
from builders.project import NOON, SERVERS, TOKENS, Project, configure, empty_project, held_open
from builders.record import with_tables
from builders.screen_story import NOW, PRINTED, tell_story
from fake_wolkvox import Vendor
from wolkvox_billing.errors import SettingsError, WarehouseError
from wolkvox_billing.evidence import verify
from wolkvox_billing.screen.cards import deadline_card, render_cards
from wolkvox_billing.verbs import notebook
from wolkvox_billing.verbs.load import refresh_marts
from wolkvox_billing.verbs.notebook import Source, Trails, read_month, read_overview

OCTOBER = "October 2026"
ASKED, ASKED_ES = "2,000,000.00", "2.000.000,00"  # what October's documents ask for
SENTENCE = "wolkvox billed 13,400 audios"
CHARTS = 5  # a counter, a bridge, coverage, the months in two currencies
MARTS = "wolkvox_billing_marts"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    try:
        with running_browser(tmp_path_factory.mktemp("downloads")) as running:
            yield running
    except ChromiumMissing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project on DuckDB that lived through the story."""
    with (
        pytest.MonkeyPatch.context() as patch,
        Vendor(now=NOON, operations=[]) as vendor,
    ):
        for name, token in TOKENS.items():
            vendor.add_operation(name=name.upper(), server=SERVERS[name], token=token)
        project = empty_project(tmp_path_factory.mktemp("notebook"), patch, vendor)
        configure(patch, vendor, "acme", "beta")
        tell_story(project)
        yield project


@pytest.fixture(scope="module")
def address(project: Project) -> Iterator[str]:
    with running_notebook(project.folder, {}, NOW) as url:
        yield url


@contextmanager
def speaking(project: Project, language: str) -> Iterator[None]:
    """The settings say so for the block."""
    file = project.folder / ".dlt" / "config.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'[reconciliation]\nlanguage = "{language}"\n')
    try:
        yield
    finally:
        file.unlink()


def show(
    browser: Browser,
    address: str,
    *texts: str,
    month: str = OCTOBER,
    size: tuple[int, int] = DESKTOP,
) -> None:
    """See a month of all operations, in English, with these texts; October with what it asks for,
    and another one without. It is the page that was opened before, since to open one takes seconds,
    and to draw it anew half of one: a test goes on where the one before has ended."""
    browser.resize(size)
    if browser.driver.current_url != address:
        browser.open(address, ASKED)
    if not ("What was billed" in browser.text() and browser.find("option", OCTOBER)):
        browser.press("button", "↻")
        browser.until("What was billed")
    browser.choose("all operations")
    browser.choose(month)
    if month == OCTOBER:
        browser.until(ASKED, *texts)
    else:
        browser.until(*texts, without=ASKED)


def click(browser: Browser, row: str, *texts: str) -> None:
    """See what a click on a row opens; a second one would close it."""
    if not all(text in browser.text() for text in texts):
        browser.press("td", row)
        browser.until(*texts)


def test_an_empty_warehouse_says_what_to_do(
    browser: Browser,
    address: str,
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    vendor: Vendor,
) -> None:
    """Without a file, `load`, which can go on while the page is open. Without invoices,
    `invoices`."""
    browser.resize(DESKTOP)
    file, aside = project.folder / "wolkvox.duckdb", project.folder / "aside"
    file.rename(aside)
    try:
        browser.open(address, "wolkvox.duckdb yet: run wolkvox-billing load first")
        browser.picture("no-file")
        other = empty_project(tmp_path, monkeypatch, vendor)
        with_tables(other)
        refresh_marts(clock=lambda: NOW)
        (other.folder / "wolkvox.duckdb").rename(file)
        browser.press("button", "↻")
        browser.until("No invoice is loaded yet: run wolkvox-billing invoices PATH")
        browser.picture("no-invoice")
        assert browser.complaints() == []
    finally:
        aside.replace(file)


def test_the_first_screen_answers(browser: Browser, address: str, project: Project) -> None:
    """Cards equal the mart, to the cent; the newest judged month is shown; nothing is wider than
    the screen, nobody else is asked, and the console has no complaint."""
    browser.resize(DESKTOP)
    if browser.driver.current_url == address:  # opened before there was anything
        browser.press("button", "↻")
        browser.until(ASKED, "overbilled quantity")
    else:
        browser.open(address, ASKED, "overbilled quantity")
    [sums] = project.query(
        "SELECT sum(payable_amount), sum(agreed_amount), sum(questioned_amount), "
        f"sum(claimed_amount) FROM {MARTS}.invoice_settlement "
        "WHERE billing_period_start = DATE '2026-10-01'"
    )
    names = ("asked", "agreed", "questioned", "claimed")
    money = [f"{name} {amount:,.2f} COP" for name, amount in zip(names, sums, strict=True)]
    assert browser.cards() == [*money, "deadline 2 days", "coverage 27 / 31", "state ○ open"]
    assert money[0] == "asked 2,000,000.00 COP" and money[1] == "agreed 1,591,300.00 COP"
    browser.until("verdicts-2026-10.csv")  # the last of the page
    browser.await_rest()
    assert len(browser.find(".vega-embed canvas, .vega-embed svg.marks")) == CHARTS
    assert browser.overhang() <= 0
    assert browser.hosts() == {address.split("/")[2]}
    browser.picture("desktop")
    assert browser.complaints() == []


def test_a_row_that_is_clicked_opens_its_trail(
    browser: Browser, address: str, project: Project
) -> None:
    """A verdict's: its sentence, its parts, the last reading as received with its call and answer,
    its lines with their files. A document's: its parts, and its file."""
    show(browser, address)
    browser.press("td", "overbilled quantity")
    page = browser.until("items, as received\n12400", SENTENCE)
    [(answer, poll)] = project.query(
        "SELECT answer_sha256, poll_id FROM polls JOIN readings USING (poll_id) "
        "WHERE items_raw = '12400'"
    )
    [(file_name, file_sha256)] = project.query(
        "SELECT file_name, file_sha256 FROM invoice_documents WHERE document_number = 'F-101'"
    )
    assert {answer, file_sha256} <= set(page.split()) and f"{poll}: ok" in page
    assert f"{file_name}\n" in page and "1: Consumo Ventas Norte" in page
    browser.picture("trail", is_whole=True)
    browser.resize(DESKTOP)
    browser.press("td", "invoice F-101")
    browser.until("invoice F-101 ▲ claim", "CUFE", "Cargo plataforma")
    assert browser.complaints() == []


def test_another_month_and_operation_show_theirs(browser: Browser, address: str) -> None:
    """September has two currencies, each with its own cards, and is closed; a refresh leaves what
    was chosen."""
    show(browser, address)
    click(browser, "invoice F-101", "CUFE")
    click(browser, "overbilled quantity", SENTENCE)
    browser.choose("September 2026")
    browser.until("1,130,000.00", "75.00", without=ASKED)
    assert browser.cards() == [
        "asked 1,130,000.00 COP", "agreed 1,130,000.00 COP", "questioned 0.00 COP",
        "claimed 0.00 COP", "asked 75.00 USD", "agreed 75.00 USD", "questioned 0.00 USD",
        "claimed 0.00 USD", "deadline \u2013", "coverage 30 / 30", "state ● closed",
    ]  # fmt: skip
    browser.until("by Ana Torres, 4 Nov 2026", without="CUFE")
    browser.picture("closed")
    browser.press("td", "invoice F-91")  # where those of October were clicked
    browser.until("invoice F-91 ● pay", "CUFE")
    browser.press("td", "matched")
    browser.until("acme · rsync_s3_mp3 · 2026-09")
    browser.choose("Soporte (beta)")
    browser.until("75.00", without="1,130,000.00")
    browser.press_and_run("button", "↻")
    browser.until("75.00", "September 2026", without="1,130,000.00")


def test_a_month_that_has_begun_is_not_judged(
    browser: Browser, address: str, project: Project
) -> None:
    """Nothing is billed for it, which is no 0; what was not read is counted of the days so far; and
    what it will cost is the forecast's."""
    show(browser, address, "No document bills this month.", month="November 2026")
    assert browser.cards()[:4] == [
        f"{key} \u2013" for key in ("asked", "agreed", "questioned", "claimed")
    ]
    [(expected,)] = project.query(f"SELECT sum(expected_cost) FROM {MARTS}.forecast")
    ahead = f"forecast {expected:,.2f} COP"
    assert browser.cards()[-3:] == ["coverage 3 / 4", ahead, "state ○ open"]
    browser.picture("open", is_whole=True)


def test_what_comes_from_outside_is_text(browser: Browser, address: str) -> None:
    """HTML, markdown, formulas, SQL and marks of direction in a name are shown as they are; nothing
    of them runs."""
    show(browser, address, "usage not invoiced", month="August 2026")
    browser.press("td", "usage not invoiced")
    browser.until(PRINTED)
    assert browser.find("img[src*='evil']") == browser.find("script", "alert(1)") == []
    assert browser.hosts() == {address.split("/")[2]}


def test_a_phone_has_all_of_it(browser: Browser, address: str) -> None:
    """Nothing is cut off or wider than the screen: cards, controls, tables, charts."""
    show(browser, address, size=PHONE)
    browser.await_rest()
    assert browser.overhang() <= 0
    assert browser.beyond(".card, select, button") == []
    browser.picture("phone")
    browser.picture("phone-whole", is_whole=True)
    assert browser.complaints() == []


def test_a_dark_page_is_dark(browser: Browser, address: str) -> None:
    """Where the system is dark, so is the page."""
    show(browser, address)
    browser.resize(DESKTOP, is_dark=True)
    [card, *_] = browser.find_some(".dark .card")
    assert card.value_of_css_property("color-scheme") == "dark"
    browser.picture("dark")
    browser.picture("dark-whole", is_whole=True)


def test_spanish_is_spanish(browser: Browser, address: str, project: Project) -> None:
    """Texts, statuses, months and numbers are the locale's, on both screens."""
    with speaking(project, "es_CO"):
        show(browser, address)
        browser.press("button", "↻")
        browser.until(ASKED_ES, "octubre de 2026", "Lo facturado y lo usado", "2 días",
                      "cantidad facturada de más", without="Write the workbook")  # fmt: skip
        assert browser.cards()[:2] == ["asked 2.000.000,00 COP", "agreed 1.591.300,00 COP"]
        browser.picture("spanish")
        browser.picture("spanish-whole", is_whole=True)
        browser.resize(PHONE)
        browser.await_rest()
        assert browser.overhang() <= 0 and browser.complaints() == []
        browser.picture("spanish-phone")


def test_files_are_written_and_downloaded(browser: Browser, address: str) -> None:
    """Sheets, workbook, evidence, and the letters of a claim with the evidence that they name."""
    show(browser, address, "verdicts-2026-10.csv")
    browser.press("a, button", "verdicts-2026-10.csv")
    text = browser.downloaded("verdicts-2026-10.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["billed"] for row in rows] == ["13400", "3100"]
    browser.press("button", "Write the workbook")
    browser.press("a, button", "wolkvox-2026-10.xlsx")
    assert openpyxl.load_workbook(browser.downloaded("wolkvox-2026-10.xlsx")).sheetnames
    browser.press("button", "Write the evidence")
    browser.press("a, button", "wolkvox-evidence-2026-10.zip")
    assert verify(browser.downloaded("wolkvox-evidence-2026-10.zip")) == []
    browser.press("button", "Claim, and write the letters")
    browser.press("a, button", "claim-2026-10-F-101.docx")
    assert browser.downloaded("claim-2026-10-F-101.docx").read_bytes().startswith(b"PK")


def test_a_deadline_is_counted_in_days(project: Project) -> None:
    """Of what is neither paid nor claimed yet, by the earliest that is ahead; one that is over is
    told as such."""
    month = month_of(Source(snapshot=str(project.folder / "snapshot.duckdb")), "2026-10")
    days = {4: "2 days", 6: "today", 9: "\u22123 days"}
    for day, value in days.items():
        card = deadline_card(month, NOW.replace(day=day))
        assert (day, card.value) == (day, value) and card.note.startswith("F-101")
    claimed = frozenset(each.document.document_id for each in month.settled)
    card = deadline_card(replace(month, claimed=claimed), NOW)
    assert (card.value, card.note) == ("\u2013", "no document waits for a claim")
    assert "<dt>" in render_cards(month, NOW)


def month_of(source: Source, month: str, operation: str | None = None) -> notebook.Month:
    return read_month(source, read_overview(source), month, operation)


def test_a_snapshot_shows_the_same(project: Project) -> None:
    """What was published is shown without the warehouse; files are written elsewhere."""
    own, copied = Source(), Source(snapshot=str(project.folder / "snapshot.duckdb"))
    month = month_of(copied, "2026-09", "acme")
    # A claim that was made since is in none of what was published before.
    assert month == replace(month_of(own, "2026-09", "acme"), claimed=month.claimed)
    [row] = month.verdicts
    trail = Trails(copied).read(row)
    assert trail == Trails(own).read(row) and trail.measured_from and trail.billed_from
    for write in (notebook.write_evidence, notebook.write_workbook, notebook.write_claim):
        with pytest.raises(SettingsError, match="written where the warehouse is"):
            write(copied, "2026-09")


def test_postgres_shows_the_same(
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    vendor: Vendor,
    new_database: Callable[[], str],
) -> None:
    """By the settings of the command line."""
    on_duckdb = month_of(Source(snapshot=str(project.folder / "snapshot.duckdb")), "2026-10")
    other = empty_project(tmp_path, monkeypatch, vendor)
    configure(monkeypatch, vendor, "acme", "beta")
    other.destination, other.dsn = "postgres", new_database()
    monkeypatch.setenv("WOLKVOX_BILLING_DESTINATION", "postgres")
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", other.dsn)
    tell_story(other)
    source = notebook.source_by_environment()
    month = month_of(source, "2026-10")
    assert source.destination == "postgres" and month.settled and month.counters
    for part in ("settled", "verdicts", "coverage", "counters", "zones"):
        assert getattr(month, part) == getattr(on_duckdb, part)
    [usage] = [notebook.read_usage(source, month, c) for c in month.counters if c[0] == "acme"]
    assert usage and usage.measure == "month_to_date" and len(usage.readings) == 28


def test_a_file_that_is_held_is_waited_for(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another program has it open, it is tried again: until it is free, or for so long."""
    source, file = Source(snapshot=str(project.folder / "wolkvox.duckdb")), "wolkvox.duckdb"
    with held_open(project.folder / file), pytest.raises(WarehouseError, match="a load has it now"):
        read_overview(replace(source, patience=0.3))
    refused, is_held = threading.Event(), notebook.is_held
    monkeypatch.setattr(notebook, "is_held", lambda error: refused.set() or is_held(error))
    with ThreadPoolExecutor() as pool:
        with held_open(project.folder / file):
            reading = pool.submit(read_overview, replace(source, patience=20))
            assert refused.wait(20)
        assert reading.result().chosen == "2026-10"


def test_only_this_machine_is_served() -> None:
    """`make notebook` runs it by the same words as these tests."""
    makefile = Path(__file__).parents[2] / "Makefile"
    recipe = makefile.read_text().replace("\\\n\t\t", "")
    run = f"$(BIN)/marimo run notebooks/reconciliation.py {' '.join(FLAGS)}"
    assert f"MARIMO_SKIP_UPDATE_CHECK=1 {run}\n" in recipe
