"""`python -m streamstgs` is the command `streamstgs`."""

import sys

from streamstgs.cli.command_line import main

if __name__ == "__main__":
    sys.exit(main())
