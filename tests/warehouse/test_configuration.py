"""The settings read without dlt: what they are is held against dlt itself, in this process."""

from __future__ import annotations

import errno
import inspect
import itertools
import json
import os
import subprocess
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import dlt
import pytest
import tomlkit
from dlt.common.configuration import resolve_configuration
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.configuration.providers import toml
from dlt.common.configuration.specs.base_configuration import (
    BaseConfiguration,
    extract_inner_hint,
    is_hint_not_resolvable,
    is_secret_hint,
)
from dlt.common.configuration.specs.config_providers_context import (
    ConfigProvidersConfiguration,
)
from dlt.common.reflection.spec import spec_from_signature
from dlt.common.runtime.run_context import RunContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.fuzzing import at_length, tries
from builders.places import Places, reload_dlt
from wolkvox_billing import SettingsError
from wolkvox_billing.polling import source
from wolkvox_billing.warehouse.configuration import (
    SOURCE_SETTINGS,
    Configuration,
    Setting,
    SettingsFiles,
    data_dir,
    read_configuration,
    run_dir,
    source_settings,
)

SECTIONS = ("sources", "wolkvox_billing", "wolkvox_billing")
LEVELS = [SECTIONS[:depth] for depth in (3, 2, 1, 0)]
IN_TURN = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=tries(60),
)
BY_NAME = {setting.name: setting for setting in SOURCE_SETTINGS}
PACE = "SOURCES__WOLKVOX_BILLING__PACE_MINUTES"


@cache
def _spec(*names: str) -> type[BaseConfiguration]:
    """dlt's spec of the source's arguments, all or those of these names."""
    function = inspect.unwrap(source.wolkvox_billing._deco_f)  # type: ignore[attr-defined]
    signature = inspect.signature(function)
    if names:
        chosen = [signature.parameters[name] for name in names]
        signature = signature.replace(parameters=chosen)
    spec, _ = spec_from_signature(function, signature)
    return spec


SPEC = _spec()


def by_dlt(*names: str) -> dict[str, Any] | None:
    """What dlt injects for settings of these names, or for all; None where it refuses."""
    try:
        reload_dlt()
        values = dict(resolve_configuration(_spec(*names)(), sections=SECTIONS))
    except (ConfigurationException, ValueError):
        return None
    return {name: values[name] for name in names or BY_NAME}


def by_us(*names: str, read: Configuration | None = None) -> dict[str, Any] | None:
    """The same of ours, with the source's defaults for what nobody set; of a configuration that is
    read already, or of one that is read now."""
    asked = names or tuple(BY_NAME)
    try:
        read = read or read_configuration()
        assert read is not None
        values = source_settings(read, dict.fromkeys(BY_NAME.keys() - set(asked)))
    except SettingsError:
        return None
    return {name: values.get(name, getattr(SPEC, name)) for name in asked}


def typed(values: Any) -> Any:
    """Such that 1, 1.0 and True differ, and a NaN equals itself."""
    return repr(values)


# The folders.


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"DLT_PROJECT_DIR": "elsewhere"},
        {"DLT_PROJECT_DIR": ""},
        {"DLT_DATA_DIR": "data"},
        {"DLT_DATA_DIR": ""},
        {"XDG_DATA_HOME": "/xdg"},
        {"HOME": "/nowhere"},
        {"HOME": "/proc"},
        {"HOME": "/nowhere", "XDG_DATA_HOME": "/xdg"},
    ],
)
@pytest.mark.parametrize("user", [0, 1000])
@pytest.mark.parametrize("has_folder", [False, True])
@pytest.mark.filterwarnings("ignore:XDG_DATA_HOME")
def test_the_folders_are_dlts(
    places: Places,
    monkeypatch: pytest.MonkeyPatch,
    variables: Mapping[str, str],
    user: int,
    has_folder: bool,
) -> None:
    """Project and data are in dlt's folders: for root, for a user, and for one without a home."""
    if has_folder:
        (places.home / ".dlt").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: user)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    context = dlt.current.run_context()
    assert run_dir() == Path(context.run_dir)
    assert data_dir() / "pipelines" == Path(context.get_data_entity("pipelines"))


