"""The names of all settings, and what is told of a name that nobody knows.

A misspelt setting is a default that nobody chose: reports that are not asked for, a month that is
lost. So a key under our sections, a section that is nearly ours and a variable with our prefixes
must be known; dlt itself passes over what nobody asks it for.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import NoneType
from typing import NamedTuple

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.warehouse.configuration import (
    PIPELINE,
    SECRET_FILES,
    SettingsFile,
    SettingsFiles,
    Toml,
    look_up,
)

SOURCE = ("sources", "wolkvox_billing")
RECONCILIATION = ("reconciliation",)
BUCKET = ("bucket",)


class KnownSetting(NamedTuple):
    """A setting's name, its default as one writes it, and what it says."""

    name: str
    default: str
    says: str


# Under each of our sections: what somebody asks dlt for. A test holds the names against the
# settings' own types, which are on floors above, and docs/settings.md is made of this.
_TOLD: Mapping[tuple[str, ...], Mapping[str, tuple[str, str]]] = {
    SOURCE: {
        "operations": (
            "",
            "a secret: a list of `{name, server, token}`, and `base_url` and `timezone` where an "
            "operation has its own; `name` is its `operation_id`, by default the server",
        ),
        "server": ("", "of one operation: its server's nomenclature, as text"),
        "token": ("", "a secret: of one operation, from wolkvox Manager"),
        "reports": (
            '["rsync_s3_mp3"]',
            'any of the 27 reports, or `["all"]`: each is a call per operation and run',
        ),
        "base_url": (
            '"https://wv{server}.wolkvox.com"',
            "where the vendor is; `/api/v2/billing.php` is appended; http is for this machine only",
        ),
        "timezone": ('"America/Bogota"', "the vendor's clock: it decides the month"),
        "measures": (
            "{}",
            "what `items` of a report means: `month_to_date`, `daily`, `gauge`, or `auto`: "
            "the data is asked",
        ),
        "gauge_month": ('"max"', "a gauge's month: `max`, `last` or `average` of its days"),
        "pace_minutes": ("5", "what answered less than these minutes ago is not asked again"),
        "licences": (
            "",
            "how many an operation has: the day's calls are licences x 1,000; `status` says how "
            "many are spent",
        ),
        "max_parallel": ("8", "operations asked side by side; calls of one token never are"),
        "retry_pause_seconds": (
            "2",
            "the pause before the first of at most three new tries; it grows",
        ),
        "token_wait_seconds": ("300", "how long to wait for another process with the same token"),
        "connect_timeout_seconds": ("10", "how long a connection may take"),
        "read_timeout_seconds": (
            "60",
            "how long an answer may take; such a call is not made again",
        ),
    },
    RECONCILIATION: {
        "line_map": ('"line_map.csv"', "the file that says which line bills what"),
        "rate_card": ('"rate_card.csv"', "the file that says what a unit costs"),
        "exchange_rates": (
            '"exchange_rates.csv"',
            "the CSV of what one currency is in another by the day; it may be left out",
        ),
        "exchange_rate": (
            '"document"',
            "whose rate counts between the contract's currency and the invoice's: the `document`'s "
            "own, or the file's of its `issue_date` or of the `period_end`",
        ),
        "tolerance_quantity": ("0", "quantities agree when within so many units"),
        "tolerance_percent": ("0", "or within so many per cent, if that is more"),
        "tolerance_amount": (
            "",
            "amounts agree when within it: 1 where a currency is invoiced in whole units, such as "
            "COP, else 0.01",
        ),
        "invoice_due_days": ("15", "until so many days after a period no missing invoice is told"),
        "billing_cycle_day": ("1", "the day on which a billing period begins"),
        "budget": (
            "{}",
            "what a report or product may cost a month, of all operations together, such as "
            '`{rsync_s3_mp3 = "1500000 COP"}`: `status` warns where the forecast passes it',
        ),
        "materiality": (
            "",
            "what is worth an alarm, in the invoice's currency: 5000 in COP, 1000 in CLP, 1 in USD",
        ),
        "cut_off": (
            '"unknown"',
            "of a report that a nightly job fills: an invoice bills what was `copied` in a month, "
            "`called` in it, or is there `after_first_night`",
        ),
        "vendor_lag_hours": ("0", "how many hours late a counter is known to show what was used"),
        "period_rule": (
            '"month_before_issue"',
            "which month an invoice bills that names none; the other one is `issue_month`",
        ),
        "supplier_ids": ("[]", "tax ids of the vendor; empty means every supplier"),
        "tail_factor": ("2", "unread time can hold so many times the highest rate that was seen"),
        "acceptance_starts": (
            '"earliest"',
            "from when the three business days of a Colombian invoice count: its `issue`, its "
            "`receipt` (its mail's day, else that of reading it), the `service`, or the earliest "
            "of them",
        ),
        "language": ('"en"', "`en` or `es`, or a locale of them such as `es_CO`"),
        "copy_findings": (
            "true",
            "whether copies that are billed, and that a complete look at the bucket has not found, "
            "are questioned",
        ),
    },
    BUCKET: {
        "url": (
            "",
            "where the copies lie: `s3://bucket/folder`, `az://container`, `gs://bucket` or "
            "`file:///folder`",
        ),
        "endpoint": ("", "of a store that is not Amazon's own, such as MinIO: its address"),
        "region": ("", "of a bucket on S3, such as `us-east-1`"),
        "credentials": (
            "",
            "secrets: a table of dlt's names, such as `aws_access_key_id` and "
            "`aws_secret_access_key`, or `azure_storage_account_name` and "
            "`azure_storage_account_key`; the right to list is enough",
        ),
        "hash_key": (
            "",
            "a secret: the key of the hashes of names, 16 characters or more; without it one is "
            "made, in the working folder",
        ),
        "operations": (
            "",
            "whose a folder is: a table of globs and operation_ids, of which the first that fits "
            "counts; where there is one operation alone all is its own",
        ),
        "pattern": (
            "",
            "a regular expression of names with the groups `day` and, where there is one, `call`; "
            "by default wolkvox's public one",
        ),
        "extensions": ('["mp3", "gsm"]', "of audios"),
        "inventory": (
            "",
            "of S3 Inventory: the address of a `manifest.json`, or of the folder of all of them; "
            "it takes the place of a listing",
        ),
        "timezone": ("", "by which a copy has its day; without it the vendor's clock decides"),
    },
}
SETTINGS = {
    section: tuple(KnownSetting(name, *told) for name, told in settings.items())
    for section, settings in _TOLD.items()
}
NAMES = {section: tuple(settings) for section, settings in _TOLD.items()}
# Of the command line, the notebook and the DAGs, which have no section.
VARIABLES = tuple(
    f"WOLKVOX_BILLING_{name}"
    for name in (
        "BUCKET", "CONNECTION", "DATASET", "DESTINATION", "EVIDENCE", "INVOICES", "NOTIFIER",
        "POOL", "PROJECT", "PUBLISH", "RETRY_SECONDS", "SCHEDULE_MINUTES", "SNAPSHOT",
        "STALE_MINUTES", "STILL_SECONDS", "VENV",
    )
)  # fmt: skip
# What dlt itself looks up below a source's section: its own settings for that source alone.
_OF_DLT = ("schema", "extract", "normalize", "load", "data_writer", "destination", "runtime")
_NESTED = (*SOURCE, "wolkvox_billing")  # dlt's module and source, where ours have one name
DESTINATION_SECTION = "destination"
_ENGINES = ("duckdb", "postgres", "filesystem")
_ADDRESSES = ("credentials", "bucket_url", "destination_type", "destination_name")
# Of difflib: `report` is near `reports`, and `reconcile` like `reconciliation`.
_NEAR, _LIKE = 0.8, 0.6


