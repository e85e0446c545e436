"""What verdicts are made by, beside what was used and billed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from wolkvox_billing.reconciliation.contract.exchange_rates import ExchangeRate
from wolkvox_billing.reconciliation.contract.rate import Rate
from wolkvox_billing.reconciliation.policy import Policy


class Rules(NamedTuple):
    """The settings, the rows of the contract, and the rates of the file between currencies."""

    policy: Policy
    rates: Sequence[Rate] = ()
    exchange_rates: Sequence[ExchangeRate] = ()