def test_a_home_without_nameless_files_counts(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file system knows no nameless files, a file of a name tells what is writable."""
    really_open = os.open

    def refuse(path: Any, flags: int, *arguments: Any, **more: Any) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        return really_open(path, flags, *arguments, **more)

    monkeypatch.setattr(os, "open", refuse)
    assert data_dir() == places.home / ".dlt" == Path(RunContext(None).data_dir)


# The source's settings.


def _ours_of(hint: Any) -> type:
    """What `Any` is with us."""
    return object if hint is Any else hint


def test_the_settings_are_those_of_the_source() -> None:
    """Each setting of the source is known by its name and type, and as a secret if it is one."""
    hints = SPEC.get_resolvable_fields()
    of_dlt = {
        Setting(name, _ours_of(extract_inner_hint(hint)), is_secret_hint(hint))
        for name, hint in hints.items()
        if not is_hint_not_resolvable(hint)
        and name != "kept"  # no setting: Polls, of an earlier run
    }
    assert set(SOURCE_SETTINGS) == of_dlt


VALUES: dict[object, list[Any]] = {
    str: ["0010", "", " a b ", 10, 1.5, True, "é", "many"],
    object: ['[{"server": "0010"}]', [{"server": "0010", "token": "a"}], {"a": 1}, 7, "", "many"],
    list: [["a", "b"], [], '["a"]', "[1, {}]", "[]", '"a"', "many", "", 7, True, "[NaN]", "[1"],
    float: [5, 2.5, 0, -1, "5", " 2.5 ", "1e3", "0x10", "nan", "inf", "1_0", True, "", "many", []],
    int: [8, 8.0, 8.5, float("nan"), float("inf"), "8", " 8 ", "0x1f", "8.0", "", True, "x", [8]],
}


# Of settings of one type one is tried with each value, in a file; the others with two.
ONE_OF_EACH_TYPE = {(own.hint, own.is_secret): own.name for own in SOURCE_SETTINGS}.values()


def values_in_a_file(name: str) -> list[Any]:
    """Return what a setting is tried with in each section of each file."""
    values = VALUES[BY_NAME[name].hint]
    if BY_NAME[name].hint is str:  # of what is no text dlt makes one
        values = [value for value in values if isinstance(value, str)]
    return values if name in ONE_OF_EACH_TYPE else at_length(values[:2], *values[2:])


NO_MORE = object()  # values of a setting that has fewer than another


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def side_by_side(values_of: Callable[[str], list[Any]]) -> Iterator[dict[str, Any]]:
    """Yield a value of each setting, then another one of each, until each had all of its own: what
    one of them is says nothing of another."""
    in_turn = itertools.zip_longest(*(values_of(name) for name in BY_NAME), fillvalue=NO_MORE)
    for values in in_turn:
        pairs = zip(BY_NAME, values, strict=True)
        yield {name: value for name, value in pairs if value is not NO_MORE}


@pytest.mark.parametrize("level", LEVELS, ids=len)
def test_a_variable_is_read_as_dlt_reads_it(places: Places, level: tuple[str, ...]) -> None:
    """A variable of each section and setting means what dlt takes it for, and is refused where dlt
    refuses."""
    for values in side_by_side(lambda name: VALUES[BY_NAME[name].hint]):
        variables = {
            "__".join((*level, name)).upper(): as_text(value) for name, value in values.items()
        }
        with mock.patch.dict(os.environ, variables):
            read = read_configuration()
            for name, value in values.items():
                assert typed(by_us(name, read=read)) == typed(by_dlt(name)), (level, name, value)


@pytest.mark.parametrize(
    "file", ["secrets.toml", "config.toml", "global:secrets.toml", "global:config.toml"]
)
@pytest.mark.parametrize("level", LEVELS, ids=len)
def test_a_file_is_read_as_dlt_reads_it(places: Places, file: str, level: tuple[str, ...]) -> None:
    """A value of each setting in each section of each file means what dlt takes it for, and is
    refused where dlt refuses; a secret is refused in config.toml."""
    for values in side_by_side(values_in_a_file):
        places.put(file, level, values)
        read = read_configuration()
        for name, value in values.items():
            expected = by_dlt(name)
            assert typed(by_us(name, read=read)) == typed(expected), (file, level, name, value)
            if BY_NAME[name].is_secret and "config" in file:
                assert expected is None


@pytest.mark.parametrize("name", BY_NAME)
def test_the_first_place_wins(places: Places, name: str) -> None:
    """Of two places that have a setting the same one wins as in dlt, whichever two they are: any
    two for a secret and for another setting, and for the others those that are neighbours."""
    values: dict[object, list[Any]] = {
        str: ["a", "b"],
        object: [["a"], ["b"]],
        list: [["a"], ["b"]],
        float: [1.5, 2.5],
        int: [1, 2],
    }
    files = ["", "secrets.toml", "global:secrets.toml"]
    if not BY_NAME[name].is_secret:
        files += ["config.toml", "global:config.toml"]
    every_two = [*itertools.combinations(itertools.product(files, LEVELS[1:]), 2)]
    neighbours = [*itertools.pairwise(itertools.product(files, LEVELS[1:]))]
    is_tried_with_all = name in ("token", "reports")
    for pair in every_two if is_tried_with_all else at_length(neighbours, *every_two):
        places.clear()
        tables: dict[str, dict[str, Any]] = {}
        with mock.patch.dict(os.environ):
            for (file, level), value in zip(pair, values[BY_NAME[name].hint], strict=True):
                if file:
                    table = tables.setdefault(file, {})
                    for key in level:
                        table = table.setdefault(key, {})
                    table[name] = value
                else:
                    os.environ["__".join((*level, name)).upper()] = as_text(value)
            for file, table in tables.items():
                places.write(file, tomlkit.dumps(table))
            answer = by_us(name)
            assert answer is not None
            assert typed(answer) == typed(by_dlt(name)), pair


def test_the_source_is_given_the_same(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source itself, called by dlt, gets the values that are read here."""
    places.write("config.toml", 'timezone = "UTC"\n[sources]\nbase_url = "https://x.example"\n')
    places.write(
        "secrets.toml",
        '[sources.wolkvox_billing]\ntoken = "a"\n[sources.wolkvox_billing.wolkvox_billing]\n'
        'server = "0010"\n',
    )
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        "wolkvox_billing.polling.settings.read_operations",
        lambda *values: calls.append(values) or [],
    )
    reload_dlt()
    source.wolkvox_billing()
    values = by_us()
    assert values is not None
    names = ("operations", "server", "token", "base_url", "timezone")
    assert calls == [tuple(values[name] for name in names)]
    assert calls == [(None, "0010", "a", "https://x.example", "UTC")]


