"""`objsearch sign`: hide a signature made from a password in an image."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from objsearch.apps.cli import options as shared
from objsearch.apps.cli.outputs import SIGNED, Output, check_outputs
from objsearch.apps.cli.password import PasswordFileOption


def sign(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="A photo, or a file of pages.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="FILE", help="Where the signed copy goes; its extension is the format."
        ),
    ],
    robust: Annotated[
        bool,
        typer.Option(
            "--robust", help="The kind that survives JPEG and halving, in place of the lowest bits."
        ),
    ] = False,
    lossy: Annotated[
        bool,
        typer.Option("--lossy", help="Write even where the format loses the signature."),
    ] = False,
    force: shared.ForceOption = False,
    quality: Annotated[
        int | None,
        typer.Option("--quality", min=1, max=100, help="Of JPEG, WebP and AVIF; makes WebP lossy."),
    ] = None,
    password_file: PasswordFileOption = None,
    config: shared.ConfigOption = None,
    assignments: shared.SetOption = None,
    as_json: shared.JsonOption = False,
) -> None:
    """Write a signed copy of an image, or of the page that IMAGE#page=N names.

    Exit code 0: written, 2: an error, and nothing written.
    """
    check_outputs([Output("--out", out, SIGNED)], [image, password_file, config], force=force)
    from objsearch.apps.cli.output import hint, print_json, print_line, warn
    from objsearch.apps.cli.password import asked_password
    from objsearch.apps.cli.waiting import waiting

    with waiting():  # and not while a password is asked for
        settings = shared.settings_of(None, config, None, None, assignments)
    section = settings.signing
    password = asked_password(password_file, section)
    is_former = force and not lossy and not out.exists()
    lossy = lossy or is_former
    with waiting():
        from objsearch.signing import SignOptions, sign_image

        limits = settings.input.reading.limits
        is_robust = robust or section.robust
        options = SignOptions(is_robust, lossy, force, quality, section.threshold, limits)
        made = sign_image(image, out, password, options)
    if is_former and made.percentage < section.threshold:
        hint("what allows a format to lose the signature is called --lossy now; --force replaces")
    warn(made.warnings)
    if as_json:
        print_json({"schema": "objsearch/sign/1", **made.as_data()}, indent=2)
        return
    pages = "1 page" if made.pages == 1 else f"{made.pages} pages"
    print_line(
        f"{made.path}: {made.kind} signature, {pages}, {made.percentage:.0f}% in the file, "
        f"{made.psnr_db:.1f} dB"
    )
    if made.halved_percentage is not None:
        typer.echo(f"after halving and JPEG 75: {made.halved_percentage:.0f}%")
