"""Files that mean harm, or are broken: each is rejected with a clear line, in bounds of time and
memory, and does no harm to the files beside it."""

from __future__ import annotations

import io
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.documents import PDF, attached, declared, line, namespaces, ubl, xlsx, zipped
from builders.fuzzing import at_length, tries
from builders.sheets import HEADINGS, ROW
from builders.sheets import csv as csv_of
from wolkvox_billing.invoices import Document, Hints, OtherKind, Rejected, read_invoices
from wolkvox_billing.invoices.files import Paper, read_file

GOOD = declared(ubl())
SECONDS, MEGABYTES = 5, 500


def read(data: bytes, name: str = "f.xml") -> list[Paper]:
    return list(read_file(name, data))


def reason(data: bytes) -> str:
    """Why a file, or the first of its members, is rejected; all of them are."""
    papers = read(data)
    assert all(isinstance(paper.content, Rejected) for paper in papers)
    return str(papers[0].content)


def with_dtd(declarations: str, use: str = "") -> bytes:
    return declared(f"<!DOCTYPE Invoice [{declarations}]>{ubl(number=None, before=use)}")


LAUGHS = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9))


def encrypted() -> bytes:
    """A zip whose member says that it is encrypted."""
    data = bytearray(zipped({"a.xml": GOOD}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    return bytes(data)


def lying() -> bytes:
    """A zip whose directory says that its member is small."""
    data = bytearray(zipped({"a.xml": b" " * 50_000_000}, compresslevel=1))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", 100)
    return bytes(data)


def twice() -> bytes:
    """A workbook in whose zip one name stands twice."""
    file = io.BytesIO(xlsx([HEADINGS, ROW]))
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("xl/workbook.xml", b"<a/>")
    return file.getvalue()


def nested(levels: int) -> bytes:
    data = GOOD
    for n in range(levels):
        data = zipped({f"{n}.zip" if n else "a.xml": data})
    return data


BOMBS = at_length([0], 1, 2, 3)  # each takes a second
MANY = "".join(f" a{n}=''" for n in range(100))

HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "an entity": (lambda: with_dtd('<!ENTITY x "F-1">'), "a DTD"),
    "an entity of a file": (lambda: with_dtd('<!ENTITY x SYSTEM "file:///etc/passwd">'), "a DTD"),
    "laughs": (lambda: with_dtd(LAUGHS), "a DTD"),
    "laughs in use": (lambda: with_dtd(LAUGHS, "<cbc:Note>&a9;</cbc:Note>"), "no well-formed XML"),
    "laughs in an attribute": (lambda: with_dtd(LAUGHS, '<a b="&a9;"/>'), "no well-formed XML"),
    "a DTD in an attached document": (
        lambda: declared(attached(f"<!DOCTYPE Invoice>{ubl()}")), "a DTD"),
    "100,000 nested elements": (
        lambda: b"<a>" * 100_000 + b"</a>" * 100_000, "no well-formed XML: Excessive depth"),
    "a million elements": (
        lambda: f"<Invoice {namespaces('Invoice')}>{'<a/>' * 1_000_001}</Invoice>".encode(),
        "more than 1,000,000 tags or attributes"),
    "two million attributes": (
        lambda: declared(ubl(before=f"<b{MANY}/>" * 20_000)),
        "more than 1,000,000 tags or attributes"),
    "100,000 attributes": (
        lambda: b"<a" + b"".join(b" a%d='0'" % n for n in range(100_000)) + b"/>",
        "more than 100 attributes"),
    "a text of 19 MB": (
        lambda: declared(ubl(notes=["x" * 19_000_000])), "no well-formed XML"),
    "a huge XML": (lambda: b"<a>" + b" " * 21 * 1024 * 1024, "20,971,520 are the most"),
    "a cut XML": (lambda: GOOD[:-20], "no well-formed XML"),
    "a PDF": (lambda: PDF, "a PDF, which cannot be read: ask the supplier for the electronic"),
    "nothing": (lambda: b"", "an empty file"),
    "blanks": (lambda: b" \n\t ", "an empty file"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 99, "a picture"),
    "an old workbook": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 999, "old Excel"),
    "noise": (lambda: bytes(range(256)) * 4, "neither XML, zip nor text"),
    "a text": (lambda: b"hola", "neither XML nor zip, and as a spreadsheet without a header row"),
    "an encrypted zip": (encrypted, "encrypted: save it without a password"),
    "a cut zip": (lambda: zipped({"a.xml": GOOD * 9})[:-40], "a zip that is damaged"),
    "a zip that lost 4 bytes": (lambda: (z := zipped({"a.xml": GOOD}))[:20] + z[24:], "damaged"),
    "a document of Word": (
        lambda: zipped({"word/document.xml": b"<w/>", "[Content_Types].xml": b"<b/>"}),
        "an Office file that is no workbook"),
    "a workbook with a part twice": (lambda: twice(), "an Office file that is no workbook"),
    "a zip of bombs of tags": (
        lambda: zipped({f"{n}.xml": b"<a>" + b"<b/>" * 990_000 + b"</a>" for n in BOMBS}),
        "an XML whose root is 'a'"),
    "an empty zip": (lambda: zipped({}), "a zip without a file in it"),
    "a zip in a zip in a zip": (lambda: nested(4), "zips in zips, more than 2 deep"),
    "a zip of 10,001 files": (
        lambda: zipped({f"{n}": b"" for n in range(10_001)}), "a zip of more than 10,000 files"),
    "a member that lies about its size": (lying, "damaged in the zip"),
    "a CSV with a huge field": (
        lambda: csv_of(HEADINGS, ["x" * 200_000, *ROW[1:]]).encode(), "no well-formed CSV"),
    "a CSV of a million columns": (
        lambda: csv_of(HEADINGS).encode() + b"," * 1_000_000, "is longer than 100 cells"),
    "a broken workbook": (
        lambda: zipped({"xl/workbook.xml": b"<a", "[Content_Types].xml": b"<b"}),
        "not readable as XLSX"),
    "a workbook with a DTD": (
        lambda: zipped({"xl/workbook.xml": b"<!DOCTYPE a><a/>", "[Content_Types].xml": b"<b/>"}),
        "an XLSX with a DTD inside"),
}  # fmt: skip


