"""The mart `invoice_reconciliation`: filled with verdicts that add up to all there is."""

from __future__ import annotations

import gc
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import dlt

from wolkvox_billing.bucket.tables import LISTINGS
from wolkvox_billing.errors import SettingsError, WolkvoxError
from wolkvox_billing.invoices.decisions import DECISION_TABLES
from wolkvox_billing.invoices.tables import INVOICE_TABLES
from wolkvox_billing.marts.claimed import OpenClaim
from wolkvox_billing.marts.engine import internal_of
from wolkvox_billing.marts.filling import fill_tables
from wolkvox_billing.marts.identity_words import billed, undecided
from wolkvox_billing.marts.reconciled import KINDS, ReconciledRow, key_of
from wolkvox_billing.marts.refresh import alone, engine_at, may_refresh, refresh
from wolkvox_billing.marts.sql import values_of
from wolkvox_billing.reconciliation.allowances import place_allowances
from wolkvox_billing.reconciliation.anomalies import find_anomalies
from wolkvox_billing.reconciliation.billed_lines import read_billed_lines
from wolkvox_billing.reconciliation.bridge import bridge, label_statuses
from wolkvox_billing.reconciliation.budget import read_budgets
from wolkvox_billing.reconciliation.captions import label
from wolkvox_billing.reconciliation.case import OddAnswers
from wolkvox_billing.reconciliation.claimed import CLAIM_TABLES, open_claims, read_claims
from wolkvox_billing.reconciliation.collect import read_facts
from wolkvox_billing.reconciliation.contract.current_ids import under_current_ids
from wolkvox_billing.reconciliation.contract.exchange_rates import ExchangeRate, read_exchange_rates
from wolkvox_billing.reconciliation.contract.line_map import (
    COMPARED,
    MapRow,
    first_fits,
    read_line_map,
    warn_of_map,
)
from wolkvox_billing.reconciliation.contract.names import unknown_names
from wolkvox_billing.reconciliation.contract.rate import FOREVER, Rate
from wolkvox_billing.reconciliation.contract.rate_card import read_rate_card, warn_of_card
from wolkvox_billing.reconciliation.copied_verdicts import CopiedVerdicts, billed_copies
from wolkvox_billing.reconciliation.copy_words import copied_rows, tell_copies
from wolkvox_billing.reconciliation.counted_periods import CountedPeriod, count_periods
from wolkvox_billing.reconciliation.counting import Standing
from wolkvox_billing.reconciliation.doubts import weigh
from wolkvox_billing.reconciliation.exchange import Exchanges
from wolkvox_billing.reconciliation.facts import Facts
from wolkvox_billing.reconciliation.focus import focus_tables
from wolkvox_billing.reconciliation.forecast import forecast_months
from wolkvox_billing.reconciliation.judging import judge
from wolkvox_billing.reconciliation.keys import Comparison, Key, compare
from wolkvox_billing.reconciliation.observed import observe
from wolkvox_billing.reconciliation.origin import Basis
from wolkvox_billing.reconciliation.paper_words import say_stored
from wolkvox_billing.reconciliation.policy import COPIED, FILES, UNKNOWN, Policy
from wolkvox_billing.reconciliation.rules import Rules
from wolkvox_billing.reconciliation.settlement import (
    Questions,
    Settled,
    Settlement,
    settle,
    settled_tables,
)
from wolkvox_billing.reconciliation.standing_words import tell_standings
from wolkvox_billing.reconciliation.totals import Totals, tie_out
from wolkvox_billing.reconciliation.verdicts import (
    FIRST_NIGHT_IS_OVER,
    NO_FINDING,
    Verdict,
    severity_of,
)
from wolkvox_billing.reconciliation.words import excluded_doubts, explanation, settled_by
from wolkvox_billing.values.clock import epoch
from wolkvox_billing.values.periods import Period, label_period
from wolkvox_billing.values.spelling import plain
from wolkvox_billing.values.translation import N_, Amount, Plural, Sentence
from wolkvox_billing.vendor.reports import REPORTS, is_nightly, unit_of
from wolkvox_billing.warehouse.sql import (
    REFRESHED,
    Client,
    SqlRow,
    engine_of,
    literal,
    rows_of,
    tables_in,
)

