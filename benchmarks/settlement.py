"""How fast `reconcile` settles papers that are in the tables: what to pay of each document.

    python benchmarks/settlement.py [--operations 400] [--months 25]

Each operation has a document a month, of five lines: use, a discount, a fee, the rest to a minimum,
and support that is accepted. Each has its own price in the contract, every fourth a second tier,
and its own rows in the line map, since the supplier names it in the text alone. Some documents bill
a third more use than was read, one in twenty a fee above the contract. What is measured is the
command for a month, which settles all of them: a process of its own, from its start to its end.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

import duckdb
import plain
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
from measured import run

MOST, LONGEST = 10_000, 10  # documents, and the seconds that they may take
REPORT = "rsync_s3_mp3"
NOW = datetime(2026, 11, 30, 17, tzinfo=timezone.utc)
RECONCILE = [plain.own("wolkvox-billing"), "reconcile", "--month", "2026-10", "--json"]

# Of each operation and month: what was used of it, and what is wrong in its document.
CASES = """
    CREATE TEMP TABLE cases AS SELECT
        o, m, 'op-' || o AS operation_id,
        (DATE '2026-11-01' - INTERVAL (m + 1) MONTH)::DATE AS period_start,
        (DATE '2026-11-01' - INTERVAL (m) MONTH)::DATE AS period_end,
        (1000 + (o * 37 + m * 101) % 9000)::DECIMAL(18, 4) AS used,
        (100 + o % 50)::DECIMAL(18, 4) AS price,
        CASE o % 4 WHEN 0 THEN 20 ELSE 0 END AS less_beyond,
        CASE WHEN (o + m) % 20 = 0 AND used > 7000 THEN 'use' -- above what the minimum costs
            WHEN (o + m) % 20 = 10 THEN 'fee' ELSE '' END AS wrong
    FROM range({operations}) AS operations(o), range({months}) AS months(m)
"""
# A counter that is read on the month's first day, in its middle, and in its last minutes.
READINGS = """
    CREATE TEMP TABLE filling AS SELECT
        strftime(read_at, '%Y%m%dT%H%M%S.000000Z-') || left(md5(operation_id), 12) AS poll_id,
        '{report}' AS report, 1::BIGINT AS row_number, operation_id,
        upper(operation_id) AS operation, 'AUDIOS' AS description,
        (read_at - INTERVAL 5 HOUR)::DATE AS date, floor(used * share) AS items,
        'as it came' AS items_raw, 'as it came' AS date_raw, read_at::TIMESTAMPTZ AS read_at,
        epoch(read_at)::BIGINT AS read_epoch, (read_at - INTERVAL 5 HOUR)::DATE AS read_date,
        1::BIGINT AS days_in_answer, FALSE AS is_repeated
    FROM (
        SELECT operation_id, used, 0.01 AS share, period_start + INTERVAL 17 HOUR AS read_at
        FROM cases
        UNION ALL
        SELECT operation_id, used, 0.5, period_start + INTERVAL '14 days 17 hours' FROM cases
        UNION ALL
        SELECT operation_id, used, 1, period_end + INTERVAL '4 hours 55 minutes' FROM cases
    )
"""
POLLS = """
    INSERT INTO wolkvox_billing.polls BY NAME SELECT
        poll_id, operation_id, '0010' AS server, report, 'America/Bogota' AS timezone,
        read_date AS poll_date, read_at AS started_at, read_epoch AS started_epoch,
        read_at AS finished_at, 'ok' AS outcome, 200 AS http_status, 1 AS rows, 0 AS rejected,
        'made' AS _dlt_load_id, poll_id AS _dlt_id
    FROM filling
"""
LINES = """
    CREATE TEMP TABLE billed AS SELECT
        *, quantity * price - greatest(quantity - 5000, 0) * less_beyond AS cost, -cost / 10 AS off
    FROM (
        SELECT *, CASE wrong WHEN 'use' THEN floor(used * 1.3) ELSE used END AS quantity
        FROM cases
    );
    CREATE TEMP TABLE lines AS
        SELECT o, m, 1 AS line_number, quantity, cost AS net_amount,
            'Grabaciones operación ' || o || ' ' || strftime(period_start, '%Y-%m') AS description
        FROM billed
        UNION ALL SELECT o, m, 2, NULL, off, 'Descuento 10 % operación ' || o FROM billed
        UNION ALL SELECT o, m, 3, 1, CASE wrong WHEN 'fee' THEN 350000 ELSE 200000 END,
            'Cargo fijo operación ' || o FROM billed
        UNION ALL SELECT o, m, 4, NULL, greatest(500000 - cost - off, 0),
            'Consumo mínimo operación ' || o FROM billed
        UNION ALL SELECT o, m, 5, 1, 50000, 'Soporte' FROM billed;
    INSERT INTO wolkvox_billing.invoice_lines BY NAME SELECT
        md5(o || '-' || m) AS document_id, line_number, description, quantity, net_amount,
        round(net_amount * 0.19, 2) AS tax_amount, 'COP' AS billing_currency,
        'made' AS _dlt_load_id, o || '-' || m || '-' || line_number AS _dlt_id
    FROM lines;
    INSERT INTO wolkvox_billing.invoice_documents BY NAME SELECT
        document_id, '900123456' AS supplier_id, 'invoice' AS document_kind,
        'FE-' || (o * 1000 + m) AS document_number, period_end AS issue_date,
        period_start, period_end, 'document' AS period_source, 'COP' AS billing_currency,
        net AS net_amount, tax AS tax_amount, net + tax AS payable_amount, FALSE AS is_test,
        'ubl' AS format, document_id || '.xml' AS file_name, now() AS read_at,
        'made' AS _dlt_load_id, document_id AS _dlt_id
    FROM cases INNER JOIN (
        SELECT document_id, sum(net_amount) AS net, sum(tax_amount) AS tax
        FROM wolkvox_billing.invoice_lines GROUP BY document_id
    ) AS sums ON document_id = md5(o || '-' || m);