# Prints what came of each file: how it was taken, whether it was rejected, and for what.
READ = """
import json, re, sys, time
from pathlib import Path
from wolkvox_billing.invoices import Rejected, read_invoices
began, worst, papers = time.process_time(), 0.0, {}
for paper in read_invoices([Path(sys.argv[1])]):
    now = time.process_time()
    worst, began = max(worst, now - began), now
    is_rejected = isinstance(paper.content, Rejected)
    says = [type(paper.content).__name__, is_rejected, str(paper.content) if is_rejected else ""]
    papers.setdefault(paper.file_name.split("/")[0], []).append(says)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(json.dumps([worst, int(peak) // 1024, papers]))
"""


class Told(NamedTuple):
    """What came of a folder: the seconds of the dearest paper, the most memory in MB, and of each
    file how each of its papers was taken, whether it was rejected, and for what."""

    seconds: float
    megabytes: int
    papers: dict[str, list[tuple[str, bool, str]]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What a process of its own says of all hostile files of a folder together, and of two good
    ones beside them."""
    inbox = tmp_path_factory.mktemp("inbox")
    for n, (make, _) in enumerate(HOSTILE.values()):
        (inbox / f"{n:02}.xml").write_bytes(make())
    bomb = {f"{n:02}.xml": b" " * 19_000_000 for n in range(13)}
    (inbox / "98-bomb").write_bytes(zipped(bomb, compresslevel=1))
    (inbox / "99-good").write_bytes(GOOD)
    os.mkfifo(inbox / "97-fifo")
    (inbox / "96-out").symlink_to("/etc/passwd")
    beside = {"a.xml": b" " * 21_000_000, "b.xml": GOOD}
    (inbox / "95-beside").write_bytes(zipped(beside, compresslevel=1))
    done = subprocess.run(
        [sys.executable, "-c", READ, str(inbox)], capture_output=True, text=True, check=False,
        timeout=120, env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Told(*json.loads(done.stdout))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_rejected_with_a_clear_line(told: Told, name: str) -> None:
    """Each is rejected for what it is, with all that is in it."""
    papers = told.papers[f"{[*HOSTILE].index(name):02}.xml"]
    assert all(is_rejected for _, is_rejected, _ in papers)
    assert HOSTILE[name][1] in papers[0][2]


def test_a_bomb_is_rejected_member_by_member(told: Told) -> None:
    """Members beyond the limit of one, and of all together, are rejected; the others were read."""
    [_, _, why], [kind, *_] = told.papers["95-beside"]
    assert "more than 20,971,520 bytes when unpacked" in why
    assert kind == "Document"
    many = told.papers["98-bomb"]
    assert many[-1][2] == "the zip has more than 209,715,200 bytes when unpacked"
    assert len(many) == 12  # the thirteenth is not opened any more


def test_the_worst_is_over_in_time_and_memory(told: Told) -> None:
    """The good files beside all hostile ones load; no paper takes longer than 5 seconds, and
    together they take no more than 500 MB."""
    assert told.seconds < SECONDS and told.megabytes < MEGABYTES
    kinds = {name: papers[-1][0] for name, papers in told.papers.items()}
    assert kinds.pop("99-good") == kinds.pop("95-beside") == "Document"
    assert len(kinds) == len(HOSTILE) + 3
    assert set(kinds.values()) <= {"Rejected", "_Attachment"}


def test_no_file_of_this_machine_is_read_for_an_entity(tmp_path: Path) -> None:
    """What an external entity points to is not in any message."""
    secret = tmp_path / "secret"
    secret.write_text("TOP-SECRET")
    data = with_dtd(f'<!ENTITY x SYSTEM "file://{secret}">', "<cbc:Note>&x;</cbc:Note>")
    [paper] = read(data)
    assert isinstance(paper.content, Rejected) and "TOP-SECRET" not in str(paper.content)


def test_nothing_is_fetched() -> None:
    """A DTD, entity or schema at an address is not asked for: nobody connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        read(f'<!DOCTYPE Invoice SYSTEM "{address}"><Invoice/>'.encode())
        read(with_dtd(f'<!ENTITY % x SYSTEM "{address}"> %x;'))
        read(with_dtd(f'<!ENTITY x SYSTEM "{address}">', "<cbc:Note>&x;</cbc:Note>"))
        read(f'<?xml-stylesheet href="{address}"?>{ubl()}'.encode())
        with pytest.raises(BlockingIOError):
            server.accept()


def test_names_in_a_zip_are_only_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member whose name climbs out, or is absolute, is read like any other, and nothing is
    written anywhere."""
    monkeypatch.chdir(tmp_path)
    data = zipped({"../../a.xml": GOOD, "/etc/b.xml": GOOD, "c\\..\\d.xml": GOOD})
    papers = read(data, "mail.zip")
    assert all(isinstance(paper.content, Document) for paper in papers) and len(papers) == 3
    assert list(tmp_path.iterdir()) == []


def test_links_fifos_and_what_cannot_be_opened(tmp_path: Path) -> None:
    """A link that leads out or in a circle, and a FIFO, are rejected; a link inside is followed;
    hidden files and those of systems are passed over; no folder is walked twice."""
    inbox, outside = tmp_path / "inbox", tmp_path / "outside"
    (inbox / "sub").mkdir(parents=True)
    outside.mkdir()
    (outside / "o.xml").write_bytes(GOOD)
    (inbox / "a.xml").write_bytes(GOOD)
    (inbox / "b.xml").symlink_to("a.xml")
    (inbox / "c.xml").symlink_to(outside / "o.xml")
    (inbox / "d").symlink_to(outside)
    (inbox / "e.xml").symlink_to("e.xml")
    (inbox / "sub" / "up").symlink_to(inbox)
    (inbox / ".hidden").write_bytes(b"x")
    (inbox / ".trash").mkdir()
    (inbox / ".trash" / "t.xml").write_bytes(GOOD)
    (inbox / "Thumbs.db").write_bytes(b"x")
    (inbox / "~$f.xlsx").write_bytes(b"x")
    os.mkfifo(inbox / "fifo")
    contents = {paper.file_name: paper.content for paper in read_invoices([inbox])}
    assert sorted(contents) == ["a.xml", "b.xml", "c.xml", "d", "e.xml", "fifo"]
    assert isinstance(contents["a.xml"], Document) and isinstance(contents["b.xml"], Document)
    assert (
        str(contents["c.xml"])
        == str(contents["d"])
        == "a link that leads out of the folder: not followed"
    )
    assert str(contents["e.xml"]) == "a link that leads nowhere, or in a circle"
    assert str(contents["fifo"]) == "neither a file nor a folder: not opened"


def test_what_comes_along_in_a_mail_is_passed_over() -> None:
    """Beside a document a zip's texts and pictures are no failure; what should have been one is."""
    along = {"leame.txt": b"hola", "logo.webp": b"RIFF\0\0", "m.html": b"<html/>", "a.xml": GOOD}
    assert [type(paper.content) for paper in read(zipped(along))] == [Document]
    papers = read(zipped({"a.xml": GOOD, "lines.csv": b"a;b"}))
    assert [type(paper.content) for paper in papers] == [Document, Rejected]


def test_a_pdf_alone_in_a_zip_is_told() -> None:
    """Beside a document a PDF is passed over; where it is all there is, it is not."""
    assert "ask the supplier" in reason(zipped({"f.pdf": PDF}))
    assert [type(paper.content) for paper in read(zipped({"f.pdf": PDF, "a.xml": GOOD}))] == [
        Document
    ]


def test_a_member_without_a_name_is_read() -> None:
    """A name that begins with NUL is none: the member is read all the same."""
    [paper] = read(zipped({"fe.xml": GOOD}).replace(b"fe.xml", b"\0e.xml"))
    assert isinstance(paper.content, Document)


SEEDS = [
    GOOD,
    declared(attached(ubl(line(), line(number="2")))),
    declared(ubl(kind="CreditNote", corrects="F-0"), "UTF-16"),
    zipped({"f.pdf": PDF, "a.xml": declared(attached(ubl()))}),
    csv_of(HEADINGS, ROW, ROW).encode(),
    csv_of(HEADINGS, ROW, delimiter=";").encode("cp1252"),
    xlsx([HEADINGS, ROW]),
]


@settings(max_examples=tries(400), deadline=None)
@given(data=st.data())
def test_no_mutation_of_a_valid_file_is_a_traceback(data: st.DataObject) -> None:
    """Bytes changed, cut out, doubled or put in: a document, another kind or a reason comes out."""
    mutated = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(0, len(mutated) - 1)))
        length = data.draw(st.integers(0, 40))
        inserted = data.draw(
            st.one_of(
                st.binary(max_size=12),
                st.sampled_from([b"<", b">", b"&#0;", b"]]>", b"-", b",", b'"', b"\0", b"9" * 30]),
                st.just(bytes(mutated[at : at + length])),
            )
        )
        mutated[at : at + length] = inserted
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "f").write_bytes(mutated)
        for paper in read_invoices([Path(folder)]):
            assert isinstance(paper.content, (Document, OtherKind, Rejected))


@settings(max_examples=tries(150), deadline=None)
@given(
    cells=st.lists(st.text(max_size=20), min_size=10, max_size=10),
    decimal=st.sampled_from([None, ".", ","]),
)
def test_no_row_of_texts_is_a_traceback(cells: list[str], decimal: str | None) -> None:
    """Whatever people type into cells, a document or a reason comes out."""
    quoted = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)
    data = f"{csv_of(HEADINGS, ROW)}\n{quoted}\n".encode("utf-8", "replace")
    for paper in read_file("f.csv", data, Hints(decimal)):
        assert isinstance(paper.content, (Document, Rejected))