NOT_STORED = N_(
    "these verdicts are as of the last load, and are not stored, since this role can only read: "
    "the marts keep those that `load` or `reconcile` stored last"
)
_Tables = dict[str, Iterable[tuple[object, ...]]]  # rows, by the table that they are of
_INVOICED_WITHIN = timedelta(days=62)  # of a month's end


class Filled(NamedTuple):
    """The mart's rows of a month, or of all, each with what was compared for it; what they come to;
    warnings; the documents, settled; those that are told, since they do not simply count; and
    whether the marts hold it too."""

    bases: list[Basis]
    totals: Totals
    warnings: list[str]
    settled: list[Settled]
    told: list[Standing]
    is_stored: bool

    @property
    def rows(self) -> list[ReconciledRow]:
        return [basis.row for basis in self.bases]


def refill(pipeline: dlt.Pipeline, policy: Policy, *, anew: bool) -> None:
    """Fill the mart, as of the marts' clock; if not `anew`, only where its `_inputs` are others,
    since on a long record that takes as long as ten polls. Raises SettingsError, DoesNotTieOut."""
    if anew or not _is_filled(pipeline, policy):
        fill(pipeline, policy)


def _is_filled(pipeline: dlt.Pipeline, policy: Policy) -> bool:
    with pipeline.sql_client() as client:
        internal = internal_of(pipeline.dataset_name)
        digests = rows_of(client, f"SELECT inputs_digest FROM {internal}.reconciled_by")
        raw = pipeline.dataset_name
        return digests == [(_inputs(client, raw, policy, tables_in(client, raw)),)]


def _inputs(client: Client, raw: str, policy: Policy, tables: set[str]) -> str:
    """Return a digest of what verdicts are made of: the rules, the vendor's days, the operations,
    the invoices with the decisions on them, and what was read of months that are over, or read
    again. What is read in the running month changes its verdicts once a day."""
    rows = partial(rows_of, client)
    [(epoch, default, *digests)] = rows(
        f"SELECT as_of_epoch, timezone, views_digest, inputs_digest FROM {raw}_marts.refreshed"
    )
    zones = rows(f"SELECT operation_id, timezone FROM {raw}_marts.operations ORDER BY 1")
    moments = [
        datetime.fromtimestamp(epoch, ZoneInfo(zone))
        for zone in sorted({default, *(zone for _, zone in zones)})
    ]
    days = [moment.date() for moment in moments]
    # On a month's first day the month before waits for its last night.
    nights = [moment.day == 1 and moment.hour >= FIRST_NIGHT_IS_OVER for moment in moments]
    loaded = sorted({*INVOICE_TABLES, *DECISION_TABLES, *CLAIM_TABLES} & tables)
    reports = sorted(REPORTS.keys() & tables)
    listings = {LISTINGS} & tables
    before = literal(max(days).replace(day=1))
    used = [
        *_counted(client, raw, loaded, "MAX(_dlt_load_id)"),
        *_counted(client, raw, reports, "MAX(read_at)", f"WHERE date < {before}"),
        *_counted(client, raw, listings, "MAX(listing_id)"),
    ]
    parts = (policy.as_json(), digests, zones, days, nights, used)
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def _counted(
    client: Client, raw: str, tables: Iterable[str], last: str, of: str = ""
) -> list[SqlRow]:
    """Return how many rows each of these tables has, and the last of them, asked at once."""
    query = " UNION ALL ".join(
        f"SELECT {literal(table)}, COUNT(*), {last} FROM {raw}.{table} {of}" for table in tables
    )
    return rows_of(client, f"{query} ORDER BY 1") if query else []


def policy_digest(policy: Policy) -> str:
    """Return what tells whether another machine compares by the same rules and contract files,
    wherever it has them."""
    rules = {name: value for name, value in policy.as_json().items() if name not in FILES}
    return hashlib.sha256(json.dumps(rules, sort_keys=True, default=str).encode()).hexdigest()


def fill_anew(
    pipeline: dlt.Pipeline,
    policy: Policy,
    now: datetime,
    month: Period | None = None,
    *,
    reads: bool = False,
) -> Filled:
    """As `fill`, as of `now`; where only reading is allowed, as of the last load. Raises
    SettingsError where the destination has no marts."""
    if (name := engine_of(pipeline)) not in REFRESHED:
        raise SettingsError(f"verdicts are made on {' and '.join(REFRESHED)}, not on {name}")
    refresh(pipeline, None, now)
    return fill(pipeline, policy, month, reads=reads)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let Python's collector rest: it would go through all rows again and again, a fifth of the
    time, and they are in use until the end."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_uncollected()
