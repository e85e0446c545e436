"""`python -m fake_wolkvox`: the stand-in vendor for another process, until SIGTERM or Ctrl-C."""

import argparse
import signal
from datetime import datetime

from . import __doc__ as manual
from .vendor import Vendor
from .world import DEFAULT_OPERATIONS, Operation


def moment(text: str) -> datetime:
    value = datetime.fromisoformat(text.replace("Z", "+00:00"))  # Python 3.10 does not read the Z
    if value.tzinfo is None:
        raise argparse.ArgumentTypeError("a time needs its zone, as in 2026-10-01T05:00:00+00:00")
    return value


def operation(text: str) -> Operation:
    parts = text.rsplit(":", 2)  # from the right, for a name may hold a colon
    if len(parts) != 3 or not all(parts):
        raise argparse.ArgumentTypeError("an operation is NAME:SERVER:TOKEN")
    name, server, token = parts
    return Operation(name, server, token)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m fake_wolkvox",
        description=manual,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--now", type=moment, default="2026-10-01T05:00:00+00:00", help="the clock")
    parser.add_argument("--zone", default="America/Bogota", help="the vendor's time zone")
    parser.add_argument(
        "--operation",
        type=operation,
        action="append",
        metavar="NAME:SERVER:TOKEN",
        help="may be repeated; default: the two above",
    )
    options = parser.parse_args()

    # Blocked before any thread starts, so that the signal waits until it is waited for.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    vendor = Vendor(
        now=options.now,
        operations=options.operation or DEFAULT_OPERATIONS,
        zone=options.zone,
        port=options.port,
    )
    try:
        vendor.start()
    except OSError as problem:
        parser.error(f"cannot listen on port {options.port}: {problem}")
    print(f"wolkvox stand-in listening on {vendor.url}", flush=True)
    signal.sigwait(ends)
    vendor.close()


main()
