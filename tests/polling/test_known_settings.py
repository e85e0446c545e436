"""Names of settings: a misspelt one is told with its file, its line and the name that is near."""

from __future__ import annotations

import re
from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from builders.project import Project
from wolkvox_billing import SettingsError
from wolkvox_billing.bucket.settings import BUCKET_HINTS
from wolkvox_billing.cli.main import main
from wolkvox_billing.marts.meaning import Meaning, read_meaning
from wolkvox_billing.polling.settings import SourceSettings
from wolkvox_billing.reconciliation.policy import Policy, read_policy
from wolkvox_billing.warehouse.configuration import SettingsFile, SettingsFiles, read_configuration
from wolkvox_billing.warehouse.known_settings import (
    BUCKET,
    NAMES,
    RECONCILIATION,
    SOURCE,
    VARIABLES,
    strays_in_file,
    strays_in_variables,
)

OURS = "[sources.wolkvox_billing]\n"


def strays(folder: Path, text: str) -> list[str]:
    path = folder / "config.toml"
    path.write_text(text)
    tables = SettingsFiles.read("config.toml").layers[0].tables
    return [str(stray) for stray in strays_in_file(SettingsFile("config.toml", tables))]


@pytest.fixture
def in_settings_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".dlt").mkdir()
    monkeypatch.chdir(tmp_path / ".dlt")
    monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / ".dlt"


def test_each_setting_is_known_by_its_name() -> None:
    """What somebody reads is what is known: of the source, of the views and of the comparison."""
    source = {field.name for field in fields(SourceSettings)}
    assert set(NAMES[SOURCE]) == source | {field.name for field in fields(Meaning)} | {"licences"}
    assert set(NAMES[RECONCILIATION]) == {field.name for field in fields(Policy)}
    assert set(NAMES[BUCKET]) == {*BUCKET_HINTS, "credentials", "hash_key"}


def test_each_variable_that_the_dags_read_is_known() -> None:
    """What Airflow's workers are told reaches the command line, which knows all of it."""
    dags = Path(__file__).parents[2] / "pipelines" / "dags"
    text = "\n".join(file.read_text() for file in dags.glob("*.py"))
    names = set(re.findall(r'(?:setting|number)\("([A-Z_]+)"', text))
    assert {"STALE_MINUTES", "CONNECTION", "POOL"} <= names
    assert {f"WOLKVOX_BILLING_{name}" for name in names} <= {*VARIABLES}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            OURS + 'pace_minutes = 5\nreport = ["all"]',
            "config.toml, line 3: nobody knows the setting `report` under "
            "[sources.wolkvox_billing]: did you mean `reports`?",
        ),
        (
            "[reconcilation]\nlanguage = 'es'",
            "config.toml, line 1: nobody reads the section [reconcilation]: did you mean "
            "[reconciliation]?",
        ),
        (
            "\n\n[reconciliation]\n# langage\nlangage = 'es'",
            "config.toml, line 5: nobody knows the setting `langage` under [reconciliation]: did "
            "you mean `language`?",
        ),
        (
            "[reconcile]\nlanguage = 'es'",
            "config.toml, line 1: nobody reads the section [reconcile]: did you mean "
            "[reconciliation]?",
        ),
        (
            OURS + "language = 'es'",
            "config.toml, line 2: nobody knows the setting `language` under "
            "[sources.wolkvox_billing]: it belongs under [reconciliation]",
        ),
        (
            "[source.wolkvox_billing]\nserver = '0010'",
            "config.toml, line 1: nobody reads the section [source.wolkvox_billing]: did you mean "
            "[sources.wolkvox_billing]?",
        ),
        (
            "[sources.wolkvox]\nserver = '0010'",
            "config.toml, line 1: nobody reads the section [sources.wolkvox]: did you mean "
            "[sources.wolkvox_billing]?",
        ),
        (
            "[wolkvox_billing]\nserver = '0010'",
            "config.toml, line 1: nobody reads the section [wolkvox_billing]: did you mean "
            "[sources.wolkvox_billing]?",
        ),
        (
            "[sources.reconciliation]\nlanguage = 'es'",
            "config.toml, line 1: nobody reads the section [sources.reconciliation]: did you mean "
            "[reconciliation]?",
        ),
        (
            "sources.wolkvox_billing.pace_minuts = 1",
            "config.toml, line 1: nobody knows the setting `pace_minuts` under "
            "[sources.wolkvox_billing]: did you mean `pace_minutes`?",
        ),
        (
            "[sources]\nwolkvox_billing = {Server = '0010'}",
            "config.toml, line 2: nobody knows the setting `Server` under "
            "[sources.wolkvox_billing]: did you mean `server`?",
        ),
        (
            "[wolkvox.sources.wolkvox_billing]\nseveer = '0010'",
            "config.toml, line 2: nobody knows the setting `seveer` under "
            "[wolkvox.sources.wolkvox_billing]: did you mean `server`?",
        ),
        (
            "[sources.wolkvox_billing.wolkvox_billing]\ntokn = '0010'",
            "config.toml, line 2: nobody knows the setting `tokn` under "
            "[sources.wolkvox_billing.wolkvox_billing]: did you mean `token`?",
        ),
        (
            "pace_minuts = 1",
            "config.toml, line 1: nobody knows the setting `pace_minuts`: did you mean "
            "`pace_minutes`?",
        ),
        (
            "# ours\nline_map = 'x.csv'",
            "config.toml, line 2: nobody reads it here: it belongs under [reconciliation]",
        ),
        (
            "[destination.duckdb]\ncredential = 'x.duckdb'",
            "config.toml, line 2: nobody knows the setting `credential`: did you mean "
            "`credentials`?",
        ),
        (
            "[destination.postgress]\ncredentials = 'x'",
            "config.toml, line 1: nobody reads the section [destination.postgress]: did you mean "
            "[destination.postgres]?",
        ),
        (
            "[destinations.duckdb]\ncredentials = 'x'",
            "config.toml, line 1: nobody reads it: such a section begins with [destination.",
        ),
        (
            "reconciliation = 'es'",
            "config.toml, line 1: `reconciliation` is a section: write [reconciliation]",
        ),
    ],
)
def test_a_name_in_a_file_that_nobody_knows_is_told(
    in_settings_folder: Path, text: str, says: str
) -> None:
    """A key or section that nobody reads is told with its file, line and the near name."""
    assert strays(in_settings_folder, text) == [says]


