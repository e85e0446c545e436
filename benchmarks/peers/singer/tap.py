"""A Singer tap by the SDK's template: one stream, a partition per operation.

The count goes as a number, a double in DuckDB, and without the metadata columns: otherwise
target-duckdb 0.8 takes the first one of each batch for a heading, and says nothing.
"""

import json
import os

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th

OPERATIONS = {one["name"]: one["token"] for one in json.loads(os.environ["PEER_OPERATIONS"])}
TEXT = th.StringType


class Usage(RESTStream):
    name = "landed"
    path = "/api/v2/billing.php"
    url_base = os.environ["VENDOR"]
    records_jsonpath = "$.data[*]"
    primary_keys = ("operation_id", "operation", "description", "date")
    state_partitioning_keys = ()
    schema = th.PropertiesList(
        *(th.Property(name, TEXT) for name in ("operation_id", "operation", "description", "date")),
        th.Property("items", th.NumberType),
    ).to_dict()

    @property
    def partitions(self):
        return [{"operation_id": name} for name in OPERATIONS]

    def get_http_request(self, *, page):
        request = super().get_http_request(page=page)
        request.headers["wolkvox-token"] = OPERATIONS[page.stream_context["operation_id"]]
        return request

    def get_url_params(self, context, next_page_token):
        return {"api": "rsync_s3_mp3"}

    def post_process(self, row, context=None):
        items = float(row["items"].replace(",", ""))
        return {**row, "items": items, "operation_id": context["operation_id"]}


class TapWolkvox(Tap):
    name = "tap-wolkvox"
    config_jsonschema = th.PropertiesList().to_dict()

    def discover_streams(self):
        return [Usage(self)]


if __name__ == "__main__":
    TapWolkvox.cli()
