"""The settings under `[bucket]`: where the copies lie, and how their names are read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from wolkvox_billing.bucket.names import EXTENSIONS, PUBLIC_PATTERN, read_pattern
from wolkvox_billing.errors import SettingsError, short
from wolkvox_billing.vendor.operations import read_zone
from wolkvox_billing.warehouse.configuration import read_secret_section, read_section
from wolkvox_billing.warehouse.known_settings import BUCKET

SCHEMES = ("s3", "az", "gs", "file")
BUCKET_HINTS: Mapping[str, type] = {
    "url": str,
    "endpoint": str,
    "region": str,
    "operations": dict,
    "pattern": str,
    "extensions": list,
    "inventory": str,
    "timezone": str,
}
# dlt's names of credentials, and obstore's.
CREDENTIALS = {
    "s3": {
        "aws_access_key_id": "access_key_id",
        "aws_secret_access_key": "secret_access_key",
        "aws_session_token": "session_token",
    },
    "az": {
        "azure_storage_account_name": "account_name",
        "azure_storage_account_key": "account_key",
        "azure_storage_sas_token": "sas_key",
        "azure_client_id": "client_id",
        "azure_client_secret": "client_secret",
        "azure_tenant_id": "tenant_id",
    },
    "gs": {
        "service_account_key": "service_account_key",
        "application_credentials": "application_credentials",
    },
    "file": dict[str, str](),
}


@dataclass(frozen=True)
class BucketSettings:
    """Where the copies lie, checked; no `repr` shows the secrets. `operations` are globs of folders
    and whose they are."""

    url: str
    operations: Mapping[str, str]
    zones: Mapping[str, ZoneInfo]
    default_zone: ZoneInfo
    pattern: re.Pattern[str]
    extensions: Sequence[str] = EXTENSIONS
    endpoint: str | None = None
    region: str | None = None
    inventory: str | None = None
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    hash_key: str | None = field(default=None, repr=False)

    @property
    def scheme(self) -> str:
        return urlsplit(self.url).scheme

    def zone_of(self, operation_id: str) -> ZoneInfo:
        return self.zones.get(operation_id, self.default_zone)

    def fingerprint(self, key: bytes) -> str:
        """Return a hash, with the secret key, of all that a copy is found and known again by: by
        another one the same copies are others. No way leads from it to the key."""
        owners = [
            (glob, owner, str(self.zone_of(owner))) for glob, owner in self.operations.items()
        ]
        place = (self.url, self.endpoint, self.inventory)
        text = repr((place, owners, self.pattern.pattern, tuple(self.extensions)))
        return hashlib.blake2b(text.encode(), key=key, digest_size=16).hexdigest()


def read_bucket_settings(zones: Mapping[str, ZoneInfo]) -> BucketSettings:
    """Return the settings. zones: those of the vendor's operations, by their ids. Raises
    SettingsError, which never shows a secret, and what dlt raises."""
    values = read_section(BUCKET, BUCKET_HINTS)
    url = _read_url("url", values.get("url"))
    pattern = str(values.get("pattern", PUBLIC_PATTERN))
    try:
        compiled = read_pattern(pattern)
    except ValueError as error:
        raise _wrong(
            "pattern", str(error), "a regular expression with the group `day`, and `call`"
        ) from None
    inventory = _read_inventory(values.get("inventory"), url)
    zone = read_zone(values["timezone"]) if "timezone" in values else None
    operations = _read_owners(values.get("operations"), zones)
    names = CREDENTIALS[urlsplit(url).scheme]
    secrets = read_secret_section(BUCKET, ("hash_key", *(f"credentials.{ours}" for ours in names)))
    return BucketSettings(
        url=url,
        operations=operations,
        zones=dict.fromkeys(operations.values(), zone) if zone else zones,
        default_zone=zone or next(iter(zones.values()), read_zone("America/Bogota")),
        pattern=compiled,
        extensions=_read_extensions(values.get("extensions")),
        endpoint=_read_endpoint(values.get("endpoint")),
        region=str(values["region"]) if "region" in values else None,
        inventory=inventory,
        credentials={
            theirs: secrets[f"credentials.{ours}"]
            for ours, theirs in names.items()
            if f"credentials.{ours}" in secrets
        },
        hash_key=secrets.get("hash_key"),
    )


def check_bucket_settings(zones: Mapping[str, ZoneInfo]) -> None:
    """Raise SettingsError for a setting under [bucket] that cannot be meant, where any is set."""
    if read_section(BUCKET, BUCKET_HINTS):
        read_bucket_settings(zones)


def _wrong(name: str, came: str, expected: str) -> SettingsError:
    return SettingsError(f"the setting `{name}` under [bucket] is {came}: expected {expected}")


def _read_url(name: str, value: object) -> str:
    form = "an address such as s3://bucket/folder, az://container, gs://bucket or file:///folder"
    if not value:
        raise SettingsError(
            f"no `{name}` is set under [bucket]: set {form}, where the copies lie; docs/bucket.md "
            "has an example"
        )
    parts = urlsplit(str(value))
    _refuse_secrets(name, str(value), form)
    has_place = parts.path if parts.scheme == "file" else parts.netloc
    if parts.scheme not in SCHEMES or not has_place:
        raise _wrong(name, short(value), form)
    return str(value).rstrip("/")


def _refuse_secrets(name: str, address: str, form: str) -> None:
    """Raise SettingsError for an address with a name, password or query, such as that of a SAS: it
    is no secret, so it may be shown. A folder may have any character."""
    parts = urlsplit(address)
    is_place = parts.netloc or parts.scheme == "file"
    if "@" in (parts.netloc if is_place else address) or parts.query:
        came = "one with a name, password or query, which is not shown"
        raise _wrong(name, came, f"{form}, and secrets in `credentials`")


def _read_inventory(value: object, url: str) -> str | None:
    if not value:
        return None
    inventory = _read_url("inventory", value)
    if not (inventory.startswith("s3:") and url.startswith("s3:")):
        raise _wrong("inventory", short(value), "one on S3, as `url` is: other stores write none")
    return inventory


def _read_endpoint(value: object) -> str | None:
    if not value:
        return None
    parts, form = urlsplit(str(value)), "an address such as https://minio.example:9000"
    _refuse_secrets("endpoint", str(value), form)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise _wrong("endpoint", short(value), form)
    return str(value).rstrip("/")


def _read_extensions(value: object) -> tuple[str, ...]:
    extensions = tuple(
        str(each).lower().lstrip(".") for each in (value if isinstance(value, list) else EXTENSIONS)
    )
    if not all(extensions):
        raise _wrong("extensions", "a list with a blank in it", 'such as ["mp3", "gsm"]')
    return extensions


def _read_owners(value: object, zones: Mapping[str, ZoneInfo]) -> dict[str, str]:
    """Return globs of folders → operation_id; all of the bucket is the only operation's."""
    if not value:
        if len(zones) == 1:
            return {"*": next(iter(zones))}
        raise SettingsError(
            "no `operations` are set under [bucket], and there is not one operation alone: say "
            'whose each folder is, such as operations = {"acme/*" = "acme", "beta/*" = "beta"}'
        )
    assert isinstance(value, dict)  # as it was read
    owners = {str(glob): str(owner) for glob, owner in value.items()}
    if not all(owners.values()):
        raise _wrong("operations", "one with a blank operation", "a folder's glob and its owner")
    return owners