@pytest.mark.parametrize(
    "text",
    [
        OURS + 'reports = ["all"]\nmeasures = {rsync_s3_mp3 = "daily"}',
        "[sources.wolkvox_billing.measures]\nrsync_s3_mp3 = 'daily'",
        "[sources.wolkvox_billing.extract]\nworkers = 1",
        "[[sources.wolkvox_billing.operations]]\nname = 'ventas'",
        "[sources.wolkvox_reports]\nreport = 'agents'\n[sources.wolkvox_crm]\ntokn = 'x'",
        "[reconciliations_of_banks]\nrates = 1",
        "[destination.postgres]\ncredentials = 'x'\n[runtime]\nlog_level = 'INFO'",
        "[wolkvox.destination.duckdb]\ncredentials = 'x'",
        "[destination.duckdb]\ndestination_name = 'ours'\ncreate_indexes = true",
        "[destination.postgres2]\ndestination_type = 'postgres'\ncredentials = 'x'",
        "[destination.bigquery]\nlocation = 'US'\n[destination.bigquery.credentials]\na = 1",
        "measures = {rsync_s3_mp3 = 'daily'}\ngauge_month = 'last'\nlicences = 2",
        "server = '0010'\nreport = 1",
    ],
)
def test_what_is_known_or_of_others_is_told_by_nobody(in_settings_folder: Path, text: str) -> None:
    """Settings of dlt's own, of other sources and of other programs pass."""
    assert strays(in_settings_folder, text) == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "SOURCES__WOLKVOX_BILLING__REPORT",
            "nobody knows the setting `report`: did you mean `reports`?",
        ),
        (
            "SOURCES__WOLKVOX_BILLING__WOLKVOX_BILLING__TOKN",
            "nobody knows the setting `tokn`: did you mean `token`?",
        ),
        (
            "SOURCES__WOLKVOX_BILING__TOKEN",
            "nobody reads it: such a variable begins with SOURCES__WOLKVOX_BILLING__",
        ),
        (
            "sources__wolkvox_billing__token",
            "nobody reads it: such a variable begins with SOURCES__WOLKVOX_BILLING__",
        ),
        (
            "SOURCES_WOLKVOX_BILLING_TOKEN",
            "nobody reads it: did you mean SOURCES__WOLKVOX_BILLING__TOKEN?",
        ),
        (
            "RECONCILIATION__LANGAGE",
            "nobody knows the setting `langage`: did you mean `language`?",
        ),
        (
            "RECONCILATION__LANGUAGE",
            "nobody reads it: such a variable begins with RECONCILIATION__",
        ),
        (
            "DESTINATION__POSTGRES__CREDENTIAL",
            "nobody knows the setting `credential`: did you mean `credentials`?",
        ),
        (
            "DESTINATION_DUCKDB_CREDENTIALS",
            "nobody reads it: did you mean DESTINATION__DUCKDB__CREDENTIALS?",
        ),
        ("RECONCILIATION_LANGUAGE", "nobody reads it: did you mean RECONCILIATION__LANGUAGE?"),
        (
            "WOLKVOX_BILLING_DATASETT",
            "nobody reads it: did you mean WOLKVOX_BILLING_DATASET?",
        ),
        (
            "WOLKVOX_BILLING__SERVER",
            "nobody reads it: such a variable begins with SOURCES__WOLKVOX_BILLING__",
        ),
        (
            "WOLKVOX__SOURCES__WOLKVOX_BILLING__SERVR",
            "nobody knows the setting `servr`: did you mean `server`?",
        ),
    ],
)
def test_a_variable_that_nobody_reads_is_told(name: str, says: str) -> None:
    """A variable with our prefix, or nearly so, that names no setting is told with the near one."""
    assert [str(stray) for stray in strays_in_variables([name], "the variable ")] == [
        f"the variable {name}: {says}"
    ]


