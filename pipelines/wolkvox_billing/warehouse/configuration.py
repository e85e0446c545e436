"""The settings as dlt 1.31 reads them, read without dlt: its import takes longer than a poll.

    environment, /run/secrets ─▶ secrets.toml ─▶ config.toml      the first that has the key wins,
                                                                  by its innermost section
    sources.wolkvox_billing.wolkvox_billing ─▶ sources.wolkvox_billing ─▶ sources ─▶ the bare key

Each of the two files stands in the project's `.dlt`, and may stand in dlt's global folder: the
project's values are laid over the global ones. What only dlt itself can tell is None, never a
guess; whoever gets None asks dlt. The tests hold each value against dlt's own.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

from wolkvox_billing.errors import SettingsError, short

SECRET_FILES = "/run/secrets"  # where Docker and Kubernetes mount secrets, a file each
PIPELINE = "wolkvox"

Toml: TypeAlias = dict[str, object]  # of a TOML file, or of a section in it
T = TypeVar("T")

# The folders.


def run_dir() -> Path:
    """Return the project's folder, as dlt's default run context has it: mostly the current one."""
    return Path(os.environ.get("DLT_PROJECT_DIR", "."))


def data_dir() -> Path:
    """Return the folder in which dlt keeps the working folders of pipelines."""
    return Path(os.environ["DLT_DATA_DIR"] if "DLT_DATA_DIR" in os.environ else _global_dir())


def _settings_folder() -> str:
    return os.environ.get("DLT_CONFIG_FOLDER", ".dlt")


def _global_dir() -> str:
    """dlt's own folder, where its global settings are too, wherever DLT_DATA_DIR points."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return os.path.join("/var", "dlt")
    home = os.path.expanduser("~")
    if not _is_writable(home):
        import tempfile  # of no use where there is a home

        return os.path.join(tempfile.gettempdir(), "dlt")
    own = os.path.join(home, _settings_folder())
    if "XDG_DATA_HOME" in os.environ and not os.path.isdir(own):
        return os.path.join(os.environ["XDG_DATA_HOME"], "dlt")
    return own


def _is_writable(folder: str) -> bool:
    """Whether a file can be made in a folder: dlt makes one, since its rights alone do not tell."""
    if not os.path.exists(folder):
        return False
    if flag := getattr(os, "O_TMPFILE", 0):
        with suppress(OSError):  # not every file system has files without a name
            os.close(os.open(folder, os.O_RDWR | os.O_EXCL | flag, 0o600))
            return True
    import tempfile

    with suppress(OSError), tempfile.TemporaryFile(dir=folder):
        return True
    return False


# The files.


class SettingsFile(NamedTuple):
    """A TOML file, and what is in it."""

    path: str
    tables: Toml


@dataclass(frozen=True)
class SettingsFiles:
    """The project's file of a name before the global one, as far as they are; both laid over."""

    layers: tuple[SettingsFile, ...]
    tables: Toml

    @classmethod
    def read(cls, file_name: str) -> SettingsFiles:
        """Return the files of a name. Raises SettingsError for one that cannot be read."""
        folders = dict.fromkeys((run_dir() / _settings_folder(), Path(_global_dir())))
        paths = [str(folder / file_name) for folder in folders]
        layers = [SettingsFile(path, _read_toml(path)) for path in paths if os.path.isfile(path)]
        tables: Toml = {}
        for layer in reversed(layers):
            tables = _lay_over(tables, layer.tables)
        return cls(tuple(layers), tables)

    def path_of(self, *keys: str) -> str:
        """Return the file that a value is from: the upper one, where both have it."""
        return next(file.path for file in self.layers if look_up(file.tables, keys) is not None)


def _read_toml(path: str) -> Toml:
    if sys.version_info >= (3, 11):
        import tomllib  # only where there is a file
    else:
        import tomli as tomllib
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    if content.startswith(b"\xef\xbb\xbf"):  # dlt reads no such file
        raise SettingsError(
            f"{path}, line 1: this begins with a byte order mark: save it as UTF-8 without one"
        )
    try:
        text = content.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path}, line {line}: this is not UTF-8: save it so") from None
    try:
        tables: Toml = tomllib.loads(text)
        return tables
    except (ValueError, RecursionError) as error:
        # Nothing but the line of what the parser says: it quotes what stands there.
        number = re.search(r"at line (\d+)", str(error))
        ends = "at end of document" in str(error)
        line_number = number[1] if number else text.count("\n") + 1 if ends else None
        where = f", line {line_number}" if line_number else ""
        is_twice = str(error).startswith("Cannot ")  # overwrite a value, declare a section twice
        why = (
            "a key or section is there twice"
            if is_twice
            else 'a text is in quotes: server = "0010"'
        )
        raise SettingsError(f"{path}{where}: this is not TOML ({why})") from None


