"""``python -m genept_utils``; see :mod:`genept_utils.cli`."""

import sys

from genept_utils.cli import main

if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
