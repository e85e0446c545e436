"""What `invoices --json` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from wolkvox_billing.cli.printed import Printed
from wolkvox_billing.verbs.invoices import Receipt


@dataclass(frozen=True, kw_only=True)
class PrintedIntake(Printed):
    """What was made of the files."""

    documents: Annotated[Sequence[Receipt], "Each document, and each file that is none"]
    counts: Annotated[Mapping[str, int], "How many of them by what was made of them: `made`"]
    net_amounts: Annotated[
        Mapping[str, Decimal],
        "What the documents of this run come to, without tax, by currency; credit notes taken off, "
        "tests and what is withdrawn left out",
    ]
    other_kinds: Annotated[Mapping[str, int], "UBL documents that are no invoices, by their kind"]
    warnings: Annotated[Sequence[str], "Of the run; each document has its own"]
    location: Annotated[str, "Of the tables: a file, or an address without its password"]
    failures: Annotated[Sequence[str], "What was rejected, and why; [] and exit code 0"]
    may_pass: Annotated[bool, "Never: a rejected file is rejected again"] = False
