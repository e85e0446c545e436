"""What somebody writes who knows dlt, and wants one table.

    python bare.py dicts      from dicts, as they come
    python bare.py arrow      from Arrow tables whose items and dates are cast

It imports nothing of the benchmarks: it is measured from the start of its process.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import dlt
from dlt.sources.helpers import requests

REPORT = "rsync_s3_mp3"
KEY = ("operation_id", "operation", "description", "date")


def answers() -> Any:
    """Yield the id of each operation, and the rows that it is answered."""
    url = f"{os.environ['SOURCES__WOLKVOX_BILLING__BASE_URL']}/api/v2/billing.php"
    for operation in json.loads(os.environ["SOURCES__WOLKVOX_BILLING__OPERATIONS"]):
        headers = {"wolkvox-token": operation["token"]}
        reply = requests.get(url, params={"api": REPORT}, headers=headers)
        yield operation["name"], reply.json()["data"]


@dlt.resource(name=REPORT, write_disposition="merge", primary_key=KEY)
def dicts() -> Any:
    for name, rows in answers():
        yield [{"operation_id": name, **row} for row in rows]


@dlt.resource(name=REPORT, write_disposition="merge", primary_key=KEY)
def arrow() -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    for name, rows in answers():
        table = pa.Table.from_pylist(rows)
        amounts = pc.replace_substring(table["items"], ",", "").cast(pa.decimal128(18, 4))
        table = table.set_column(2, "items", amounts)
        table = table.set_column(3, "date", table["date"].cast(pa.date32()))
        yield table.append_column("operation_id", pa.array([name] * len(table)))


def load(kind: str) -> None:
    pipeline = dlt.pipeline("bare", destination="duckdb", dataset_name="bare_data")
    pipeline.run(dicts() if kind == "dicts" else arrow())


if __name__ == "__main__":
    load(sys.argv[1])
