"""What the verbs print for machines, and that it is what docs/json says. Whatever any other test
has a verb print is held against its schema too: see `printed_by_schema`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pytest
from click.testing import CliRunner, Result
from fastjsonschema import JsonSchemaValueException
from hypothesis import given
from hypothesis import strategies as st

from builders.pages import DOCS
from builders.project import TOKENS, Project
from builders.schemas import (
    NUMBER,
    forms_of,
    schema_of,
    schema_text,
    validator_of,
    verbs_with_json,
)
from wolkvox_billing.cli.main import main
from wolkvox_billing.cli.printed import Printed
from wolkvox_billing.cli.terminal import _as_json
from wolkvox_billing.values.clock import utc_now
from wolkvox_billing.vendor.answer import Outcome

pytestmark = pytest.mark.usefixtures("kept_open")
VERBS = ["bucket", "check", "claim", "close", "copy", "dbt", "documents", "explain", "invoices",
         "load", "operations", "poll", "publish", "reconcile", "refresh", "reports", "restore",
         "status", "verify"]  # fmt: skip


def run(*words: str) -> Result:
    at_once = {"SOURCES__WOLKVOX_BILLING__RETRY_PAUSE_SECONDS": "0"}
    return CliRunner().invoke(main, words, env=at_once)


def printed(*words: str, code: int = 0) -> Any:
    """Return what a verb prints with --json, which is held against its schema as it is printed."""
    result = run(*words, "--json")
    assert result.exit_code == code, (result.output, result.exception)
    return json.loads(result.stdout)


def test_each_verb_with_json_has_its_schema() -> None:
    """docs/json has a file for each of them and no other, as `make pages` writes it, and
    docs/json.md names it."""
    assert set(VERBS) <= set(verbs_with_json())
    assert sorted(file.stem for file in (DOCS / "json").iterdir()) == verbs_with_json()
    page = (DOCS / "json.md").read_text()
    for verb in verbs_with_json():
        assert (DOCS / "json" / f"{verb}.json").read_text() == schema_text(verb), verb
        assert f"](json/{verb}.json)" in page, verb


def test_each_form_begins_with_its_version_and_has_warnings() -> None:
    """Of all verbs; version first, so that a person sees it too."""
    for verb in verbs_with_json():
        for form in forms_of(verb):
            names = [*schema_of(verb)["definitions"][form.__name__]["properties"]]
            assert (names[0], "warnings" in names) == ("version", True), form


@pytest.mark.usefixtures("tables")
def test_the_verbs_of_a_day(project: Project) -> None:
    """Polled, loaded, looked at and published: each as its schema has it, versions first."""
    today = f"{utc_now():%Y-%m-%d %H:%M:%S}"  # by the clock that the command line has
    reading = {"operation": "A", "description": "B", "date": today, "items": "4989"}
    project.vendor.answer(TOKENS["acme"], "rsync_s3_mp3", [reading])
    [call] = printed("poll")["polls"]
    assert (call["outcome"], call["rows"], call["code"]) == ("ok", 1, "200")
    loaded = printed("load")
    assert next(iter(loaded.items())) == ("version", 1)
    assert loaded["skipped"][0]["reason"] == "pace"
    [row] = printed("status")["rows"]
    assert (row["products"][0]["last_quantity"], type(row["age"])) == ("4989.0000", int)
    assert printed("refresh")["failures"] == []
    assert printed("publish", "copy.duckdb")["rows"]["wolkvox_billing.polls"] == 1
    assert len(printed("reports")["reports"]) == 27
    assert printed("documents")["documents"] == []
    assert printed("claim")["claims_open"] == []


def test_check_tells_what_fails_in_failures(project: Project) -> None:
    """A finding each, and of what does not work a sentence, with what to do; it ends in 1."""
    well = printed("check")
    assert [*well] == ["version", "findings", "failures", "warnings"]
    assert (well["failures"], well["findings"][0]["failed_step"]) == ([], None)
    project.vendor.misbehave("wrong_token")
    [failure] = printed("check", code=1)["failures"]
    assert failure.startswith("acme rsync_s3_mp3: fails at: token")
    assert "make a token in wolkvox Manager" in failure


@pytest.mark.usefixtures("tables")
def test_verify_tells_what_is_wrong(project: Project) -> None:
    """Of a file that is no evidence: a problem, which is a failure, and exit code 1."""
    Path("no.zip").write_bytes(b"no zip")
    examined = printed("verify", "no.zip", code=1)
    assert examined["problems"] == examined["failures"] != []
    assert (examined["members"], examined["month"]) == (0, None)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["verify", "nowhere.zip"], 2, "nowhere.zip"),
        (["status", "--stale-after", "-1"], 2, "-1"),
        (["reconcile", "--month", "octubre"], 2, "octubre"),
        (["explain"], 2, "MONTH"),
        (["docments"], 2, "docments"),
        (["publish", "copy.duckdb"], 1, "yet: run `wolkvox-billing load` first"),
    ],
)
def test_an_error_is_an_object_too(
    project: Project, words: list[str], code: int, says: str
) -> None:
    """Ours and those of the command line's words: on one line, beside the sentence on stderr, where
    it stands alone without --json."""
    result = run(*words, "--json")
    [line] = result.stdout.splitlines()
    error = json.loads(line)
    assert [*error] == ["version", "error", "exit_code"]
    assert (error["version"], error["exit_code"], result.exit_code) == (1, code, code)
    assert says in error["error"] and error["error"].split("\n")[0] in result.stderr
    bare = run(*words)
    assert (bare.exit_code, bare.stdout) == (code, "")
    assert bare.stderr == result.stderr


class _Pair(NamedTuple):
    name: str
    amount: Decimal | None


@dataclass(frozen=True, kw_only=True)
class _Form(Printed):
    """One of each type."""

    pairs: Sequence[_Pair]
    amount: Decimal
    age: timedelta
    at: datetime
    day: date
    path: Path
    outcome: Outcome
    both: tuple[str, int]
    sums: dict[str, Decimal]
    noted: Annotated[_Pair | None, "of a pair"]


def test_each_type_has_its_way_into_json() -> None:
    """Numbers that count as texts without an exponent, spans in whole seconds, moments in UTC, rows
    by the names of their fields."""
    form = _Form(
        pairs=[_Pair("a", None)],
        amount=Decimal("0E-8"),
        age=timedelta(minutes=2, milliseconds=400),
        at=datetime(2026, 11, 1, 0, 5, tzinfo=timezone(timedelta(hours=-5))),
        day=date(2026, 11, 1),
        path=Path("a/b"),
        outcome=Outcome.OK,
        both=("x", 1),
        sums={"COP": Decimal("1E+3")},
        noted=_Pair("b", Decimal("1.50")),
    )
    assert _as_json(form) == {
        "version": 1,
        "pairs": [{"name": "a", "amount": None}],
        "amount": "0.00000000",
        "age": 120,
        "at": "2026-11-01T05:05:00+00:00",
        "day": "2026-11-01",
        "path": "a/b",
        "outcome": "ok",
        "both": ["x", 1],
        "sums": {"COP": "1000"},
        "noted": {"name": "b", "amount": "1.50"},
    }
    with pytest.raises(TypeError):
        _as_json(b"bytes")


@given(number=st.decimals(allow_nan=False, allow_infinity=False))
def test_a_number_is_itself_in_json(number: Decimal) -> None:
    """However large, small or exact: digits that the schema takes, and the same number."""

    text = _as_json(number)
    assert isinstance(text, str) and re.fullmatch(NUMBER, text) and Decimal(text) == number


GOOD = {"version": 1, "location": "x", "failures": [], "warnings": ["w"]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 2},
        {"warnings": None},
        {"failures": ["a", 1]},
        {"location": None},
        {"other": 1},
    ],
)
def test_a_schema_refuses_what_a_verb_does_not_print(wrong: dict[str, object]) -> None:
    """Another version, type or, in tests, field; a field that came is none of a script's affair."""
    validate = validator_of("refresh")
    validate(GOOD)
    with pytest.raises(JsonSchemaValueException):
        validate(GOOD | wrong)
    with pytest.raises(JsonSchemaValueException):
        validate({name: GOOD[name] for name in GOOD if name != "warnings"})
    assert "additionalProperties" not in schema_of("refresh")["definitions"]["PrintedRefresh"]
