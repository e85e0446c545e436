"""What `check --json` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from wolkvox_billing.cli.printed import Printed
from wolkvox_billing.verbs.airflow_pool import Pool
from wolkvox_billing.verbs.check import Finding


@dataclass(frozen=True, kw_only=True)
class PrintedCheck(Printed):
    """What the call of each operation showed."""

    findings: Annotated[Sequence[Finding], "One of each operation, in the order of their names"]
    failures: Annotated[Sequence[str], "What does not work, and what to do; [] and exit code 0"]
    warnings: Annotated[Sequence[str], "What is odd in the settings"]


def check_as_form(findings: Sequence[Finding], pool: Pool, warnings: Sequence[str]) -> PrintedCheck:
    """Return what a `check` prints."""
    return PrintedCheck(findings=findings, failures=[*_failures(findings, pool)], warnings=warnings)


def _failures(findings: Sequence[Finding], pool: Pool) -> Iterator[str]:
    if not pool.is_good:
        yield pool.says
    for finding in findings:
        if finding.failed_step:
            says = f" ({finding.says})" if finding.says else ""
            name = f"{finding.operation_id} {finding.report}"
            yield f"{name}: fails at: {finding.failed_step}{says}: {finding.advice}"
