"""A person's word on documents and operations: who says it, where, and what it changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone

import dlt

from wolkvox_billing.closing import check_closes
from wolkvox_billing.closing.signing import signed_words, signer
from wolkvox_billing.reconciliation.policy import Policy, read_policy
from wolkvox_billing.values.clock import Clock
from wolkvox_billing.values.translation import N_, phrase
from wolkvox_billing.verbs.invoices import compare_anew
from wolkvox_billing.warehouse.complaints import configured
from wolkvox_billing.warehouse.place import opened, reading

_NOT_COMPARED = N_("decided, and invoices were not compared anew: {why}")


@dataclass(frozen=True)
class Decider:
    """Whoever decides, and where. said, by: what that person gave as a reason and a name."""

    said: str | None
    by: str | None
    destination: str
    dataset: str
    policy: Policy | None
    clock: Clock

    @property
    def name(self) -> str:
        """Who it is, by login name where none is given. Raises SettingsError where nobody knows."""
        return signer(self.by, "decides")

    @property
    def reason(self) -> str | None:
        """Why, as a database takes it; None where nothing is said."""
        return signed_words(self.said)

    @property
    def rules(self) -> Policy:
        """By which invoices are compared. Raises SettingsError."""
        return self.policy or configured(read_policy)

    def now(self) -> datetime:
        return self.clock().astimezone(timezone.utc)

    @contextmanager
    def at_work(self) -> Iterator[dlt.Pipeline]:
        """Open the place, for as long as it is decided."""
        place = opened(self.destination, self.dataset)
        with place as pipeline, reading(pipeline):
            yield pipeline

    def compare_anew(self, pipeline: dlt.Pipeline, rules: Policy) -> list[str]:
        """Compare invoices by what is decided now; return a warning where that fails, and for each
        close that no longer holds."""
        complaint = compare_anew(pipeline, rules, self.clock())
        warnings = [phrase(_NOT_COMPARED, rules.language, why=complaint)] if complaint else []
        broken = check_closes(pipeline).broken
        return warnings + [doubt.says.say(rules.language) for doubt in broken]