def fill(
    pipeline: dlt.Pipeline, policy: Policy, month: Period | None = None, *, reads: bool = False
) -> Filled:
    """Fill `invoice_reconciliation`, `invoice_components`, `invoice_settlement` and `claims_open`;
    return what was filled in, of a month or of all.

    reads: where this role or file takes no writing nothing is stored, which a warning says.
    Raises SettingsError, DoesNotTieOut, and WolkvoxError for a number too large to store.
    """
    raw = pipeline.dataset_name
    is_stored = not reads or may_refresh(pipeline)
    with pipeline.sql_client() as client:
        present = tables_in(client, raw)
        # First: what comes meanwhile makes the next one fill.
        inputs = _inputs(client, raw, policy, present)
        facts = read_facts(client, raw, policy, present)
        compared = compare_facts(client, raw, facts, policy, present, month)
        tables = compared.tables()
        tables["reconciled_by"] = [(inputs, policy_digest(policy))]
        if is_stored:
            with client.begin_transaction():
                alone(pipeline, client)
                engine = engine_at(pipeline)
                fill_tables(client, engine, tables)
                now = epoch(compared.facts.now)
                refreshed = engine.name("refreshed")
                client.execute_sql(f"UPDATE {refreshed} SET verdicts_epoch = {now} WHERE TRUE")
    return compared.filled(month, is_stored=is_stored)


def fill_claims(pipeline: dlt.Pipeline, policy: Policy, zone: tzinfo) -> None:
    """Fill `claims_open` alone, after a claim that was just recorded, which changes no verdict, by
    the documents that count now. The next load fills all, since there is another claim."""
    raw = pipeline.dataset_name
    with pipeline.sql_client() as client, client.begin_transaction():
        alone(pipeline, client)
        tables = tables_in(client, raw)
        stated = read_billed_lines(client, raw, policy, tables).stated
        claims = open_claims(read_claims(client, raw, tables), stated, zone)
        fill_tables(client, engine_at(pipeline), {"claimed": map(values_of, claims)})


# Five of what is compared, and the month of the totals.
def compare_facts(
    client: Client,
    raw: str,
    facts: Facts,
    policy: Policy,
    tables: Collection[str],
    month: Period | None,
) -> Compared:
    """Return what was used beside what was billed, of all months; the totals are of `month`.
    tables: those that are there."""
    line_map = read_line_map(Path(policy.line_map), REPORTS)
    rates = read_rate_card(Path(policy.rate_card), REPORTS)
    exchange_rates = read_exchange_rates(Path(policy.exchange_rates))
    line_map = under_current_ids(line_map, facts.identities)
    rates = under_current_ids(rates, facts.identities)
    facts = place_allowances(facts, line_map, rates, policy)
    comparison = compare(facts, line_map, _supplier(facts, policy))
    another_night = policy.cut_off not in (UNKNOWN, COPIED)
    comparison = replace(comparison, ends_with_another_night=another_night)
    observed = observe(client, raw, facts, comparison.disputed_parts, policy)
    rules = Rules(policy, rates, exchange_rates)
    verdicts = judge(facts, comparison, observed, rules)
    odd_answers = OddAnswers(client, raw, facts.identities, tables)
    verdicts = weigh(verdicts, facts, comparison, observed.behaviours, odd_answers)
    totals = tie_out(facts, comparison, verdicts, month)
    counted = count_periods(facts, billed_copies(verdicts), policy)
    copied = CopiedVerdicts(verdicts, counted, policy)
    rows = [_storable(row_of(verdict, facts, policy, copied)) for verdict in verdicts]
    judged = [*zip(verdicts, rows, strict=True)]
    settlement = settle(facts, comparison, judged, rules)
    judged = [(verdict, _questioned(row, settlement.questions_of(verdict)))
              for verdict, row in judged]  # fmt: skip
    return Compared(
        policy=policy,
        line_map=line_map,
        rates=rates,
        exchange_rates=exchange_rates,
        facts=facts,
        comparison=comparison,
        counted=counted,
        judged=judged,
        settlement=settlement,
        claims=open_claims(read_claims(client, raw, tables), facts.stated, facts.default_zone),
        totals=totals,
    )


