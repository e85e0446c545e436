"""How fast `wolkvox-billing invoices` is: a folder of mails' documents, each of five lines.

    python benchmarks/invoices.py [documents ...]

Each count is read by a process of its own into an empty DuckDB file; its peak memory is the
system's word. Memory must not grow with the count.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import plain
from findings import note

from builders.documents import attached, declared, line, ubl

LINES = 5
MOST, LONGEST = 10_000, 60  # documents, and the seconds that they may take


def write(folder: Path, documents: int) -> None:
    """Write AttachedDocuments, as DIAN's mails hold them, with what real ones carry along."""
    signature = "".join(f"<ext:Part>{'c2lnbmF0dXJl' * 8}</ext:Part>" for _ in range(60))
    before = (
        f"<ext:UBLExtensions><ext:UBLExtension>{signature}</ext:UBLExtension></ext:UBLExtensions>"
    )
    lines = [line("100", "12500.00", number=str(n), tax="2375.00") for n in range(1, LINES + 1)]
    for n in range(documents):
        text = ubl(
            *lines,
            number=f"F-{n}",
            notes=["Servicios de octubre 2026"],
            before=before,
            net="62500.00",
            tax="11875.00",
            payable="74375.00",
        )
        (folder / f"{n:06}.xml").write_bytes(declared(attached(text)))


def measure(documents: int) -> tuple[float, float, float]:
    """Return wall seconds, CPU seconds and peak MB of one run."""
    home = Path(tempfile.mkdtemp(prefix="bench-invoices-"))
    try:
        inbox = home / "inbox"
        inbox.mkdir()
        write(inbox, documents)
        command = [plain.own("wolkvox-billing"), "invoices", "inbox"]
        environment = os.environ | {"HOME": str(home), "DLT_DATA_DIR": str(home / "dlt")}
        began = time.perf_counter()
        with (home / "output").open("w") as output:
            process = subprocess.Popen(command, cwd=home, env=environment, stdout=output)
            _, status, used = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        lines = (home / "output").read_text().splitlines()
        if status or f"{documents} loaded" not in lines:
            raise SystemExit("\n".join(lines[-20:]))
        return took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    finally:
        shutil.rmtree(home)


def main() -> None:
    counts = [int(word) for word in sys.argv[1:]] or [1_000, MOST]
    print(f"{'documents':>9} {'wall s':>7} {'CPU s':>7} {'documents/s':>11} {'peak MB':>8}")
    for count in counts:
        took, cpu, peak = measure(count)
        print(f"{count:>9,} {took:>7.1f} {cpu:>7.1f} {count / took:>11,.0f} {peak:>8.0f}")
        if count == MOST:
            note(f"{count:,} invoices of five lines", f"{LONGEST} s",
                 f"{took:.1f} s, {peak:.0f} MB", took < LONGEST)  # fmt: skip


if __name__ == "__main__":
    main()
