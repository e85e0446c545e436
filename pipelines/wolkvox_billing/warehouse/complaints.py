"""What a destination complains of, in words for a person, and what may be done about it."""

from __future__ import annotations

import errno
import logging
import re
import shlex
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from dlt.common.configuration.exceptions import ConfigFieldMissingException, ConfigurationException
from dlt.common.destination.exceptions import DestinationException, DestinationTerminalException
from dlt.common.exceptions import MissingDependencyException
from dlt.pipeline.exceptions import PipelineStepFailed

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.warehouse.configuration import read_configuration

logger = logging.getLogger("wolkvox_billing")

T = TypeVar("T")


def is_complaint(error: BaseException) -> bool:
    """Whether it comes from a destination: from dlt, or from a database's driver, whose errors all
    are of a class `Error` (PEP 249)."""
    return isinstance(error, DestinationException) or _is_a(error, "Error")


def configured(make: Callable[[], T]) -> T:
    """Return what `make` makes of the settings; dlt's complaint about one becomes a SettingsError.

    dlt's text is not passed on: it may show the value, and the value may be a token.
    """
    try:
        return make()
    except MissingDependencyException as error:  # of an engine that we have no extra for
        raise SettingsError(f"the destination needs more: {' '.join(str(error).split())}") from None
    except ConfigFieldMissingException as error:
        raise SettingsError(missing(error)) from None
    except ConfigurationException as error:
        read_configuration()  # which says of a file that is not TOML where
        names = [str(getattr(error, name, "")) for name in ("field_name", "spec_name")]
        which = next(filter(None, names), "credentials")
        place = "sources.wolkvox_billing" if "wolkvox" in f"{names}".lower() else "destination"
        raise SettingsError(
            f"a setting cannot be read ({which}): see [{place}...] in .dlt/*.toml, and the "
            f"variables {place.upper().replace('.', '__')}__..."
        ) from None


def missing(error: ConfigFieldMissingException) -> str:
    """Return a sentence of the settings that dlt misses, with a variable that it looked for."""
    tried = re.search(r"'(DESTINATION__[A-Z0-9_]+?__CREDENTIALS)__", str(error.traces))
    where = f": set {tried[1]}, or the same in .dlt/secrets.toml" if tried else ""
    return f"settings are missing: {', '.join(error.fields)}{where}"


def causes(error: BaseException | None) -> list[BaseException]:
    """Return an exception and all that led to it, the outermost first."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain


# What DuckDB says of a file that is damaged: its blocks, what leads to them, its log.
_DAMAGE = re.compile("Corrupt (database|WAL) file|MetadataReader|load metadata pointer")
DAMAGED = (
    "the DuckDB file is damaged, as a kill or a power cut in the middle of a write may leave it "
    "({why}): run `wolkvox-billing restore {path}`, which gets back what is in it, or says what "
    "else to do. Answers that wait in the working folder are not lost: the `load` after that takes "
    "them"
)


class DamagedFile(DestinationTerminalException):
    """A DuckDB file is damaged, and this is its path."""


def is_damage(error: BaseException) -> bool:
    """Whether DuckDB finds its file damaged."""
    return any(tells_of_damage(str(cause)) for cause in causes(error))


def tells_of_damage(text: str) -> bool:
    """Whether a complaint, or a sentence of one, is of a DuckDB file that is damaged."""
    return bool(_DAMAGE.search(text))


def plain(error: BaseException, file: str = "") -> str:
    """Return what went wrong at the destination, in one line for a person. `file`: that of DuckDB,
    where it is known."""
    chain = causes(error)
    innermost = " ".join(str(chain[-1]).split())
    if is_damage(error):
        file = next((str(cause) for cause in chain if isinstance(cause, DamagedFile)), file)
        path = shlex.quote(file) if file else "FILE"
        return DAMAGED.format(path=path, why=innermost[:300])
    if lock := re.search(
        r"lock on file \"([^\"]+)\".*?Conflicting lock is held in (\S.*?\))", innermost
    ):
        return f"the DuckDB file {lock[1]} is open in another program: {lock[2]}; close it there"
    if is_full(error):
        return f"the disk is full: {innermost}"
    return innermost[:500] or type(chain[-1]).__name__


def is_full(error: BaseException) -> bool:
    return any(
        (isinstance(cause, OSError) and cause.errno == errno.ENOSPC)
        or "No space left" in str(cause)
        for cause in causes(error)
    )


def is_out_of_memory(error: BaseException) -> bool:
    return any("Out of Memory" in str(cause) for cause in causes(error))


class Failure(NamedTuple):
    """Why a load failed. The destination's fault: it may take the same another time. Its whole: it
    takes nothing now, whatever it is given."""

    says: str
    may_pass: bool
    is_whole: bool


def failure_of(step: Callable[[], object]) -> Failure | None:
    """Take a step; return what the destination complains of, None if nothing.

    Raises SettingsError where a setting is missing, and whatever does not come from a destination.
    """
    try:
        step()
    except Exception as error:
        chain = causes(error)
        for cause in chain:
            if isinstance(cause, ConfigFieldMissingException):
                raise SettingsError(missing(cause)) from None
            if isinstance(cause, KeyboardInterrupt):  # dlt's, of a signal that came during a load
                raise cause from None
        if not (
            isinstance(error, (PipelineStepFailed, ConfigurationException)) or is_complaint(error)
        ):
            raise
        is_of_rows = isinstance(error, PipelineStepFailed) and (
            error.step in ("extract", "normalize")
            or any(hasattr(cause, "job_id") for cause in chain)
        )
        says = plain(error)
        if is_of_rows and not any(map(is_complaint, chain[-1:])) and not is_full(error):
            # Of our own code, or of a library's: the answer is kept, and a person is told where.
            logger.exception("a defect of this program: please report it")
            says = f"{type(chain[-1]).__name__}: {says}"
        return Failure(
            says,
            # PEP 249's word for what is not the statement's fault: a lock, a connection, memory.
            may_pass=any(_is_a(cause, "OperationalError") for cause in chain)
            and not is_damage(error),
            is_whole=is_full(error) or is_damage(error) or not is_of_rows,
        )
    return None


def _is_a(error: BaseException, name: str) -> bool:
    return any(kind.__name__ == name for kind in type(error).__mro__)
