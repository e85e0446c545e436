"""Who is meant by the settings, and where these disagree with what people decided."""

from __future__ import annotations

from collections.abc import Iterator

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.marts.identities import SAME, Identities
from wolkvox_billing.polling.settings import PollSettings, read_poll_settings
from wolkvox_billing.values.translation import N_, Sentence
from wolkvox_billing.warehouse.sql import Client, literal, rows_of


def settings_if_any() -> PollSettings | None:
    """Return the settings of the polling; None where they cannot be read, such as by somebody who
    only looks at the tables, without secrets."""
    try:
        return read_poll_settings()
    except SettingsError:
        return None


def meant_pairs(
    settings: PollSettings | None, identities: Identities
) -> list[tuple[str, str]] | None:
    """Return the operations, by what they count as, and reports that the settings mean; None where
    nobody can tell."""
    if settings is None:
        return None
    operations = {identities.current(own.operation_id) for own in settings.operations}
    return [
        (operation, report)
        for operation in sorted(filter(None, operations))
        for report in sorted(settings.reports)
    ]


def warn_of_settings(
    client: Client, raw: str, identities: Identities, settings: PollSettings | None
) -> Iterator[str]:
    """Yield a warning for each operation of the settings that counts as another one, or not at
    all, since somebody decided so."""
    decisions = {row.operation_id: row for row in identities.rows}
    for operation in settings.operations if settings else ():
        name = operation.operation_id
        row = decisions.get(name)
        if row is None or row.decision == SAME or row.current_id == name:
            continue
        if row.current_id is None:
            text = N_(
                "the settings say {name}, which is forgotten: it is asked, and in no mart; take it "
                "out of the settings, or run `wolkvox-billing operations restore {name}`"
            )
            yield Sentence(text, name=name)
            continue
        read_from = rows_of(
            client,
            f"SELECT DISTINCT server FROM {raw}.polls WHERE operation_id = {literal(name)} "
            "AND server IS NOT NULL ORDER BY 1",
        )
        if len(servers := [server for (server,) in read_from]) > 1:
            text = N_(
                "{name} was read from the servers {servers}, and all of it counts as {other}: "
                "where these are two operations, give the one of the settings a `name` that none "
                "had before"
            )
            both = Sentence(N_("{names} and {last}"), names=servers[:-1], last=servers[-1])
            yield Sentence(text, name=name, servers=both, other=row.current_id)
        else:
            text = N_("the settings say {name}, which is {other} now: write that there")
            yield Sentence(text, name=name, other=row.current_id)
