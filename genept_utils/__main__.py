"""``python -m genept_utils``; see :mod:`genept_utils.cli`."""

import sys

from genept_utils.cli import main

if __name__ == "__main__":
    sys.exit(main())
