"""An operation: one wolkvox account, its server and its token; read from the settings."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from wolkvox_billing.errors import SettingsError, short
from wolkvox_billing.vendor.reports import BASE_URL, PATH, TIMEZONE

_SECTION = "[sources.wolkvox_billing]"
_HOW = (
    f"put `server` and `token` under {_SECTION} in .dlt/secrets.toml, or set "
    "SOURCES__WOLKVOX_BILLING__SERVER and SOURCES__WOLKVOX_BILLING__TOKEN; for several "
    "operations set `operations`, a list of {name, server, token}"
)


@dataclass(frozen=True)
class Operation:
    """One account at the vendor: `operation_id` is ours, `url` is where it is asked."""

    operation_id: str
    server: str
    url: str
    token: str = field(repr=False)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo(TIMEZONE))


def read_operations(
    operations: object,
    server: str | None,
    token: str | None,
    base_url: str = BASE_URL,
    timezone: str = TIMEZONE,
) -> list[Operation]:
    """Return the operations that the settings name, in their order; the short form is a list of
    one. `operations` is a list of tables, or JSON text of one, as a variable holds it.

    Raises SettingsError, which names the setting and never shows a token.
    """
    if operations is None:
        if not server or not token:
            missing = " and ".join(n for n, v in (("server", server), ("token", token)) if not v)
            raise SettingsError(f"no {missing} is set: {_HOW}")
        operations = [{"server": server, "token": token}]
    elif server or token:
        raise SettingsError(f"both `operations` and `server`/`token` are set: keep one; {_HOW}")
    if isinstance(operations, str):
        operations = _from_json(operations)
    if isinstance(operations, (str, bytes, Mapping)) or not isinstance(operations, Sequence):
        raise SettingsError(f"`operations` under {_SECTION} is not a list, or JSON of one: {_HOW}")
    if not operations:
        raise SettingsError(f"`operations` under {_SECTION} is empty: {_HOW}")
    accounts = [
        _read(number, entry, base_url, timezone) for number, entry in enumerate(operations, 1)
    ]
    names = [account.operation_id for account in accounts]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(
                f"two operations have the name {name!r}: their counts would be merged into one; "
                "give each a `name` of its own"
            )
    tokens = [account.token for account in accounts]
    for account in accounts:
        if tokens.count(account.token) > 1:
            raise SettingsError(
                f"operation {account.operation_id!r} has the same token as another: the token "
                "decides which operation answers, so its use would be counted twice; name it once"
            )
    return accounts


def _from_json(text: str) -> object:
    """Return what a text holds; None if it is no JSON, since a complaint would show the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _read(number: int, entry: object, base_url: str, timezone: str) -> Operation:
    place = f"operation {number} of `operations` under {_SECTION}"
    if not isinstance(entry, Mapping):
        raise SettingsError(f"{place} is not a table of name, server and token")
    unknown = sorted(short(key) for key in set(entry) - {"name", "server", "token", "timezone"})
    if unknown:
        raise SettingsError(
            f"{place} has {', '.join(unknown)}; it takes name, server, token and timezone"
        )
    server, token = entry.get("server"), entry.get("token")
    if not isinstance(server, str) or not re.fullmatch(r"[0-9A-Za-z-]{1,16}", server):
        raise SettingsError(
            f"{place}: `server` is the server's nomenclature as text, with its leading zeros, "
            f'such as "0010"; got {short(server)}'
        )
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
        fault = "is missing" if not token else "has blanks or characters that no token has"
        raise SettingsError(f"{place} (server {server}): its `token` {fault}")
    name = entry.get("name", server)
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise SettingsError(f"{place}: `name` is a text of printable characters")
    if token in name:
        raise SettingsError(f"{place}: `name` holds the token; give it a name that may be seen")
    zone = read_zone(entry.get("timezone", timezone))
    return Operation(name, server, _url(base_url, server), token, zone)


def read_zone(name: object) -> ZoneInfo:
    """Return the time zone of a name such as America/Bogota. Raises SettingsError."""
    try:
        return ZoneInfo(str(name))
    except (ValueError, OSError, KeyError):
        raise SettingsError(
            f"the setting `timezone` is {short(name)}: expected a name such as {TIMEZONE}"
        ) from None


def _url(base_url: str, server: str) -> str:
    """Return the address that is asked. http only to this machine: a token goes with the call."""
    url = base_url.replace("{server}", server).rstrip("/") + PATH
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise SettingsError(f"`base_url` {base_url!r} is no address: {error}") from None
    if parts.username or parts.password or parts.query or parts.fragment or not host:
        raise SettingsError(f"`base_url` must look like {BASE_URL}")
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return url
    raise SettingsError(
        f"`base_url` {base_url!r} would send the token unprotected: use https "
        "(http is taken for 127.0.0.1 only)"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
