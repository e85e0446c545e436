"""A Superset of our own on 127.0.0.1, for as long as it is needed, with the dashboard imported.

It runs in build/superset, keeps all that it writes below one folder, and asks nobody for anything.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import yaml

from builders.local_airflow import until
from builders.postgres import free_port

ROOT = Path(__file__).parents[2]
BIN = ROOT / "build" / "superset" / "bin"
FILES = ROOT / "notebooks" / "superset"
PASSWORD = "admin"
_CONFIG = """\
import os
SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = f"sqlite:///{os.environ['SUPERSET_HOME']}/superset.db?check_same_thread=false"
WTF_CSRF_ENABLED = False  # it is asked from this machine only
TALISMAN_ENABLED = False  # by plain http
"""


def read_files(kind: str, folder: Path = FILES) -> dict[str, dict[str, Any]]:
    """Return the files of a kind, such as charts, by their names."""
    return {
        path.stem: yaml.safe_load(path.read_text("utf-8"))
        for path in sorted((folder / kind).rglob("*.yaml"))
    }


def pack(target: Path, address: str, folder: Path = FILES) -> Path:
    """Write the dashboard as a file that Superset imports, over the database at an address; return
    it."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*.yaml")):
            text = path.read_text("utf-8")
            if path.parent.name == "databases":
                text = yaml.safe_dump({**yaml.safe_load(text), "sqlalchemy_uri": address})
            packed.writestr(f"dashboard/{path.relative_to(folder).as_posix()}", text)
    return target


def query_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a chart asks, as Superset's page would: an import has no query of its own."""
    filters = [
        {"col": each["subject"], "op": each["operator"], "val": each["comparator"]}
        for each in params["adhoc_filters"]
    ]
    query = {"filters": filters, "row_limit": params.get("row_limit", 1000)}
    if params.get("query_mode") == "raw":
        order = [json.loads(each) for each in params["order_by_cols"]]
        return {**query, "columns": params["all_columns"], "metrics": [], "orderby": order}
    if "x_axis" not in params:
        return {**query, "columns": [], "metrics": [params["metric"]]}
    groups = params["groupby"] if isinstance(params["groupby"], list) else [params["groupby"]]
    axis = {
        "columnType": "BASE_AXIS",
        "sqlExpression": params["x_axis"],
        "label": params["x_axis"],
        "expressionType": "SQL",
        "timeGrain": params["time_grain_sqla"],
    }
    return {
        **query,
        "columns": [axis, *groups],
        "metrics": params.get("metrics") or [params["metric"]],
    }


@dataclass
class Superset:
    """A running Superset."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def dashboard(self) -> str:
        return f"{self.url}/superset/dashboard/wolkvox/?standalone=2"

    def sign_in(self) -> None:
        words = {"username": "admin", "password": PASSWORD, "provider": "db", "refresh": True}
        token = self.api("POST", "security/login", json=words)["access_token"]
        self.session.headers["Authorization"] = f"Bearer {token}"

    def api(self, method: str, path: str, **words: Any) -> Any:
        answer = self.session.request(method, f"{self.url}/api/v1/{path}", timeout=180, **words)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json()

    def answers(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rows that each chart shows, by its name."""
        rows: dict[str, list[dict[str, Any]]] = {}
        for chart in self.api("GET", "chart/?q=(page_size:100)")["result"]:
            params = json.loads(self.api("GET", f"chart/{chart['id']}")["result"]["params"])
            asked = {
                "datasource": {"id": int(params["datasource"].split("__")[0]), "type": "table"},
                "queries": [query_of(params)],
                "result_format": "json",
                "result_type": "full",
                "force": True,
            }
            [answer] = self.api("POST", "chart/data", json=asked)["result"]
            assert not answer.get("error"), (chart["slice_name"], answer["error"])
            rows[chart["slice_name"]] = answer["data"]
        return rows


@contextmanager
def running_superset(folder: Path, address: str, port: int = 0) -> Iterator[Superset]:
    """Start a fresh Superset with the dashboard over the database at an address."""
    if not (BIN / "superset").exists():
        raise FileNotFoundError(f"there is no {BIN}: run `make test-superset`, which sets it up")
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "superset_config.py"
    config.write_text(_CONFIG)
    environment = {
        **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        "HOME": str(folder),
        "SUPERSET_HOME": str(folder),
        "SUPERSET_CONFIG_PATH": str(config),
        "SUPERSET_SECRET_KEY": secrets.token_hex(32),
        "FLASK_APP": "superset",
        "SCARF_ANALYTICS": "false",
        "DO_NOT_TRACK": "1",
    }
    packed = pack(folder / "dashboard.zip", address)
    with (folder / "log").open("w") as log:
        for words in (
            ("db", "upgrade"),
            ("fab", "create-admin", "--username", "admin", "--firstname", "a", "--lastname", "b",
             "--email", "a@example.org", "--password", PASSWORD),
            ("init",),
            ("import-dashboards", "-p", str(packed), "-u", "admin"),
        ):  # fmt: skip
            ended = subprocess.run(
                [BIN / "superset", *words], env=environment, cwd=folder, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, check=False,
            )  # fmt: skip
            if ended.returncode:
                raise RuntimeError(f"superset {words[0]} failed:\n{(folder / 'log').read_text()}")
        port = port or free_port()
        server = subprocess.Popen(
            [BIN / "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "4",
             "superset.app:create_app()"],
            env=environment, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            superset = Superset(f"http://127.0.0.1:{port}")
            superset.session.trust_env = False
            until(lambda: requests.get(f"{superset.url}/health", timeout=60).ok, seconds=180)
            superset.sign_in()
            yield superset
        finally:
            server.terminate()
            server.wait(20)
