"""Entry: `python -I -m workers.engines.common.preview JOB_FOLDER`; `cpw preview` runs it."""

from __future__ import annotations

import sys

from workers.engines.common.preview.page import main

if __name__ == "__main__":
    sys.exit(main())
