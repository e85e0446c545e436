"""The copies that lie in the customer's own bucket, counted: what was received, beside what the
vendor counts and what it bills.

    settings ─▶ store ──┬─▶ listing, by folder of day where there is one ──┐
                        └─▶ inventory, by manifest ────────────────────────┴─▶ look
    look ─▶ names (day, kind; the name itself is kept nowhere) ─▶ storing ─▶ bucket_listings,
                                                                            bucket_objects

A name holds a phone number. It is read, hashed with a key and dropped: no table, file, message or
exception has it. Nothing is ever written to the bucket: the only calls are those that list.
"""
