"""Folders in which settings stand: a project's, a user's, and that of mounted secrets."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers import environ
from dlt.common.configuration.specs import PluggableRunContext
from dlt.common.configuration.specs.config_providers_context import ConfigProvidersContainer

from wolkvox_billing.warehouse import configuration


class Places:
    """A project's folder, the home of a user who is not root, and no variable of the settings."""

    def __init__(self, tmp_path: Path) -> None:
        self.project, self.home = tmp_path / "project", tmp_path / "home"
        self.secret_files = tmp_path / "run-secrets"

    def write(self, file: str, text: str) -> Path:
        """A file of settings: of the project, or `global:` of dlt's own folder."""
        base = self.home if file.startswith("global:") else self.project
        path = base / ".dlt" / file.removeprefix("global:")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def put(self, file: str, path: tuple[str, ...], value: Any) -> Path:
        """A file with one value in it, below these keys."""
        for key in reversed(path):
            value = {key: value}
        return self.write(file, tomlkit.dumps(value))

    def clear(self) -> None:
        for base, file in itertools.product((self.project, self.home), ("secrets", "config")):
            (base / ".dlt" / f"{file}.toml").unlink(missing_ok=True)


def empty_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Places]:
    """A Places; dlt's own reading of the settings is put back afterwards."""
    places = Places(tmp_path)
    for folder in (places.project, places.home, places.secret_files):
        folder.mkdir()
    monkeypatch.chdir(places.project)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for variable in ("DLT_DATA_DIR", "DLT_PROJECT_DIR", "DLT_LOCAL_DIR", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(places.home))
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setattr(environ, "SECRET_STORAGE_PATH", f"{places.secret_files}/%s")
    monkeypatch.setattr(configuration, "SECRET_FILES", str(places.secret_files))
    context = Container()[PluggableRunContext]
    providers_before = context.providers
    yield places
    context.providers = providers_before


_providers: list[tuple[object, ConfigProvidersContainer]] = []  # the newest, and what was read


def reload_dlt() -> None:
    """dlt has read the files as they are, as a new process would; variables it reads each time."""
    context = Container()[PluggableRunContext]
    run = context.context
    folders = [Path(run.settings_dir).absolute(), Path(run.global_dir)]
    paths = [folder / f"{file}.toml" for folder in folders for file in ("secrets", "config")]
    read = [(path, path.read_bytes() if path.is_file() else None) for path in paths]
    if _providers and _providers[0] == (read, context.providers):
        return
    context.providers = ConfigProvidersContainer(run.initial_providers())
    _providers[:] = [(read, context.providers)]
