"""The evidence of a month, and `verify`: what is in it, and that a change of it is named."""

from __future__ import annotations

import hashlib
import json
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from builders.documents import line, ubl
from builders.evidence import csv_rows, members_of, rewrite, write_evidence
from builders.fuzzing import SECONDS, tries
from builders.months import OCTOBER, READ, bill, invoice, local, read, write_maps
from builders.project import Project, on_postgres_beside
from builders.worlds import once
from wolkvox_billing.cli.main import main
from wolkvox_billing.errors import SettingsError
from wolkvox_billing.evidence import examine, verify
from wolkvox_billing.evidence.archive import write_archive
from wolkvox_billing.evidence.numbered_file import write_numbered
from wolkvox_billing.reconciliation.policy import Policy

pytestmark = pytest.mark.usefixtures("kept_open")
TABLES = ("readings", "polls", "usage_restatements", "invoice_documents", "invoice_lines",
          "invoice_reconciliation")  # fmt: skip
FORMULA = '=HYPERLINK("evil")'
MARKUP = "<script>alert(1)</script><img src='http://evil.example/x'>"


def write_october(project: Project, folder: str = "evidence", **more: Any) -> Path:
    """The evidence of October, as of 30 November."""
    project.vendor.now = local(30, month=11)
    return write_evidence(
        project.folder / folder,
        "2026-10",
        destination=project.destination,
        policy=Policy(),
        clock=lambda: project.vendor.now,
        **more,
    )


def october(project: Project) -> None:
    """A counter read three times, and an invoice of it."""
    once(project, _october)


def _october(project: Project) -> None:
    read(project, *READ)
    bill(project, invoice("1450", "145000.00"))
    write_maps()


def october_written(project: Project) -> Path:
    """The same, and its evidence."""
    once(project, _october_written)
    return _only_evidence(project)


def _october_written(project: Project) -> None:
    october(project)
    write_october(project)


def harm_written(project: Project) -> Path:
    """Evidence of an invoice of whose two lines one is a formula, and one HTML."""
    once(project, _harm_written)
    return _only_evidence(project)


def _harm_written(project: Project) -> None:
    read(project, *READ)
    own = line("1450", "145000.00", description=FORMULA, price=None, tax=None)
    other = line("1", "1.00", number="2", description=MARKUP, price=None, tax=None)
    bill(project, ubl(own, other, net="145001.00", tax=None, periods=OCTOBER))
    write_maps()
    write_october(project)


def _only_evidence(project: Project) -> Path:
    [file] = project.folder.glob("evidence/*.zip")
    return file


def manifest_of(data: Mapping[str, bytes], **more: Any) -> bytes:
    manifest = {
        "month": "2026-10",
        "created_as_of": "2026-11-30T17:00:00+00:00",
        "members": {
            name: {"sha256": hashlib.sha256(data[name]).hexdigest(), "size": len(data[name])}
            for name in sorted(data)
        },
        **more,
    }
    return f"{json.dumps(manifest, indent=2)}\n".encode()


def write_small(
    folder: Path, change: Mapping[str, bytes | None] | None = None, **more: Any
) -> Path:
    """Evidence with little in it, whose manifest tells of each change; `more` is the manifest's."""
    data = {f"{name}.{kind}": f"{name}".encode() for name in TABLES for kind in ("csv", "parquet")}
    for name in ("report.html", "line_map.csv", "rate_card.csv", "policy.json"):
        data[name] = name.encode()
    data["versions.json"] = (
        b'{"month": "2026-10", "created_as_of": "2026-11-30T17:00:00+00:00", "python": "3"}'
    )
    document = b"<Invoice/>"
    data[f"documents/{hashlib.sha256(document).hexdigest()[:12]}-a.xml"] = document
    members = {k: v for k, v in {**data, **(change or {})}.items() if v is not None}
    manifest = {"manifest.json": manifest_of(members, **more)}
    return write_archive(folder / "small.zip", manifest | members)


def pack(target: Path, members: Iterable[tuple[str, bytes, bytes]]) -> Path:
    """A zip with these members in this order, each with its packed bytes as they are."""
    body, contents, count = b"", b"", 0
    for name, data, stream in members:
        count += 1
        about = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 33, zlib.crc32(data), len(stream),
                            len(data), len(name), 0)  # fmt: skip
        contents += b"PK\1\2\x14\3" + about
        contents += struct.pack("<HHHLL", 0, 0, 0, 0o100644 << 16, len(body)) + name.encode()
        body += b"PK\3\4" + about + name.encode() + stream
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, count, count, len(contents), len(body), 0)
    target.write_bytes(body + contents + end)
    return target