@dataclass(frozen=True)
class Compared:
    """The contract, the facts, and what came of comparing them."""

    policy: Policy
    line_map: list[MapRow]
    rates: list[Rate]
    exchange_rates: list[ExchangeRate]
    facts: Facts
    comparison: Comparison
    counted: list[CountedPeriod]
    judged: list[tuple[Verdict, ReconciledRow]]
    settlement: Settlement
    claims: list[OpenClaim]
    totals: Totals

    def tables(self) -> _Tables:
        """Return the rows of each table that is stored."""
        facts, language = self.facts, self.policy.language
        forecasts = forecast_months(facts, self.rates, read_budgets(self.policy.budget))
        settled = self.settlement.documents
        documents = {stated.document.document_id: stated.document for stated in facts.stated}
        statuses: set[str | None] = {row.reconciliation_status for _, row in self.judged}
        statuses |= {part.reconciliation_status for each in settled for part in each.components}
        return {
            "line_map": [values_of(row) for row in self.line_map],
            "rate_card": [_card_row(rate) for rate in self.rates],
            "exchange_rates": [values_of(rate) for rate in self.exchange_rates],
            "reconciled": [values_of(row) for _, row in self.judged],
            **settled_tables(settled),
            "bridged": bridge(self.judged, documents),
            "statuses": label_statuses(statuses),
            "forecasts": [values_of(row) for row in forecasts],
            "anomalies": [values_of(row) for row in find_anomalies(facts, language)],
            **focus_tables(self.settlement, facts),
            "claimed": [values_of(claim) for claim in self.claims],
            **_copied_tables(facts, self.counted, self.policy),
        }

    def filled(self, month: Period | None, *, is_stored: bool) -> Filled:
        """Return what was filled in, of a month or of all."""
        told = [standing for standing in self.facts.told if standing.is_for(month)]
        bases = [
            Basis(row, verdict.uses, verdict.lines)
            for verdict, row in self.judged
            if not month or _is_of_month(row, month)
        ]
        settled = [each for each in self.settlement.documents if not month or each.is_for(month)]
        warnings: list[str] = [] if is_stored else [Sentence(NOT_STORED)]
        warnings += self._warnings(month, told)
        return Filled(bases, self.totals, warnings, settled, told, is_stored)

    def _warnings(self, month: Period | None, told: Iterable[Standing]) -> list[str]:
        facts, policy, line_map = self.facts, self.policy, self.line_map
        map_file, card_file = Path(policy.line_map).name, Path(policy.rate_card).name
        compared = [row for row in line_map if row.role in COMPARED]
        documents = _documents_of(facts, month)
        exchanges = Exchanges(facts, self.exchange_rates, policy)
        return [
            *warn_of_map(line_map, facts.lines, map_file, taking=self.comparison.taking),
            *unknown_names(compared, map_file, facts.operations, facts.months),
            *warn_of_card(self.rates, card_file),
            *unknown_names(self.rates, card_file, facts.operations, facts.months),
            *facts.warnings,
            *tell_standings(told, policy.language),
            *undecided(facts.identities, policy.language),
            *_warn_of_forgotten(facts, line_map, month, policy.language),
            *_warn_of_lines(facts),
            *_warn_of_sums(facts, documents),
            *exchanges.warnings(Path(policy.exchange_rates).name, documents),
            *_warn_of_refused(facts, month),
        ]


def _card_row(rate: Rate) -> tuple[object, ...]:
    return tuple(None if value == FOREVER else value for value in values_of(rate))


def _storable(row: ReconciledRow) -> ReconciledRow:
    """Return a row without costs that DECIMAL(18, 4) does not hold, since one absurd reading must
    not stop all verdicts. Raises WolkvoxError for an amount or quantity that was billed."""
    large = {
        name: value
        for name in _NUMBERS
        if (value := getattr(row, name)) is not None and abs(value) >= _TOO_LARGE
    }
    for name, value in large.items():
        if name.startswith("billed_"):
            product = row.product or row.report or "what no row of the line map fits"
            raise WolkvoxError(
                f"{name} of {row.operation_id or 'no operation'}, {product}, period from "
                f"{row.billing_period_start}, is {value:,f}: expected less than "
                f"{_TOO_LARGE:,}; look for a wrong number in the invoices"
            )
    nothing: dict[str, Any] = dict.fromkeys(large)
    return replace(row, **nothing) if large else row


_TOO_LARGE = 10**14
_NUMBERS = [name for name, kind in KINDS.items() if kind.startswith("DECIMAL")]


