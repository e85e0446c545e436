"""What can go wrong on our side of the socket, as exceptions.

    WolkvoxError             every error of this package; its text says what to do next
    ├── SettingsError        a setting is missing or wrong: nothing was asked        (exit code 2)
    ├── Refused              a call was not answered, and whoever asked wanted that raised
    ├── TokenInUse           another process held the token for longer than we wait  (exit code 1)
    └── WarehouseError       the destination cannot be read                          (exit code 1)

What the *vendor* refuses is no exception otherwise: it is an answer, and a row in `polls`.
"""


class WolkvoxError(Exception):
    """Something that a person can mend; the text says how, and never holds a token."""


class SettingsError(WolkvoxError):
    """A setting is missing or wrong."""


class Refused(WolkvoxError):
    """The vendor refused a call, or one could not be made; the text says which, and how."""


class TokenInUse(WolkvoxError):
    """Another process is using the token, and did not finish in the time that we wait."""


class WarehouseError(WolkvoxError):
    """The destination cannot be opened or read."""


def short(value: object) -> str:
    """Return a value as a message may show it: what is long may be a token in the wrong place."""
    text = repr(value)
    return text if len(text) <= 16 else "a longer value"
