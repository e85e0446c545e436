"""A stand-in for the vendor's billing API, on a real socket, for tests and demos.

It answers ``GET /api/v2/billing.php?api=REPORT`` with the header ``wolkvox-token`` as the vendor
does, over a clock that moves only when somebody moves it, and misbehaves on demand. In a test::

    from fake_wolkvox import Operation, Vendor

    with Vendor(now=datetime(2026, 10, 5, 15, tzinfo=timezone.utc),
                operations=[Operation("Ventas", "0010", "t0ken")]) as vendor:
        fetch(vendor.url)                                          # the built-in counters
        vendor.answer("t0ken", "rsync_s3_mp3", [{"items": "7"}])   # these rows from now on
        vendor.misbehave("server_error", times=2)                  # the next two calls fail
        vendor.now += timedelta(days=1)
        assert vendor.violations == 0 and vendor.calls[-1].status == 200
        vendor.invoice("t0ken", "2026-10", extra=450)              # its mail's zip, 450 too many
        vendor.invoice("t0ken", "2026-10", extra=450, credited=450)  # the note that gives them back

From a shell, ``python -m fake_wolkvox --help``; there the same controls are plain HTTP::

    POST /_fake/clock      {"now": "2026-10-02T05:00:00+00:00"}
    POST /_fake/answer     {"token": T, "report": R, "rows": [...]}
                           or "body_base64" for a whole body, or neither: the built-in counters
    POST /_fake/misbehave  {"name": N, "token": T, "report": R, "times": 2}
                           only the name is needed
    POST /_fake/behave
    POST /_fake/invoice    {"token": T, "month": "2026-10", "extra": 450, "unit_price": "100",
                           "reports": [R], "credited": 450}; only token and month are needed, and
                           with "credited" it is the credit note to that invoice; answered by
                           {"now": ..., "file_name": "...zip", "zip_base64": "..."}
    POST /_fake/copy       {"token": T, "month": "2026-10", "folder": F, "failed": [15],
                           "kept_back": 80}: the recordings that its nights copy into a folder;
                           nights that failed are made good the night after, and so many are
                           counted and not copied; answered by {"now": ..., "copied": 13616}
    GET  /_fake/calls      {"now": ..., "calls": [...], "violations": 0}
    GET  /_fake/misbehaviours

Without operations of one's own there are two, ``DEFAULT_OPERATIONS``: "Ventas  Norte" (server
0010, its token 32 times ``a1``) and "Atención Sur" (server 0024, 32 times ``b2``). The tokens are
secrets of nobody.

An invoice comes as in Colombia: a zip with an AttachedDocument (UBL 2.1), which holds the invoice,
and a PDF. It bills a month to its last second by the built-in counters, issued on the 3rd of the
next one; both companies on it are fictitious, and nothing is signed.
"""

from .misbehaviour import MISBEHAVIOURS
from .traffic import Call
from .vendor import Vendor
from .world import COUNTERS, DEFAULT_OPERATIONS, GAUGES, REPORTS, Operation

__all__ = [
    "COUNTERS",
    "DEFAULT_OPERATIONS",
    "GAUGES",
    "MISBEHAVIOURS",
    "REPORTS",
    "Call",
    "Operation",
    "Vendor",
]
