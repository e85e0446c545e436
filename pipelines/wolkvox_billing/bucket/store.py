"""The store that the copies lie in, which is only ever listed: S3, Azure, Google, a folder.

What a store complains of names keys, addresses and credentials. Of that only the HTTP status and
the store's own code, such as 403 AccessDenied, come out of this module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from wolkvox_billing.bucket.settings import BucketSettings
from wolkvox_billing.errors import SettingsError, WolkvoxError
from wolkvox_billing.values.translation import N_, Sentence

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

OBJECTS_AT_ONCE = 20_000
# obstore's own: at SlowDown, other 5xx and broken connections it asks again.
MOST_RETRIES = 8
RETRY_TIMEOUT = timedelta(seconds=180)
FIRST_PAUSE = timedelta(milliseconds=200)
_ANSWER_WITHIN = "60s"
_CONNECT_WITHIN = "10s"


class Unlistable(WolkvoxError):
    """A look broke off; the text says what was expected, what came and what to do, and holds
    neither a name nor a secret."""


Value = TypeVar("Value")


def without_names(call: Callable[[], Value], say: Callable[[Exception], str]) -> Value:
    """Return what a call gives. Raises Unlistable with what is said of its error, which may hold
    names and addresses: behind the `except`, so that the error is no context of it."""
    try:
        return call()
    except Unlistable:
        raise
    except Exception as error:
        complaint = say(error)
    raise Unlistable(complaint)


class ListedObject(NamedTuple):
    """An object that is listed. Its name goes no further than `names`, and no `repr` shows it."""

    name: str
    uploaded_at: datetime
    size: int

    def __repr__(self) -> str:
        return f"an object of {self.size} bytes"


class Level(NamedTuple):
    """What lies directly in a folder: the names of its folders, whole, and its objects."""

    folders: Sequence[str]
    objects: Sequence[ListedObject]


class Store:
    """A bucket, container or folder that is listed. Names are as below the address."""

    def __init__(self, store: ObjectStore, scheme: str) -> None:
        self._store, self._scheme = store, scheme

    def list_all(self, folder: str, at_once: int = OBJECTS_AT_ONCE) -> Iterator[list[ListedObject]]:
        """Yield all objects below a folder, "" for the whole bucket. Raises Unlistable."""
        stream = iter(self._store.list(folder or None, chunk_size=at_once))
        while objects := self._ask(lambda: _listed(next(stream, ()))):
            yield objects
            objects = []  # or the next complaint's frame would hold names

    def list_level(self, folder: str) -> Level:
        """Return what lies directly in a folder. Raises Unlistable."""

        def list_it() -> Level:
            listed = self._store.list_with_delimiter(folder or None)
            return Level(listed["common_prefixes"], _listed(listed["objects"]))

        return self._ask(list_it)

    def read(self, name: str) -> bytes:
        """Return what is in an object: of an inventory, never of a copy. Raises Unlistable."""
        return self._ask(lambda: self._store.get(name).bytes().to_bytes())

    def _ask(self, call: Callable[[], Value]) -> Value:
        return without_names(call, lambda error: complaint_of(error, self._scheme))


def _listed(objects: Iterable[ObjectMeta]) -> list[ListedObject]:
    return [ListedObject(o["path"], o["last_modified"], o["size"]) for o in objects]


def open_store(settings: BucketSettings, url: str) -> Store:
    """Return the store at an address, by the settings' endpoint, region and credentials. Raises
    SettingsError where obstore is not installed, or cannot mean these."""
    if not find_spec("obstore"):
        raise SettingsError(
            "`wolkvox-billing bucket` needs one more package: pip install 'wolkvox-billing[bucket]'"
        )
    parts = urlsplit(url)
    if parts.scheme == "file":
        return _open_folder(Path(unquote(parts.path)))
    complaint, store = "", None
    try:
        store = _opened(settings, parts.netloc, unquote(parts.path).strip("/") or None)
    except Exception as error:  # obstore shows the values that it does not understand
        complaint = type(error).__name__
    if store is None:
        raise SettingsError(
            f"the store of [bucket] cannot be opened ({complaint}): check `url`, `endpoint`, "
            "`region` and `credentials`; none of them is shown"
        )
    return Store(store, parts.scheme)


def _open_folder(folder: Path) -> Store:
    from obstore.store import LocalStore

    if not folder.is_dir():
        raise SettingsError(
            "the folder of `url` under [bucket] is not there, or is no folder: expected one that "
            "this machine can read; is it mounted?"
        )
    return Store(LocalStore(folder), "file")


def _opened(settings: BucketSettings, place: str, prefix: str | None) -> ObjectStore:
    from obstore.store import AzureStore, GCSStore, S3Store

    options: dict[str, Any] = {  # typed by obstore for each store apart
        "prefix": prefix,
        "client_options": {
            "timeout": _ANSWER_WITHIN,
            "connect_timeout": _CONNECT_WITHIN,
            "allow_http": (settings.endpoint or "").startswith("http:"),
        },
        "retry_config": {
            "max_retries": MOST_RETRIES,
            "retry_timeout": RETRY_TIMEOUT,
            "backoff": {"init_backoff": FIRST_PAUSE},
        },
        **settings.credentials,
    }
    if settings.scheme == "gs":
        return GCSStore(place, **options)
    if settings.endpoint:
        options["endpoint"] = settings.endpoint
    if settings.scheme == "az":
        return AzureStore(place, **options)
    if settings.region:
        options["region"] = settings.region
    return S3Store(place, **options)


_REFUSED = N_(
    "expected credentials that may list it; check `credentials` under [bucket], and give them the "
    "right to list: docs/bucket.md has the policy"
)
_EXPIRED = N_("the credentials have expired: get new ones")
_ELSEWHERE = N_("the bucket is elsewhere: set `region` under [bucket]")
_ADVICE = {
    "ExpiredToken": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "InvalidAccessKeyId": N_(
        "the store does not know this key: check `credentials` under [bucket]"
    ),
    "SignatureDoesNotMatch": N_("the secret is not the key's: check `credentials` under [bucket]"),
    "RequestTimeTooSkewed": N_("this machine's clock is wrong: set it"),
    "NoSuchBucket": N_("the store has no such bucket: check `url` under [bucket]"),
    "PermanentRedirect": _ELSEWHERE,
    "AuthorizationHeaderMalformed": _ELSEWHERE,
}
_DENIED = N_("the store refused the listing ({came}): {advice}")
_ODD_NAME = N_(
    "an object has a name with an empty folder in it, one called `.` or `..`, or bytes that are no "
    "UTF-8, which cannot be listed: name the folders of the copies in `operations` under [bucket], "
    "so that others are left out, or use `inventory`"
)
_NOTHING = N_("the store has nothing at this address (404): check `url` under [bucket]")
_CUT = N_(
    "the store did not list all of it ({came}): expected each page; run it again later; it was "
    "tried several times"
)
_NO_FOLDER = N_("a folder could not be read: give this user the right to, and look at the mount")
_SILENT = N_(
    "the store did not answer, or stopped in the middle: check `endpoint` under [bucket] and the "
    "network, and run it again; it was tried several times"
)


def complaint_of(error: Exception, scheme: str) -> Sentence:
    """Return what a store says, in our words: of its own the HTTP status and the code alone."""
    text = str(error)
    code = re.search(r"<Code>(\w{1,40})</Code>", text)
    status = re.search(r"status(?: code)?:? (\d{3})", text)
    name = type(error).__name__
    came = " ".join(part[1] for part in (status, code) if part)
    if name == "InvalidPathError":
        return Sentence(_ODD_NAME)
    if code and code[1] in _ADVICE:
        return Sentence(_DENIED, came=came, advice=Sentence(_ADVICE[code[1]]))
    if name in ("PermissionDeniedError", "UnauthenticatedError") or (
        status and status[1] in ("401", "403")
    ):
        return Sentence(_DENIED, came=came or Sentence(N_("denied")), advice=Sentence(_REFUSED))
    if name in ("FileNotFoundError", "NotFoundError"):
        return Sentence(_NOTHING)
    if came:
        return Sentence(_CUT, came=came)
    return Sentence(_NO_FOLDER if scheme == "file" else _SILENT)
