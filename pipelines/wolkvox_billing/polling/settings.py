"""The settings of the polling, checked: who is asked for what, how often, and how."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.polling.polls import Manner
from wolkvox_billing.vendor.client import Limits
from wolkvox_billing.vendor.operations import Operation, read_operations
from wolkvox_billing.vendor.reports import (
    BASE_URL,
    CONNECT_SECONDS,
    READ_SECONDS,
    TIMEZONE,
    choose_reports,
)
from wolkvox_billing.warehouse.configuration import read_configuration, source_settings
from wolkvox_billing.warehouse.known_settings import refuse_stray_settings


@dataclass(repr=False, eq=False)
class SourceSettings:
    """The source's settings as they are set, or its defaults: nothing of them is checked, and no
    `repr` shows the tokens."""

    operations: object = None
    server: str | None = None
    token: str | None = None
    reports: Sequence[str] | None = None
    base_url: str = BASE_URL
    timezone: str = TIMEZONE
    pace_minutes: float = 5.0
    max_parallel: int = 8
    retry_pause_seconds: float = 2.0
    token_wait_seconds: float = 300.0
    connect_timeout_seconds: float = CONNECT_SECONDS
    read_timeout_seconds: float = READ_SECONDS

    @classmethod
    def of(cls, values: Mapping[str, object]) -> SourceSettings:
        """Return these values, each of which somebody has read by the type of its setting."""
        return cls(**values)  # type: ignore[arg-type]


@dataclass(frozen=True)
class PollSettings:
    """What one run asks for, and how. `warnings` are for a person."""

    operations: list[Operation]
    reports: list[str]
    pace: timedelta
    manner: Manner
    warnings: list[str]


def read_poll_settings(**overrides: object) -> PollSettings:
    """Return the settings by these values, and for the others by dlt's configuration: read without
    dlt where it is in the TOML files and the environment, else by dlt. Raises SettingsError."""
    configuration = read_configuration()
    if configuration:
        return check_poll_settings(SourceSettings.of(source_settings(configuration, overrides)))
    from wolkvox_billing.polling.source import settings_by_dlt
    from wolkvox_billing.warehouse.complaints import configured

    return check_poll_settings(configured(lambda: settings_by_dlt(overrides)))


def check_poll_settings(settings: SourceSettings) -> PollSettings:
    """Return the settings of the polling by those of the source. Raises SettingsError, which names
    the setting and never shows a token."""
    refuse_stray_settings()
    _check_variables(settings)
    operations = read_operations(
        settings.operations, settings.server, settings.token, settings.base_url, settings.timezone
    )
    wanted = ["rsync_s3_mp3"] if settings.reports is None else settings.reports
    reports, warnings = choose_reports(wanted)
    if not 0 <= settings.pace_minutes <= 44640 or settings.max_parallel < 1:
        raise SettingsError("`pace_minutes` is 0 to 44640, and `max_parallel` at least 1")
    pause, wait = settings.retry_pause_seconds, settings.token_wait_seconds
    if not (0 <= pause <= 3600 and 0 <= wait <= 86400):
        raise SettingsError("`retry_pause_seconds` is 0 to 3600, `token_wait_seconds` 0 to 86400")
    connect_seconds, read_seconds = settings.connect_timeout_seconds, settings.read_timeout_seconds
    if not (0 < connect_seconds <= 3600 and 0 < read_seconds <= 3600):
        raise SettingsError(
            "`connect_timeout_seconds` and `read_timeout_seconds` are more than 0, at most 3600"
        )
    manner = Manner(
        max_parallel=settings.max_parallel,
        retry_pause=pause,
        token_wait=wait,
        limits=Limits(connect_seconds, read_seconds),
    )
    pace = timedelta(minutes=settings.pace_minutes)
    return PollSettings(operations, reports, pace, manner, warnings)


def _check_variables(settings: SourceSettings) -> None:
    """Raise SettingsError for a variable of another program's that has a setting's short name: dlt
    looks for a setting without its section at last, so it would be sent to the vendor."""
    for name in ("server", "token", "operations"):
        value = getattr(settings, name)
        if value and os.environ.get(name.upper()) == value:
            raise SettingsError(
                f"the variable {name.upper()} would be taken for the setting `{name}`: unset it, "
                f"and set SOURCES__WOLKVOX_BILLING__{name.upper()}"
            )
