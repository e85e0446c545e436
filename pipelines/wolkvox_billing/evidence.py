"""The evidence of a month: one zip that a stranger can check, and `verify`, which checks one.

    marts, tables ──▶ report.html, CSV and Parquet ─┐
    line map, rate card, policy, versions ──────────┼─▶ manifest.json ─▶ the zip
    the documents' files, where they are given ─────┘

The same inputs give the same bytes: nothing in it is of the wall clock, and order, times and
permissions of the members are fixed. What else the bytes depend on is in versions.json.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import platform
import re
import secrets
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import dlt
import duckdb
from dlt.destinations.sql_client import SqlClientBase

from wolkvox_billing.errors import SettingsError, WolkvoxError
from wolkvox_billing.evidence_report import Counter, Page, report
from wolkvox_billing.invoices.document import Rejected
from wolkvox_billing.invoices.files import MOST_MEMBER_BYTES, read_bytes, read_file, walk
from wolkvox_billing.invoices.tables import INVOICE_TABLES
from wolkvox_billing.marts import REFRESHED, refresh
from wolkvox_billing.marts.sql import TABLES as MART_TABLES
from wolkvox_billing.marts.sql import literal
from wolkvox_billing.polls import Clock, utc_now
from wolkvox_billing.reconcile import Row, fill
from wolkvox_billing.reconciliation.policy import Policy, read_policy
from wolkvox_billing.tables import TABLES
from wolkvox_billing.version import __version__
from wolkvox_billing.warehouse import DATASET, DESTINATION, configured, opened, plain, reading

MANIFEST = "manifest.json"
MOST_BYTES = 2**32 - 1  # of an evidence file, packed and unpacked: the most without ZIP64
MOST_MEMBERS = 60_000
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can name
_AT_ONCE = 1024 * 1024
_RUNS_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_KINDS = {"text": "VARCHAR", "bigint": "BIGINT", "decimal": "DECIMAL(18, 4)", "bool": "BOOLEAN",
          "timestamp": "TIMESTAMP WITH TIME ZONE", "date": "DATE"}  # fmt: skip
_RESTATEMENTS = {
    **dict.fromkeys(("operation_id", "operation_name", "report", "product"), "VARCHAR"),
    "usage_date": "DATE",
    "read_at": "TIMESTAMP WITH TIME ZONE",
    **dict.fromkeys(("previous_quantity", "quantity", "quantity_change"), "DECIMAL(18, 4)"),
    "previous_read_at": "TIMESTAMP WITH TIME ZONE",
}
_RECONCILED = dict(one.split(" ", 1) for one in re.split(r", (?=[a-z])", MART_TABLES["reconciled"]))


class _Table(NamedTuple):
    """A member's rows, in a fixed order, and each column's SQL type."""

    kinds: dict[str, str]
    rows: list[Row]


def write_evidence(
    folder: str | os.PathLike[str],
    month: str,
    *,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    policy: Policy | None = None,
    files: Sequence[str | os.PathLike[str]] = (),
    clock: Clock = utc_now,
) -> Path:
    """The zip that was written into the folder, such as wolkvox-evidence-2026-10.zip; one that is
    there already is replaced in one step.

    files: files and folders in which the month's documents are looked for, by their SHA-256.
    Raises SettingsError for what cannot be meant, WarehouseError where nothing is loaded, and
    WolkvoxError where nothing can be written.
    """
    start, end = _month(month)
    paths = [Path(one) for one in files]
    if absent := [str(one) for one in paths if not one.exists()]:
        raise SettingsError(f"there is no {', '.join(absent)}")
    policy = policy or configured(read_policy)
    with opened(destination, dataset) as pipeline, reading(pipeline):
        if pipeline.destination.destination_name not in REFRESHED:
            raise SettingsError(f"evidence reads {' and '.join(REFRESHED)}, not {destination}")
        refresh(pipeline, None, clock())
        every, _, warnings = fill(pipeline, policy)
        rows = [
            one
            for one in every
            if one["billing_period_start"] and start <= one["billing_period_start"] < end
        ]
        page, tables = _collected(pipeline, month, (start, end), rows, policy)
    page.warnings = warnings
    documents, page.given = _documents(tables["invoice_documents"].rows, paths)
    members: dict[str, bytes] = {"report.html": report(page).encode()}
    for name, table in tables.items():
        members[f"{name}.csv"] = _csv(table)
    members |= _parquet(tables)
    for name in ("line_map", "rate_card"):
        try:
            members[f"{name}.csv"] = Path(getattr(policy, name)).read_bytes()
        except OSError as error:
            raise SettingsError(f"the {name} cannot be read: {error}") from None
    members["policy.json"] = _json(dict(page.policy))
    members["versions.json"] = _json(dict(page.versions))
    members |= documents
    members[MANIFEST] = _json(
        {
            "month": month,
            "created_as_of": page.as_of.isoformat(),
            "members": {
                name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
                for name, data in sorted(members.items())
            },
        }
    )
    if sum(map(len, members.values())) > MOST_BYTES or len(members) > MOST_MEMBERS:
        raise WolkvoxError(
            f"the evidence of {month} would have more than {MOST_BYTES:,} bytes or {MOST_MEMBERS:,}"
            " members: give fewer `files`"
        )
    return _written(Path(os.path.abspath(folder)) / f"wolkvox-evidence-{month}.zip", members)


def _month(month: str) -> tuple[date, date]:
    """Its first day and the day after its last one. Raises SettingsError."""
    with suppress(ValueError, TypeError):
        if re.fullmatch(r"\d{4}-\d{2}", month):
            start = date.fromisoformat(f"{month}-01")
            return start, (start + timedelta(days=31)).replace(day=1)
    raise SettingsError(f"{month!r} is no month: evidence is of one, such as 2026-11")


def _collected(
    pipeline: dlt.Pipeline,
    month: str,
    span: tuple[date, date],
    rows: list[Row],
    policy: Policy,
) -> tuple[Page, dict[str, _Table]]:
    """What the report shows, and the tables: all of one moment."""
    raw, marts = pipeline.dataset_name, f"{pipeline.dataset_name}_marts"
    first, after = span
    last = max([after, *(one["billing_period_end"] for one in rows)])
    in_month = f">= {literal(first)} AND {{0}} < {literal(last)}"

    with pipeline.sql_client() as client, client.begin_transaction():
        if pipeline.destination.destination_name == "postgres":
            client.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

        def within(column: str) -> str:
            return f"{column} {in_month.format(column)}"

        def of(table: str, where: str) -> _Table:
            """The rows of one of our tables, without the bytes of answers and dlt's own columns."""
            key, columns = {**TABLES, **INVOICE_TABLES}[table][1:]
            kinds = {
                name: _KINDS[kind["data_type"]]
                for name, (kind, _) in columns.items()
                if kind["data_type"] in _KINDS
            }
            there = _columns(client, raw, table)
            added = sorted(one for one in there - columns.keys() if not one.startswith("_dlt"))
            kinds |= dict.fromkeys(added, "VARCHAR")
            if not there:
                return _Table(kinds, [])
            return _table(client, f"{raw}.{table}", kinds, where, key, there)

        read = of("readings", within("date"))
        ids = f"SELECT poll_id FROM {raw}.readings WHERE {within('date')}"
        documents = of("invoice_documents", _document_condition(client, raw, within, rows, policy))
        listed = ", ".join(literal(one["document_id"]) for one in documents.rows) or "NULL"
        tables = {
            "readings": read,
            "polls": of("polls", f"({within('poll_date')}) OR poll_id IN ({ids})"),
            "usage_restatements": _table(
                client, f"{marts}.usage_restatements", _RESTATEMENTS, within("usage_date"),
                ("operation_id", "report", "product", "usage_date", "read_at"),
            ),
            "invoice_documents": documents,
            "invoice_lines": of("invoice_lines", f"document_id IN ({listed})"),
            "invoice_reconciliation": _table(
                client, f"{marts}.invoice_reconciliation", _RECONCILED,
                f"billing_period_start >= {literal(first)} "
                f"AND billing_period_start < {literal(after)}",
                ("supplier_id", "operation_id", "report", "product", "billing_period_start",
                 "billing_period_end", "billing_currency"),
            ),
        }  # fmt: skip
        [(epoch, zone, gauge_month)] = _query(
            client, f"SELECT as_of_epoch, timezone, gauge_month FROM {marts}.refreshed"
        )
        zones = dict(_query(client, f"SELECT operation_id, timezone FROM {marts}.operations"))
        measures: dict[Counter, str] = {
            (o, r, p): measure or "undetermined"
            for o, r, p, measure in _query(
                client,
                f"SELECT operation_id, report, product, measure FROM {marts}.usage_monthly "
                f"WHERE billing_period_start = {literal(first)}",
            )
        }
    meaning = {"timezone": zone, "gauge_month": gauge_month}
    meaning |= {f"measure of {', '.join(one)}": says for one, says in sorted(measures.items())}
    page = Page(
        month=month,
        start=first,
        end=after,
        as_of=datetime.fromtimestamp(epoch, timezone.utc),
        rows=rows,
        tables={name: table.rows for name, table in tables.items()},
        zones={**zones, "": zone},
        measures=measures,
        given={},
        policy={**policy.as_json(), **meaning},
        versions=_versions(),
        language=policy.language,
    )
    return page, tables