def _lay_over(lower: Toml, upper: Toml) -> Toml:
    merged = {**lower, **upper}
    for key in lower.keys() & upper.keys():
        below, above = lower[key], upper[key]
        if isinstance(below, dict) and isinstance(above, dict):
            merged[key] = _lay_over(below, above)
    return merged


def look_up(tables: object, keys: Sequence[str]) -> object:
    """Return the value below these keys, or None."""
    for key in keys:
        if not isinstance(tables, dict) or key not in tables:
            return None
        tables = tables[key]
    return tables


# A value.


class Entry(NamedTuple):
    """A value as it was set, and where, in words."""

    value: object
    place: str


@dataclass(frozen=True)
class Configuration:
    """What the environment and the files say, of which the environment is read as it is now."""

    secrets: SettingsFiles
    config: SettingsFiles

    def value(self, name: str, hint: type[T], *sections: str, secret: bool = False) -> T | None:
        """Return what dlt would inject for a key under these sections, None where nobody set it.

        hint: str, int, float, Decimal, bool, list or dict, which texts are read as too; or object.
        Raises SettingsError for what cannot be read so, and for a secret in config.toml.
        """
        paths = [sections[:depth] for depth in range(len(sections), -1, -1)]
        return self.value_in(paths, name, hint, secret=secret)

    def value_in(
        self, paths: Sequence[tuple[str, ...]], name: str, hint: type[T], *, secret: bool = False
    ) -> T | None:
        """Return the same for a key under one of several paths of sections, the first before."""
        entry = self._look(paths, name, secret)
        return None if entry is None else _read(name, entry, hint, secret)

    def own_value(self, paths: Sequence[tuple[str, ...]], setting: Setting) -> object | None:
        """Return the same of a setting of ours. Raises SettingsError for a text that is not one in
        its file, too: a number there has lost its leading zeros, and `server = 10` is no 0010."""
        entry = self._look(paths, setting.name, setting.is_secret)
        if entry is None:
            return None
        if setting.hint is str and not isinstance(entry.value, str):
            raise _unreadable(setting.name, entry, "a text, in quotes", setting.is_secret)
        return _read(setting.name, entry, setting.hint, setting.is_secret)

    def _look(self, paths: Sequence[tuple[str, ...]], name: str, secret: bool) -> Entry | None:
        for path in paths:
            variable = "__".join((*path, name)).upper()
            text = _mounted_secret(variable) if secret else None
            text = os.environ.get(variable) if text is None else text
            if text is not None:
                return Entry(text, f"in the variable {variable}")
        for files in (self.secrets, self.config):
            for path in paths:
                value = look_up(files.tables, (*path, name))
                if value is None:
                    continue
                section = f"under [{'.'.join(path)}]" if path else "before any section"
                place = f"{section} in {files.path_of(*path, name)}"
                if secret and files is self.config:
                    raise SettingsError(
                        f"the setting `{name}` {place} is a secret: put it into secrets.toml"
                    )
                return Entry(value, place)
        return None


def _mounted_secret(variable: str) -> str | None:
    """Return the text of a file of that name, which goes before the variable. As dlt does, this
    sets the variable by it: a guard against variables of other programs sees it there."""
    name = variable.lower().replace("_", "-")
    path = os.path.join(SECRET_FILES, name)
    if os.path.isdir(path):
        path = os.path.join(path, name)
    try:
        text = Path(path).read_text(encoding="utf-8")
        os.environ[variable] = text.strip()
    except OSError:
        return None
    except ValueError:
        raise SettingsError(f"the secret in {path} is no text in UTF-8") from None
    return text


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (list, dict)):  # of which dlt makes JSON
        raise ValueError
    return str(value.isoformat() if hasattr(value, "isoformat") else value)


def _of_digits(kind: type[int] | type[float]) -> Callable[[object], object]:
    def read(value: object) -> object:
        if isinstance(value, str):
            digits = value.strip()
            return kind(int(digits[2:], 16) if digits.startswith("0x") else digits)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError
        if kind is int and value % 1 != 0:
            raise ValueError
        return kind(value)

    return read


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError
    try:
        return Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError from None