@pytest.mark.parametrize(
    "name",
    [
        "SOURCES__WOLKVOX_BILLING__TOKEN",
        "SOURCES__WOLKVOX_BILLING__MEASURES__RSYNC_S3_MP3",
        "SOURCES__PIPEDRIVE__TOKN",
        "RECONCILIATION__CUT_OFF",
        "RECONCILIATION_SERVICE_HOST",
        "WOLKVOX_BILLING_POOL",
        "WOLKVOX_TEST_KILLS",
        "_WOLKVOX_BILLING_COMPLETE",
        "DESTINATION__DUCKDB__CREDENTIALS",
        "DESTINATION__POSTGRES__CREDENTIALS__PASSWORD",
        "DESTINATION__POSTGRES__CREATE_INDEXES",
        "DESTINATION__WAREHOUSE__DESTINATION_TYPE",
        "PATH",
        "A__B",
        "__",
    ],
)
def test_a_variable_that_is_known_or_of_others_is_told_by_nobody(name: str) -> None:
    """What is read, and what is another program's, passes."""
    assert strays_in_variables([name], "the variable ") == []


@pytest.mark.parametrize("verb", ["poll", "load", "check", "status", "reconcile", "refresh"])
def test_each_verb_that_reads_settings_ends_in_2(
    project: Project, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """No verb goes on beside a setting that nobody knows, and nobody is asked anything."""
    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__REPORT", '["all"]')
    words = [verb, *(["--month", "2026-10"] if verb == "reconcile" else [])]
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, "did you mean `reports`?" in result.output) == (2, True)
    assert project.vendor.calls == []