def _warn_of_lines(facts: Facts) -> list[str]:
    """Return a warning where lines name no period: no month shows them."""
    lines = [line for line in facts.lines if not line.period]
    if not lines:
        return []
    amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        amounts[line.currency or ""] += line.amount
    totals = [
        Amount(amounts[currency], currency or Sentence(N_("no currency")))
        for currency in sorted(amounts)
    ]
    return [Sentence(_NO_PERIOD, len(lines), n=len(lines), totals=totals)]


_NO_PERIOD = Plural(
    "{n} invoice line over {totals} without a period: in no month",
    "{n} invoice lines over {totals} without a period: in no month",
)


def _warn_of_forgotten(
    facts: Facts, line_map: Sequence[MapRow], month: Period | None, language: str
) -> list[str]:
    """Return a warning for each operation that is left out, and that lines for the month name: by
    the line map, by its id, or by a name that the vendor gave it."""
    names = {plain(operation_id): operation_id for operation_id in facts.identities.forgotten}
    own = {plain(name or "") for name in facts.operations.values()}
    for use in facts.forgotten:
        if plain(use.operation_name) not in own:
            names.setdefault(plain(use.operation_name), use.operation_id)
    if not names:
        return []
    lines: Counter[str] = Counter()
    for line, row in zip(facts.lines, first_fits(line_map, facts.lines), strict=True):
        name = plain((row.operation_id if row else "") or line.operation or "")
        if name in names and (not month or (line.period and line.period.overlaps(month))):
            lines[names[name]] += 1
    return [billed(name, lines[name], language) for name in sorted(lines)]


def _warn_of_sums(facts: Facts, document_ids: Iterable[str]) -> list[str]:
    """Return what is odd in the sums of documents; what is odd in a whole file once."""
    titles: defaultdict[str, list[str]] = defaultdict(list)
    for document_id in document_ids:
        if odd := facts.doubts.get(document_id):
            for doubt in odd.doubts:
                titles[doubt].append(odd.title)
    return [
        Sentence(
            N_("{title} and {n} more: {doubt}") if others else "{title}: {doubt}",
            title=first,
            n=len(others),
            doubt=say_stored(doubt),
        )
        for doubt, (first, *others) in titles.items()
    ]


def _documents_of(facts: Facts, month: Period | None) -> Collection[str]:
    """Return the documents that are for the month, or all, in the order of their lines."""
    return dict.fromkeys(
        line.document_id
        for line in facts.lines
        if month is None or (line.period and line.period.overlaps(month))
    )


def _warn_of_refused(facts: Facts, month: Period | None) -> list[str]:
    """Return a warning where papers were refused that may be for the month: read since it began,
    and not long after it."""
    if not month:
        return []
    until = month.end + _INVOICED_WITHIN
    refused = [paper for paper in facts.refused if month.start <= paper.day < until]
    if not refused:
        return []
    count, last = len(refused), refused[0]
    return [Sentence(_REFUSED, count, n=count, file=last.file_name, reason=last.reason)]


_REFUSED = Plural(
    "{n} paper was refused when read, and no verdict knows of it; the last one, {file}: {reason}",
    "{n} papers were refused when read, and no verdict knows of it; the last one, {file}: {reason}",
)


def row_of(verdict: Verdict, facts: Facts, policy: Policy, copied: CopiedVerdicts) -> ReconciledRow:
    """Return the row of a verdict."""
    key = verdict.key
    return ReconciledRow(
        supplier_id=key.supplier_id,
        operation_id=key.operation_id,
        operation_name=facts.operations.get(key.operation_id or ""),
        report=key.report,
        product=key.product,
        billing_period_start=key.period.start if key.period else None,
        billing_period_end=key.period.end if key.period else None,
        billing_currency=key.currency,
        consumed_quantity=verdict.consumed,
        billed_quantity=verdict.billed_quantity,
        quantity_variance=verdict.quantity_variance,
        contracted_unit_price=verdict.priced.unit_price,
        contracted_cost=verdict.contracted_cost,
        billed_cost=verdict.billed_cost,
        cost_variance=verdict.cost_variance,
        volume_effect=verdict.volume_effect,
        price_effect=verdict.price_effect,
        exchange_effect=verdict.exchange_effect,
        invoice_ids=",".join(sorted({line.document_id for line in verdict.lines})) or None,
        hours_unread_at_end=_hours_unread_at_end(verdict),
        reconciliation_status=verdict.status,
        is_material=verdict.is_material or copied.is_material(verdict),
        explanation=_explanation(verdict, facts, policy.language, copied.of(verdict)),
        cut_off=_agreed_cut_off(verdict, facts),
        doubts_excluded=excluded_doubts(verdict, policy.language),
        settled_by=settled_by(verdict, policy.language),
        language=policy.language,
        copy_status=copied.status_of(verdict),
        missing_copies_cost=copied.missing_cost(verdict),
        verdict_key=key_of(*key),
        is_invoiced=bool(verdict.lines),
        status_label=label(verdict.status, "en"),
        status_label_es=label(verdict.status, "es"),
        severity=severity_of(verdict.status),
        month_label=label_period(*key.period) if key.period else None,
        product_label=_product_label(key),
        consumed_unit=(unit_of(key.report) or "units") if key.report else None,
        verdicts_as_of=facts.now.astimezone(timezone.utc).replace(microsecond=0),
    )


