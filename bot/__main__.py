"""`python -m bot VERB`: hands the arguments and the catalog to the command line. The only place that imports
`commands`.
"""

from __future__ import annotations

import sys

from bot.cli.main import main
from commands import CATALOG

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], CATALOG))
