"""The verb `init`: writes the settings of a new project folder."""

from __future__ import annotations

import json
import os
import textwrap
from collections.abc import Sequence
from pathlib import Path

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.values.translation import N_, Sentence
from wolkvox_billing.vendor.operations import read_operations
from wolkvox_billing.vendor.reports import choose_reports
from wolkvox_billing.warehouse.complaints import configured
from wolkvox_billing.warehouse.configuration import read_section
from wolkvox_billing.warehouse.known_settings import SETTINGS, SOURCE, refuse_stray_settings

_FOLDER, _SECRET = ".dlt", "secrets.toml"
_LINE = 100  # characters of a comment
_SECRETS = """\
# Who is asked. `server` is the nomenclature, as text: wv0010.wolkvox.com is "0010". Give the token
# to this program alone: two calls at once with one token are refused, whoever makes them.
# Several operations: [[{section}.operations]] with `name`, `server` and `token`
# each, instead of these two lines. `name` is the operation_id, by default the server.
[{section}]
server = {server}
token = {token}
"""
_CONFIG = """\
# What is asked, and how. Each setting has a variable too (SOURCES__WOLKVOX_BILLING__REPORTS), which
# wins. A line that is commented out shows the default. Servers and tokens are in secrets.toml.
"""
_RUNTIME = """
[runtime]

# dlt reports each run to its makers unless told not to, and writes 70 lines a load at INFO.
dlthub_telemetry = false
log_level = "WARNING"
"""


_WRITTEN = N_("written: {file}")


def init(server: str, token: str, reports: Sequence[str]) -> list[str]:
    """Write `.dlt/config.toml` and `.dlt/secrets.toml` (0600, ignored by git) into the current
    folder. Return a line for a person of each.

    A config.toml that is there stays as it is, with its `reports`; where it names none, those go
    into secrets.toml. Raises SettingsError for a value that cannot be meant, and where there is a
    secrets.toml: what a person wrote is not written over.
    """
    read_operations(None, server, token)
    names, _ = choose_reports(reports)
    check_place()
    folder, config, secrets = Path(_FOLDER), Path(_FOLDER, "config.toml"), Path(_FOLDER, _SECRET)
    has_config = config.exists()
    stated = configured(lambda: read_section(SOURCE, {"reports": list})) if has_config else {}
    folder.mkdir(exist_ok=True)
    # Before the secret itself: git must never see it. A file of a person's stays as it is.
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text(f"/{_SECRET}\n", encoding="utf-8")
    section = ".".join(SOURCE)
    text = _SECRETS.format(section=section, server=json.dumps(server), token=json.dumps(token))
    if has_config and not stated:
        text += f"reports = {json.dumps(names)}\n"
    descriptor = os.open(secrets, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as secret_file:
        secret_file.write(text)
    lines: list[str] = [Sentence(_WRITTEN, file=secrets)]
    if has_config:
        text = N_("{config} is there already, and stays: `reports` are in {secrets}")
        if stated:
            text = N_("{config} is there already, and stays: its `reports` count")
        lines.append(Sentence(text, config=config, secrets=secrets))
    else:
        config.write_text(_config(names), encoding="utf-8")
        lines.append(Sentence(_WRITTEN, file=config))
    refuse_stray_settings()
    return lines


def check_place() -> None:
    """Raise SettingsError where the current folder has a secrets.toml."""
    secrets = Path(_FOLDER, _SECRET)
    if os.path.lexists(secrets):
        text = N_(
            "{file} is there already: edit it, or start in an empty folder; "
            "`wolkvox-billing check` says whether it works"
        )
        raise SettingsError(Sentence(text, file=secrets))


def _config(reports: Sequence[str]) -> str:
    """Return a config.toml with these reports, and each other setting commented out."""
    lines = [_CONFIG]
    for section, settings in SETTINGS.items():
        lines += [f"[{'.'.join(section)}]", ""]
        for setting in settings:
            if setting.says.startswith(("a secret", "of one operation")):
                continue
            lines += textwrap.wrap(setting.says, _LINE, initial_indent="# ", subsequent_indent="# ")
            if setting.name == "reports":
                lines += [f"reports = {json.dumps(reports)}", ""]
            else:
                lines += [f"# {setting.name} = {setting.default or '...'}", ""]
    return "\n".join(lines) + _RUNTIME