def _hours_unread_at_end(verdict: Verdict) -> Decimal | None:
    end = verdict.key.period.end if verdict.key.period else None
    uses = [use for use in verdict.uses if use.period.end == end]
    return max((use.hours_unread for use in uses if use.hours_unread is not None), default=None)


def _questioned(row: ReconciledRow, questions: Questions) -> ReconciledRow:
    own = {"questioned_cost": questions.questioned, "claimed_cost": questions.claimed}
    return ReconciledRow(**vars(row) | own)  # which `replace` takes twice as long for


def _product_label(key: Key) -> str | None:
    """Return a product without runs of blanks; the report's name where all of it is one."""
    name = key.product or (key.report or "").replace("_", " ")
    return " ".join(name.split()) or None


def _explanation(verdict: Verdict, facts: Facts, locale: str, counted: CountedPeriod | None) -> str:
    sentence = explanation(verdict, facts, locale)
    return f"{sentence} {tell_copies(counted, locale)}" if counted else sentence


def _copied_tables(
    facts: Facts, counted: Sequence[CountedPeriod], policy: Policy
) -> dict[str, list[tuple[object, ...]]]:
    rows = copied_rows(counted, facts, policy.language)
    return {
        "copied_days": [values_of(day) for day in facts.copies.days],
        "copied_periods": [values_of(row) for row in rows],
    }


def fill_copies(pipeline: dlt.Pipeline, policy: Policy) -> None:
    """Fill `bucket_daily` and `copy_reconciliation` alone, where there is no contract to compare
    invoices by: of what is billed nothing is known."""
    with pipeline.sql_client() as client:
        raw = pipeline.dataset_name
        facts = read_facts(client, raw, policy, tables_in(client, raw))
        counted = count_periods(facts, {}, policy)
        with client.begin_transaction():
            alone(pipeline, client)
            fill_tables(client, engine_at(pipeline), _copied_tables(facts, counted, policy))


def _agreed_cut_off(verdict: Verdict, facts: Facts) -> str | None:
    """Return the only measure of a nightly copy's month that the invoice agrees with."""
    key = verdict.key
    if not (key.period and verdict.billed and is_nightly(key.report)):
        return None
    if verdict.quantity_variance != 0 or verdict.status not in NO_FINDING[1:]:
        return None
    if verdict.cut_off:
        agreeing = verdict.cut_off.agreeing
        return agreeing[0] if len(agreeing) == 1 else None
    # It agrees with what was copied. The days tell whether another measure comes to the same.
    meters = [use.meter for use in verdict.uses]
    first, following = (
        [use.quantity for meter in meters if (use := facts.use_on(meter, day))]
        for day in key.period
    )
    is_known = len(first) == len(following) == len(meters)
    return COPIED if is_known and sum(following) not in (0, sum(first)) else None


def _supplier(facts: Facts, policy: Policy) -> str | None:
    """Return whose key use gets that nobody billed: the only supplier that there is."""
    suppliers: set[str | None] = {*policy.supplier_ids} or {
        line.supplier_id for line in facts.lines
    }
    return suppliers.pop() if len(suppliers) == 1 else None


def _is_of_month(row: ReconciledRow, month: Period) -> bool:
    """Whether a verdict's period has days in the month."""
    start, end = row.billing_period_start, row.billing_period_end
    return bool(start and end and Period(start, end).overlaps(month))
