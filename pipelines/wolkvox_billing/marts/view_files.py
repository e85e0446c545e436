"""The views' files: SQL as it is written, one a view."""

from __future__ import annotations

from importlib import resources


def view_sql(view: str) -> str:
    """Return a view's file, as it is written."""
    return (resources.files(__package__) / f"{view}.sql").read_text("utf-8")


def grain(view: str) -> str:
    """Return what one row of a view is: the first line of its file."""
    return view_sql(view).splitlines()[0].removeprefix("-- ")
