"""The settings of the polling, checked: who is asked for what, how often, and how."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.polling.polls import Manner
from wolkvox_billing.vendor.operations import Operation, read_operations
from wolkvox_billing.vendor.reports import (
    BASE_URL,
    CONNECT_SECONDS,
    READ_SECONDS,
    TIMEZONE,
    choose_reports,
)
from wolkvox_billing.warehouse.configuration import read_configuration, source_settings


@dataclass(frozen=True)
class PollSettings:
    """What one run asks for, and how. `warnings` are for a person."""

    operations: list[Operation]
    reports: list[str]
    pace: timedelta
    manner: Manner
    warnings: list[str]


def read_poll_settings(**given: Any) -> PollSettings:
    """Return the settings by these values, and for the rest by dlt's configuration: read without
    dlt where it is in the TOML files and the environment, else by dlt. Raises SettingsError."""
    configuration = read_configuration()
    if configuration:
        return check_poll_settings(**source_settings(configuration, given))
    from wolkvox_billing.polling.source import settings_by_dlt
    from wolkvox_billing.warehouse.complaints import configured

    return check_poll_settings(**configured(lambda: settings_by_dlt(given)))


def check_poll_settings(
    operations: Any = None,
    server: str | None = None,
    token: str | None = None,
    reports: list[str] | None = None,
    base_url: str = BASE_URL,
    timezone: str = TIMEZONE,
    pace_minutes: float = 5.0,
    max_parallel: int = 8,
    retry_pause_seconds: float = 2.0,
    token_wait_seconds: float = 300.0,
    connect_timeout_seconds: float = CONNECT_SECONDS,
    read_timeout_seconds: float = READ_SECONDS,
) -> PollSettings:
    """Return the settings with these values, which are those of the source. Raises SettingsError,
    which names the setting and never shows a token."""
    _check_variables({"server": server, "token": token, "operations": operations})
    accounts = read_operations(operations, server, token, base_url, timezone)
    names, warnings = choose_reports(reports or ["rsync_s3_mp3"])
    if not 0 <= pace_minutes <= 44640 or max_parallel < 1:
        raise SettingsError("`pace_minutes` is 0 to 44640, and `max_parallel` at least 1")
    if not (0 <= retry_pause_seconds <= 3600 and 0 <= token_wait_seconds <= 86400):
        raise SettingsError("`retry_pause_seconds` is 0 to 3600, `token_wait_seconds` 0 to 86400")
    if not (0 < connect_timeout_seconds <= 3600 and 0 < read_timeout_seconds <= 3600):
        raise SettingsError(
            "`connect_timeout_seconds` and `read_timeout_seconds` are more than 0, at most 3600"
        )
    manner = Manner(
        max_parallel=max_parallel,
        retry_pause=retry_pause_seconds,
        token_wait=token_wait_seconds,
        connect_seconds=connect_timeout_seconds,
        read_seconds=read_timeout_seconds,
    )
    return PollSettings(accounts, names, timedelta(minutes=pace_minutes), manner, warnings)


def _check_variables(values: Mapping[str, Any]) -> None:
    """dlt looks for a setting without its section at last, so a variable of another program's that
    has a short name would be sent to the vendor. Raises SettingsError."""
    for name, value in values.items():
        if value and os.environ.get(name.upper()) == value:
            raise SettingsError(
                f"the variable {name.upper()} would be taken for the setting `{name}`: unset it, "
                f"and set SOURCES__WOLKVOX_BILLING__{name.upper()}"
            )
