"""The readings of an answer, by column: as lists, or in Arrow's form where the answer is large.

60,000 readings as objects take three times the memory of lists, and thirty times that of Arrow's
columns; files are written by column. Each one is a Reading when it is looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeAlias, overload

from wolkvox_billing.values.arrow import Arrow, compute, pyarrow
from wolkvox_billing.values.dates import read_sent_month

Day = date  # a name for the type, where `date` is a field
Values: TypeAlias = list[Any]  # of a Reading's field, each of a type of its own
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


class Readings(Sequence[Reading]):
    """The readings of an answer, as a list for each column."""

    def __init__(self, readings: Iterable[Reading] = ()) -> None:
        self.row_number: list[int] = []
        self.operation: list[str] = []
        self.description: list[str] = []
        self.items: list[Decimal] = []
        self.items_raw: list[str] = []
        self.date: list[Day] = []
        self.date_raw: list[str] = []
        self.extra: list[dict[str, str]] = []
        # In the order of a Reading's fields.
        self.columns: tuple[Values, ...] = tuple(vars(self).values())
        self.arrays: dict[str, Arrow] = {}  # columns of it as files have them: see `bulk`
        self.rounded = 0  # of the answer's amounts that had more decimals than are kept
        for reading in readings:
            self.append(reading)

    def append(self, reading: Reading) -> None:
        self.row_number.append(reading.row_number)
        self.operation.append(reading.operation)
        self.description.append(reading.description)
        self.items.append(reading.items)
        self.items_raw.append(reading.items_raw)
        self.date.append(reading.date)
        self.date_raw.append(reading.date_raw)
        self.extra.append(reading.extra)

    def extend(self, columns: Iterable[Iterable[object]]) -> None:
        """Append readings, as columns in the order of a Reading's fields."""
        for column, values in zip(self.columns, columns, strict=True):
            column.extend(values)

    def column(self, name: str) -> Values:
        """Return the values of a Reading's field, or of a field that the vendor added."""
        if name in Reading.__slots__:
            values: Values = getattr(self, name)
            return values
        return [extra.get(name) for extra in self.extra]

    @cached_property
    def added(self) -> list[str]:
        """The columns of the fields that the vendor added, in the order of their names."""
        return sorted(set().union(*self.extra))

    @property
    def newest_day(self) -> Day:
        """The latest date of all; ValueError if there is no reading."""
        return max(self.date)

    @cached_property
    def products(self) -> Sequence[Hashable]:
        """Of each reading, what stands for its operation and description."""
        if len(set(self.operation)) == 1:
            return self.description
        return list(zip(self.operation, self.description, strict=True))

    @cached_property
    def days(self) -> dict[Hashable, set[Day]]:
        """The dates of each product."""
        days: defaultdict[Hashable, set[Day]] = defaultdict(set)
        for product, day in zip(self.products, self.date, strict=True):
            days[product].add(day)
        return days

    @property
    def days_in_answer(self) -> list[int]:
        """Of each reading, how many dates the answer has of its product."""
        counts = {product: len(days) for product, days in self.days.items()}
        months = _months_in(set(self.date_raw))
        return [
            1 if months and text in months else counts[product]
            for product, text in zip(self.products, self.date_raw, strict=True)
        ]

    @property
    def repeated(self) -> int:
        """How many have the key of a later one."""
        return len(self) - sum(map(len, self.days.values()))

    @property
    def is_repeated(self) -> list[bool]:
        """Of each reading, whether a later one has its key."""
        return _are_repeated(zip(self.products, self.date, strict=True))

    def newest(self, met: set[ReadingKey] | None = None) -> Readings:
        """Return the last reading of each key; of keys in `met` none, and those that are new go
        in."""
        if met is None and not self.repeated:
            return self
        places = _places_of_last(zip(self.operation, self.description, self.date, strict=True), met)
        if len(places) == len(self):
            return self
        newest = Readings()
        newest.extend([column[place] for place in places] for column in self.columns)
        return newest

    def __len__(self) -> int:
        return len(self.row_number)

    @overload
    def __getitem__(self, place: int) -> Reading: ...
    @overload
    def __getitem__(self, place: slice) -> list[Reading]: ...
    def __getitem__(self, place: int | slice) -> Reading | list[Reading]:
        if isinstance(place, slice):
            parts = (column[place] for column in self.columns)
            return [Reading(*values) for values in zip(*parts, strict=True)]
        return Reading(*(column[place] for column in self.columns))


