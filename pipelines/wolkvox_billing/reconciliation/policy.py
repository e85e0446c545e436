"""The settings under `[reconciliation]`: by which rules invoices are compared with usage."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from wolkvox_billing.errors import SettingsError, WolkvoxError
from wolkvox_billing.reconciliation.budget import write_budgets
from wolkvox_billing.values.currencies import WHOLE_CURRENCIES
from wolkvox_billing.values.locales import ENGLISH, is_locale, language_of
from wolkvox_billing.values.tax_id import canonical_id
from wolkvox_billing.warehouse.configuration import read_section
from wolkvox_billing.warehouse.known_settings import RECONCILIATION

LANGUAGES = ("en", "es")
# Which night ends a nightly copy's month: see `cut_off`.
CUT_OFFS = UNKNOWN, COPIED, CALLED, AFTER_FIRST_NIGHT = (
    "unknown",
    "copied",
    "called",
    "after_first_night",
)
# From which day the days are counted within which an invoice can be claimed: see `acceptance`.
ACCEPTANCE_STARTS = EARLIEST_START, *_ = ("earliest", "issue", "receipt", "service")
# What is worth an alarm, by currency, where the setting says nothing: about one US dollar, which is
# also what it is of a currency that is not here.
MATERIALITY = {
    "COP": Decimal(5000),
    "CLP": Decimal(1000),
    "PYG": Decimal(8000),
    "JPY": Decimal(150),
    "MXN": Decimal(20),
    "PEN": Decimal(4),
}
PERIOD_RULES = ("month_before_issue", "issue_month")  # of a document that names no period
CONTRACT_FILES = ("line_map", "rate_card")
FILES = (*CONTRACT_FILES, "exchange_rates")  # the last one need not be there
# The largest numbers that can be meant; of what is not here what a table's column holds.
_MOST = {
    "tolerance_percent": Decimal(100),
    "invoice_due_days": Decimal(3660),
    "vendor_lag_hours": Decimal(744),
    "tail_factor": Decimal(1000),
}
_MOST_OF_ALL = Decimal(10) ** 14 - 1
# Whose rate counts between two currencies: the document's own, or the file's of which day.
EXCHANGE_RATES = DOCUMENT, ISSUE_DATE, PERIOD_END = ("document", "issue_date", "period_end")


@dataclass(frozen=True)
class Policy:
    """The rules of a comparison; quantities in units, amounts in the invoice's currency.

    Raises SettingsError for a value that cannot be meant.
    """

    line_map: str = "line_map.csv"
    rate_card: str = "rate_card.csv"
    exchange_rates: str = "exchange_rates.csv"
    exchange_rate: str = DOCUMENT
    tolerance_quantity: Decimal = Decimal(0)
    tolerance_percent: Decimal = Decimal(0)
    tolerance_amount: Decimal | None = None  # None: by the currency
    invoice_due_days: int = 15
    billing_cycle_day: int = 1  # on which a billing period begins
    materiality: Decimal | None = None  # None: by the currency
    cut_off: str = UNKNOWN
    vendor_lag_hours: Decimal = Decimal(0)
    period_rule: str = PERIOD_RULES[0]
    acceptance_starts: str = EARLIEST_START
    supplier_ids: tuple[str, ...] = ()
    tail_factor: Decimal = Decimal(2)  # unread time can hold so many times the highest rate seen
    language: str = LANGUAGES[0]
    copy_findings: bool = True  # billed copies that are not in the bucket are questioned
    budget: Mapping[str, str] | None = None  # report or product → amounts with their currencies

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if isinstance(value, (Decimal, int)):
                _check_number(setting.name, Decimal(value))
        for name in FILES:
            if not getattr(self, name).strip():
                raise SettingsError(_wrong(name, getattr(self, name), "the name of a file"))
        if not 1 <= self.billing_cycle_day <= 28:
            raise SettingsError(
                _wrong("billing_cycle_day", self.billing_cycle_day, "a day from 1 to 28")
            )
        for name, allowed in (
            ("period_rule", PERIOD_RULES),
            ("cut_off", CUT_OFFS),
            ("acceptance_starts", ACCEPTANCE_STARTS),
            ("exchange_rate", EXCHANGE_RATES),
        ):
            if getattr(self, name) not in allowed:
                raise SettingsError(
                    _wrong(name, getattr(self, name), f"one of {', '.join(allowed)}")
                )
        if self.language not in LANGUAGES and not (
            language_of(self.language) in LANGUAGES and is_locale(self.language)
        ):
            raise SettingsError(
                _wrong("language", self.language, "en or es, or a locale of them such as es_CO")
            )
        if not all(self.supplier_ids):
            raise SettingsError(_wrong("supplier_ids", [*self.supplier_ids], "tax ids"))
        try:
            object.__setattr__(self, "budget", write_budgets(self.budget))
        except ValueError as error:
            raise SettingsError(f"the setting `budget` under [reconciliation]: {error}") from None
        # However a person writes a NIT, it is the one that documents have.
        object.__setattr__(self, "supplier_ids", tuple(map(canonical_id, self.supplier_ids)))

    def tolerance_in(self, currency: str | None) -> Decimal:
        """Return within how much amounts agree: one unit where a currency is invoiced in whole
        ones, else a cent, unless the setting says."""
        if self.tolerance_amount is not None:
            return self.tolerance_amount
        return Decimal(1) if currency in WHOLE_CURRENCIES else Decimal("0.01")

    def materiality_in(self, currency: str | None) -> Decimal:
        """Return what is worth an alarm: one unit of a currency that is not listed."""
        if self.materiality is not None:
            return self.materiality
        return MATERIALITY.get(currency or "", Decimal(1))

    @property
    def has_files(self) -> bool:
        """Whether the line map and the rate card are there: without them nothing is compared."""
        return all(Path(getattr(self, name)).exists() for name in CONTRACT_FILES)

    def as_json(self) -> dict[str, Any]:
        """Return the settings by name, numbers as texts; and what is in the files, whose names do
        not say by which rules, as SHA-256, null where there is none."""
        stated = asdict(self.stated())
        return {k: str(v) if isinstance(v, Decimal) else v for k, v in stated.items()}

    def stated(self) -> StatedPolicy:
        """Return the policy with what is in its files now."""
        return StatedPolicy(
            **vars(self),
            line_map_sha256=_sha256(Path(self.line_map)),
            rate_card_sha256=_sha256(Path(self.rate_card)),
            exchange_rates_sha256=_sha256(Path(self.exchange_rates)),
        )


@dataclass(frozen=True)
class StatedPolicy(Policy):
    """A policy with what is in its files, whose names do not say by which rules: their SHA-256,
    None where there is none."""

    line_map_sha256: str | None = None
    rate_card_sha256: str | None = None
    exchange_rates_sha256: str | None = None


def read_policy() -> Policy:
    """Return the Policy by the settings. Raises SettingsError."""
    hints = {setting.name: _hint(setting.default) for setting in fields(Policy)}
    hints["budget"] = dict
    values: dict[str, Any] = read_section(RECONCILIATION, hints)  # each is of its field's type
    if "supplier_ids" in values:
        values["supplier_ids"] = tuple(map(_tax_id, values["supplier_ids"]))
    return Policy(**values)


def read_language() -> str:
    """Return the setting `language`; English where the settings cannot be read, of which whoever
    needs the others complains."""
    try:
        return read_policy().language
    except WolkvoxError:
        return ENGLISH


def _hint(default: object) -> type:
    if default is None:
        return Decimal
    return list if isinstance(default, tuple) else type(default)


def _tax_id(value: object) -> str:
    """Return a tax id as a text, be it written without quotes. Raises SettingsError."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise SettingsError(_wrong("supplier_ids", value, 'tax ids, such as ["900123456-7"]'))
    return str(value).strip()


def _check_number(name: str, value: Decimal) -> None:
    """Raise SettingsError for a number that cannot be meant."""
    most = _MOST.get(name, _MOST_OF_ALL)
    if not (value.is_finite() and 0 <= value <= most):
        expected = f"a number that is not negative, and at most {most:,}"
        raise SettingsError(
            f"the setting `{name}` under [reconciliation] is {value}: expected {expected}"
        )


def _sha256(file: Path) -> str | None:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return None


def _wrong(name: str, value: object, expected: str) -> str:
    return f"the setting `{name}` under [reconciliation] is {value!r}: expected {expected}"
