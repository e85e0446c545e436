"""Who signs a record that a person makes, and the words that go into it."""

from __future__ import annotations

import getpass

from wolkvox_billing.errors import SettingsError
from wolkvox_billing.invoices.document import storable
from wolkvox_billing.values.translation import N_, Sentence


def signer(by: str | None, what: str = "closes") -> str:
    """Return who signs: the user's login name where nobody is named. Raises SettingsError."""
    try:
        return signed_words(by) or getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container whose user has no name
        text = N_("this user has no login name: say with --by who {what}")
        raise SettingsError(Sentence(text, what=what)) from None


def signed_words(text: str | None) -> str | None:
    """Return a text of that person's as a database takes it; None where it says nothing."""
    return storable((text or "").strip()) or None
