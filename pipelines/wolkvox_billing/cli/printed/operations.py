"""What `operations --json` prints: the list, or a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from wolkvox_billing.cli.printed import Printed
from wolkvox_billing.marts.decisions import OperationDecision
from wolkvox_billing.verbs.operations import ListedOperation


@dataclass(frozen=True, kw_only=True)
class PrintedOperations(Printed):
    """Of `operations list`: all that were ever asked, or decided on."""

    operations: Sequence[ListedOperation]
    location: Annotated[str, "Of the tables: a file, or an address without its password"]
    warnings: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class PrintedOperation(Printed):
    """Of rename, merge, forget and restore."""

    decision: OperationDecision
    is_new: Annotated[bool, "Whether anything was recorded: it may have been decided so before"]
    says: Annotated[str, "What was decided, in a sentence"]
    warnings: Annotated[Sequence[str], "What it changed elsewhere"]
    location: Annotated[str, "Of the tables: a file, or an address without its password"]
