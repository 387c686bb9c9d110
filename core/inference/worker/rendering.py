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
    return Checked(variables=templates.check(request.source, request.text))


def handlers() -> dict[type[Record], Handler]:
    """What `core.workers.child` serves."""
    return {Render: render, CheckTemplate: check}
