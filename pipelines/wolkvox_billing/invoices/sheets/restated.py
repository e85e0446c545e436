"""Rows that restate others: totals, by their label or by arithmetic, and sheets that say again what
another sheet says. They are passed over with a warning: never added, never a line.

Where a row may be either, the side is taken that bills less, and the warning says so: to add a
total that is none of its own would accuse the supplier.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from wolkvox_billing.invoices.document import Rejected
from wolkvox_billing.invoices.sheets import headings, labels
from wolkvox_billing.invoices.sheets.cells import number_in
from wolkvox_billing.invoices.sheets.rows import (
    Header,
    SheetRow,
    bare_numbers,
    list_some,
    number_of,
    supplier_of,
)
from wolkvox_billing.values.numbers import format_number
from wolkvox_billing.values.tax_id import canonical_id
from wolkvox_billing.values.tax_rates import VAT_RATES

_MOST_TABLES = 100
_RESTATED = "passed over, since it restates what another table says"
_CENT = Decimal("0.01")
_OF_DOCUMENT = ("supplier_id", "supplier", "document_kind", "issue_date", "currency",
                "corrects_number", "period", "period_start", "period_end")  # fmt: skip
_SUMMARIES = ("resum", "summar", "consolid", "pivot", "dinamic", "total", "copia", "copy", "backup",
              "respaldo", "informe", "report")  # fmt: skip


class Amounts(NamedTuple):
    net: Decimal | None
    tax: Decimal | None
    quantity: Decimal | None
    price: Decimal | None


class Table:
    """The rows of a file with their amounts. `refusals` are documents whose sheets disagree;
    `taxes` are those that rows of their own state, by the number as it stands there."""

    def __init__(self, rows: Sequence[SheetRow], decimal: str | None) -> None:
        self.rows = rows
        self.refusals: list[Rejected] = []
        self.taxes: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._amounts = [_amounts_of(row, decimal) for row in rows]
        self._numbers = bare_numbers(rows)
        self._last = {name: n for n, name in enumerate(self._numbers) if name}
        self._told: defaultdict[Header, defaultdict[str, list[str]]] = defaultdict(
            lambda: defaultdict(list)
        )

    def without_restated(self) -> list[SheetRow]:
        """Return the rows that say something of their own; what is passed over is told."""
        rows = self._without_totals()
        rows = self._without_hidden_copies(rows)
        filled = self._without_restated_sheets(rows)
        remaining = [filled[n] for n in rows if n in filled]
        headers = dict.fromkeys(row.header for row in remaining)
        for header, reasons in self._told.items():
            is_gone = header not in headers  # then the others tell of it
            for why, places in reasons.items():
                for teller in headers if is_gone and why != _RESTATED else [header]:
                    teller.warnings.append(f"{why}: {list_some(places)}")
        return remaining

    def _tell(self, n: int, why: str) -> None:
        self._told[self.rows[n].header][why].append(self.rows[n].place)

    def _without_totals(self) -> list[int]:
        numbers = {
            self._numbers[n] for n, row in enumerate(self.rows) if row.label != labels.STRONG
        }
        tables = self._by_header(range(len(self.rows)))
        return sorted(n for own in tables.values() for n in self._lines_of(own, numbers))

    def _by_header(self, places: Iterable[int]) -> dict[Header, list[int]]:
        tables: defaultdict[Header, list[int]] = defaultdict(list)
        for n in places:
            tables[self.rows[n].header].append(n)
        return tables

    def _lines_of(self, own: Sequence[int], numbers: set[str]) -> Iterator[int]:
        """Yield the rows under one header that are no totals; numbers: those of all rows that do
        not surely say that they are one."""
        above = _Above()
        tops = self._sums_of_what_follows(own)
        columns = Counter(field for n in own for field in self.rows[n].values)
        most = {field for field, count in columns.items() if count * 2 >= len(own)}
        same: defaultdict[str, _Above] = defaultdict(_Above)
        for n in own:
            row, amounts, number = self.rows[n], self._amounts[n], self._numbers[n]
            says = "passed over, since it says that it is a total"
            is_total = False
            is_sum_of_others = amounts.price is None and above.adds_up(amounts, 2)
            if row.label == labels.STRONG:
                is_bare = bool({"issue_date", "description"} & (most - row.values.keys()))
                in_number = bool(labels.total_label(row.text("document_number") or "",
                                                    "document_number", ()))  # fmt: skip
                is_total = (
                    not number or number in numbers or is_bare or in_number or is_sum_of_others
                )
            elif row.label == labels.WEAK:
                is_total = not number or is_sum_of_others or same[number].is_total(amounts)
            if not is_total and n in tops:
                is_total, says = True, "passed over, since it is the sum of the rows below it"
            if not is_total and not row.label:
                says = "passed over, since it is the sum of the rows above it"
                is_total = self._is_sum(n, above, same.get(number), most)
            if number and not is_total and (says_tax := self._says_tax(n, same[number])):
                is_total, says = True, says_tax
            if not number and not is_total and self._is_below(n):
                is_total, says = True, "passed over, with amounts and without a number or a line"
            if is_total:
                self._tell(n, says)
                continue
            others = same[number]
            if row.label:
                self._tell(n, "says total, and adds up to no rows above it: taken for a line")
            elif amounts.price and others.is_sum_of(amounts, 2) and self._last.get(number) == n:
                self._tell(n, "the sum of the rows above it, with a price and a text of its own: "
                              "taken for a line")  # fmt: skip
            above.add(amounts)
            others.add(amounts)
            others.texts.add(_text_of(row))
            yield n

    def _says_tax(self, n: int, others: _Above) -> str:
        """Return why a row is the tax of the rows of its document above it, what is withheld or was
        paid of them, and no line; or "". Its text says so, and its amount can be that."""
        row, amounts = self.rows[n], self._amounts[n]
        text, net = row.text("description") or "", amounts.net
        if not net or amounts.quantity not in (None, 1) or not others.count:
            return ""
        if labels.is_withholding(text) and net < 0 and abs(net) < others.net:
            return "passed over, since it is what is withheld of the rows above it"
        if labels.is_paid(text) and net < 0:
            return "passed over, since it is what was paid of the rows above it"
        if labels.is_tax(text) and others.may_be_tax(net):
            self.taxes[row.text("document_number") or ""] += net
            return "passed over, since it is the tax of the rows above it"
        return ""

    def _is_below(self, n: int) -> bool:
        """Return whether a row without a number is one of those under a table: amounts alone, or a
        tax or balance. A line would say what it is of."""
        row, amounts = self.rows[n], self._amounts[n]
        if amounts.price is not None or "item_code" in row.values:
            return False
        texts = [value for value in row.values.values() if isinstance(value, str)]
        return "description" not in row.values or any(map(labels.is_of_taxes, texts))

    def _sums_of_what_follows(self, own: Sequence[int]) -> set[int]:
        """Return the first rows of documents that say no price and are the sum of the others."""
        documents: defaultdict[str, list[int]] = defaultdict(list)
        for n in own:
            if self._numbers[n] and self.rows[n].label != labels.STRONG:
                documents[self._numbers[n]].append(n)
        tops: set[int] = set()
        for first, *others in documents.values():
            sums = _Above()
            for n in others:
                sums.add(self._amounts[n])
            has_text = "description" in self.rows[first].values
            is_like_a_sum = self._amounts[first].price is None and (
                any(self._amounts[n].price is not None for n in others)
                or (not has_text and any("description" in self.rows[n].values for n in others))
            )
            if is_like_a_sum and sums.is_sum_of(self._amounts[first], 2):
                tops.add(first)
        return tops

    def _is_sum(self, n: int, above: _Above, others: _Above | None, most: set[str]) -> bool:
        """Return whether a row without a label restates those above it, or the `others` of them
        that have its number; most: the fields that most rows have."""
        row, amounts, number = self.rows[n], self._amounts[n], self._numbers[n]
        has_text, has_price = "description" in row.values, amounts.price is not None
        if not amounts.net:
            return False
        if not number:
            if not has_text and not has_price:
                return above.adds_up(amounts, 1)
            return not has_price and above.adds_up(amounts, 2)
        if others:
            is_last = self._last[number] == n
            if not has_text and not has_price and "description" in most:
                return others.is_all(amounts)
            lacks_price = not has_price and "unit_price" in most
            if lacks_price and amounts.quantity is None and "quantity" in most:
                return is_last and others.is_with_tax(amounts)
            is_like_others = _text_of(row) in others.texts or lacks_price or (
                amounts.quantity is not None and not has_price
            )  # fmt: skip
            least = 1 if lacks_price else 2
            return is_last and is_like_others and others.is_sum_of(amounts, least)
        is_bare = {"issue_date", "description"} & most and not (
            {"issue_date", "description", "unit_price"} & row.values.keys()
        )
        least = 2 if any(c.isdigit() for c in number) else 1
        return bool(is_bare) and above.adds_up(amounts, least)

    def _without_hidden_copies(self, lines: list[int]) -> list[int]:
        """Leave out a hidden row that says what a visible one of its document says."""
        visible = {self._key(n) for n in lines if not self.rows[n].is_hidden}
        originals: list[int] = []
        for n in lines:
            if self.rows[n].is_hidden and self._key(n) in visible:
                self._tell(n, "hidden, and passed over, since it repeats a row that is visible")
            else:
                originals.append(n)
        return originals

    def _key(self, n: int) -> tuple[object, ...]:
        row = self.rows[n]
        return (row.header, self._numbers[n], *sorted((k, str(v)) for k, v in row.values.items()))

    def _without_restated_sheets(self, lines: list[int]) -> dict[int, SheetRow]:
        """Return the rows of each document from the tables that do not restate another table's."""
        lines = self._without_consolidated(lines)
        filled = {n: self.rows[n] for n in lines}
        documents: defaultdict[str, list[int]] = defaultdict(list)
        for n in lines:
            if self._numbers[n]:
                documents[self._numbers[n]].append(n)
        for same in documents.values():
            if len({self.rows[n].header for n in same}) == 1:
                continue
            for parts in self._parts_of(same):
                if len(parts) > 1:
                    self._settle(parts, filled)
        return filled

    def _without_consolidated(self, lines: list[int]) -> list[int]:
        """Leave out a table in fewer rows, without prices, that is the sum of all rows of another
        and has none of its numbers: `FE-1 y FE-2`, or a supplier's sum without a number. One whose
        numbers only count its rows may have as many."""
        tables = self._by_header(lines)
        if not 1 < len(tables) <= _MOST_TABLES:
            return lines
        parts = [_Part(self, header, rows) for header, rows in tables.items()]
        numbers = {part.header: {self._numbers[n] for n in part.rows} for part in parts}
        restated: set[int] = set()
        for part in parts:
            has_price = any(self._amounts[n].price is not None for n in part.rows)
            is_counted = numbers[part.header] == {str(n + 1) for n in range(len(part.rows))}
            for other in parts if part.sums.net and not has_price else ():
                if (
                    len(part.rows) < len(other.rows) + is_counted
                    and part.sums.is_same_as(other.sums)
                    and not numbers[part.header] & numbers[other.header]
                ):
                    restated.update(part.rows)
                    why = f"passed over, since it is the sum of all {other.name}"
                    for n in part.rows:
                        self._tell(n, why)
                        self._told[other.header][why].append(self.rows[n].place)
                    break
        return [n for n in lines if n not in restated]

    def _parts_of(self, same: Sequence[int]) -> Iterator[list[_Part]]:
        """Yield, for each document of one number, its rows by table."""
        keys = {n: self._of_whom(n) for n in same}
        whole = [{key[at] for key in keys.values() if key[at]} for at in (0, 1)]
        documents: defaultdict[tuple[str, str], defaultdict[Header, list[int]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for n, key in keys.items():
            kind, supplier = (
                key[at] or (next(iter(whole[at])) if len(whole[at]) == 1 else "") for at in (0, 1)
            )
            documents[(kind, supplier)][self.rows[n].header].append(n)
        for tables in documents.values():
            yield [_Part(self, header, rows) for header, rows in tables.items()]

    def _of_whom(self, n: int) -> tuple[str, str]:
        row = self.rows[n]
        kind = row.text("document_kind") or ""
        return headings.kind_of(kind) or labels.bare(kind), canonical_id(
            supplier_of(row).tax_id or ""
        )

    def _settle(self, parts: list[_Part], filled: dict[int, SheetRow]) -> None:
        """Drop the parts of a document that restate the others, and refuse what disagrees."""
        originals = list(parts)
        for part in parts:
            others = [other for other in parts if other is not part]
            joined = _joined(others)
            is_sum = len(others) > 1 and part.sums.is_same_as(joined)
            if is_sum and part.sums.rows <= joined.rows:
                originals = others
                self._drop(part, filled)
                break
        else:
            for part in sorted(parts, key=lambda part: part.detail, reverse=True):
                if part not in originals:
                    continue
                for other in [o for o in originals if o is not part]:
                    if other.sums.is_same_as(part.sums) and other.repeats(part):
                        originals.remove(other)
                        self._drop(other, filled)
        for part in parts:
            if part not in originals:
                self._complete(originals, part, filled)
        if len(originals) > 1:
            self._doubt(originals, filled)

    def _drop(self, part: _Part, filled: dict[int, SheetRow]) -> None:
        for n in part.rows:
            filled.pop(n, None)
            self._tell(n, _RESTATED)
        name = number_of([self.rows[part.rows[0]]])
        for header in {row.header for row in self.rows} - {part.header}:
            self._told[header]["passed over, since it restates another table"].append(
                f"{name[:60]} {part.name}"
            )

    def _complete(self, originals: list[_Part], part: _Part, filled: dict[int, SheetRow]) -> None:
        """Take what only the table that is passed over says of the document: its date, its NIT."""
        first = self.rows[part.rows[0]]
        more = {name: first.values[name] for name in _OF_DOCUMENT if name in first.values}
        for n in [n for each in originals for n in each.rows if n in filled]:
            filled[n] = filled[n]._replace(values=more | filled[n].values)

    def _doubt(self, parts: list[_Part], filled: dict[int, SheetRow]) -> None:
        """Refuse a document whose tables say other amounts and cannot be parts of one; tell one
        that goes on in another table."""
        first, *others = sorted(parts, key=lambda part: part.detail, reverse=True)
        name = number_of([self.rows[first.rows[0]]])[:60]
        for other in others:
            if not other.is_of_another_sort_than(first):
                continue
            for n in [n for part in parts for n in part.rows]:
                filled.pop(n, None)
            said = " and ".join(
                f"{part.name} says {format_number(part.sums.net)}" for part in (first, other)
            )
            self.refusals.append(
                Rejected(
                    f"the document {name}: {said}: they cannot be added, and one of them is wrong"
                )
            )
            return


class _Above:
    """The sums of the rows above a row, without the totals among them."""

    def __init__(self) -> None:
        self.count = 0
        self.net = self._tax = self._quantity = Decimal()
        self.texts: set[tuple[str | None, ...]] = set()
        self._nets: dict[Decimal, int] = {Decimal(): 0}  # sum up to a row → how many rows
        self._gross: dict[Decimal, int] = {Decimal(): 0}

    def add(self, amounts: Amounts) -> None:
        self.count += 1
        self.net += amounts.net or Decimal()
        self._tax += amounts.tax or Decimal()
        self._quantity += amounts.quantity or Decimal()
        self._nets[self.net] = self.count
        self._gross[self.net + self._tax] = self.count

    def adds_up(self, amounts: Amounts, least: int) -> bool:
        """Return whether an amount is the sum of at least so many rows right above it, with or
        without their tax."""
        if not amounts.net:
            return False
        reached = [
            self._nets.get(self.net - amounts.net),
            self._gross.get(self.net + self._tax - amounts.net),
        ]
        return any(n is not None and self.count - n >= least for n in reached)

    def is_total(self, amounts: Amounts) -> bool:
        """Return whether an amount is the sum of all rows, or of those right above, if any."""
        return bool(self.count) and (self.is_all(amounts) or self.adds_up(amounts, 1))

    def is_all(self, amounts: Amounts) -> bool:
        """Return whether an amount is the sum of all rows, with or without their tax."""
        return bool(amounts.net) and amounts.net in (self.net, self.net + self._tax)

    def may_be_tax(self, amount: Decimal) -> bool:
        """Return whether an amount is that of a usual rate on all rows, to a unit of money."""
        return any(abs(amount - self.net * rate / 100) <= 1 for rate in VAT_RATES)

    def is_with_tax(self, amounts: Amounts) -> bool:
        """Return whether an amount is the sum of all rows with their tax, which is some."""
        return bool(self._tax) and amounts.net == self.net + self._tax

    def is_sum_of(self, amounts: Amounts, least: int) -> bool:
        """Return whether all amounts of a row are the sums of all rows; one without a quantity
        is not compared by amount alone."""
        return (
            self.count >= least
            and bool(amounts.net)
            and amounts.net == self.net
            and amounts.quantity is not None
            and amounts.quantity == self._quantity
            and amounts.tax in (None, self._tax)
        )


class _Sums(NamedTuple):
    net: Decimal
    tax: Decimal | None
    rows: int

    def is_same_as(self, other: _Sums) -> bool:
        """Return whether these sums are the others: net, or with the tax. Cents may be rounded by
        rows, and of thousands a unit."""
        margin = _CENT * max(self.rows, other.rows)
        if abs(other.net) >= 1000:
            margin = max(margin, Decimal(1))
        gross = other.net + (other.tax or Decimal())
        if not any(abs(self.net - amount) <= margin for amount in (other.net, gross)):
            return False
        if self.tax is None or other.tax is None:
            return True
        return abs(self.tax - other.tax) <= max(margin, Decimal(1))

    def is_with_tax_of(self, other: _Sums) -> bool:
        """Return whether these are the others with their tax, which these do not state apart."""
        if self.tax is not None or not other.tax:
            return False
        margin = max(_CENT * max(self.rows, other.rows), Decimal(1))
        return abs(self.net - other.net - other.tax) <= margin


class _Part:
    """The rows of a document in one table."""

    def __init__(self, table: Table, header: Header, rows: list[int]) -> None:
        self.header, self.rows = header, rows
        amounts = [table._amounts[n] for n in rows]
        net = sum((a.net or Decimal() for a in amounts), Decimal())
        self.sums = _Sums(net, _sum([a.tax for a in amounts]), len(rows))
        values = [table.rows[n].values for n in rows]
        self.has_text = any("description" in v or "item_code" in v for v in values)
        self.has_quantity = any("quantity" in v for v in values)
        self.is_hidden = header.is_hidden or all(table.rows[n].is_hidden for n in rows)
        self.lines = Counter(
            (a.net, a.quantity, labels.bare(table.rows[n].text("description") or ""))
            for n, a in zip(rows, amounts, strict=True)
        )
        # What is billed, whatever it is called; one without a quantity may be another fee.
        pairs = [(a.net, a.quantity) for a in amounts if a.net is not None and a.quantity]
        self.amounts = sorted(pairs) if len(pairs) == len(rows) else []
        self.extras = Counter(
            tuple(
                str(table.rows[n].values.get(f, "")) for f in ("operation", "period", "item_code")
            )
            for n in rows
        )
        self.first_place = table.rows[rows[0]].place

    @property
    def name(self) -> str:
        return f"of sheet {self.header.title}" if self.header.title else f"at {self.first_place}"

    @property
    def detail(self) -> tuple[object, ...]:
        """How much a part says: of two that restate each other the one that says more counts."""
        return (self.has_quantity, self.has_text, len(self.rows), not self.is_hidden,
                not self._is_called_summary, -self.rows[0])  # fmt: skip

    @property
    def _is_called_summary(self) -> bool:
        return any(word in labels.bare(self.header.title) for word in _SUMMARIES)

    def repeats(self, other: _Part) -> bool:
        """Return whether a part with the same sum is the same thing again, not its other half."""
        has_same_extras = self.extras == other.extras
        if self.lines == other.lines:
            return has_same_extras or self._is_lesser
        are_same_amounts = bool(self.amounts) and self.amounts == other.amounts
        return (
            self._is_lesser
            or other._is_called_summary
            or self.sums.is_with_tax_of(other.sums)
            or (are_same_amounts and has_same_extras)  # in other words
            or len(self.rows) != len(other.rows)
            or self.has_text < other.has_text
            or self.has_quantity < other.has_quantity
        )

    @property
    def _is_lesser(self) -> bool:
        return self.is_hidden or self._is_called_summary

    def is_of_another_sort_than(self, other: _Part) -> bool:
        """Return whether a part with another sum cannot be the next page of the other."""
        shared = self.lines & other.lines
        return (
            self._is_lesser
            or self.has_text < other.has_text
            or self.has_quantity < other.has_quantity
            or sum(shared.values()) > 1
        )


def _joined(parts: Sequence[_Part]) -> _Sums:
    """Return the sums of several parts."""
    net = sum((part.sums.net for part in parts), Decimal())
    tax = _sum([part.sums.tax for part in parts])
    return _Sums(net, tax, sum(part.sums.rows for part in parts))


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    stated = [amount for amount in amounts if amount is not None]
    return sum(stated, Decimal()) if stated else None


def _amounts_of(row: SheetRow, decimal: str | None) -> Amounts:
    def amount(field: str) -> Decimal | None:
        try:
            return number_in(row.cell(field), decimal)
        except Rejected:
            return None  # whoever reads the line says so

    net = amount("net_amount")
    if net is None and row.header.total_column:
        net = amount(row.header.total_column)
    return Amounts(net, amount("tax_amount"), amount("quantity"), amount("unit_price"))


def _text_of(row: SheetRow) -> tuple[str | None, ...]:
    names = ("description", "operation", "item_code", "period", "period_start")
    return tuple(str(row.values[name]) if name in row.values else None for name in names)
