"""How fast the notebook is in a browser: its first view, and the change of a month.

    python benchmarks/notebook.py [--operations 12] [--products 10] [--months 36]

Each product of each operation has a counter that is read once a day, and a line in the month's
document of its operation; one line in twelve bills a tenth too much. All of it is written straight
into the tables and judged by `reconcile`. What is measured is what a person waits for in Chromium:
from the address to the cards and the table of verdicts, and from a choice to the other month's.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

import duckdb
from findings import note
from history import (
    FILE,
    LINE_MAP,
    NEWEST,
    RATE_CARD,
    make_tables,
    scratch,
    settle_marts,
    start_anew,
)
from settlement import POLLS

from wolkvox_billing.verbs.reconcile import reconcile

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from builders.browser import DESKTOP, Browser, running_browser, running_notebook

REPORT = "rsync_s3_mp3"
NOW = datetime(2026, 11, 30, 17, tzinfo=timezone.utc)
FIRST, CHANGE = 3.0, 1.0  # seconds that they may take
MONTHS = ["September 2026", "August 2026", "July 2026", "June 2026", "May 2026"]
PATIENCE, MOST = 60, 120  # seconds; counters that the aim is of

READINGS = """
    CREATE TEMP TABLE counters AS SELECT
        o, p, m, 'op-' || o AS operation_id, 'PRODUCT ' || p AS description,
        (DATE '2026-11-01' - INTERVAL (m + 1) MONTH)::DATE AS period_start,
        (DATE '2026-11-01' - INTERVAL (m) MONTH)::DATE AS period_end,
        (1000 + (o * 37 + p * 7 + m * 101) % 9000)::DECIMAL(18, 4) AS used
    FROM range({operations}) AS operations(o), range({products}) AS products(p),
        range({months}) AS months(m);
    CREATE TEMP TABLE moments AS SELECT
        *, read_date + INTERVAL '28 hours 55 minutes' AS read_at -- 23:55 in the vendor's zone
    FROM (
        SELECT *, unnest(generate_series(period_start, period_end - INTERVAL 1 DAY,
            INTERVAL 1 DAY))::DATE AS read_date
        FROM counters
    );
    CREATE TEMP TABLE filling AS SELECT
        strftime(read_at, '%Y%m%dT%H%M%S.000000Z-') || left(md5(operation_id), 12) AS poll_id,
        '{report}' AS report, p + 1 AS row_number, operation_id,
        upper(operation_id) AS operation, description, read_date AS date,
        CASE read_date WHEN (period_end - INTERVAL 1 DAY)::DATE THEN used
            ELSE floor(used * (read_date - period_start + 1) / (period_end - period_start)) END
            AS items,
        'as it came' AS items_raw, 'as it came' AS date_raw, read_at::TIMESTAMPTZ AS read_at,
        epoch(read_at)::BIGINT AS read_epoch, read_date,
        1::BIGINT AS days_in_answer, FALSE AS is_repeated
    FROM moments;
    INSERT INTO wolkvox_billing.readings BY NAME
        SELECT *, 'made' AS _dlt_load_id, poll_id || row_number AS _dlt_id FROM filling;
    DELETE FROM filling WHERE row_number > 1;
"""
LINES = """
    CREATE TEMP TABLE lines AS SELECT
        *, CASE (o + p + m) % 12 WHEN 0 THEN floor(used * 1.1) ELSE used END AS quantity
    FROM counters;
    INSERT INTO wolkvox_billing.invoice_lines BY NAME SELECT
        md5(o || '-' || m) AS document_id, p + 1 AS line_number,
        'Consumo ' || description || ' operación ' || o AS description, quantity,
        quantity * 100 AS net_amount, quantity * 19 AS tax_amount, 'COP' AS billing_currency,
        'made' AS _dlt_load_id, o || '-' || m || '-' || p AS _dlt_id
    FROM lines;
    INSERT INTO wolkvox_billing.invoice_documents BY NAME SELECT
        document_id, '900123456' AS supplier_id, 'invoice' AS document_kind,
        'FE-' || (o * 1000 + m) AS document_number, period_end AS issue_date,
        period_start, period_end, 'document' AS period_source, 'COP' AS billing_currency,
        net AS net_amount, tax AS tax_amount, net + tax AS payable_amount, FALSE AS is_test,
        'ubl' AS format, document_id || '.xml' AS file_name, now() AS read_at,
        'made' AS _dlt_load_id, document_id AS _dlt_id
    FROM (SELECT DISTINCT o, m, period_start, period_end FROM counters) INNER JOIN (
        SELECT document_id, sum(net_amount) AS net, sum(tax_amount) AS tax
        FROM wolkvox_billing.invoice_lines GROUP BY document_id
    ) AS sums ON document_id = md5(o || '-' || m);
