"""The wheel: what is in it, and that it runs alone."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Sequence
from email import message_from_bytes
from email.message import Message
from importlib.metadata import distributions, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from builders.documents import declared, line, ubl, xlsx
from builders.project import SERVERS, TOKENS
from builders.sheets import HEADINGS, ROW
from fake_wolkvox import Vendor
from wolkvox_billing.version import __version__

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pipelines" / "wolkvox_billing"


def run(command: Sequence[str | Path], folder: Path, **environment: str) -> str:
    """Return what a command prints, in a folder and an environment that know nothing of this
    project."""
    process = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, f"{process.stdout}{process.stderr}"
    return process.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this tree without asking the network for anything."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    run([*build, "--no-build-isolation", "--wheel-dir", folder, ROOT], folder)
    [file] = folder.glob("*.whl")
    return file


def metadata_of(wheel: Path) -> Message:
    """Return what an index is told of the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        name = f"wolkvox_billing-{__version__}.dist-info/METADATA"
        return message_from_bytes(archive.read(name))


@pytest.fixture(scope="module")
def home(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel in it, and the libraries that the tests run with.

    They are seen through their folder, which is added as a path: the links (`.pth` files) in it are
    not followed then, and one of those is what leads to this tree.
    """
    folder = tmp_path_factory.mktemp("home")
    venv.create(folder / "venv", symlinks=True)  # a pip of its own takes four seconds
    install = ["install", "--quiet", "--no-deps", "--no-index"]
    pip = [sys.executable, "-m", "pip", "--python", folder / "venv/bin/python"]
    run([*pip, *install, wheel], folder)
    [libraries] = (folder / "venv/lib").glob("python*/site-packages")
    own = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (libraries / "libraries.pth").write_text("\n".join(sorted(own)))
    return folder


def test_the_wheel_holds_the_product_and_nothing_else(wheel: Path) -> None:
    """The wheel holds each file of `wolkvox_billing`, its translations compiled, its own metadata,
    and nothing else."""
    names = set(zipfile.ZipFile(wheel).namelist())
    metadata = {
        name for name in names if name.startswith(f"wolkvox_billing-{__version__}.dist-info/")
    }
    files = {
        str(path.relative_to(PACKAGE.parent)).replace(".po", ".mo")
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert names - metadata == files
    assert {"wolkvox_billing/py.typed", "wolkvox_billing/cli/main.py"} <= files


def test_an_index_is_told_what_it_is(wheel: Path) -> None:
    """Its license, with the text in it; README as its page; no address; and that no index may take
    it yet. CHANGELOG begins with this version, or with what comes after it."""
    metadata = metadata_of(wheel)
    assert (metadata["Version"], metadata["License-Expression"]) == (__version__, "Apache-2.0")
    assert (metadata["License-File"], metadata["Project-URL"]) == ("LICENSE", None)
    assert metadata["Description-Content-Type"] == "text/markdown"
    page = metadata.get_payload(decode=True)
    assert isinstance(page, bytes) and page.strip() == (ROOT / "README.md").read_bytes().strip()
    assert "Private :: Do Not Upload" in metadata.get_all("Classifier", [])
    with zipfile.ZipFile(wheel) as archive:
        [text] = [name for name in archive.namelist() if name.endswith("licenses/LICENSE")]
        assert b"Apache License" in archive.read(text)
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert __version__ in headings[:2]


def test_no_secret_or_answer_is_built_in(tmp_path: Path) -> None:
    """A token in the folder of the project, or in that of the package, where somebody ran it, is
    neither in the wheel nor in the source archive; nor is a file of answers."""
    copy = tmp_path / "copy"
    shutil.copytree(PACKAGE, copy / "pipelines" / "wolkvox_billing")
    for name in (
        "pyproject.toml",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        ".gitignore",
        "hatch_build.py",
    ):
        shutil.copy(ROOT / name, copy)
    for folder in (copy, copy / "pipelines" / "wolkvox_billing"):
        (folder / ".dlt").mkdir()
        (folder / ".dlt" / "secrets.toml").write_text("token = 'S3CRET'")
        (folder / "wolkvox.duckdb").write_text("S3CRET")
    build = "from hatchling.build import build_sdist, build_wheel; "
    run([sys.executable, "-c", f"{build} build_sdist('dist'); build_wheel('dist')"], copy)
    [sdist], [wheel] = copy.glob("dist/*.tar.gz"), copy.glob("dist/*.whl")
    with tarfile.open(sdist) as archive, zipfile.ZipFile(wheel) as packed:
        files = {member.name: archive.extractfile(member) for member in archive if member.isfile()}
        built = {name: file.read() for name, file in files.items() if file}
        built |= {name: packed.read(name) for name in packed.namelist()}
    assert len(built) > 150
    assert [name for name, data in built.items() if b"S3CRET" in data or "secrets." in name] == []


def test_the_wheel_names_what_it_imports(wheel: Path) -> None:
    """Each library that the product imports is among the wheel's requirements; what only a checker
    of types reads need not be there."""
    with zipfile.ZipFile(wheel) as archive:
        code = "\n".join(
            archive.read(name).decode() for name in archive.namelist() if name.endswith(".py")
        )
    code = re.sub(r"^if TYPE_CHECKING:\n(?:    .*\n|\n)+", "", code, flags=re.M)
    texts = metadata_of(wheel).get_all("Requires-Dist", [])
    required = {canonicalize_name(Requirement(text).name) for text in texts}
    imported = set(re.findall(r"^\s*(?:import|from) (\w+)[\w.]*(?: import| as|$)", code, re.M))
    own = {"wolkvox_billing", "wolkvox_demo"}  # the latter in a clone only: see the verb `demo`
    libraries = imported - set(sys.stdlib_module_names) - own
    by_module = packages_distributions()  # a module need not be named as what brings it
    unnamed = {
        module
        for module in libraries
        if not required & {canonicalize_name(name) for name in by_module.get(module, [module])}
    }
    assert unnamed == set()


def test_the_wheel_runs_alone(home: Path) -> None:
    """In an empty environment and an empty folder the command runs, from the wheel."""
    python, command = home / "venv/bin/python", home / "venv/bin/wolkvox-billing"
    empty = home / "empty"
    empty.mkdir()
    where = run([python, "-c", "import wolkvox_billing; print(wolkvox_billing.__file__)"], empty)
    assert Path(where.strip()).is_relative_to(home / "venv")
    find = "from importlib.util import find_spec; print(find_spec('fake_wolkvox'))"
    assert run([python, "-c", find], empty).strip() == "None"
    assert __version__ in run([command, "--version"], empty)
    demo = subprocess.run([command, "demo"], cwd=empty, capture_output=True, text=True)
    assert demo.returncode == 2 and "comes with the project's repository" in demo.stderr
    assert "--destination" in run([command, "load", "--help"], empty)
    assert list(empty.iterdir()) == []


def test_the_wheel_has_its_translations_compiled(home: Path) -> None:
    """A text is translated without Babel, which reads what people edit in a clone; and a template
    of the report is where it is looked for."""
    translate = (
        "import sys; from wolkvox_billing.evidence.report import html; "
        "from wolkvox_billing.values.translation import translate; "
        "print(translate('tax', 'es_CO'), 'babel' in sys.modules, "
        "html.table([], [], 'es_CO'))"
    )
    said = run([home / "venv/bin/python", "-c", translate], home)
    assert said.split() == ["impuesto", "False", "<p>Nada.</p>"]


VERBS = """
import sys
sys.modules.update(dict.fromkeys(sys.argv[1].split(",")))  # whoever imports one gets an ImportError
from wolkvox_billing.cli.main import main
for words in ("load", "status", "invoices a.xml b.xlsx", "reconcile --init", "reconcile"):
    try:
        main(words.split(), standalone_mode=False)
    except SystemExit as error:
        assert not error.code, words
"""


def not_asked_for(wheel: Path) -> set[str]:
    """Return the modules here of packages that the wheel does not ask for, unless by an extra."""
    needed: set[str] = set()
    left = [Requirement("wolkvox-billing")]
    own = metadata_of(wheel).get_all("Requires-Dist", [])  # not those of an older install
    while left:
        requirement = left.pop()
        needed.add(canonicalize_name(requirement.name))
        texts = own if requirement.name == "wolkvox-billing" else requires(requirement.name)
        for text in texts or ():
            dependency = Requirement(text)
            is_wanted = (dependency.marker or Marker("python_version > '3'")).evaluate
            if any(is_wanted({"extra": extra}) for extra in requirement.extras or {""}):
                left += [dependency] if canonicalize_name(dependency.name) not in needed else []
    return {
        file.parts[0].removesuffix(".py")
        for distribution in distributions()
        if canonicalize_name(distribution.metadata["Name"]) not in needed
        for file in distribution.files or ()
        if file.suffix == ".py"
    }


def test_the_base_dependencies_are_enough(
    home: Path, wheel: Path, vendor: Vendor, tmp_path: Path
) -> None:
    """Without an extra, on DuckDB: poll, status, invoices in XML and XLSX, their comparison."""
    (tmp_path / "a.xml").write_bytes(declared(ubl(line(), number="F-2")))
    (tmp_path / "b.xlsx").write_bytes(xlsx([HEADINGS, ROW]))
    others = not_asked_for(wheel)
    assert {"psycopg2", "marimo", "polars", "hypothesis", "pytest"} <= others
    assert not {"dlt", "duckdb", "lxml", "openpyxl", "orjson", "pyarrow", "rich"} & others
    output = run(
        [home / "venv/bin/python", "-c", VERBS, ",".join(sorted(others))],
        tmp_path,
        SOURCES__WOLKVOX_BILLING__SERVER=SERVERS["acme"],
        SOURCES__WOLKVOX_BILLING__TOKEN=TOKENS["acme"],
        SOURCES__WOLKVOX_BILLING__BASE_URL=vendor.url,
        DLT_DATA_DIR=str(tmp_path / "dlt"),
        TMPDIR=str(tmp_path),
    )
    assert "2 loaded" in output and "unmapped" in output and len(vendor.calls) == 1, output
