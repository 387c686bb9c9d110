"""What is asked of the scoring worker and the worker of plugins, and what they answer."""

from typing import Any

import msgspec

from core.records import Record


class Measure(Record, frozen=True, kw_only=True, tag="measure"):
    """Measure a text with `measure` (`bleu`, `chrf`, `rouge1`, `rouge2`, `rougeL`, `regex`, `json_schema`)."""

    measure: str
    text: str
    references: tuple[str, ...] = ()
    settings: dict[str, Any] = msgspec.field(default_factory=dict)


class Measured(Record, frozen=True, kw_only=True, tag="measured"):
    """`reason` says more, where there is more to say."""

    value: float
    reason: str = ""


class AskPlugin(Record, frozen=True, kw_only=True, tag="ask-plugin"):
    """Score with a plugin: `name` is its entry point. The sample and the answer are plain JSON values."""

    name: str
    sample: dict[str, Any]
    answer: dict[str, Any]
    settings: dict[str, Any]


class PluginScore(Record, frozen=True, kw_only=True, tag="plugin-score"):
    value: float
    passed: bool
    reason: str = ""


class Plug(Record, frozen=True, kw_only=True, tag="plug"):
    """Load this plugin's function. `folder` is where its distribution lies."""

    name: str
    target: str
    folder: str


class Plugged(Record, frozen=True, kw_only=True, tag="plugged"):
    """It is loaded."""