def test_what_nobody_set_is_left_out(places: Places) -> None:
    """Settings that nobody set are not among those of the source."""
    read = read_configuration()
    assert read is not None
    assert source_settings(read, {}) == {}
    assert read.value("server", str, *SECTIONS) is None


def test_what_is_passed_wins(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that is passed is not looked up: a wrong one in its place does not matter."""
    monkeypatch.setenv(PACE, "many")
    monkeypatch.setenv("SOURCES__MAX_PARALLEL", "3")
    read = read_configuration()
    assert read is not None
    overrides = {"pace_minutes": 1, "server": None}
    assert source_settings(read, overrides) == {**overrides, "max_parallel": 3}


@pytest.mark.parametrize("value", [["a"], {"a": 1}])
def test_no_list_is_taken_for_a_text(places: Places, value: Any) -> None:
    """A list or a table where a text belongs is refused, of which dlt would make JSON."""
    places.put("secrets.toml", (*SECTIONS, "server"), value)
    assert by_dlt("server") == {"server": json.dumps(value, separators=(",", ":"))}
    assert by_us("server") is None


@pytest.mark.parametrize("value", [10, 1.5, True, date(2026, 1, 1)])
@pytest.mark.parametrize("name", ["server", "base_url", "token"])
def test_no_number_is_taken_for_a_text(places: Places, name: str, value: Any) -> None:
    """What stands without quotes where a text belongs is refused: `server = 10` is no 0010. A
    secret is not shown."""
    places.put("secrets.toml", (*SECTIONS, name), value)
    read = read_configuration()
    assert read is not None
    with pytest.raises(SettingsError, match=f"`{name}` .* expected a text, in quotes") as error:
        source_settings(read, {})
    assert name != "token" or str(value) not in str(error.value)


def test_no_table_is_taken_for_a_list(places: Places) -> None:
    """A table where a list belongs is refused, which dlt hands on."""
    places.put("config.toml", (*SECTIONS, "reports"), {"a": 1})
    assert by_dlt("reports") == {"reports": {"a": 1}}
    assert by_us("reports") is None


def test_a_mounted_secret_goes_before_the_variable(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in /run/secrets, or in a folder of its name there, is the secret, as it is to dlt."""
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__TOKEN", "of the variable")
    name = "sources--wolkvox-billing--token"
    (places.secret_files / name).write_text("of the file\n")
    assert by_us("token") == {"token": "of the file\n"} == by_dlt("token")
    (places.secret_files / name).unlink()
    (places.secret_files / name).mkdir()
    (places.secret_files / name / name).write_text("of the folder")
    assert by_us("token") == {"token": "of the folder"} == by_dlt("token")
    for content in (b"\xff", b"a\0b"):
        (places.secret_files / name / name).write_bytes(content)
        assert by_us("token") is None and by_dlt("token") is None


def test_a_mounted_secret_of_another_program_is_seen(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file named `token` is taken as dlt takes it, and is then in the variable TOKEN, where the
    source finds and refuses it."""
    monkeypatch.setenv("TOKEN", "")
    (places.secret_files / "token").write_text("of somebody\n")
    (places.secret_files / "server").write_text("no secret, and not read")
    assert by_us() == {**(by_dlt() or {}), "token": "of somebody\n"}
    assert os.environ["TOKEN"] == "of somebody"


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.one_of(
    st.integers().map(str),
    st.floats().map(repr),
    st.from_regex(r"\A\s*[-+]?(0x)?[0-9a-f_]{0,6}(\.[0-9]*)?(e[0-9]+)?\s*\Z"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@given(TEXTS | NUMBERS | JSON.map(json.dumps) | st.sampled_from(["[1e999]", '["\\ud800"]', "YES"]))
@IN_TURN
def test_any_text_is_read_as_dlt_reads_it(places: Places, text: str) -> None:
    """Whatever text a variable holds, it means what it means to dlt, or is refused as there."""
    hints: dict[str, Any] = {"a": str, "b": int, "c": float, "d": bool, "e": list, "f": dict}
    read = read_configuration()
    assert read is not None
    for name, hint in hints.items():
        with mock.patch.dict(os.environ, {f"X__{name.upper()}": text}):
            assert typed(_ours(read, name, hint)) == typed(_dlts(name, hint))


VALUES_OF_TOML = st.recursive(
    st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats()
    | TEXTS
    | st.datetimes()
    | st.dates()
    | st.times(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@given(VALUES_OF_TOML)
@IN_TURN
def test_any_value_of_a_file_is_read_as_dlt_reads_it(places: Places, value: Any) -> None:
    """Whatever value a file holds, it is taken for what dlt takes it for, or refused as there;
    but for lists in the place of a text."""
    hints: dict[str, Any] = {"b": int, "c": float, "d": bool, "e": list, "f": dict, "g": Any}
    if not isinstance(value, list):
        hints["a"] = str
    else:
        del hints["f"]  # dlt takes a list for a table
    places.write("config.toml", tomlkit.dumps({"x": dict.fromkeys("abcdefg", value)}))
    read = read_configuration()
    assert read is not None
    reload_dlt()
    for name, hint in hints.items():
        assert typed(_ours(read, name, hint)) == typed(_dlts(name, hint)), name


REFUSED = "refused"


def _ours(read: Configuration, name: str, hint: Any) -> Any:
    try:
        return read.value(name, _ours_of(hint), "x")
    except SettingsError:
        return REFUSED


def _dlts(name: str, hint: Any) -> Any:
    def function(value: Any = None) -> None: ...

    function.__annotations__ = {name: hint}
    parameter = inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint
    )
    function.__signature__ = inspect.Signature([parameter])  # type: ignore[attr-defined]
    spec, _ = spec_from_signature(function, inspect.Signature([parameter]))
    try:
        return resolve_configuration(spec(), sections=("x",))[name]
    except (ConfigurationException, ValueError):
        return REFUSED


KEYS = st.sampled_from(["a", "b", "c"])
TABLES = st.recursive(
    st.integers(0, 9) | st.lists(st.integers(0, 9), max_size=2),
    lambda inner: st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
).filter(lambda value: isinstance(value, dict))


@given(TABLES, TABLES)
@IN_TURN
def test_files_are_laid_over_as_by_dlt(places: Places, upper: Any, lower: Any) -> None:
    """The project's file over the global one gives the tables that dlt makes of both."""
    places.write("config.toml", tomlkit.dumps(upper))
    places.write("global:config.toml", tomlkit.dumps(lower))
    provider = toml.ConfigTomlProvider(".dlt", str(places.home / ".dlt"))
    assert SettingsFiles.read("config.toml").tables == provider._config_doc


# What is refused, and in which words.


@pytest.mark.parametrize(
    ("variable", "text", "says"),
    [
        (
            PACE,
            "many",
            f"the setting `pace_minutes` in the variable {PACE} is 'many': expected a number",
        ),
        (
            "MAX_PARALLEL",
            "1.5",
            "`max_parallel` in the variable MAX_PARALLEL is '1.5': expected a whole",
        ),
        (
            "SOURCES__REPORTS",
            "x" * 40,
            "SOURCES__REPORTS is a longer value: expected a list, or JSON",
        ),
    ],
)
def test_a_wrong_variable_is_named(
    places: Places, monkeypatch: pytest.MonkeyPatch, variable: str, text: str, says: str
) -> None:
    """A variable that cannot be read is an error that says its name, what came and what should."""
    monkeypatch.setenv(variable, text)
    read = read_configuration()
    assert read is not None
    with pytest.raises(SettingsError) as error:
        source_settings(read, {})
    assert says in str(error.value)


@pytest.mark.parametrize("file", ["config.toml", "global:config.toml"])
def test_a_wrong_value_in_a_file_is_named(places: Places, file: str) -> None:
    """A value that cannot be read is an error that says its file and section."""
    path = places.put(file, (*SECTIONS[:2], "max_parallel"), True)
    place = Path(".dlt/config.toml") if file == "config.toml" else path
    read = read_configuration()
    assert read is not None
    with pytest.raises(SettingsError) as error:
        source_settings(read, {})
    assert str(error.value) == (
        f"the setting `max_parallel` under [sources.wolkvox_billing] in {place} is True: expected "
        "a whole number"
    )


def test_a_wrong_secret_is_not_shown(places: Places) -> None:
    """Of a secret that cannot be read only what kind of value it is is said."""
    places.put("global:secrets.toml", ("token",), ["s3cr3t"])
    places.put("secrets.toml", ("other",), 1)
    read = read_configuration()
    assert read is not None
    with pytest.raises(SettingsError) as error:
        source_settings(read, {})
    file = places.home / ".dlt" / "secrets.toml"
    assert str(error.value) == (
        f"the setting `token` before any section in {file} is a list, which is not shown: "
        "expected a text, in quotes"
    )


def test_a_secret_in_the_wrong_file_is_named(places: Places) -> None:
    """A secret in config.toml is an error that says where it belongs, and does not show it."""
    places.put("config.toml", (*SECTIONS[:2], "token"), "s3cr3t")
    read = read_configuration()
    assert read is not None
    with pytest.raises(SettingsError) as error:
        source_settings(read, {})
    assert str(error.value) == (
        "the setting `token` under [sources.wolkvox_billing] in .dlt/config.toml is a secret: put "
        "it into secrets.toml"
    )
    assert by_dlt() is None


TWICE = "a key or section is there twice"


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"a = 1\nb = s3cr3t\n", ", line 2: this is not TOML"),
        (b"a = 1\n\nb = 's3cr3t", ", line 3: this is not TOML"),
        (b"a = 1\r\n'''s3cr3t", ", line 2: this is not TOML"),
        (b"s3cr3t = 1\ns3cr3t = 2\n", f", line 2: this is not TOML ({TWICE})"),
        (b"[a]\nb = 1\n[a]\nc = 1\n", f", line 3: this is not TOML ({TWICE})"),
        (b"a = 1\n# \xff\n", ", line 2: this is not UTF-8: save it so"),
        ("a = 1\n".encode("utf-16"), ", line 1: this is not UTF-8: save it so"),
        (
            b"\xef\xbb\xbfa = 1\n",
            ", line 1: this begins with a byte order mark: save it as UTF-8 without one",
        ),
        (b"a = " + b"[" * 5000, ": this is not TOML"),
    ],
)
@pytest.mark.parametrize("file", ["secrets.toml", "global:config.toml"])
def test_a_broken_file_is_named(places: Places, file: str, content: bytes, where: str) -> None:
    """A file that is no TOML is an error with its line, which shows nothing of it; dlt refuses it
    as well."""
    path = places.write(file, "")
    path.write_bytes(content)
    with pytest.raises(SettingsError) as error:
        read_configuration()
    place = path if file.startswith("global:") else Path(".dlt/secrets.toml")
    hint = ' (a text is in quotes: server = "0010")' if where.endswith("TOML") else ""
    assert str(error.value) == f"{place}{where}{hint}"
    assert by_dlt() is None


