"""As `hanging`, for old GGML files."""

from tests.unit.workers.children.hanging import legacy_handlers as handlers

__all__ = ["handlers"]