def _document_condition(
    client: SqlClientBase[Any],
    raw: str,
    within: Callable[[str], str],
    rows: Sequence[Row],
    policy: Policy,
) -> str:
    """Which documents are the month's: those in a verdict, those for a time in it, and those that
    one of them corrects."""
    if not _columns(client, raw, "invoice_documents"):
        return ""
    named = {one for row in rows for one in (row["invoice_ids"] or "").split(",") if one}
    lines = f"SELECT document_id FROM {raw}.invoice_lines WHERE {within('period_start')}"
    of_month = f"{within('period_start')} OR document_id IN ({lines})"
    if named:
        of_month += f" OR document_id IN ({', '.join(map(literal, sorted(named)))})"
    if policy.supplier_ids:
        of_month = (
            f"({of_month}) AND supplier_id IN ({', '.join(map(literal, policy.supplier_ids))})"
        )
    return (
        f"({of_month}) OR EXISTS (SELECT 1 FROM {raw}.invoice_documents AS n WHERE "
        f"n.corrects_number = t.document_number AND n.supplier_id = t.supplier_id "
        f"AND n.document_id IN (SELECT document_id FROM {raw}.invoice_documents WHERE {of_month}))"
    )


def _table(
    client: SqlClientBase[Any],
    name: str,
    kinds: dict[str, str],
    where: str,
    key: Sequence[str],
    there: Collection[str] | None = None,
) -> _Table:
    """Its rows sorted here, since engines sort texts in different ways."""
    chosen = [one for one in kinds if there is None or one in there]
    columns = ", ".join(f't."{one}"' for one in chosen)
    found = [
        dict(zip(chosen, row, strict=True))
        for row in _query(client, f"SELECT {columns} FROM {name} AS t WHERE {where}")
    ]
    rows = [{one: row.get(one) for one in kinds} for row in found]

    def place(row: Row) -> list[tuple[bool, Any]]:
        # Beside the key, the whole row: a mart's key may come twice.
        whole = (_as_text(value, kinds[one]) for one, value in row.items())
        parts = [*(row[one] for one in key), *whole]
        return [(one is None, "" if one is None else one) for one in parts]

    return _Table(kinds, sorted(rows, key=place))