class Stray(NamedTuple):
    """A name that nobody knows, and what is told of it."""

    place: str
    says: str

    def __str__(self) -> str:
        return f"{self.place}: {self.says}"


def refuse_stray_settings() -> None:
    """Raise SettingsError, which names each setting that nobody knows, its file and line or its
    variable, and the name that is near."""
    strays = [
        stray
        for name in ("secrets.toml", "config.toml")
        for file in SettingsFiles.read(name).layers
        for stray in strays_in_file(file)
    ]
    strays += strays_in_variables(os.environ, "the variable ")
    strays += strays_in_variables(_mounted_names(), f"the file of {SECRET_FILES} for ")
    if strays:
        raise SettingsError("; ".join(map(str, strays)))


# In a file.


def strays_in_file(file: SettingsFile) -> list[Stray]:
    """Return the names of a TOML file that nobody knows, in the order of the file's tables."""
    lines = Path(file.path).read_text("utf-8", "replace").splitlines()
    placed = ((_line_of(lines, path), says) for path, says in _strays_of(file.tables))
    return [Stray(file.path + (f", line {line}" if line else ""), says) for line, says in placed]


def _strays_of(tables: Toml) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the path of each name that nobody knows, and what is told of it."""
    for section in SETTINGS:
        if not isinstance(look_up(tables, section), (dict, NoneType)):
            yield section, f"`{_dotted(section)}` is a section: write [{_dotted(section)}]"
    for name, content in tables.items():
        if not isinstance(content, dict) and (says := _says_of_bare(name)):
            yield (name,), says
    yield from _strays_of_destinations(tables)
    for path, content in _sections(tables):
        here = path[1:] if path[0] == PIPELINE else path
        if here in (*SETTINGS, _NESTED):
            yield from _strays_under(SOURCE if here == _NESTED else here, path, content)
        elif here and (near := _near_section(here, content)):
            says = f"nobody reads the section [{_dotted(path)}]: did you mean [{_dotted(near)}]?"
            yield path, says


def _says_of_bare(name: str) -> str | None:
    """Return what is told of a key before any section, where dlt finds the source's settings. Words
    such as `report` and `language` may be another program's."""
    if name in NAMES[RECONCILIATION]:
        section = f"[{_dotted(RECONCILIATION)}]"
        return f"nobody reads it here: it belongs under {section}" if "_" in name else None
    known = [own for names in NAMES.values() for own in names if "_" in own]
    near = difflib.get_close_matches(name.lower(), known, 1, _NEAR) if "_" in name else []
    if near and name not in known:
        return f"nobody knows the setting `{_cut(name)}`: did you mean `{near[0]}`?"
    return None


