"""Starts the program from a checkout: `main.py` is the same as the installed `streamstgs`."""

import sys

from streamstgs.cli.command_line import main

if __name__ == "__main__":
    sys.exit(main())