def _query(client: SqlClientBase[Any], query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in client.execute_sql(query) or ()]


def _columns(client: SqlClientBase[Any], schema: str, table: str) -> set[str]:
    return {
        one
        for (one,) in _query(
            client,
            "SELECT column_name FROM information_schema.columns WHERE table_schema = "
            f"{literal(schema)} AND table_name = {literal(table)}",
        )
    }


def _as_text(value: Any, kind: str) -> str | None:
    """A value as CSV and JSON have it, the same from every engine."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        at = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
        return at.astimezone(timezone.utc).isoformat()
    return f"{value:.4f}" if kind.startswith("DECIMAL") else str(value)


def _csv(table: _Table) -> bytes:
    """For spreadsheets: a BOM, since Excel knows UTF-8 by it, and no text that runs as a formula.
    The Parquet beside it has the texts unchanged."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(table.kinds)
    for row in table.rows:
        cells = []
        for name, kind in table.kinds.items():
            text = _as_text(row[name], kind)
            if kind == "VARCHAR" and text and text.startswith(_RUNS_AS_FORMULA):
                text = f"'{text}"
            cells.append(text)
        writer.writerow(cells)
    return written.getvalue().encode("utf-8-sig")


def _parquet(tables: Mapping[str, _Table]) -> dict[str, bytes]:
    """The tables as DuckDB writes them; by one thread, or the order of rows were not sure."""
    members: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as folder, closing(duckdb.connect()) as db:
        db.execute("SET threads = 1; SET preserve_insertion_order = true; SET TimeZone = 'UTC'")
        for name, (kinds, rows) in tables.items():
            source, target = Path(folder, f"{name}.json"), Path(folder, f"{name}.parquet")
            with source.open("w", encoding="utf-8") as lines:
                for row in rows:
                    texts = {one: _as_text(value, kinds[one]) for one, value in row.items()}
                    lines.write(f"{json.dumps(texts)}\n")
            cast = ", ".join(f'CAST("{one}" AS {kind}) AS "{one}"' for one, kind in kinds.items())
            texts_of = ", ".join(f"\"{one}\": 'VARCHAR'" for one in kinds)
            db.execute(
                f"COPY (SELECT {cast} FROM read_json({literal(source)}, "
                f"format = 'newline_delimited', columns = {{{texts_of}}})) "
                f"TO {literal(target)} (FORMAT parquet, COMPRESSION zstd)"
            )
            members[f"{name}.parquet"] = target.read_bytes()
    return members


