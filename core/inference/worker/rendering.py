"""The template worker: renders and checks prompts' templates without a model."""

from core.inference.records import Checked, CheckTemplate, Render, Rendered
from core.inference.worker import templates
from core.records import Record
from core.workers.serving import Call, Handler


def render(request: Render, call: Call) -> Rendered:
    """Raises `TemplateError`."""
    return Rendered(messages=templates.render_messages(request.messages, request.variables))


def check(request: CheckTemplate, call: Call) -> Checked:
    """Raises `TemplateError`."""
    found = templates.lines(request.source, request.text)
    return Checked(variables=tuple(sorted(found)), lines=tuple(found[name] for name in sorted(found)))


def handlers() -> dict[type[Record], Handler]:
    """What `core.workers.child` serves."""
    return {Render: render, CheckTemplate: check}
