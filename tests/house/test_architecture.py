"""The house is as its page says, and imports run down."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
LINT = Path(sys.executable).with_name("lint-imports")


def test_each_file_that_the_page_names_is_there() -> None:
    """Whoever follows a link of the page finds the file, and each room of the product is named."""
    text = PAGE.read_text()
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) > 30
    assert [link for link in links if not (PAGE.parent / link).resolve().exists()] == []
    package = ROOT / "pipelines" / "wolkvox_billing"
    rooms = [folder.name for folder in package.iterdir() if (folder / "__init__.py").exists()]
    assert [room for room in rooms if f" {room}" not in text] == []


def test_an_import_that_runs_up_fails_the_lint(tmp_path: Path) -> None:
    """The contract of the floors holds as it is, and is broken by one import from below."""
    shutil.copytree(ROOT / "pipelines", tmp_path / "pipelines")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)

    def lint() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [LINT, "--no-cache"],
            cwd=tmp_path,
            env={"PYTHONPATH": str(tmp_path / "pipelines"), "PATH": ""},
            capture_output=True,
            text=True,
        )

    assert lint().returncode == 0
    low = tmp_path / "pipelines" / "wolkvox_billing" / "values" / "clock.py"
    low.write_text(low.read_text() + "\nfrom wolkvox_billing.verbs import load\n")
    broken = lint()
    assert broken.returncode == 1
    assert "wolkvox_billing.values is not allowed to import wolkvox_billing.verbs" in broken.stdout


def test_no_test_module_is_imported() -> None:
    """What tests share stands in builders: whoever changes a test changes that test."""
    imports = re.compile(r"^\s*(?:from|import) +(?:\w+\.)*(?:test_\w+|conftest)\b", re.MULTILINE)
    assert imports.search("from test_marts import once")
    modules = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("benchmarks/*.py")]
    assert len(modules) > 70
    assert [file.name for file in modules if imports.search(file.read_text())] == []