"""


def write_contract(operations: int) -> int:
    """Write a line map and a rate card with rows of each operation, and those that all share.
    Return how many terms there are."""
    names = range(operations)
    rows = [
        "supplier_id,item_code,pattern,report,operation_id,product,role",
        *(f",,*grabaciones operacion {n} *,{REPORT},op-{n},,quantity" for n in names),
        *(f",,*descuento*operacion {n},{REPORT},op-{n},,discount" for n in names),
        *(f",,*minimo*operacion {n},{REPORT},op-{n},,price_component" for n in names),
        *(f",,*cargo fijo*operacion {n},,op-{n},,fee" for n in names),
        ",,*soporte*,,,,accepted",
    ]
    Path(LINE_MAP).write_text("\n".join(rows) + "\n")
    prices = (f"{REPORT},op-{n},,0,{100 + n % 50},COP,2024-01-01,,," for n in names)
    rows = [
        "report,operation_id,product,from_quantity,unit_price,currency,valid_from,valid_to,term,"
        "pattern",
        *prices,
        *(f"{REPORT},op-{n},,5000,{80 + n % 50},COP,2024-01-01,,," for n in names[::4]),
        f"{REPORT},,,,10,COP,2024-01-01,,discount_percent,",
        f"{REPORT},,,,500000,COP,2024-01-01,,minimum,",
        ",,,,200000,COP,2024-01-01,,fee,*cargo fijo*",
        ",,,,19,COP,2024-01-01,,tax_percent,",
    ]
    Path(RATE_CARD).write_text("\n".join(rows) + "\n")
    return len(rows) - 1


def fill(operations: int, months: int) -> int:
    """Put readings and documents into the file in this folder; return how many bill too much."""
    with closing(duckdb.connect(FILE)) as database:
        database.execute("SET TimeZone = 'UTC'")
        database.execute(CASES.format(operations=operations, months=months))
        database.execute(READINGS.format(report=REPORT))
        database.execute(
            "INSERT INTO wolkvox_billing.readings BY NAME "
            "SELECT *, 'made' AS _dlt_load_id, poll_id AS _dlt_id FROM filling"
        )
        database.execute(POLLS)
        database.execute(NEWEST.format(report=REPORT))
        database.execute(LINES)
        return database.execute("SELECT count(*) FROM cases WHERE wrong <> ''").fetchall()[0][0]


def settlements(folder: Path) -> dict[str, int]:
    """Return how many documents are settled in each way."""
    with closing(duckdb.connect(str(folder / FILE), read_only=True)) as database:
        rows = database.execute(
            "SELECT settlement, count(*) FROM wolkvox_billing_marts.invoice_settlement GROUP BY ALL"
        ).fetchall()
    return dict(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--operations", type=int, default=400)
    parser.add_argument("--months", type=int, default=25)
    parser.add_argument("--runs", type=int, default=3)
    words = parser.parse_args()
    documents = words.operations * words.months
    with scratch() as folder:
        make_tables([REPORT])
        start_anew()
        wrong = fill(words.operations, words.months)
        settle_marts(NOW, {REPORT: "month_to_date"}, "max")
        terms = write_contract(words.operations)
        runs = [run(RECONCILE, folder, {}) for _ in range(words.runs)]
        settled = settlements(folder)
    best = min(runs)
    print(f"{documents:,} documents, a contract of {terms} terms: {best.wall:.1f} s, "
          f"{best.cpu:.1f} CPU s, {best.peak:.0f} MB, the best of {words.runs}")  # fmt: skip
    print(f"settled: {settled}")
    expected = {"pay": documents - wrong, "claim": wrong}
    if settled != {key: count for key, count in expected.items() if count}:
        raise SystemExit(f"expected {expected}")
    if documents == MOST:
        note(f"{documents:,} documents of five lines settled, {terms} terms", f"{LONGEST} s",
             f"{best.wall:.1f} s, {best.peak:.0f} MB", best.wall < LONGEST)  # fmt: skip


if __name__ == "__main__":
    main()
