"""What somebody writes in an hour: requests, Python's own types, and DuckDB.

One table, no record of calls, no new try, no look at an answer but its code.
"""

import json
import os
from datetime import date
from decimal import Decimal

import duckdb
import requests

KEY = "operation_id, operation, description, date"

with duckdb.connect("result.duckdb") as db:
    db.execute(
        "CREATE TABLE IF NOT EXISTS usage (operation_id VARCHAR, operation VARCHAR, "
        f"description VARCHAR, date DATE, items DECIMAL(18, 4), PRIMARY KEY ({KEY}))"
    )
    for one in json.loads(os.environ["PEER_OPERATIONS"]):
        reply = requests.get(
            f"{os.environ['VENDOR']}/api/v2/billing.php",
            params={"api": "rsync_s3_mp3"},
            headers={"wolkvox-token": one["token"]},
            timeout=60,
        )
        reply.raise_for_status()
        answer = reply.json()
        if str(answer["code"]) != "200":
            raise SystemExit(answer["msg"])
        rows = [
            (
                one["name"],
                row["operation"],
                row["description"],
                date.fromisoformat(row["date"][:10]),
                Decimal(row["items"].replace(",", "")),
            )
            for row in answer["data"]
        ]
        if len(rows) < 1000:
            db.executemany("INSERT OR REPLACE INTO usage VALUES (?, ?, ?, ?, ?)", rows)
            continue
        import pyarrow as pa

        kinds = [pa.string()] * 3 + [pa.date32(), pa.decimal128(18, 4)]
        columns = [pa.array(*pair) for pair in zip(zip(*rows, strict=True), kinds, strict=True)]
        new = pa.table(columns, ["operation_id", "operation", "description", "date", "items"])
        db.execute("INSERT OR REPLACE INTO usage SELECT * FROM new")
