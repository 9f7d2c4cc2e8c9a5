"""A YAML file -> validated values -> components: what can be set, and mistakes in words."""

from objsearch.screening.options import Screening, ScreeningAction
from objsearch.settings.base import Part
from objsearch.settings.input import Input
from objsearch.settings.loading import dump_yaml, load_settings, preset_names, presets_dir
from objsearch.settings.root import DEFAULT_MATCHERS, Assignment, Channel, Run, Settings
from objsearch.settings.schema import json_schema
from objsearch.settings.search import FoundVerdict, Search, SearchOptions, SecondLook, Where
from objsearch.settings.tasks import (
    KEEP_RULES,
    Duplicates,
    KeepRule,
    Larger,
    SignatureKind,
    Signing,
)

__all__ = [
    "DEFAULT_MATCHERS",
    "KEEP_RULES",
    "Assignment",
    "Channel",
    "Duplicates",
    "FoundVerdict",
    "Input",
    "KeepRule",
    "Larger",
    "Part",
    "Run",
    "Screening",
    "ScreeningAction",
    "Search",
    "SearchOptions",
    "SecondLook",
    "Settings",
    "SignatureKind",
    "Signing",
    "Where",
    "dump_yaml",
    "json_schema",
    "load_settings",
    "preset_names",
    "presets_dir",
]