def _strays_of_destinations(tables: Toml) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is nearly the address of a destination: without it the record would be in another
    place. A destination of somebody's own name has a `destination_type`."""
    for top in (DESTINATION_SECTION, "destinations"):
        destinations = look_up(tables, (top,))
        for name, content in destinations.items() if isinstance(destinations, dict) else ():
            if isinstance(content, dict) and (says := _says_of_destination(top, name, content)):
                yield (top, name, *says[0]), says[1]


def _says_of_destination(top: str, name: str, content: Toml) -> tuple[tuple[str, ...], str] | None:
    """Return the key of a destination's section, () for the section itself, with what is told of
    it."""
    if top != DESTINATION_SECTION:
        return (), f"nobody reads it: such a section begins with [{DESTINATION_SECTION}."
    engine = difflib.get_close_matches(name.lower(), _ENGINES, 1, _NEAR)
    if engine and name not in _ENGINES and "destination_type" not in content:
        meant = f"[{DESTINATION_SECTION}.{engine[0]}]"
        return (), f"nobody reads the section [{top}.{_cut(name)}]: did you mean {meant}?"
    for key in content:
        near = difflib.get_close_matches(key.lower(), _ADDRESSES, 1, _NEAR)
        if near and key not in _ADDRESSES:
            return (key,), f"nobody knows the setting `{_cut(key)}`: did you mean `{near[0]}`?"
    return None


def _sections(tables: Toml, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Toml]]:
    """Yield the tables that may be sections of ours, with their paths: dlt has them at the top, and
    below the name of the pipeline."""
    depth = len(above) - above.count(PIPELINE)
    for name, content in tables.items():
        path = (*above, name)
        if isinstance(content, dict):
            yield path, content
            if depth < 2 and name not in (*RECONCILIATION, *BUCKET):
                yield from _sections(content, path)


def _strays_under(
    section: tuple[str, ...], path: tuple[str, ...], content: Toml
) -> Iterator[tuple[tuple[str, ...], str]]:
    known = NAMES[section] + (_OF_DLT + _NESTED[-1:] if section == SOURCE else ())
    for name in content:
        if name not in known:
            under = f"under [{_dotted(path)}]"
            says = f"nobody knows the setting `{_cut(name)}` {under}{_hint(section, name)}"
            yield (*path, name), says


def _near_section(path: tuple[str, ...], content: Toml) -> tuple[str, ...] | None:
    """Return the section of ours that a table is nearly named as, or None.

    A name of another source may begin like ours: then a key in it must be one of ours too.
    """
    for section, names in NAMES.items():
        cutoff = _LIKE if content.keys() & {*names} else _NEAR
        if _is_near(path[-1], section[-1], cutoff):
            is_below = len(path) == 1 or _is_near(path[0], SOURCE[0], _NEAR)
            return section if is_below else None
    return None


