"""The command `objsearch`: one module a subcommand, imported when it is called."""

from __future__ import annotations

import atexit
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from objsearch.apps.cli.waiting import stopwatch  # it starts here

STOPPED = 130
"""What shells call a program that Ctrl-C ended."""
LEFT_ALONE = 141
"""What shells call a program whose reader went away, as `head` does; 0 and 1 would be answers."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""A disk, or what a person may use of it, is full: exit code 1 would say that nothing was found."""
LINEAR_ALGEBRA = "OPENBLAS_NUM_THREADS"
"""How many threads numpy's products of matrices take, read when it is imported."""


def main() -> None:
    """Run the command line; what a person can mend is one sentence on stderr and exit code 2."""
    stopwatch.restart()
    _open_what_is_closed()
    # Photos are what is divided among threads (`run.workers`): more of them below each wait for one
    # another, on processors that the others want.
    os.environ.setdefault(LINEAR_ALGEBRA, "1")
    from objsearch.apps.cli.app import reader
    from objsearch.apps.cli.output import complain
    from objsearch.errors import ObjSearchError

    _show_any_name()
    with _quiet_where_nobody_reads():
        try:
            with _written_out():
                reader(sys.argv[1:])()
        except ObjSearchError as error:
            complain(str(error))
            sys.exit(2)
        except SystemExit as stop:
            if stop.code == STOPPED:  # typer has caught the KeyboardInterrupt, and says nothing
                complain("stopped; no file is left half written")
                _leave()
            raise
        except OSError as error:
            if error.errno not in _FULL:
                raise
            complain(f"cannot write {error.filename or 'to standard output'}: {error.strerror}")
            _drop(sys.stdout)
            sys.exit(2)


@contextmanager
def _quiet_where_nobody_reads() -> Iterator[None]:
    """`objsearch ... | head` closes its end when it has enough: that is no error.

    What prints catches it, too, and exits with 1, which would say that nothing was found.
    """
    try:
        yield
    except (BrokenPipeError, SystemExit) as stop:
        if not isinstance(stop, BrokenPipeError) and not isinstance(
            stop.__context__, BrokenPipeError
        ):
            raise
        for stream in (sys.stdout, sys.stderr):
            _drop(stream)
        sys.exit(LEFT_ALONE)


def _open_what_is_closed() -> None:
    """Standard streams that whoever called has closed lead nowhere, and hold nothing.

    Their numbers are taken: the next file to be opened would get them, and what libraries print.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _show_any_name() -> None:
    """A file name need not be UTF-8; it is shown with escapes, never a reason to stop."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def _written_out() -> Iterator[None]:
    """Write what is printed within to its end, here, where it can be told that this fails."""
    try:
        yield
    finally:
        sys.stdout.flush()


def _drop(stream: TextIO) -> None:
    """What could not be written is not tried again when the interpreter ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


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
