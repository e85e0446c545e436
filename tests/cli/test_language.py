"""The verbs that a controller runs, in Spanish: no English word is left in what they print."""

from __future__ import annotations

import json
import re
import zipfile
from datetime import date
from html import unescape
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from click.testing import CliRunner

from builders.buckets import copies_of, name_of, put, see
from builders.documents import line, ubl
from builders.months import MAP, OCTOBER, ONE_PRICE, READ, bill, invoice, local, read
from builders.project import Project
from builders.worlds import once
from wolkvox_billing.bucket import store as stores
from wolkvox_billing.cli.main import main
from wolkvox_billing.values.translation import CATALOGUES, DOMAIN

pytestmark = pytest.mark.usefixtures("kept_open", "straight_records")
LINE_MAP = (
    f"{MAP},,*grabaciones*,rsync_s3_mp3,,,quantity\n,,*cargo*,,,,fee\n,,*nada*,rsync_s3_mp3,"
    "otra,,quantity\n"
)
TYPED = re.compile(r"`[^`]*`|--\w+|'[^']*'|«[^»]*»|\S*[/=_.]\S*|\x1b\[[0-9;]*m")
ISO_MONTH = re.compile(r"\b20\d\d-\d\d\b(?!-)")
# Words of both languages, names, and what the vendor's or the contract's words are everywhere.
KEPT = {"wolkvox", "billing", "close", "load", "poll", "init", "audios", "status", "reconcile",
        "explain", "verify", "claim", "operations", "documents", "invoices"}  # fmt: skip


def words_in(text: str) -> set[str]:
    """Return the words of a text, without what is typed, a name or a number."""
    plain = re.sub(r"\{\w*\}", " ", TYPED.sub(" ", text))
    return {word.lower() for word in re.findall(r"[^\W\d_]{3,}", plain)}


def iso_months_in(text: str) -> list[str]:
    """Return the lines with a month that no locale writes so; names and commands may have one."""
    return [line for line in text.splitlines() if ISO_MONTH.search(TYPED.sub(" ", line))]