def _truth(value: object) -> bool:
    if isinstance(value, (bool, int, float)):
        return bool(value)
    if not isinstance(value, str) or value.lower() not in _TRUTHS:
        raise ValueError
    return _TRUTHS[value.lower()]


def _of_json(kind: type) -> Callable[[object], object]:
    def read(value: object) -> object:
        if isinstance(value, str):
            value = json.loads(value)
            # Python reads more than JSON is: infinite numbers, halves of characters.
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        if not isinstance(value, kind):
            raise ValueError
        return value

    return read


_TRUTHS = dict.fromkeys(("yes", "true", "t", "y", "1"), True) | dict.fromkeys(
    ("no", "false", "f", "n", "0"), False
)
# What is expected, and how it is read: into the type that is the key.
_HINTS: dict[type, tuple[str, Callable[[object], Any]]] = {
    object: ("anything", lambda value: value),
    str: ("a text", _text),
    int: ("a whole number", _of_digits(int)),
    float: ("a number", _of_digits(float)),
    Decimal: ("a number", _decimal),
    bool: ("true or false", _truth),
    list: ("a list, or JSON of one", _of_json(list)),
    dict: ("a table, or JSON of one", _of_json(dict)),
}


def _read(name: str, entry: Entry, hint: type[T], secret: bool = False) -> T:
    """Return a setting's value in the type of its hint. Raises SettingsError, which shows none of a
    secret."""
    expected, read = _HINTS[hint]
    try:
        value: T = read(entry.value)
        return value
    except (ValueError, OverflowError, RecursionError):
        raise _unreadable(name, entry, expected, secret) from None


def _unreadable(name: str, entry: Entry, expected: str, secret: bool) -> SettingsError:
    """Return what is raised for a value of another kind."""
    kind = _KINDS.get(type(entry.value), "a time")
    text = f"{kind}, which is not shown" if secret else short(entry.value)
    text = kind if kind == "a time" else text
    return SettingsError(f"the setting `{name}` {entry.place} is {text}: expected {expected}")


_KINDS = {str: "a text", bool: "true or false", int: "a number", float: "a number",
          list: "a list", dict: "a table"}  # fmt: skip


# Whether dlt would ask elsewhere too.


def read_configuration() -> Configuration | None:
    """Return the Configuration; None where dlt would, or might, ask other places too.

    Such as Airflow's variables, Google's or AWS' secrets, Streamlit's or Colab's, a workspace, a
    plugin, or a section of the pipeline `wolkvox`, which dlt asks in some calls and not in others.
    Raises SettingsError for a file that cannot be read.
    """
    if os.path.isfile(os.path.join(_settings_folder(), ".workspace")) or _has_plugins():
        return None
    configuration = Configuration(
        SettingsFiles.read("secrets.toml"), SettingsFiles.read("config.toml")
    )
    is_open = _is_notebook(configuration) or _names_pipeline(configuration)
    return None if is_open or _has_providers(configuration) else configuration


def _has_plugins() -> bool:
    """Whether a package beside dlt has entry points for dlt. Read without `importlib.metadata`,
    which takes ten times as long to import."""
    if os.environ.get("DLT_DISABLE_PLUGINS", "False").lower() != "false":
        return False
    return any(_has_plugin(folder, _changed_at(folder)) for folder in sys.path)


def _changed_at(folder: str) -> int:
    """Return when a package was put into a folder or taken out of it last, 0 where it is none."""
    with suppress(OSError):
        return os.stat(folder or ".").st_mtime_ns
    return 0


@lru_cache(maxsize=64)
def _has_plugin(folder: str, changed_at: int) -> bool:
    """Whether a package in this folder has entry points for dlt, as of a change of the folder: all
    are searched for each section that is read, some six times a verb, for two milliseconds."""
    try:
        names = os.listdir(folder or ".") if changed_at else []
    except OSError:
        names = []
    for name in names:
        if name.endswith((".dist-info", ".egg-info")) and not name.startswith("dlt-"):
            with suppress(OSError, UnicodeDecodeError):
                path = Path(folder, name, "entry_points.txt")
                if re.search(r"^\s*\[\s*dlt\s*\]", path.read_text("utf-8"), re.MULTILINE):
                    return True
    return False


def _is_notebook(configuration: Configuration) -> bool:
    """Whether a file is missing in a process of Streamlit's or Colab's, which hold their own."""
    is_missing = not (configuration.secrets.layers and configuration.config.layers)
    return is_missing and ("streamlit" in sys.modules or "google.colab" in sys.modules)


