"""The tables of the bucket: what a look at it found. No column can hold a name."""

from __future__ import annotations

from wolkvox_billing.warehouse.columns import AMOUNT, COUNT, DATE, FLAG, TEXT, TIME, Table

LISTINGS, OBJECTS = "bucket_listings", "bucket_objects"
# What a look says of an object; the first two are the key.
LISTED_COLUMNS = ("operation_id", "object_hash", "name_hash", "call_date", "uploaded_at",
                  "upload_date", "bytes", "kind", "audio_seconds")  # fmt: skip
BUCKET_TABLES = {
    LISTINGS: Table(
        "One row per look at the bucket, be it that it broke off",
        ("listing_id",),
        {
            "listing_id": (TEXT, "The look: when it began, and what tells two apart"),
            "started_at": (TIME, "When it began (UTC)"),
            "finished_at": (TIME, "When it ended (UTC)"),
            "how": (TEXT, "list, or inventory: by a manifest that the store wrote"),
            "seen_at": (TIME, "As of when it speaks: of an inventory, when that was made (UTC)"),
            "is_full": (FLAG, "Whether it went through all of it, and not the last days alone"),
            "objects": (COUNT, "Objects of operations that were listed, audios or not"),
            "bytes": (COUNT, "What these take"),
            "skipped": (COUNT, "Objects that are no operation's, by the setting `operations`"),
            "seconds": (AMOUNT, "How long it took"),
            "is_complete": (FLAG, "Whether it came to its end; else nothing of it is stored"),
            "reason": (TEXT, "Why it broke off; NULL where it did not"),
            "has_day_folders": (FLAG, "Whether each day has a folder, by the last whole look"),
            "settings_hash": (
                TEXT,
                "A hash with the secret key of what copies are known by: by another one all is "
                "listed anew",
            ),
            "skipped_copies": (COUNT, "Of the skipped ones those that are named like copies"),
        },
    ),
    OBJECTS: Table(
        "One row per object of an operation that a look has listed; its name is nowhere",
        ("operation_id", "object_hash"),
        {
            "operation_id": (TEXT, "The operation, by the folder"),
            "object_hash": (TEXT, "A hash of name and size with a secret key: no way leads back"),
            "name_hash": (TEXT, "The same of the name alone: what overwrites another has its own"),
            "call_date": (DATE, "The call's day, by the name; NULL where the name says none"),
            "uploaded_at": (TIME, "When it was first copied there (UTC)"),
            "upload_date": (DATE, "The day of that in the vendor's time zone"),
            "bytes": (COUNT, "Its size"),
            "kind": (TEXT, "audio, chat or other"),
            "audio_seconds": (AMOUNT, "How long it lasts, by the size of a GSM; else NULL"),
            "first_seen_at": (TIME, "The first look that listed it (UTC)"),
            "last_seen_at": (TIME, "The last look that listed it (UTC)"),
            "is_gone": (FLAG, "Whether a later whole look did not: deleted, expired, overwritten"),
            "last_upload_date": (DATE, "The day of the last copy of it, in the vendor's time zone"),
        },
    ),
}