def test_a_pipeline_of_somebody_else_refuses_it_too(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`pipeline.run(wolkvox_billing())` raises before anything is asked."""
    from wolkvox_billing import wolkvox_billing

    monkeypatch.setenv("SOURCES__WOLKVOX_BILLING__REPORT", '["all"]')
    with pytest.raises(SettingsError, match="did you mean `reports`"):
        wolkvox_billing()


# What a setting may be.

KINDS = [
    ("reconciliation", "supplier_ids = '900'", "is '900': expected a list, or JSON of one"),
    ("reconciliation", "supplier_ids = 900", "is 900: expected a list, or JSON of one"),
    ("reconciliation", "materiality = true", "is True: expected a number"),
    ("reconciliation", "tolerance_quantity = 'abc'", "is 'abc': expected a number"),
    ("reconciliation", "billing_cycle_day = 2.5", "is 2.5: expected a whole number"),
    ("reconciliation", "invoice_due_days = 'x'", "is 'x': expected a whole number"),
    ("reconciliation", "cut_off = {a = 1}", "is {'a': 1}: expected a text"),
    ("sources.wolkvox_billing", "measures = 'garbage'", "expected a table, or JSON of one"),
    ("sources.wolkvox_billing", "gauge_month = ['max']", "is ['max']: expected a text"),
    ("sources.wolkvox_billing", "timezone = 07:32:00", "is a time: expected a text, in quotes"),
    ("reconciliation", "line_map = 5", "is 5: expected a text, in quotes"),
    ("reconciliation", "tail_factor = 2026-10-01", "is a time: expected a number"),
]


@pytest.mark.parametrize(("section", "line", "says"), KINDS)
def test_a_value_of_the_wrong_kind_names_itself_its_section_and_its_file(
    in_settings_folder: Path, section: str, line: str, says: str
) -> None:
    """Whoever reads it, the message says which setting it is, and where it stands."""
    (in_settings_folder / "config.toml").write_text(f"[{section}]\n{line}\n")
    name = line.split(" ")[0]
    place = f"the setting `{name}` under [{section}] in {in_settings_folder}/config.toml "
    with pytest.raises(SettingsError) as error:
        read_policy() if section == "reconciliation" else read_meaning()
    assert (place in str(error.value), says in str(error.value)) == (True, True), error.value


def test_a_setting_that_dlt_itself_has_to_find_is_read_the_same(
    in_settings_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the pipeline's name, where dlt looks too, a setting means what it means elsewhere."""
    (in_settings_folder / "config.toml").write_text("[wolkvox.runtime]\nlog_level = 'INFO'\n")
    monkeypatch.setenv("RECONCILIATION__TOLERANCE_PERCENT", "1.5")
    monkeypatch.setenv("RECONCILIATION__SUPPLIER_IDS", '["900123456"]')
    assert read_configuration() is None
    policy = read_policy()
    assert (policy.tolerance_percent, policy.supplier_ids) == (Decimal("1.5"), ("900123456",))
    monkeypatch.setenv("RECONCILIATION__MATERIALITY", "much")
    with pytest.raises(SettingsError, match=r"`materiality` under \[reconciliation\] is 'much'"):
        read_policy()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("RECONCILIATION__MATERIALITY", "much", "expected a number"),
        ("RECONCILIATION__LANGUAGE", "klingon", "expected en or es"),
        ("SOURCES__WOLKVOX_BILLING__MEASURES", "garbage", "expected a table"),
        ("SOURCES__WOLKVOX_BILLING__GAUGE_MONTH", "mean", "expected one of max, last, average"),
        ("SOURCES__WOLKVOX_BILLING__LICENCES", "none", "expected a whole number"),
        ("SOURCES__WOLKVOX_BILLING__LICENCES", "0", "expected a number above 0"),
        ("SOURCES__WOLKVOX_BILLING__REPORTS", "[]", "is a list of names"),
        ("BUCKET__URL", "ftp://x/y", "the setting `url` under [bucket] is 'ftp://x/y'"),
        ("BUCKET__REGION", "x", "no `url` is set under [bucket]"),
        ("SOURCES__WOLKVOX_BILLING__MEASURES", '{"rsync_s3_mp33": "daily"}', "mean rsync_s3_mp3?"),
    ],
)
def test_check_looks_at_all_settings_and_asks_nobody_where_one_is_wrong(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    """Those of the comparison and of the views too, before a call is spent."""
    monkeypatch.setenv(name, value)
    result = CliRunner().invoke(main, ["check"])
    assert (result.exit_code, says in result.output) == (2, True), result.output
    assert project.vendor.calls == []


@pytest.mark.parametrize("file", ["secrets.toml", "config.toml"])
def test_a_file_that_is_not_toml_is_named_with_its_line_by_every_verb(
    project: Project, file: str
) -> None:
    """A broken file is said to be that, and not something of the destination's."""
    (project.folder / ".dlt").mkdir()
    (project.folder / ".dlt" / file).write_text("[sources.wolkvox_billing]\nserver = 0010\n")
    for words in (["poll"], ["status"], ["refresh"], ["invoices", "."], ["close", "2026-10"]):
        result = CliRunner().invoke(main, words)
        assert (result.exit_code, f"{file}, line 2: this is not TOML" in result.output) == (2, True)