@pytest.fixture(scope="module")
def english() -> set[str]:
    """The words of the texts that no translation has."""
    with (CATALOGUES / "es" / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        messages = [message for message in read_po(file) if message.id]
    texts, translations = (
        words_in(" ".join(part if isinstance(part, str) else " ".join(part) for part in parts))
        for parts in ([m.id for m in messages], [m.string for m in messages])
    )
    return texts - translations - KEPT


@pytest.fixture
def record(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """October with an invoice of too much, a charge and a fee that nobody agreed on, and a total of
    its own; one that no row of the line map fits; and a credit note."""
    monkeypatch.setenv("RECONCILIATION__LANGUAGE", "es_CO")
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal, with headings
    monkeypatch.setenv("COLUMNS", "400")
    once(project, _bill)
    return project


def _bill(project: Project) -> None:
    Path("line_map.csv").write_text(LINE_MAP)
    Path("rate_card.csv").write_text(ONE_PRICE)
    read(project, *READ)
    lines = line("1450", "145000", description="Grabaciones en S3", price=None, tax="27550")
    lines += line("1", "5000", description="Cargo fijo", price=None, tax=None)
    own = {"tax": "27550", "periods": OCTOBER, "issued": "2026-11-03"}
    bill(
        project,
        ubl(lines, **{**own, "net": "151000", "payable": "180000", "number": "F-1"}),
        invoice("3", "180000", number="F-2", periods=OCTOBER).replace("Grabaciones", "Soporte"),
        invoice("450", "45000", kind="CreditNote", number="NC-1", corrects="F-1"),
    )


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def test_a_controller_reads_no_english(record: Project, english: set[str]) -> None:
    """Reconciled, explained, listed, claimed, closed and looked at; tables with their headings,
    warnings, refusals. What is typed, and what the vendor calls its things, stays as it is. The
    report too, with its headings, charts and titles: the names of settings and of the contract's
    statuses stand in it as they are."""
    see(record, local(3, month=11), copies_of(date(2026, 10, 20), 3))
    said = [
        run("invoices", "inbox"),
        run("reconcile", "--month", "2026-10", "--evidence", "evidence"),
        run("explain", "2026-10"),
        run("documents"),
        run("documents", "withdraw", "F-2", "--reason", "doble", "--by", "ana"),
        run("documents", "reinstate", "F-2", "--reason", "no", "--by", "ana"),
        run("claim", "2026-10", "--out", "cartas", "--by", "ana"),
        run("claim"),
        run("close", "2026-10", code=1),
        run("close", "2026-10", "--reason", "vale", "--by", "ana"),
        run("close", "2026-10", code=1),
        run("status"),
        run("operations"),
        run("verify", *map(str, Path("evidence").iterdir())),
        run("reconcile", "--init"),
    ]
    assert [(sorted(words), text) for text in said if (words := words_in(text) & english)] == []
    assert "\n".join(month for text in said for month in iso_months_in(text)) == ""
    assert "advertencia: " in said[1] and "reclamar hasta" in said[1]
    [file] = Path("evidence").iterdir()
    page = zipfile.ZipFile(file).read("report.html").decode()
    assert '<html lang="es-CO">' in page and "size: letter" in page
    assert "<h2>Copias en su bucket</h2>" in page
    body = re.sub(r"<h2>Reglas.*", "", page.partition("<body")[2], flags=re.DOTALL)
    text = unescape(re.sub(r"<[^>]*>|\(\w+\)</dd>", " ", body))
    assert words_in(text) & english == set()


def test_bucket_has_no_english(
    record: Project, english: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look, its warnings and what it is compared with; one of an empty bucket, and one that broke
    off, which `status` tells too."""
    bucket = tmp_path / "bucket"
    (bucket / "a").mkdir(parents=True)
    monkeypatch.setenv("BUCKET__URL", f"file://{bucket}")
    monkeypatch.setenv("BUCKET__OPERATIONS", json.dumps({"[a]": "acme"}))
    said = [run("bucket")]
    for n in range(2):
        put(bucket / "a" / name_of("2026-10-20", str(n)), local(21, 2))
    put(bucket / "nobody" / name_of("2026-10-20"), local(21, 2))
    said += [run("bucket", "--full"), run("status")]
    monkeypatch.setenv("BUCKET__URL", "s3://copies")
    monkeypatch.setenv("BUCKET__INVENTORY", "s3://lists/manifest.json")
    monkeypatch.setenv("BUCKET__ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("BUCKET__CREDENTIALS__AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("BUCKET__CREDENTIALS__AWS_SECRET_ACCESS_KEY", "secreto")
    monkeypatch.setattr(stores, "MOST_RETRIES", 0)
    said += [run("bucket", code=1), run("status")]
    assert [(sorted(words), text) for text in said if (words := words_in(text) & english)] == []
    assert "bucket vacío" in said[0] and "2 objetos" in said[1]
    assert "1 archivo con nombre de copia" in said[1] and "se interrumpió" in said[-1]


@pytest.mark.usefixtures("tables")
def test_a_refused_paper_says_why(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the language; JSON has the reason as the table does, in English."""
    monkeypatch.setenv("RECONCILIATION__LANGUAGE", "es_CO")
    papers = {
        "vacio.xml": "",
        "roto.csv": "Factura;Fecha;Concepto;Subtotal;Moneda\nF-9;2026-11-03;Grabaciones;abc;COP\n",
    }
    for name, text in papers.items():
        Path(tmp_path, name).write_text(text)
    said = run("invoices", *(str(tmp_path / name) for name in papers), code=1)
    assert "un archivo vacío" in said and "que no es un número" in said
    as_json = run("invoices", str(tmp_path / "vacio.xml"), "--json", code=1)
    assert "vacio.xml: an empty file" in as_json