def _line_of(lines: Sequence[str], path: Sequence[str]) -> int | None:
    """Return the number of the line that names the last part of a path: below the header that
    names the part before, where there is one. A TOML parser does not say."""
    begin = 0
    for depth in range(len(path), 0, -1):
        header = r"\s*\.\s*".join(rf"[\"']?{re.escape(part)}[\"']?" for part in path[:depth])
        is_header = re.compile(rf"\s*\[\[?\s*{header}\s*\]").match
        if begin := next((n for n, line in enumerate(lines, 1) if is_header(line)), 0):
            if depth == len(path):
                return begin
            break
    name = re.compile(rf"(?:^|[\s.{{,])[\"']?{re.escape(path[-1])}[\"']?\s*[=.\]]")
    below = enumerate(lines[begin:], begin + 1)
    return next((n for n, line in below if name.search(line.partition("#")[0])), None)


# In variables.


def strays_in_variables(names: Iterable[str], place: str) -> list[Stray]:
    """Return the variables with a prefix of ours, or nearly so, that nobody reads.

    place: what stands before a name where it is told.
    """
    return [
        Stray(f"{place}{_cut(name)}", says)
        for name in sorted(names)
        if (says := _says_of_variable(name))
    ]


@lru_cache(maxsize=1024)  # all are looked at for each verb, and are the same
def _says_of_variable(name: str) -> str | None:
    if name.upper().startswith("WOLKVOX_BILLING_") and "__" not in name:
        if name in VARIABLES:
            return None
        near = difflib.get_close_matches(name.upper(), VARIABLES, 1, _NEAR)
        return "nobody reads it" + (f": did you mean {near[0]}?" if near else "")
    parts = tuple(name.lower().split("__"))
    above = f"{PIPELINE}__".upper() if parts[0] == PIPELINE else ""
    parts = parts[1:] if above else parts
    if len(parts) < 2:
        return _says_of_single(name)
    if parts[0] == DESTINATION_SECTION and len(parts) > 2 and parts[1] in _ENGINES:
        of_key = _says_of_destination(DESTINATION_SECTION, parts[1], {parts[2]: None})
        return of_key[1] if of_key else None
    section, rest = _section_of(parts)
    if not section:
        return None
    known = NAMES[section] + (_OF_DLT if section == SOURCE else ())
    prefix = above + "__".join((*section, "")).upper()
    if not name.startswith(prefix):
        return f"nobody reads it: such a variable begins with {prefix}"
    if rest and rest[0] in known:
        return None
    setting = rest[0] if rest else ""
    return f"nobody knows the setting `{_cut(setting)}`{_hint(section, setting)}"


def _section_of(parts: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the section of ours that a variable's parts name, or nearly, and the parts below."""
    if _is_near(parts[0], RECONCILIATION[0]):
        return RECONCILIATION, parts[1:]
    if parts[0] == BUCKET[0]:  # a word that other programs' variables begin with too
        return BUCKET, parts[1:]
    if len(parts) > 2 and _is_near(parts[0], SOURCE[0]) and _is_near(parts[1], SOURCE[1]):
        rest = parts[2:]
        return SOURCE, rest[1:] if rest[0] == _NESTED[-1] and len(rest) > 1 else rest
    if _is_near(parts[0], SOURCE[1]):
        return SOURCE, parts[1:]
    return (), ()


def _says_of_single(name: str) -> str | None:
    """Return what is told of a variable whose underlines are single where dlt wants two."""
    destinations = [((DESTINATION_SECTION, engine), _ADDRESSES) for engine in _ENGINES]
    for section, settings in [*NAMES.items(), *destinations]:
        if section == BUCKET:  # BUCKET_URL may be anybody's
            continue
        prefix = "_".join((*section, "")).upper()
        setting = name[len(prefix) :].lower()
        if name.startswith(prefix) and setting in settings:
            return f"nobody reads it: did you mean {'__'.join((*section, setting)).upper()}?"
    return None


def _mounted_names() -> list[str]:
    with suppress(OSError):
        return [name.replace("-", "_").upper() for name in os.listdir(SECRET_FILES)]
    return []


# Names.


def _hint(section: tuple[str, ...], name: str) -> str:
    """Return the name that is meant, as the end of a sentence, or ''."""
    for other, settings in NAMES.items():
        if other != section and name in settings:
            return f": it belongs under [{_dotted(other)}]"
    near = difflib.get_close_matches(name.lower(), NAMES[section], 1, _NEAR)
    if near:
        return f": did you mean `{near[0]}`?"
    return f": it takes {', '.join(NAMES[section])}"


def _is_near(name: str, known: str, cutoff: float = _NEAR) -> bool:
    return difflib.SequenceMatcher(None, name.lower(), known).ratio() >= cutoff


def _dotted(path: Sequence[str]) -> str:
    return ".".join(map(_cut, path))


def _cut(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:60]}…"
