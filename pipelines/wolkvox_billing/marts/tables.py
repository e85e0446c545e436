"""The small tables beside the views: their columns, and who fills them."""

from __future__ import annotations

from collections.abc import Mapping

from wolkvox_billing.marts.ahead import ANOMALY_COLUMNS, FORECAST_COLUMNS
from wolkvox_billing.marts.bridged import BRIDGED_COLUMNS
from wolkvox_billing.marts.claimed import CLAIM_COLUMNS
from wolkvox_billing.marts.copied import COPIED_DAY_COLUMNS, COPIED_PERIOD_COLUMNS
from wolkvox_billing.marts.identities import Identity
from wolkvox_billing.marts.reconciled import (
    AMOUNT,
    COUNT,
    DATE,
    KINDS,
    MOMENT,
    PRICE,
    TEXT,
    kinds_of,
)
from wolkvox_billing.marts.renames import Rename
from wolkvox_billing.marts.settled import COMPONENT_COLUMNS, SETTLEMENT_COLUMNS
from wolkvox_billing.marts.spellings import Spelling

# Of each table its columns with their types: what `refresh` fills, and what the views are made of.
_BY_REFRESH: dict[str, Mapping[str, str]] = {
    "refreshed": {
        "as_of_epoch": COUNT,
        "timezone": TEXT,
        "gauge_month": TEXT,
        "views_digest": TEXT,
        "inputs_digest": TEXT,
        "verdicts_epoch": COUNT,
    },
    "operations": {"operation_id": TEXT, "timezone": TEXT},
    "identities": dict.fromkeys(Identity._fields, TEXT),
    "renames": dict.fromkeys(Rename._fields, TEXT),
    "spellings": dict.fromkeys(Spelling._fields, TEXT),
    "reports": {
        "report": TEXT,
        "measure": TEXT,
        "measure_source": TEXT,
        "consumed_unit": TEXT,
    },
    "months": {
        "timezone": TEXT,
        "year_number": COUNT,
        "month_number": COUNT,
        "month_start": DATE,
        "month_end": DATE,
        "month_end_epoch": COUNT,
        "days": COUNT,
        "first_weekday": COUNT,
    },
    "days": {
        "timezone": TEXT,
        "calendar_date": DATE,
        "day_start_epoch": COUNT,
        "day_end_epoch": COUNT,
    },
}
# What `reconcile` fills: the views are made without it.
_BY_RECONCILE: dict[str, Mapping[str, str]] = {
    "line_map": {
        "line_number": COUNT,
        "supplier_id": TEXT,
        "item_code": TEXT,
        "pattern": TEXT,
        "report": TEXT,
        "operation_id": TEXT,
        "product": TEXT,
        "role": TEXT,
        "factor": PRICE,
    },
    "rate_card": {
        "line_number": COUNT,
        "report": TEXT,
        "operation_id": TEXT,
        "product": TEXT,
        "from_quantity": AMOUNT,
        "unit_price": PRICE,
        "currency": TEXT,
        "valid_from": DATE,
        "valid_to": DATE,
        "rounding": TEXT,
        "term": TEXT,
        "per": AMOUNT,
        "tiers": TEXT,
        "pooled": TEXT,
        "every": TEXT,
        "pattern": TEXT,
    },
    "exchange_rates": {
        "line_number": COUNT,
        "date": DATE,
        "currency": TEXT,
        "in_currency": TEXT,
        "rate": "DECIMAL(38, 18)",
    },
    "reconciled": KINDS,
    "components": kinds_of(COMPONENT_COLUMNS),
    "settled": kinds_of(SETTLEMENT_COLUMNS),
    "claimed": kinds_of(CLAIM_COLUMNS),
    "copied_days": kinds_of(COPIED_DAY_COLUMNS),
    "copied_periods": kinds_of(COPIED_PERIOD_COLUMNS),
    "bridged": kinds_of(BRIDGED_COLUMNS),
    # Of `focus_costs` what no other table has: of each document; and of those of its charges that
    # are priced, are of another time than it, or cost another amount by the contract.
    "focused": {
        "document_id": TEXT,
        "billing_account_id": TEXT,
        "billing_account_name": TEXT,
        "billing_period_start": MOMENT,
        "billing_period_end": MOMENT,
        "charge_class": TEXT,
        "invoice_id": TEXT,
        "invoice_issuer_name": TEXT,
    },
    "focused_charges": {
        "document_id": TEXT,
        "component_number": COUNT,
        "charge_category": TEXT,
        "charge_period_start": MOMENT,
        "charge_period_end": MOMENT,
        "contracted_cost": AMOUNT,
        "contracted_unit_price": PRICE,
        "pricing_quantity": AMOUNT,
        "pricing_unit": TEXT,
        "sku_id": TEXT,
    },
    "forecasts": kinds_of(FORECAST_COLUMNS),
    "anomalies": kinds_of(ANOMALY_COLUMNS),
    "statuses": {
        "status_key": TEXT,
        "status_label": TEXT,
        "status_label_es": TEXT,
        "severity": COUNT,
    },
    "reconciled_by": {"inputs_digest": TEXT, "policy_digest": TEXT},
}
TABLES = {**_BY_REFRESH, **_BY_RECONCILE}
RECONCILED = tuple(_BY_RECONCILE)
COPIED = ("copied_days", "copied_periods")  # what `bucket` fills too
CALENDAR = ("months", "days")
