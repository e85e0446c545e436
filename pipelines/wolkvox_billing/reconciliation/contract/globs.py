"""Patterns over what a line says: `*` stands for any text; case and accents do not matter."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from functools import lru_cache

from wolkvox_billing.values.spelling import plain

_LITERAL = re.compile(r"[^*?\[]+")


@lru_cache(maxsize=10_000)  # fnmatch remembers 256 of them
def compile_glob(pattern: str) -> Callable[[str], object]:
    """Return what gives None for a plain text that does not fit a pattern."""
    return re.compile(fnmatch.translate(plain(pattern))).match


def literal_of(pattern: str) -> str:
    """Return the longest text that all have that fit a pattern: few lines have it, and it is found
    out ten times as fast as whether they fit."""
    spelled = plain(pattern)
    return "" if "[" in spelled else max(_LITERAL.findall(spelled), key=len, default="")