def test_a_file_that_cannot_be_read_is_named(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that the user may not read is an error that says so."""
    places.write("secrets.toml", "")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(SettingsError, match=r"^\.dlt/secrets\.toml cannot be read: Permission"):
        read_configuration()


# Where dlt is to be asked.


def _install(places: Places, monkeypatch: pytest.MonkeyPatch, name: str, points: str = "") -> None:
    """A package on the path, which has an `__init__` and may have entry points."""
    folder = places.project.parent / "site"
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text("")
    (folder / f"{name}-1.0.dist-info").mkdir()
    (folder / f"{name}-1.0.dist-info" / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(str(folder))


def test_airflow_is_for_dlt(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Airflow can be imported dlt asks its variables, unless that is switched off."""
    _install(places, monkeypatch, "airflow")
    assert read_configuration() is None
    monkeypatch.setenv("PROVIDERS__ENABLE_AIRFLOW_SECRETS", "false")
    assert read_configuration() is not None
    monkeypatch.setenv("PROVIDERS__ENABLE_AIRFLOW_SECRETS", "true")
    assert read_configuration() is None


def test_a_folder_named_airflow_is_not_airflow(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bare folder of that name beside the project, such as one of DAGs, is no package."""
    (places.project / "airflow").mkdir()
    monkeypatch.syspath_prepend(str(places.project))
    assert read_configuration() is not None


@pytest.mark.parametrize("name", ["enable_google_secrets", "enable_aws_secrets"])
def test_vaults_are_for_dlt(places: Places, name: str) -> None:
    """Google's and AWS' secrets are asked where a setting says so."""
    places.put("config.toml", ("providers", name), True)
    assert read_configuration() is None
    places.put("config.toml", ("providers", name), False)
    assert read_configuration() is not None


def test_a_wrong_switch_is_refused(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """A switch of a provider that is neither on nor off is refused, by dlt too."""
    monkeypatch.setenv("PROVIDERS__ENABLE_AWS_SECRETS", "perhaps")
    with pytest.raises(SettingsError, match="is 'perhaps': expected true or false"):
        read_configuration()
    with pytest.raises(ConfigurationException):
        resolve_configuration(ConfigProvidersConfiguration())


def test_providers_that_are_no_section_are_for_dlt(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable PROVIDERS, which dlt takes for the whole section, is for dlt to understand."""
    monkeypatch.setenv("PROVIDERS", "x")
    assert read_configuration() is None


def test_a_workspace_is_for_dlt(places: Places) -> None:
    """A workspace has profiles, with files of their own."""
    places.write(".workspace", "")
    assert read_configuration() is None


@pytest.mark.parametrize("name", ["streamlit", "google.colab"])
def test_a_notebook_is_for_dlt(places: Places, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """In Streamlit or Colab dlt asks those where a file is missing."""
    places.write("config.toml", "")
    monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    assert read_configuration() is None
    places.write("secrets.toml", "")
    assert read_configuration() is not None


def test_a_plugin_is_for_dlt(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with entry points for dlt may bring another run context, unless it is disabled."""
    _install(places, monkeypatch, "other", "[console_scripts]\ndlt = other:x\n")
    assert read_configuration() is not None
    points = "[console_scripts]\nx = third:x\n\n[dlt]\nthird = third\n"
    _install(places, monkeypatch, "third", points)
    assert read_configuration() is None
    monkeypatch.setenv("DLT_DISABLE_PLUGINS", "true")
    assert read_configuration() is not None


def test_packages_are_looked_through_once(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that stays reads their entry points again only where a package came or went."""
    _install(places, monkeypatch, "other", "[console_scripts]\ndlt = other:x\n")
    assert read_configuration() is not None
    monkeypatch.setattr(os, "listdir", mock.Mock(side_effect=AssertionError("it was looked at")))
    assert read_configuration() is not None


def test_a_section_of_the_pipeline_is_for_dlt(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dlt asks the pipeline's own section once the pipeline is active, and not before: what is
    meant is not told here."""
    monkeypatch.setenv("WOLKVOX__SOURCES__WOLKVOX_BILLING__SERVER", "0011")
    assert read_configuration() is None
    monkeypatch.delenv("WOLKVOX__SOURCES__WOLKVOX_BILLING__SERVER")
    assert read_configuration() is not None
    places.put("config.toml", ("wolkvox", "timezone"), "UTC")
    assert read_configuration() is None


# What it costs.


def test_nothing_heavy_is_imported(places: Places) -> None:
    """To read the settings and the address imports neither dlt nor a driver nor what dlt needs."""
    places.write("secrets.toml", "[sources.wolkvox_billing]\ntoken = 'a'\n")
    script = (
        "import sys\n"
        "from wolkvox_billing.warehouse.address import address_of\n"
        "from wolkvox_billing.warehouse.configuration import read_configuration, source_settings\n"
        "read = read_configuration()\n"
        "print(source_settings(read, {}), address_of(read, 'duckdb').engine)\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    says, modules = done.stdout.splitlines()
    assert says == "{'token': 'a'} duckdb"
    heavy = {"dlt", "duckdb", "sqlglot", "sqlalchemy", "pyarrow", "pendulum", "tomlkit", "yaml"}
    assert not heavy & set(modules.split())