def _documents(
    documents: Sequence[Row], paths: Sequence[Path]
) -> tuple[dict[str, bytes], dict[str, str | None]]:
    """The files that hold documents of the month, as members, and each document's member. A file
    in a zip is given as the whole zip, as it was received."""
    wanted = {one["file_sha256"] for one in documents}
    found: dict[str, tuple[str, bytes]] = {}  # SHA-256 of a file's bytes → name, bytes
    holders: dict[str, str] = {}  # file_sha256 → the smallest SHA-256 of a file that holds it
    for path in paths:
        for name, file in walk(path):
            if isinstance(file, Rejected):
                continue
            try:
                data = read_bytes(file)
            except Rejected:
                continue  # its document is then one that was not given
            sha256 = hashlib.sha256(data).hexdigest()
            held = {sha256, *(one.file_sha256 or "" for one in read_file(name, data))} & wanted
            basename = _basename(name)
            for one in held:
                bare_first = min(holders.get(one, sha256), sha256, key=lambda x: (x != one, x))
                holders[one] = bare_first
            if held and (sha256 not in found or basename < found[sha256][0]):
                found[sha256] = basename, data
    members = {
        f"documents/{sha256[:12]}-{found[sha256][0]}": found[sha256][1]
        for sha256 in sorted(set(holders.values()))
    }
    given: dict[str, str | None] = {}
    for document in documents:
        holder = holders.get(document["file_sha256"])
        member = f"documents/{holder[:12]}-{found[holder][0]}" if holder else None
        given[document["document_id"]] = member
    return members, given


