"""The command `objsearch`: one module a subcommand, imported when it is called."""

from __future__ import annotations

import atexit
import os
import sys

from objsearch.apps.cli.waiting import stopwatch  # it starts here

STOPPED = 130
"""What shells call a program that Ctrl-C ended."""
LINEAR_ALGEBRA = "OPENBLAS_NUM_THREADS"
"""How many threads numpy's products of matrices take, read when it is imported."""


def main() -> None:
    """Run the command line; what a person can mend is one sentence on stderr and exit code 2."""
    stopwatch.restart()
    # Photos are what is divided among threads (`run.workers`): more of them below each wait for one
    # another, on processors that the others want.
    os.environ.setdefault(LINEAR_ALGEBRA, "1")
    from objsearch.apps.cli.app import app
    from objsearch.apps.cli.output import complain
    from objsearch.errors import ObjSearchError

    for stream in (sys.stdout, sys.stderr):
        # A file name need not be UTF-8; it is shown with escapes, never a reason to stop.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except ObjSearchError as error:
        complain(str(error))
        sys.exit(2)
    except SystemExit as stop:
        if stop.code == STOPPED:  # typer has caught the KeyboardInterrupt, and says nothing
            complain("stopped; no file is left half written")
            _leave()
        raise
    except BrokenPipeError:
        sys.stderr.close()  # `objsearch ... | head` closed its end: that is no error
        sys.exit(0)


def _leave() -> None:
    """End now where threads are in the middle of a picture: the interpreter would wait for them.

    They only read and compute. What is written is written whole or not at all, by the main thread.
    """
    from objsearch.flow import is_busy

    if not is_busy():
        return
    atexit._run_exitfuncs()  # reader processes and temporary files go, threads are not waited for
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(STOPPED)
