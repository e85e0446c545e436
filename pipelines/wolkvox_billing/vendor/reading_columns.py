"""The readings of an answer, by column: as lists, or in Arrow's form where the answer is large.

60,000 readings as objects take three times the memory of lists, and thirty times that of Arrow's
columns; files are written by column. Each one is a Reading when it is looked at.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import Any, TypeAlias

from wolkvox_billing.values.arrow import Arrow, ColumnValues, compute, pyarrow, take
from wolkvox_billing.values.dates import read_sent_month

Day = date  # a name for the type, where `date` is a field
# Operation, description, date: what two readings of an answer may share. A bare tuple, since a
# large answer has 60,000.
ReadingKey: TypeAlias = tuple[str, str, Day]


@dataclass(frozen=True, slots=True)
class Reading:
    """One row of an answer, typed. `row_number` counts from 1, in the answer's order."""

    row_number: int
    operation: str
    description: str
    items: Decimal
    items_raw: str
    date: Day
    date_raw: str
    extra: dict[str, str]  # fields that the vendor added, by column; JSON where not a text


class Readings(ABC):
    """The readings of an answer: a column for each field of a Reading but `extra`, in order."""

    def __init__(
        self, columns: dict[str, ColumnValues], extra: list[dict[str, str]], rounded: int = 0
    ) -> None:
        self.columns = columns
        self.extra = extra
        self.rounded = rounded  # of the answer's amounts that had more decimals than are kept
        self.arrays: dict[str, Arrow] = {}  # columns of it as files have them: see `bulk`

    def column(self, name: str) -> ColumnValues:
        """Return the values of a Reading's field, or of a field that the vendor added."""
        if name in self.columns:
            return self.columns[name]
        return [extra.get(name) for extra in self.extra]

    @cached_property
    def added(self) -> list[str]:
        """The columns of the fields that the vendor added, in the order of their names."""
        return sorted(set().union(*self.extra))

    @property
    @abstractmethod
    def newest_day(self) -> Day:
        """The latest date of all, of one reading or more."""

    @property
    @abstractmethod
    def days_in_answer(self) -> ColumnValues:
        """Of each reading, how many dates the answer has of its product."""

    @property
    @abstractmethod
    def repeated(self) -> int:
        """How many have the key of a later one."""

    @property
    @abstractmethod
    def is_repeated(self) -> ColumnValues:
        """Of each reading, whether a later one has its key."""

    def newest(self, met: set[ReadingKey] | None = None) -> Readings:
        """Return the last reading of each key but those in `met`, into which the new ones go."""
        if met is None and not self.repeated:
            return self
        names = (self.columns[name] for name in ("operation", "description", "date"))
        places = _places_of_last(zip(*map(_values, names), strict=True), met)
        if len(places) == len(self):
            return self
        columns = {name: take(column, places) for name, column in self.columns.items()}
        return type(self)(columns, [self.extra[place] for place in places])

    def __len__(self) -> int:
        return len(self.extra)

    def __iter__(self) -> Iterator[Reading]:
        for values in zip(*map(_values, self.columns.values()), self.extra, strict=True):
            yield Reading(*values)


class ListedReadings(Readings):
    """The readings of an answer, as a list for each column."""

    columns: dict[str, list[Any]]

    @classmethod
    def of(cls, readings: Iterable[Reading] = ()) -> ListedReadings:
        listed = cls({name: [] for name in Reading.__slots__ if name != "extra"}, [])
        for reading in readings:
            listed.append(reading)
        return listed

    def append(self, reading: Reading) -> None:
        for name, values in self.columns.items():
            values.append(getattr(reading, name))
        self.extra.append(reading.extra)

    def extend(self, columns: Iterable[Sequence[object]]) -> None:
        """Append readings without fields that the vendor added, by column."""
        for values, more in zip(self.columns.values(), columns, strict=True):
            values.extend(more)
        self.extra += [{}] * len(more)

    @property
    def newest_day(self) -> Day:
        day: Day = max(self.columns["date"])
        return day

    @cached_property
    def _products(self) -> Sequence[Hashable]:
        """Of each reading, what stands for its operation and description."""
        operations, descriptions = self.columns["operation"], self.columns["description"]
        if len(set(operations)) == 1:
            return descriptions
        return list(zip(operations, descriptions, strict=True))

    @cached_property
    def _days(self) -> dict[Hashable, set[Day]]:
        """The dates of each product."""
        days: defaultdict[Hashable, set[Day]] = defaultdict(set)
        for product, day in zip(self._products, self.columns["date"], strict=True):
            days[product].add(day)
        return days

    @property
    def days_in_answer(self) -> list[int]:
        counts = {product: len(days) for product, days in self._days.items()}
        texts = self.columns["date_raw"]
        months = _months_in(set(texts))
        return [
            1 if months and text in months else counts[product]
            for product, text in zip(self._products, texts, strict=True)
        ]

    @property
    def repeated(self) -> int:
        return len(self) - sum(map(len, self._days.values()))

    @property
    def is_repeated(self) -> list[bool]:
        return _are_repeated(zip(self._products, self.columns["date"], strict=True))