def _basename(name: str) -> str:
    """A name that is one on every system."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name.rsplit("/", 1)[-1])[-80:]


def _versions() -> dict[str, str]:
    """What the bytes depend on beside the inputs."""
    return {
        "wolkvox-billing": __version__,
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "dlt": version("dlt"),
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
    }


def _json(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    return f"{text}\n".encode()


def _written(target: Path, members: Mapping[str, bytes]) -> Path:
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("xb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
                for name in sorted(members, key=lambda one: (one != MANIFEST, one)):
                    info = zipfile.ZipInfo(name, _EPOCH)
                    info.create_system = 3  # Unix, wherever it is written
                    info.external_attr = (stat.S_IFREG | 0o644) << 16
                    info.compress_type = zipfile.ZIP_DEFLATED
                    archive.writestr(info, members[name], compresslevel=9)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except OSError as error:
        raise WolkvoxError(f"{target} could not be written: {plain(error)}") from None
    finally:
        beside.unlink(missing_ok=True)
    return target


@dataclass(frozen=True)
class Examined:
    """What an evidence file is: its SHA-256, how many members the manifest names, and what is
    wrong with them."""

    sha256: str
    members: int
    problems: list[str]


class _Unfit(Exception):
    """It cannot be read on; the text says why."""


def verify(file: str | os.PathLike[str]) -> list[str]:
    """What is wrong with an evidence file, each naming the member; [] if nothing is.

    A file whose members and manifest were both changed is told only by the file's own SHA-256,
    which `close` keeps: see `examine`. Raises SettingsError where there is no such file.
    """
    return examine(file).problems


def examine(file: str | os.PathLike[str]) -> Examined:
    """An evidence file Examined. No name in it is ever a path, and no size is believed."""
    path = Path(file)
    problems: list[str] = []
    members: dict[str, tuple[str, int]] = {}
    digest = hashlib.sha256()
    try:
        # What is no file, such as a FIFO, is not waited for.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened_file:
            about = os.fstat(opened_file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise SettingsError(f"{path} is no file: name a wolkvox-evidence-….zip")
            if about.st_size > MOST_BYTES:
                raise _Unfit(f"the file has more than {MOST_BYTES:,} bytes")
            while part := opened_file.read(_AT_ONCE):
                digest.update(part)
            with _archive(opened_file) as archive:
                infos = archive.infolist()
                members = _manifest(archive, infos)
                problems += _compared(archive, infos, members)
                if not problems and not _is_seamless(archive, infos, about.st_size):
                    problems.append("the zip holds bytes that belong to no member")
    except _Unfit as error:
        problems.append(str(error))
    except OSError as error:
        raise SettingsError(f"{path} cannot be opened: {error.strerror or error}") from None
    return Examined(digest.hexdigest(), len(members), problems)


def _archive(file: Any) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:  # zipfile lets through whatever a damaged file makes it meet
        raise _Unfit(f"no zip that can be read: {error}") from None
    if len(archive.infolist()) > MOST_MEMBERS:
        raise _Unfit(f"the zip has more than {MOST_MEMBERS:,} members")
    return archive


def _manifest(
    archive: zipfile.ZipFile, infos: Sequence[zipfile.ZipInfo]
) -> dict[str, tuple[str, int]]:
    """What the manifest says: SHA-256 and size of each member. Raises _Unfit."""
    found = [one for one in infos if one.filename == MANIFEST]
    if len(found) != 1:
        raise _Unfit(f"{MANIFEST}: it is there {len(found)} times, and must be once")
    text = b"".join(_bytes_of(archive, found[0], MOST_MEMBER_BYTES))
    try:
        said = json.loads(text, object_pairs_hook=_once)
        datetime.fromisoformat(said["created_as_of"])
        _month(said["month"])
        members = {str(k): (v["sha256"], v["size"]) for k, v in said["members"].items()}
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
        SettingsError,
    ) as error:
        raise _Unfit(f"{MANIFEST}: it cannot be read: {error!r}") from None
    for name, (sha256, size) in members.items():
        if not (isinstance(sha256, str) and isinstance(size, int) and 0 <= size <= MOST_BYTES):
            raise _Unfit(f"{MANIFEST}: what it says of {_shown(name)} is no SHA-256 and size")
    return members


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name is there twice")
    return dict(pairs)


def _compared(
    archive: zipfile.ZipFile,
    infos: Sequence[zipfile.ZipInfo],
    members: Mapping[str, tuple[str, int]],
) -> list[str]:
    problems: list[str] = []
    seen = {MANIFEST}
    left = MOST_BYTES
    for info in infos:
        name = info.filename
        if name == MANIFEST:
            continue
        if name in seen:
            problems.append(f"{_shown(name)}: it is in the zip more than once")
            continue
        seen.add(name)
        if name not in members:
            problems.append(f"{_shown(name)}: added, the manifest does not know it")
            continue
        sha256, size = members[name]
        digest, read = hashlib.sha256(), 0
        try:
            for part in _bytes_of(archive, info, min(size, left)):
                digest.update(part)
                read += len(part)
        except _Unfit as error:
            problems.append(str(error))
            continue
        left -= read
        if read != size or digest.hexdigest() != sha256:
            problems.append(f"{_shown(name)}: changed, its SHA-256 is not the manifest's")
    problems += [f"{_shown(name)}: missing" for name in members if name not in seen]
    if MANIFEST in members:
        problems.append(f"{MANIFEST}: it names itself")
    return problems


def _bytes_of(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> Iterator[bytes]:
    """A member's bytes, unpacked in parts. Raises _Unfit where they are damaged or too many."""
    shown = _shown(info.filename)
    if info.flag_bits & 0x1:
        raise _Unfit(f"{shown}: changed, it is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _Unfit(f"{shown}: changed, it is packed by another method")
    left = most
    try:
        with archive.open(info) as member:
            while part := member.read(_AT_ONCE):
                left -= len(part)
                if left < 0:
                    break
                yield part
    except Exception as error:  # as in _archive
        raise _Unfit(f"{shown}: changed, it is damaged: {error}") from None
    if left < 0:
        raise _Unfit(f"{shown}: changed, it has more than {most:,} bytes")


def _is_seamless(
    archive: zipfile.ZipFile, infos: Sequence[zipfile.ZipInfo], file_size: int
) -> bool:
    """Whether nothing is hidden before, between or behind the members: each begins where the one
    before ends, and nothing but the table of contents follows."""
    at = contents = 0
    for one in infos:
        name = len(one.filename.encode())
        if one.header_offset != at or one.extra or one.comment:
            return False
        at += 30 + name + one.compress_size
        contents += 46 + name
    return at == archive.start_dir and at + contents + 22 == file_size


def _shown(name: str) -> str:
    """A name of a stranger's for a message."""
    return name if name.isprintable() and len(name) < 200 else ascii(name)[:200]
