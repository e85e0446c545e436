"""The verb `bucket`: the copies in the customer's own bucket are counted, beside what the vendor
counts and what it bills.

    settings ─▶ a look, into a file ─▶ the tables, in one transaction ─▶ copy_reconciliation

The bucket is only listed. A look that breaks off is noted, and what the last one found stays.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import dlt

from wolkvox_billing.bucket.hash_key import read_key
from wolkvox_billing.bucket.inventory import list_inventory, open_inventory
from wolkvox_billing.bucket.look import (
    DAYS_BACK,
    INVENTORY,
    WHOLE,
    Listing,
    Look,
    Noted,
    Progress,
    Reach,
    note_look,
    take_look,
)
from wolkvox_billing.bucket.names import NameReader
from wolkvox_billing.bucket.settings import BucketSettings, read_bucket_settings
from wolkvox_billing.bucket.store import ListedObject, Unlistable, open_store
from wolkvox_billing.bucket.storing import read_last_listing, store_look
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.marts.copied import CopiedPeriod
from wolkvox_billing.marts.refresh import refresh
from wolkvox_billing.reconciliation.mart import fill_copies
from wolkvox_billing.reconciliation.policy import Policy, read_policy
from wolkvox_billing.values.clock import Clock, utc_now
from wolkvox_billing.values.periods import DAY, month_of
from wolkvox_billing.values.translation import N_, Plural, Sentence, say_in
from wolkvox_billing.verbs.invoices import compare_anew
from wolkvox_billing.verbs.meant import settings_if_any
from wolkvox_billing.warehouse.complaints import configured, failure_of, is_out_of_memory
from wolkvox_billing.warehouse.duckdb_file import held_open, in_little_memory
from wolkvox_billing.warehouse.known_settings import refuse_stray_settings
from wolkvox_billing.warehouse.loading import Changes, Tables, load_or_raise
from wolkvox_billing.warehouse.place import (
    DATASET,
    DESTINATION,
    check_readable,
    folder_of,
    location_of,
    opened,
)
from wolkvox_billing.warehouse.sql import REFRESHED, engine_of, rows_as, tables_in

_MEMORY = "80MB"  # for DuckDB, while it takes in a look, which may be at a million objects
_PERIODS = 3  # of each operation, that are told
_NOT_COMPARED = N_("the look is stored, and was not compared anew: {complaint}")
_SKIPPED_COPIES = Plural(
    "{n} file that is named like a copy lies in a folder that no row of `operations` under "
    "[bucket] fits, and is not counted: say there whose this folder is",
    "{n} files that are named like copies lie in folders that no row of `operations` under "
    "[bucket] fits, and are not counted: say there whose these folders are",
)
_NOTHING_LISTED = N_(
    "nothing lies where the settings say: check `url` and `operations` under [bucket]; nobody is "
    "held against an empty bucket"
)


@dataclass
class BucketReport:
    """What one `bucket` did: the look, what the last billing periods come to, and what went
    wrong."""

    listing: Listing
    location: str
    periods: list[CopiedPeriod] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not self.failures


def bucket(
    *,
    full: bool = False,
    destination: str = DESTINATION,
    dataset: str = DATASET,
    clock: Clock = utc_now,
    on_progress: Progress = lambda objects, seconds: None,
) -> BucketReport:
    """Return what became of a look at the bucket, which is stored and compared.

    full: all of it is listed; else what can have changed since the last look, but for the first
    look of a billing period, which is a whole one. on_progress: is called with the objects so far,
    and the seconds.
    Raises SettingsError before anything is listed, and WarehouseError where nothing can be stored.
    """
    refuse_stray_settings()
    policy = configured(read_policy)
    polled = settings_if_any()
    zones = {own.operation_id: own.zone for own in polled.operations} if polled else {}
    settings = configured(lambda: read_bucket_settings(zones))
    with opened(destination, dataset, holds=False) as pipeline:
        check_readable(pipeline)
        if (name := engine_of(pipeline)) not in REFRESHED:
            raise SettingsError(f"copies are counted on {' and '.join(REFRESHED)}, not on {name}")
        folder = folder_of(pipeline).path
        key = read_key(settings.hash_key, folder)
        due = _Due(settings, settings.fingerprint(key), policy.billing_cycle_day)
        reach = WHOLE if full else _reach(pipeline, due, clock())
        with tempfile.TemporaryDirectory(prefix="bucket-", dir=folder) as beside:
            reader = NameReader(settings.operations, settings.pattern, settings.extensions, key)
            look = Look(settings, reader, Path(beside, "listed.parquet"), on_progress)
            listing = _take(look, reach, clock)
            reason = say_in(policy.language, listing.reason) if listing.reason else None
            listing = replace(listing, reason=reason)
            _store(pipeline, listing, look)
        report = BucketReport(listing, location_of(pipeline))
        if listing.is_complete and (complaint := _compare(pipeline, policy, clock())):
            report.warnings.append(Sentence(_NOT_COMPARED, complaint=complaint))
        report.periods = _read_periods(pipeline)
        if listing.is_complete and not listing.objects and listing.is_full:
            report.warnings.append(Sentence(_NOTHING_LISTED))
        if look.skipped_copies:
            count = look.skipped_copies
            report.warnings.append(Sentence(_SKIPPED_COPIES, count, n=count))
    report.warnings = [say_in(policy.language, text) for text in report.warnings]
    if listing.reason:
        report.failures.append(listing.reason)
    return report


def _compare(pipeline: dlt.Pipeline, policy: Policy, now: datetime) -> str:
    """Fill copy_reconciliation, and the verdicts where there is a contract; return why that was not
    possible, "" where it was, or where nothing was polled yet."""
    with pipeline.sql_client() as client:
        if "polls" not in tables_in(client, pipeline.dataset_name):
            return ""
    if policy.has_files:
        return compare_anew(pipeline, policy, now)

    def fill() -> None:
        refresh(pipeline, None, now)
        fill_copies(pipeline, policy)

    with held_open(pipeline):
        failure = failure_of(fill)
    return failure.says if failure else ""


def _take(look: Look, reach: Reach, clock: Clock) -> Listing:
    """Return what a look came to: by the inventory where the settings name one, else by a
    listing."""
    settings = look.settings
    if not settings.inventory:
        return take_look(open_store(settings, settings.url), look, reach, clock)
    try:
        inventory = open_inventory(settings)
    except Unlistable as error:
        return note_look(look, _broken(error), Noted(INVENTORY, WHOLE), clock)
    chunks = list_inventory(inventory, settings.url)
    return note_look(look, chunks, Noted(INVENTORY, WHOLE, inventory.made_at), clock)


def _broken(error: Unlistable) -> Iterator[list[ListedObject]]:
    yield []
    raise error


def _read_periods(pipeline: dlt.Pipeline) -> list[CopiedPeriod]:
    """Return the last periods of copy_reconciliation; none before the marts are made."""
    marts = f"{pipeline.dataset_name}_marts"
    with pipeline.sql_client() as client:
        if "copy_reconciliation" not in tables_in(client, marts):
            return []
        table = f"{marts}.copy_reconciliation ORDER BY operation_id, billing_period_start DESC"
        periods = rows_as(client, CopiedPeriod, table)
    by_operation = groupby(periods, key=attrgetter("operation_id"))
    return [period for _, own in by_operation for period in islice(own, _PERIODS)]


class _Due(NamedTuple):
    """What decides whether a look is to be a whole one: the settings and their fingerprint, and the
    day on which billing periods begin."""

    settings: BucketSettings
    fingerprint: str
    cycle_day: int


def _reach(pipeline: dlt.Pipeline, due: _Due, now: datetime) -> Reach:
    """Return what a look has to list. A whole one is due where there was none since the billing
    period began: only that finds what came late, or went; and where copies are known by another key
    or by other settings than in the last one, since they would count twice."""
    if engine_of(pipeline) == "duckdb" and not Path(location_of(pipeline)).exists():
        return WHOLE
    with pipeline.sql_client() as client:
        last = read_last_listing(client, pipeline.dataset_name)
        last_full = read_last_listing(client, pipeline.dataset_name, full=True)
    if not (last and last_full) or due.fingerprint != last.settings_hash:
        return WHOLE
    zone = due.settings.default_zone
    today, whole_on = now.astimezone(zone).date(), last_full.seen_at.astimezone(zone).date()
    turn = month_of(today, due.cycle_day).start + DAY
    if whole_on < turn <= today or today - whole_on > timedelta(days=31):
        return WHOLE
    return Reach(last.seen_at.astimezone(zone).date() - DAYS_BACK, last_full.has_day_folders)


def _store(pipeline: dlt.Pipeline, listing: Listing, look: Look) -> None:
    """Store a look; on DuckDB in little memory, as long as that suffices."""
    is_duckdb = engine_of(pipeline) == "duckdb"

    def store(_: Tables) -> Changes:
        try:
            with in_little_memory(pipeline, _MEMORY) if is_duckdb else nullcontext():
                put()
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            put()
        return {}

    def put() -> None:
        with pipeline.sql_client() as client, client.begin_transaction():
            store_look(client, pipeline.dataset_name, engine_of(pipeline), listing, look)

    with held_open(pipeline):
        load_or_raise(pipeline, store, "not stored, so look again")
