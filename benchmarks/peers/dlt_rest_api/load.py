"""dlt's `rest_api` source as its page shows it; then the texts are typed."""

import json
import os
from pathlib import Path

import dlt
import duckdb
from dlt.sources.rest_api import rest_api_source


def named(name):
    return lambda row: {"operation_id": name, **row}


for one in json.loads(os.environ["PEER_OPERATIONS"]):
    source = rest_api_source(
        {
            "client": {
                "base_url": os.environ["VENDOR"],
                "headers": {"wolkvox-token": one["token"]},
            },
            "resources": [
                {
                    "name": "landed",
                    "endpoint": {
                        "path": "api/v2/billing.php",
                        "params": {"api": "rsync_s3_mp3"},
                        "data_selector": "data",
                        "paginator": "single_page",
                    },
                    "primary_key": ["operation_id", "operation", "description", "date"],
                    "write_disposition": "merge",
                    "processing_steps": [{"map": named(one["name"])}],
                }
            ],
        }
    )
    pipeline = dlt.pipeline(
        "peer", destination=dlt.destinations.duckdb("result.duckdb"), dataset_name="main"
    )
    pipeline.run(source)

with duckdb.connect("result.duckdb") as db:
    db.execute(Path(__file__).parent.with_name("typed.sql").read_text())