def _names_pipeline(configuration: Configuration) -> bool:
    files = (configuration.secrets, configuration.config)
    return any(PIPELINE in file.tables for file in files) or has_variables(PIPELINE)


def has_variables(*sections: str) -> bool:
    """Whether any variable is set for a key below these sections."""
    prefix = "__".join((*sections, "")).upper()
    return any(variable.startswith(prefix) for variable in os.environ)


def _has_providers(configuration: Configuration) -> bool:
    whole = configuration.value("providers", object)
    if whole is not None and not isinstance(whole, dict):
        return True  # dlt takes it for something else than a section
    here = [("providers",)]
    airflow = configuration.value_in(here, "enable_airflow_secrets", bool)
    if airflow is not False and _is_installed("airflow"):
        return True
    others = ("enable_google_secrets", "enable_aws_secrets")
    return any(configuration.value_in(here, name, bool) for name in others)


def _is_installed(package: str) -> bool:
    """Whether a package can be imported; a bare folder of its name is none."""
    if package in sys.modules:
        return True
    spec = find_spec(package)
    return spec is not None and spec.origin is not None


# What other rooms read.


def read_section(section: tuple[str, ...], hints: Mapping[str, type]) -> Toml:
    """Return the settings under a section that somebody set, by their names: without dlt where that
    is possible, else as dlt finds them. Raises SettingsError, and what dlt raises."""
    configuration = read_configuration()
    if configuration:
        values = {
            name: configuration.own_value(_paths_of(section), Setting(name, hint))
            for name, hint in hints.items()
        }
        return {name: value for name, value in values.items() if value is not None}
    import dlt

    by_name: Toml = {}
    for name, hint in hints.items():
        parsed: Any = hint if hint in (list, dict) else None  # dlt makes one of a text
        settings = (dlt.config.get(".".join((*path, name)), parsed) for path in _paths_of(section))
        value: object = next((each for each in settings if each is not None), None)
        if value is not None:
            entry = Entry(value, f"under [{'.'.join(section)}]")
            by_name[name] = _read(name, entry, hint)
    return by_name


def read_secret_section(section: tuple[str, ...], names: Sequence[str]) -> dict[str, str]:
    """Return the secrets under a section that somebody set, by their names, which have dots where
    they lie deeper. Raises SettingsError, which shows none of them, and what dlt raises."""
    configuration = read_configuration()
    by_name: dict[str, str] = {}
    for name in names:
        *below, key = name.split(".")
        path = (*section, *below)
        if configuration:
            value = configuration.value_in([path], key, str, secret=True)
        else:
            import dlt

            entry: object = dlt.secrets.get(".".join((*path, key)))
            place = Entry(entry, f"under [{'.'.join(path)}]")
            value = None if entry is None else _read(key, place, str, secret=True)
        if value is not None:
            by_name[name] = value
    return by_name


def _paths_of(section: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return where a setting under a section of ours is looked for: of the source's wherever dlt
    does, lest `timezone` before any section be one for the calls and another one for the views."""
    if section != _SOURCE[:-1]:
        return [section]
    return [_SOURCE[:depth] for depth in range(len(_SOURCE), -1, -1)]


_SOURCE = ("sources", "wolkvox_billing", "wolkvox_billing")  # dlt's: module, then source


# The source.


class Setting(NamedTuple):
    """A setting of the source: its name and type, and whether it is a secret."""

    name: str
    hint: type
    is_secret: bool = False


SOURCE_SETTINGS = (
    Setting("operations", object, True),
    Setting("server", str),
    Setting("token", str, True),
    Setting("reports", list),
    Setting("base_url", str),
    Setting("timezone", str),
    Setting("pace_minutes", float),
    Setting("max_parallel", int),
    Setting("retry_pause_seconds", float),
    Setting("token_wait_seconds", float),
    Setting("connect_timeout_seconds", float),
    Setting("read_timeout_seconds", float),
)


def source_settings(configuration: Configuration, overrides: Mapping[str, object]) -> Toml:
    """Return the values of the source's settings by their names, without those that nobody set.

    overrides: settings that shall not come from the configuration, in which they are not looked
    up, so that nothing is wrong with them there. Raises SettingsError.
    """
    values = {
        setting.name: configuration.own_value(_paths_of(_SOURCE[:-1]), setting)
        for setting in SOURCE_SETTINGS
        if setting.name not in overrides
    }
    return {**{name: value for name, value in values.items() if value is not None}, **overrides}
