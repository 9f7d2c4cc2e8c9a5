"""`objsearch models`: which weights and components are there?"""

from __future__ import annotations

import typer

from objsearch.apps.cli import options as shared


def models(as_json: shared.JsonOption = False) -> None:
    """The weights in this installation, checked, and every detector, extractor, matcher, index."""
    from objsearch.apps.cli.output import print_json, warn
    from objsearch.components import weights
    from objsearch.components.registry import ROOMS, problems, usable

    entries = {name: dict(weights.card(name).facts) for name in sorted(weights.manifest())}
    components = {room: list(usable(room)) for room in ROOMS}
    warn(problems())
    if as_json:
        print_json(
            {"schema": "objsearch/models/1", "models": entries, "components": components}, indent=2
        )
        return
    for name, facts in entries.items():
        size = facts.get("bytes", 0) / 1e6
        typer.echo(f"{name:<24} {facts['kind']:<10} {size:5.1f} MB  {facts.get('licence', '')}")
    for room, known in components.items():
        typer.echo(f"{room:<10} {', '.join(known)}")