"""


def write_contract(operations: int, products: int) -> None:
    """Write a line map with a row of each operation and product, and one price of all."""
    rows = [
        f",,consumo product {p} operacion {o},{REPORT},op-{o},PRODUCT {p},quantity"
        for o in range(operations)
        for p in range(products)
    ]
    head = "supplier_id,item_code,pattern,report,operation_id,product,role"
    Path(LINE_MAP).write_text("\n".join([head, *rows]) + "\n")
    Path(RATE_CARD).write_text(
        "report,operation_id,product,from_quantity,unit_price,currency,valid_from,valid_to\n"
        f"{REPORT},,,0,100,COP,2020-01-01,\n"
    )


def fill(operations: int, products: int, months: int) -> None:
    """Put readings and documents into the file in this folder."""
    words = {"operations": operations, "products": products, "months": months, "report": REPORT}
    with closing(duckdb.connect(FILE)) as database:
        database.execute("SET TimeZone = 'UTC'")
        database.execute(READINGS.format(**words))
        database.execute(POLLS)
        database.execute(NEWEST.format(report=REPORT))
        database.execute(LINES)


def first_view(browser: Browser, url: str) -> float:
    """Return the seconds from an address to its cards and verdicts."""
    began = time.monotonic()
    browser.driver.get(url)
    await_cards(browser, "October 2026")
    return time.monotonic() - began


def change(browser: Browser, name: str) -> float:
    """Return the seconds from the choice of a month to its cards and verdicts."""
    before = sums(browser)
    began = time.monotonic()
    browser.choose(name)
    deadline = began + PATIENCE
    while sums(browser) in ([], before):
        if time.monotonic() > deadline:
            raise SystemExit(f"{name} was not shown within {PATIENCE} s")
        time.sleep(0.01)
    return time.monotonic() - began


def await_cards(browser: Browser, month: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not (
        sums(browser) and browser.find("td", "overbilled") and browser.find("option", month)
    ):
        if time.monotonic() > deadline:
            raise SystemExit(f"{month} was not shown within {PATIENCE} s:\n{browser.text()}")
        time.sleep(0.01)


def sums(browser: Browser) -> list[str]:
    """Return what the cards of money say."""
    return [card.text for card in browser.find(".card[data-card=asked] .value")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--operations", type=int, default=12)
    parser.add_argument("--products", type=int, default=10)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--runs", type=int, default=5)
    words = parser.parse_args()
    counters = words.operations * words.products
    what = f"{counters:,} counters over {words.months} months"
    with scratch() as folder, tempfile.TemporaryDirectory() as downloads:
        make_tables([REPORT])
        start_anew()
        fill(words.operations, words.products, words.months)
        settle_marts(NOW, {REPORT: "month_to_date"}, "max")
        write_contract(words.operations, words.products)
        verdicts = len(reconcile(clock=lambda: NOW).rows)
        with (
            running_notebook(folder, {}, NOW) as url,
            running_browser(Path(downloads)) as browser,
        ):
            browser.resize(DESKTOP)
            cold = first_view(browser, url)
            views = [first_view(browser, url) for _ in range(words.runs)]
            unread = [change(browser, name) for name in MONTHS[: words.runs]]
            known = [change(browser, name) for name in reversed(MONTHS[: words.runs - 1])]
    view, new, again = map(statistics.median, (views, unread, known or unread))
    print(f"{what}, {verdicts:,} verdicts: the server's first page {cold:.2f} s; a first view "
          f"{view:.2f} s ({min(views):.2f} to {max(views):.2f}); a month that was not read yet "
          f"{new:.2f} s ({min(unread):.2f} to {max(unread):.2f}), one that was "
          f"{again:.2f} s")  # fmt: skip
    if counters >= MOST:
        note(f"the notebook's first view, {what}", f"{FIRST} s", f"{view:.2f} s", view < FIRST)
        note(f"the notebook's change of month, {what}", f"{CHANGE} s",
             f"{new:.2f} s; {again:.2f} s to one that was read before", new < CHANGE)  # fmt: skip


if __name__ == "__main__":
    main()
