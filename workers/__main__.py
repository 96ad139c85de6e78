"""The entry point: `<venv>/bin/python -I -u -m workers --environment NAME --endpoint ADDRESS ...`."""

from __future__ import annotations

import logging
import os
import sys

from workers.daemon import run
from workers.options import parse

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    code = run(parse(sys.argv[1:]))
    logging.shutdown()
    sys.stdout.flush()
    # Not sys.exit: model libraries leave threads that crash when they end, and the IO thread never ends.
    os._exit(code)
