"""Where one can go in the window, and the keys that the keyboard help shows."""

from app.widgets.rail import Place

GROUPS: tuple[tuple[str, tuple[Place, ...]], ...] = (
    ("", (Place("home", "Home", "home", "Ctrl+1"),)),
    ("Work", (Place("chat", "Chat", "chat", "Ctrl+2"), Place("documents", "Documents", "documents", "Ctrl+3"))),
    (
        "Build",
        (
            Place("prompts", "Prompts", "prompts", "Ctrl+4"),
            Place("playground", "Playground", "columns"),
            Place("datasets", "Datasets", "datasets", "Ctrl+5"),
            Place("evals", "Evaluations", "evaluations", "Ctrl+6"),
            Place("training", "Fine-tuning", "training"),
            Place("models", "Models", "models", "Ctrl+7"),
            Place("api", "Local API", "pipelines"),
        ),
    ),
    (
        "Prove",
        (
            Place("evidence", "Evidence", "stamp", "Ctrl+8"),
            Place("audit", "Audit log", "log", "Ctrl+9"),
            Place("people", "People", "people"),
            Place("retention", "Retention", "history"),
        ),
    ),
)
VAULT = Place("vault", "Vault", "safe")
SETTINGS = Place("settings", "Settings", "settings", "Ctrl+,")
LOCK = Place("lock", "Lock vault", "lock", "Ctrl+L")
KEYS = (
    (
        "Everywhere",
        (
            ("Ctrl K", "Go to anything"),
            ("Ctrl 1–9", "Go to a section"),
            ("F6", "Next pane"),
            ("Ctrl B", "Fold the rail"),
            ("Ctrl J", "Fold the side panel"),
            ("Ctrl ,", "Settings"),
            ("Ctrl L", "Lock the vault"),
            ("F1", "This help"),
        ),
    ),
    (
        "Chat and documents",
        (
            ("Enter", "Ask"),
            ("Shift Enter", "New line"),
            ("↑ ↓", "Passage before, next passage"),
            ("Page ↑ ↓", "Page before, next page"),
            ("Esc", "Stop the answer"),
        ),
    ),
    (
        "Evaluations",
        (
            ("Arrows", "Move"),
            ("Enter", "Open sample"),
            ("F", "Next failure"),
            ("D", "Next difference"),
        ),
    ),
)
