"""Starts the player of a PyInstaller bundle."""

import multiprocessing
import sys

if __name__ == "__main__":
    multiprocessing.freeze_support()
    # The display probe and the compiler of loops start `sys.executable -c CODE`; here that is this
    # program, not Python.
    if sys.argv[1:2] == ["-c"] and len(sys.argv) == 3:
        exec(sys.argv[2])
        sys.exit(0)
    from streamstgs.cli.command_line import main

    sys.exit(main())