class LargeReadings(Readings):
    """The readings of a large answer, as an Arrow array for each column."""

    columns: dict[str, Arrow]

    @classmethod
    def joined(cls, parts: Sequence[Readings]) -> LargeReadings:
        """Return the readings of an answer's parts, in their order."""
        pa = pyarrow()
        types = {
            "row_number": pa.int64(),
            "operation": pa.string(),
            "description": pa.string(),
            "items": pa.decimal128(18, 4),
            "items_raw": pa.string(),
            "date": pa.date32(),
            "date_raw": pa.string(),
        }

        def array_of(values: ColumnValues, kind: Arrow) -> Arrow:
            return pa.array(values, kind) if isinstance(values, list) else values

        columns = {
            name: pa.concat_arrays([array_of(part.columns[name], kind) for part in parts])
            for name, kind in types.items()
        }
        extra = list(chain.from_iterable(part.extra for part in parts))
        return cls(columns, extra, sum(part.rounded for part in parts))

    @property
    def newest_day(self) -> Day:
        day: Day = compute().max(self.columns["date"]).as_py()
        return day

    @cached_property
    def _products(self) -> Arrow:
        """Of each reading, a number that stands for its operation and description, from 0 on and in
        the order in which they come first."""
        pc = compute()
        operation, description = (
            self.columns[name].dictionary_encode() for name in ("operation", "description")
        )
        if len(operation.dictionary) == 1:
            return description.indices.cast("int64")
        width = len(description.dictionary)
        both = pc.add(pc.multiply(operation.indices.cast("int64"), width), description.indices)
        return both.dictionary_encode().indices.cast("int64")

    @cached_property
    def _days(self) -> tuple[int, Arrow]:
        """How many dates there are, and of each reading a number that stands for its own."""
        day = self.columns["date"].dictionary_encode()
        return len(day.dictionary), day.indices.cast("int64")

    @cached_property
    def _keys(self) -> Arrow:
        """Of each reading, a number that stands for its key."""
        pc = compute()
        count, days = self._days
        return pc.add(pc.multiply(self._products, count), days)

    @cached_property
    def _distinct(self) -> Arrow:
        """The keys, each once, in the order in which they come first."""
        return compute().unique(self._keys)

    @property
    def days_in_answer(self) -> Arrow:
        pc = compute()
        # Products come first in the order of their numbers: so do their counts.
        products = pc.divide(self._distinct, self._days[0])
        counts = pc.value_counts(products).field("counts").take(self._products)
        texts = self.columns["date_raw"]
        if not (months := _months_in(pc.unique(texts).to_pylist())):
            return counts
        pa = pyarrow()
        is_month = pc.is_in(texts, pa.array(sorted(months), pa.string()))
        return pc.if_else(is_month, pa.scalar(1, counts.type), counts)

    @property
    def repeated(self) -> int:
        return len(self) - len(self._distinct)

    @property
    def is_repeated(self) -> Arrow:
        pa = pyarrow()
        return pa.array(_are_repeated(self._keys.to_pylist()), pa.bool_())


def _months_in(texts: Iterable[str]) -> set[str]:
    """Return those of these dates that are months: several of them are no list of days."""
    months: set[str] = set()
    for text in texts:
        try:
            if read_sent_month(text.strip()):
                months.add(text)
        except ValueError:
            continue  # 2026-13, of a row that is rejected
    return months


def _values(column: ColumnValues) -> Iterable[Any]:
    """Return a column's values as Python's, of an Arrow array each made once."""
    if isinstance(column, list):
        return column
    encoded = column.dictionary_encode()
    return map(encoded.dictionary.to_pylist().__getitem__, encoded.indices.to_pylist())


def _are_repeated(keys: Iterable[Hashable]) -> list[bool]:
    """Return of each key whether it comes again."""
    keys = list(keys)
    last = {key: place for place, key in enumerate(keys)}
    return [last[key] != place for place, key in enumerate(keys)]


def _places_of_last(keys: Iterable[ReadingKey], met: set[ReadingKey] | None) -> list[int]:
    """Return where each key comes last, in the order in which they come first; met: of `newest`."""
    last = {key: place for place, key in enumerate(keys)}
    if met is None:
        return list(last.values())
    places = [place for key, place in last.items() if key not in met]
    met.update(last)
    return places