class LargeReadings(Sequence[Reading]):
    """The readings of a large answer, as an Arrow array for each column."""

    def __init__(
        self, columns: dict[str, Arrow], extra: Sequence[dict[str, str]], rounded: int = 0
    ) -> None:
        self.columns = columns  # in the order of a Reading's fields, but for `extra`
        self.extra = extra
        self.rounded = rounded  # of the answer's amounts that had more decimals than are kept
        self.arrays: dict[str, Arrow] = {}

    @classmethod
    def joined(cls, parts: Iterable[Readings | LargeReadings]) -> LargeReadings:
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
        arrays: dict[str, list[Arrow]] = {name: [] for name in types}
        extra: list[dict[str, str]] = []
        rounded = 0
        for part in parts:
            extra += part.extra
            rounded += part.rounded
            for name, kind in types.items():
                values = part.column(name)
                arrays[name].append(pa.array(values, kind) if isinstance(values, list) else values)
        columns = {name: pa.concat_arrays(parts_of) for name, parts_of in arrays.items()}
        return cls(columns, extra, rounded)

    def column(self, name: str) -> Arrow:
        """Return the values of a Reading's field, or of a field that the vendor added."""
        if name in self.columns:
            return self.columns[name]
        pa = pyarrow()
        return pa.array([extra.get(name) for extra in self.extra], pa.string())

    @cached_property
    def added(self) -> list[str]:
        """The columns of the fields that the vendor added, in the order of their names."""
        return sorted(set().union(*self.extra))

    @property
    def date(self) -> list[Day]:
        """The date of each reading."""
        return list(_decoded(self.columns["date"]))

    @property
    def newest_day(self) -> Day:
        """The latest date of all."""
        pc = compute()
        day: Day = pc.max(self.columns["date"]).as_py()
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
        pc = compute()
        return pc.unique(self._keys)

    @property
    def days_in_answer(self) -> Arrow:
        """Of each reading, how many dates the answer has of its product."""
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
        """How many have the key of a later one."""
        return len(self) - len(self._distinct)

    @property
    def is_repeated(self) -> Arrow:
        """Of each reading, whether a later one has its key."""
        pa = pyarrow()
        return pa.array(_are_repeated(self._keys.to_pylist()), pa.bool_())

    def newest(self, met: set[ReadingKey] | None = None) -> LargeReadings:
        """Return the last reading of each key; of keys in `met` none, and those that are new go
        in."""
        if met is None and not self.repeated:
            return self
        names = (self.columns[name] for name in ("operation", "description", "date"))
        places = _places_of_last(zip(*map(_decoded, names), strict=True), met)
        if len(places) == len(self):
            return self
        pa = pyarrow()
        indices = pa.array(places, pa.int64())
        columns = {name: column.take(indices) for name, column in self.columns.items()}
        return LargeReadings(columns, [self.extra[place] for place in places])

    def __len__(self) -> int:
        return len(self.columns["row_number"])

    def __iter__(self) -> Iterator[Reading]:
        return iter(self[:])

    @overload
    def __getitem__(self, place: int) -> Reading: ...
    @overload
    def __getitem__(self, place: slice) -> list[Reading]: ...
    def __getitem__(self, place: int | slice) -> Reading | list[Reading]:
        if isinstance(place, slice):
            parts = (column[place].to_pylist() for column in self.columns.values())
            return [Reading(*values) for values in zip(*parts, self.extra[place], strict=True)]
        values = [column[place].as_py() for column in self.columns.values()]
        return Reading(*[*values, self.extra[place]])


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


def _decoded(column: Arrow) -> Iterator[Any]:
    """Return the values of an Arrow array as Python's, each made once."""
    encoded = column.dictionary_encode()
    return map(encoded.dictionary.to_pylist().__getitem__, encoded.indices.to_pylist())


def _are_repeated(keys: Iterable[Hashable]) -> list[bool]:
    """Return of each key whether it comes again."""
    keys = list(keys)
    last = {key: place for place, key in enumerate(keys)}
    return [last[key] != place for place, key in enumerate(keys)]


def _places_of_last(keys: Iterable[ReadingKey], met: set[ReadingKey] | None) -> list[int]:
    """Return where each key comes last, in the order in which they come first; see `newest` for
    `met`."""
    last = {key: place for place, key in enumerate(keys)}
    if met is None:
        return list(last.values())
    places = [place for key, place in last.items() if key not in met]
    met.update(last)
    return places
