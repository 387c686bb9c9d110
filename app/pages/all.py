"""Every page by its name. A page's module is loaded when the page is first gone to, so that the window appears at once."""

import importlib
from collections.abc import Callable

from app.pages.page import Page, Shell

_CLASSES = {
    "unlock": ("app.pages.unlock", "UnlockPage"),
    "home": ("app.pages.home", "HomePage"),
    "chat": ("app.pages.chat", "ChatPage"),
    "documents": ("app.pages.documents", "DocumentsPage"),
    "datasets": ("app.pages.datasets", "DatasetsPage"),
    "prompts": ("app.pages.prompts", "PromptsPage"),
    "playground": ("app.pages.playground", "PlaygroundPage"),
    "evals": ("app.pages.evaluations", "EvaluationsPage"),
    "evidence": ("app.pages.evidence", "EvidencePage"),
    "training": ("app.pages.training", "TrainingPage"),
    "models": ("app.pages.models", "ModelsPage"),
    "api": ("app.pages.local_api", "LocalApiPage"),
    "audit": ("app.pages.audit", "AuditPage"),
    "people": ("app.pages.people", "PeoplePage"),
    "retention": ("app.pages.retention", "RetentionPage"),
    "vault": ("app.pages.vault", "VaultPage"),
    "settings": ("app.pages.settings", "SettingsPage"),
    "installation": ("app.pages.installation", "InstallationPage"),
}


def _maker(module: str, name: str) -> Callable[[Shell], Page]:
    return lambda shell: getattr(importlib.import_module(module), name)(shell)


PAGES: dict[str, Callable[[Shell], Page]] = {page: _maker(*where) for page, where in _CLASSES.items()}
