"""The CPU seconds of a load in a process that is warm: from the third to the last, their median; of
fewer loads the last.

python warm.py ours 7
python warm.py bare 7
"""

from __future__ import annotations

import statistics
import sys
import time


def main() -> None:
    if sys.argv[1] == "bare":
        import bare

        def load() -> None:
            bare.load("dicts")
    else:
        import wolkvox_billing.verbs.load as product

        def load() -> None:
            report = product.load(force=True)
            assert report.is_good, report

    took = []
    for _ in range(int(sys.argv[2])):
        began = time.process_time()
        load()
        took.append(time.process_time() - began)
    print(f"{statistics.median(took[2:] or took[-1:]):.2f}")


if __name__ == "__main__":
    main()
