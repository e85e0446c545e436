"""What hatchling does beside its own for a wheel: the translations as gettext reads them.

A clone, and so an editable install, has them as people edit them: see values/translation.py.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledCatalogues(BuildHookInterface[Any]):
    """Puts a compiled catalogue into the wheel for each that the source has."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        self._folder = tempfile.TemporaryDirectory()
        packages = Path(self.root, "pipelines")
        for source in packages.glob("wolkvox_billing/locale/*/LC_MESSAGES/*.po"):
            place = source.relative_to(packages).with_suffix(".mo")
            compiled = Path(self._folder.name, "-".join(place.parts))
            with source.open("rb") as text, compiled.open("wb") as file:
                write_mo(file, read_po(text, abort_invalid=True))
            build_data["force_include"][str(compiled)] = place.as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            self._folder.cleanup()
