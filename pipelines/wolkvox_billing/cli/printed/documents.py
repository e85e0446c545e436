"""What `documents --json` prints: the list, or a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from wolkvox_billing.cli.printed import Printed
from wolkvox_billing.invoices.decisions import Decision
from wolkvox_billing.verbs.documents import CancelledRows, ListedDocument


@dataclass(frozen=True, kw_only=True)
class PrintedDocuments(Printed):
    """Of `documents list`: all documents that were ever loaded."""

    documents: Sequence[ListedDocument]
    cancelled: Annotated[Sequence[CancelledRows], "What rows of files say is no bill"]
    location: Annotated[str, "Of the tables: a file, or an address without its password"]
    warnings: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class PrintedDecision(Printed):
    """Of `documents withdraw` and `documents reinstate`: the document after it."""

    document: ListedDocument
    decision: Annotated[Decision | None, "null where the document counted, and was never decided"]
    is_new: Annotated[bool, "Whether anything was recorded: it may have been decided so before"]
    says: Annotated[str, "What was decided, in a sentence"]
    warnings: Annotated[Sequence[str], "What it changed elsewhere"]
    location: Annotated[str, "Of the tables: a file, or an address without its password"]