def deflate(data: bytes, level: int = 9) -> bytes:
    packer = zlib.compressobj(level, wbits=-15)
    return packer.compress(data) + packer.flush()


def test_the_same_inputs_give_the_same_bytes(warehouse: Project) -> None:
    """Two runs as of one moment write one file, into whatever folder; the invoice is in it."""
    october(warehouse)
    inbox = [warehouse.folder / "inbox"]
    first, second = (write_october(warehouse, folder, files=inbox) for folder in ("a", "b/c"))
    assert first.name == "wolkvox-evidence-2026-10.zip"
    assert first.read_bytes() == second.read_bytes()
    assert [entry.name for entry in first.parent.iterdir()] == [first.name]
    [paper] = inbox[0].iterdir()
    assert paper.read_bytes() in [
        data for name, data in members_of(first).items() if name.startswith("documents/")
    ]


def test_both_engines_give_the_same_texts(
    project: Project,
    new_database: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One world loaded into DuckDB and into PostgreSQL has the same CSV members and report."""
    evidences = []
    for engine in ("duckdb", "postgres"):
        if engine == "postgres":
            project = on_postgres_beside(project, monkeypatch, new_database())
        read(project, *READ, product="Audios ñ")
        read(project, (local(31, 23, 55), "990"), product="Audios ñ")  # it falls
        read(project, (local(31, 23, 56), "7"), product="audios")
        bill(project, invoice("1450", "145000.00"), invoice("2", "2.00", number="F-2"))
        write_maps()
        evidences.append(members_of(write_october(project)))
    assert all(csv_rows(evidences[0][f"{name}.csv"]) for name in TABLES)
    on_duckdb, on_postgres = (
        {name: data for name, data in members.items() if name.endswith((".csv", ".html"))}
        for members in evidences
    )
    assert on_duckdb == on_postgres


def test_the_manifest_has_the_hash_of_each_member(project: Project) -> None:
    """Every member but the manifest, with its SHA-256 and size; the clock is the marts'."""
    october(project)
    members = members_of(write_october(project, files=[project.folder / "inbox"]))
    manifest = json.loads(members.pop("manifest.json"))
    assert manifest["month"] == "2026-10"
    assert manifest["created_as_of"] == "2026-11-30T17:00:00+00:00"
    assert manifest["members"] == {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name, data in members.items()
    }
    tables = (*TABLES, "usage_monthly", "answers", "invoice_components", "invoice_settlement",
              "claims", "document_decisions")  # fmt: skip
    expected = {f"{name}.{kind}" for name in tables for kind in ("csv", "parquet")}
    expected |= {"report.html", "line_map.csv", "rate_card.csv", "policy.json", "versions.json"}
    assert expected == {n for n in members if not n.startswith(("documents/", "answers/"))}
    assert members["rate_card.csv"] == Path("rate_card.csv").read_bytes()
    policy = json.loads(members["policy.json"])
    for name in ("line_map", "rate_card"):
        assert policy[f"{name}_sha256"] == manifest["members"][f"{name}.csv"]["sha256"]


def test_verify_names_what_was_changed_missing_or_added(project: Project) -> None:
    """A member with another byte, one that is gone, one too many: each by its name."""
    file = october_written(project)
    assert verify(file) == []
    assert rewrite(file, {}).read_bytes() == file.read_bytes()
    changed = members_of(file)["readings.csv"].replace(b"1000", b"1001")
    for change, says in (
        ({"readings.csv": changed}, "readings.csv: changed"),
        ({"polls.parquet": None}, "polls.parquet: missing"),
        ({"documents/other.pdf": b"%PDF"}, "documents/other.pdf: added"),
    ):
        [problem] = verify(rewrite(file, change))
        assert problem.startswith(says)


def test_verify_names_what_its_own_manifest_hides(tmp_path: Path) -> None:
    """Month and moment are another member's too, no key is one too many, and what evidence always
    has cannot be left out of both, nor anything else be put in."""
    assert verify(write_small(tmp_path)) == []
    for changes, says in (
        ({"month": "2026-09"}, "manifest.json: changed, versions.json is not of its `month`"),
        ({"created_as_of": "2026-11-30T17:00:01+00:00"}, "manifest.json: changed, versions.json"),
        ({"signed_by": "the auditor"}, "manifest.json: changed, it is not as it is written"),
        ({"change": {"polls.csv": None}}, "polls.csv: missing"),
        ({"change": {"rate_card.csv": None}}, "rate_card.csv: missing"),
        ({"change": {"notes.txt": b"x"}}, "notes.txt: no evidence has such a member"),
        ({"change": {"documents/0123456789ab-b.xml": b"x"}}, "documents/0123456789ab-b.xml: no ev"),
    ):
        [problem] = verify(write_small(tmp_path, **changes))  # type: ignore[arg-type]
        assert problem.startswith(says)
    versions = write_small(tmp_path, {"versions.json": b"[]"})
    assert verify(versions)[0].startswith("manifest.json: changed, versions.json is not")
    blanks = manifest_of(good := members_of(write_small(tmp_path))).replace(b"  ", b"   ")
    good["manifest.json"] = blanks
    assert "manifest.json: changed, it is not as it is written" in verify(
        write_archive(tmp_path / "blanks.zip", good)
    )
    empty = write_archive(tmp_path / "empty.zip", {"manifest.json": manifest_of({})})
    missing = verify(empty)
    assert len(missing) == 17 and all(problem.endswith(": missing") for problem in missing)


def test_verify_names_what_the_zip_hides(tmp_path: Path) -> None:
    """Members in another order, and bytes behind the end of a packed one or in it, unseen."""
    good = [(name, data, deflate(data)) for name, data in members_of(write_small(tmp_path)).items()]
    file = tmp_path / "packed.zip"
    assert pack(file, good).read_bytes() == write_small(tmp_path).read_bytes()
    assert verify(pack(file, good[::-1])) == ["the zip's members are not in their order"]
    name, data, stream = good[3]
    longer = deflate(data + b"not what the manifest says")
    for hidden in (stream + b"text that nobody sees", longer, stream + stream):
        changed = [*good[:3], (name, data, hidden), *good[4:]]
        assert verify(pack(file, changed)) == [
            f"{name}: changed, it does not end where the zip says"
        ]
    other = [(name, data, deflate(data, level=0)) for name, data, _ in good]
    assert verify(pack(file, other)) == []  # only the file's SHA-256 tells


def test_verify_sees_each_byte_that_is_turned(tmp_path: Path) -> None:
    """Whichever byte of the file has another bit, headers and all; of six one where there is little
    time, another one each run."""
    data = write_small(tmp_path).read_bytes()
    broken = tmp_path / "broken.zip"
    unseen = []
    step = 1 if SECONDS else 6
    for at in range(random.randrange(step), len(data), step):  # noqa: S311
        turned = bytearray(data)
        turned[at] ^= 1
        broken.write_bytes(turned)
        unseen += [] if verify(broken) else [at]
    assert len(data) > 3000 and unseen == []


def test_verify_survives_what_is_no_evidence(project: Project) -> None:
    """Damaged, empty, without a manifest or with a wrong one: a problem and never a traceback; what
    is hidden between members is one too."""
    file = october_written(project)
    data = file.read_bytes()
    broken = project.folder / "broken.zip"
    for text in (b"", b"PK\x03\x04", data[: len(data) // 2], data + b"more", b"more" + data):
        broken.write_bytes(text)
        assert verify(broken)
    for at in range(0, len(data), len(data) // tries(150)):  # a byte turned at so many places
        turned = bytearray(data)
        turned[at] ^= 0xFF
        broken.write_bytes(turned)
        verify(broken)
    twice = b'{"month": "2026-10", "month": "2026-10"}'
    unfit = b'{"month": "2026-10", "created_as_of": "2026-10-01", "members": {"x": {}}}'
    for manifest in (None, b"{}", b"[" * 100_000, twice, unfit):
        assert verify(rewrite(file, {"manifest.json": manifest}))[0].startswith("manifest.json")
    bomb = rewrite(file, {"report.html": b"\0" * 50_000_000})
    [problem] = verify(bomb)
    assert problem.startswith("report.html: changed, it has more than")
    again = project.folder / "again.zip"
    again.write_bytes(data)
    with zipfile.ZipFile(again, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("policy.json", b"{}")
    assert verify(again) == ["policy.json: it is in the zip more than once"]
    for absent in (project.folder, project.folder / "none.zip"):
        with pytest.raises(SettingsError):
            verify(absent)


def test_a_formula_is_harmless_in_the_csv_only(project: Project) -> None:
    """A spreadsheet is shown a text; the Parquet has what the invoice said; numbers stay so."""
    members = members_of(harm_written(project))
    row, _ = csv_rows(members["invoice_lines.csv"])
    assert row["description"] == f"'{FORMULA}" and row["quantity"] == "1450.0000"
    file = project.folder / "lines.parquet"
    file.write_bytes(members["invoice_lines.parquet"])
    assert duckdb.sql(f"SELECT description, quantity FROM '{file}'").fetchall() == [
        (FORMULA, 1450), (MARKUP, 1),
    ]  # fmt: skip


class _Elements(HTMLParser):
    """The elements and attributes of a page, and its texts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_report_runs_and_fetches_nothing(project: Project) -> None:
    """HTML in a description is text; no script, link or source; no address but in texts."""
    page = members_of(harm_written(project))["report.html"].decode()
    elements = _Elements()
    elements.feed(page)
    assert MARKUP[:20] in "".join(elements.texts)
    assert "<script" not in page
    assert not elements.tags & {"script", "img", "link", "iframe", "object", "a", "base", "use"}
    fetching = {"src", "href", "xlink:href"}
    assert not {n for n in elements.names if n in fetching or n.startswith("on")}
    assert not re.search(r"@import|url\((?!#)", page)


def test_the_report_shows_what_the_verdict_stands_on(project: Project) -> None:
    """Sentence, totals, charts of the counter and of volume and price, and the policy."""
    page = members_of(october_written(project))["report.html"].decode()
    for text in (
        "<strong>overbilled_quantity</strong>",
        "wolkvox billed 1,450 audios",
        "145,000.00 COP",
        "<polyline",
        "billed for the whole report: 1,450",
        "contracted cost 100,000.00 COP, volume effect +45,000.00 (more), price effect 0.00 "
        "(nothing)",
        "no answer 14 days",
        "3 of 31 days answered",
        "not given",
        "tolerance_amount",
        "America/Bogota",
        "duckdb",
    ):
        assert text in page, text


def test_a_document_is_in_it_as_it_was_received(project: Project) -> None:
    """The bare file, or the whole zip that holds it; other files of the folder stay out."""
    october(project)
    inbox = project.folder / "inbox"
    [bare] = inbox.iterdir()
    data = bare.read_bytes()
    (inbox / "other.xml").write_bytes(b"<other/>")
    sha256 = hashlib.sha256(data).hexdigest()
    members = members_of(write_october(project, files=[inbox]))
    assert {k: v for k, v in members.items() if k.startswith("documents/")} == {
        f"documents/{sha256[:12]}-{bare.name}": data
    }
    mail = project.folder / "mail … 1.zip"
    with zipfile.ZipFile(mail, "w") as archive:
        archive.writestr("../../invoice.xml", data)
        archive.writestr("invoice.pdf", b"%PDF-1.7")
    file = write_october(project, files=[mail])
    name = f"documents/{hashlib.sha256(mail.read_bytes()).hexdigest()[:12]}-mail_1.zip"
    assert members_of(file)[name] == mail.read_bytes()
    assert name in members_of(file)["report.html"].decode()
    assert verify(file) == []


def test_an_exchange_rate_keeps_its_decimals(warehouse: Project) -> None:
    """In the CSV and in the Parquet, as in the tables: a peso is 0.000249219330447374 dollars."""
    read(warehouse, *READ)
    rate = (
        "<cac:PaymentExchangeRate><cbc:SourceCurrencyCode>COP</cbc:SourceCurrencyCode>"
        "<cbc:TargetCurrencyCode>USD</cbc:TargetCurrencyCode>"
        "<cbc:CalculationRate>0.000249219330447374</cbc:CalculationRate>"
        "<cbc:Date>2026-10-31</cbc:Date></cac:PaymentExchangeRate>"
    )
    bill(warehouse, ubl(line("1", "10", price=None), net="10", tax=None, periods=OCTOBER + rate))
    write_maps()
    members = members_of(write_october(warehouse))
    [document] = csv_rows(members["invoice_documents.csv"])
    assert document["exchange_rate"] == "0.000249219330447374"
    parquet = warehouse.folder / "documents.parquet"
    parquet.write_bytes(members["invoice_documents.parquet"])
    stored = duckdb.sql(f"SELECT exchange_rate FROM '{parquet}'").fetchall()
    assert stored == [(Decimal("0.000249219330447374"),)]


@pytest.mark.parametrize("warehouse", ["postgres"], indirect=True)
def test_an_empty_month_has_evidence_too(warehouse: Project) -> None:
    """Where no invoice was ever read, and nothing was used, tables have their headings only. On
    PostgreSQL: which tables there are is asked of each engine, and what follows of none."""
    warehouse.vendor.now = local(20)
    warehouse.load()
    write_maps()
    file = write_evidence(warehouse.folder, "2026-08", destination=warehouse.destination,
                          policy=Policy(), clock=lambda: warehouse.vendor.now)  # fmt: skip
    members = members_of(file)
    assert members["invoice_lines.csv"].decode("utf-8-sig").startswith("document_id,line_number,")
    assert not any(csv_rows(members[f"{name}.csv"]) for name in TABLES)
    assert "Nothing was asked in this month." in members["report.html"].decode()


@pytest.mark.parametrize(
    ("month", "files"),
    [("2026-13", []), ("20261-1", []), ("9999-12", []), ("../x", []), ("2026-10", ["none.xml"])],
)
def test_wrong_words_are_refused(project: Project, month: str, files: list[str]) -> None:
    """A month that is none, or a file that is not there, before anything is written."""
    with pytest.raises(SettingsError):
        write_evidence(project.folder / "evidence", month, files=files)
    assert not (project.folder / "evidence").exists()


def test_a_file_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    """A close may stand on it: other bytes get a number, the same bytes no file of their own."""

    def write(data: bytes) -> Path:
        return write_numbered(tmp_path / "evidence.zip", lambda file: file.write(data) and None)

    first = write(b"first")
    assert write(b"first") == first == tmp_path / "evidence.zip"
    for _ in range(2):
        second = write(b"second")
        assert second.name == "evidence.2.zip"
    second.write_bytes(b"another's")
    assert write(b"second").name == "evidence.3.zip"
    assert first.read_bytes() == b"first" and second.read_bytes() == b"another's"
    assert len(list(tmp_path.iterdir())) == 3


def test_evidence_that_is_there_is_never_replaced(project: Project) -> None:
    """It is the same file where it has the same bytes; the command tells of one that is kept."""
    first = october_written(project)
    data = first.read_bytes()
    assert write_october(project) == first
    words = ["reconcile", "--month", "2026-10", "--evidence", "evidence"]
    done = CliRunner().invoke(main, words)
    second = first.with_name("wolkvox-evidence-2026-10.2.zip")
    assert done.exit_code == 0 and second.name in done.output and verify(second) == []
    assert "warning: wolkvox-evidence-2026-10.zip is there already with other bytes" in done.output
    assert first.read_bytes() == data
    assert len(list(first.parent.iterdir())) == 2


@pytest.mark.parametrize("folder", ["line_map.csv", "line_map.csv/more", "link"])
def test_a_file_is_no_folder_for_evidence(project: Project, folder: str) -> None:
    """A file, or a link to nowhere, where the folder should be is refused in words."""
    october(project)
    Path("link").symlink_to("nowhere")
    done = CliRunner().invoke(main, ["reconcile", "--month", "2026-10", "--evidence", folder])
    assert done.exit_code == 2 and "is no folder: name one for the evidence" in done.output


def test_the_commands_write_and_verify(project: Project) -> None:
    """`reconcile --evidence` says where the file is; `verify` ends in 0, or in 1 with the names."""
    october(project)
    run = CliRunner().invoke
    words = ["reconcile", "--month", "2026-10", "--evidence", "out", "--files", "inbox"]
    done = run(main, words)
    file = project.folder / "out" / "wolkvox-evidence-2026-10.zip"
    assert done.exit_code == 0 and f"evidence: {file}" in done.output
    good = run(main, ["verify", str(file)])
    count = len(members_of(file)) - 1
    assert good.exit_code == 0
    assert f"all {count} members are as the manifest says" in good.output
    assert "only this sha256 proves the manifest itself" in good.output
    assert hashlib.sha256(file.read_bytes()).hexdigest() == examine(file).sha256
    bad = run(main, ["verify", str(rewrite(file, {"polls.csv": b""}))])
    assert bad.exit_code == 1 and "polls.csv: changed" in bad.output
    assert run(main, ["verify", "none.zip"]).exit_code == 2
    assert run(main, ["reconcile", "--evidence", "out"]).exit_code == 2
