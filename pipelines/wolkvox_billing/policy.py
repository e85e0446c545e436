"""The settings under `[reconciliation]`: by which rules invoices are compared."""

from __future__ import annotations

from dataclasses import dataclass

import dlt

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.invoices.period import RULES


@dataclass(frozen=True)
class Policy:
    """The rules. `period_rule` is for a document that names no period."""

    period_rule: str = RULES[0]

    def __post_init__(self) -> None:
        if self.period_rule not in RULES:
            raise SettingsError(
                f"the setting `period_rule` under [reconciliation] is {self.period_rule!r}: "
                f"expected one of {', '.join(RULES)}"
            )


def read_policy() -> Policy:
    """The Policy by dlt's configuration. Raises SettingsError."""
    return Policy(period_rule=dlt.config.get("reconciliation.period_rule", str) or RULES[0])
