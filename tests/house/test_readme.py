"""README and docs are a transcript: what they say to type is typed, and prints what they say; what
they point at is there."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from builders.forked import forked_programs
from builders.killing import Stable
from builders.pages import settings_page
from builders.project import NOON
from fake_wolkvox import Vendor
from wolkvox_billing.reconciliation.captions import caption

ROOT = Path(__file__).parents[2]
POSTGRES_IN_README = "postgresql://loader:secret@localhost:5432/warehouse"
# In the order in which somebody goes through them, in one project.
PAGES = (
    "README.md",
    *(f"docs/{name}.md" for name in ("invoices", "reconcile", "json", "bi", "postgres", "dlt")),
)
TWINS = {page: page.replace(".md", ".es.md") for page in PAGES[:3]}  # for who pays in Colombia
SPANISH = ("RECONCILIATION__LANGUAGE", "es_CO")
SET_UP = ("make ", ". .venv/")  # done before the tests run, and by CI as the README says it


def transcript(pages: Iterable[str] = PAGES) -> list[tuple[str, str]]:
    """Return the commands of the pages, each with the output that is promised (`...` stands for
    anything)."""
    steps: list[tuple[str, str]] = []
    text = "\n".join((ROOT / page).read_text() for page in pages)
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        for line in block.splitlines(keepends=True):
            if line.startswith("$ "):
                steps.append((line[2:], ""))
            elif line.startswith("> "):
                steps[-1] = (steps[-1][0] + line[2:], steps[-1][1])
            else:
                steps[-1] = (steps[-1][0], steps[-1][1] + line)
    return steps


def spanish_outputs() -> dict[str, list[str]]:
    """Return what the Spanish pages promise of each command that they show with another output."""
    outputs: dict[str, list[str]] = {}
    english = transcript()
    for command, want in transcript(TWINS.values()):
        if (command, want) not in english and want != "...\n":
            outputs.setdefault(command, []).append(want)
    return {c: wants for c, wants in outputs.items() if SPANISH[0] not in c}


def run_in_shell(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Return what a command prints, which must end well."""
    process = subprocess.run(
        ["/bin/sh", "-ec", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 0, f"{command}\n{process.stdout}{process.stderr}"
    return click.unstyle(process.stdout)


def assert_as_promised(command: str, said: str, want: str) -> None:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    difference = f"{command}\nsaid:\n{said}\nnot:\n{want}"
    assert doctest.OutputChecker().check_output(want, said, flags), difference


def test_the_readme_replays(
    tmp_path: Path, vendor: Vendor, new_database: Callable[[], str], runs: Stable
) -> None:
    """Each command of README and docs works as it stands, and prints what they show, and what the
    Spanish pages show where that is the language; the first of ours as it is installed, and the
    others, and Python, as forks of one that has imported all."""
    vendor.add_operation(name="Ventas  Norte", server="0010", token="a1" * 32)
    (tmp_path / "inbox").mkdir()  # an invoice, as it came by mail
    (tmp_path / "inbox" / "mail.zip").write_bytes(vendor.invoice("a1" * 32, "2026-10"))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {
        "PATH": path,
        "HOME": str(tmp_path),
        "DLT_DATA_DIR": str(tmp_path / "dlt"),
        "COLUMNS": "114",
        "TERM": "xterm",  # for rich: tables have lines
        "TTY_COMPATIBLE": "1",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "SOURCES__WOLKVOX_BILLING__BASE_URL": vendor.url,
        "SOURCES__WOLKVOX_BILLING__PACE_MINUTES": "0",
    }
    database = new_database()
    in_spanish = spanish_outputs()
    assert len(in_spanish) > 2
    steps = [step for step in transcript() if not step[0].startswith(SET_UP)]
    assert len(steps) > 8
    with forked_programs(runs, "wolkvox-billing", "python") as folder:
        for command, want in steps:
            command = command.replace(POSTGRES_IN_README, database)
            if export := re.fullmatch(r"export (\w+)=(.*)\n", command):
                (value,) = shlex.split(export[2])
                environment[export[1]] = "a1" * 32 if value == "..." else value
                continue
            if promised := in_spanish.pop(command, None):  # of the same state, once
                said = run_in_shell(command, tmp_path, environment | dict([SPANISH]))
                for output in promised:
                    assert_as_promised(command, said, output)
            said = run_in_shell(command, tmp_path, environment)
            assert_as_promised(command, said, want)
            if "wolkvox-billing" in command:
                environment["PATH"] = f"{folder}:{path}"
    assert not in_spanish


def test_the_spanish_pages_follow_the_english() -> None:
    """A translation types the same commands, has the same headings, tables and names, and each of
    the two pages links the other."""
    for page, twin in TWINS.items():
        english, spanish = (ROOT / page).read_text(), (ROOT / twin).read_text()
        commands = [command for command, _ in transcript([twin]) if SPANISH[0] not in command]
        assert commands == [command for command, _ in transcript([page])], twin
        assert f"]({Path(page).name})" in spanish.splitlines()[2], twin
        assert f"]({Path(twin).name})" in english, page
        prose, its_prose = (re.sub(r"(?s)```.*?```", "", text) for text in (english, spanish))
        for shape in (r"(?m)^#+ ", r"(?m)^\|[ -]", r"(?m)^- "):  # headings, rows, items
            assert re.findall(shape, prose) == re.findall(shape, its_prose), (twin, shape)
        names = r"`(?:wolkvox-billing )?([\w-]+)[^`\n]*`"
        assert set(re.findall(names, prose)) <= set(re.findall(names, its_prose)), twin


def test_the_spanish_page_calls_a_status_as_the_program_does() -> None:
    """Each status in the table of verdicts has beside it what a person reads of it."""
    rows = re.findall(
        r"(?m)^\| (`\w+`.*?) \| (.*?) \| .*? \|$", (ROOT / TWINS[PAGES[2]]).read_text()
    )
    labels = {name: label for names, label in rows for name in re.findall(r"`(\w+)`", names)}
    assert len(labels) > 15
    assert [name for name in labels if caption(name, "es") not in labels[name]] == []


def test_the_readme_is_short_and_each_page_says_what_it_is_for() -> None:
    """At most 200 lines; a page of docs that somebody wrote begins with whom it is for, or what."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 200
    assert len((ROOT / "README.es.md").read_text().splitlines()) <= 200
    for page in written_pages():
        title, blank, first = page.read_text().splitlines()[:3]
        assert (title[:2], blank) == ("# ", ""), page
        assert re.match(r"(For whoever|Each|One package|Traducción de)", first), page


def written_pages() -> list[Path]:
    """The pages of docs that no target of make writes."""
    made = ("bench.md", "faults.md", "honesty.md")
    return [page for page in sorted((ROOT / "docs").glob("*.md")) if page.name not in made]


def test_the_page_of_settings_is_the_code_s() -> None:
    """docs/settings.md is what `make pages` writes; that of tables is held where a record is."""
    assert (ROOT / "docs" / "settings.md").read_text() == settings_page()


def test_each_link_leads_somewhere() -> None:
    """A file that README or docs point at is there, and so is the heading."""
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text()):
            path, _, heading = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            assert file.exists(), (page.name, target)
            if heading:
                headings = re.findall(r"(?m)^#+ (.*)$", file.read_text())
                slugs = [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings]
                assert heading in slugs, (page.name, target)


def test_each_page_is_reached_from_the_readme() -> None:
    """Nobody has to know of a page."""
    readme = "".join((ROOT / page).read_text() for page in ("README.md", "README.es.md"))
    missing = [p.name for p in (ROOT / "docs").glob("*.md") if f"docs/{p.name}" not in readme]
    assert missing == []


def test_make_has_every_target_that_the_docs_name() -> None:
    """Each `make TARGET` of README and docs is a target of the Makefile."""
    pages = [(ROOT / "README.md"), *written_pages()]
    text = " ".join(page.read_text() for page in pages)
    in_readme = set(re.findall(r"`make ([a-z-]+)|\$ make ([a-z-]+)", text))
    in_readme = {name for pair in in_readme for name in pair if name}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert {"demo", "test", "install", "check"} <= in_readme <= targets


def test_the_clock_of_the_readme() -> None:
    """The transcript's dates are those of the stand-in vendor's clock."""
    assert f"{NOON:%Y-%m-%d} 12:00:00" in (ROOT / "README.md").read_text()
