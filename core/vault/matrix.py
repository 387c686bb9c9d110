"""The role matrix as a page of the documentation: `python -m core.vault.matrix` writes resources/help/roles.md.

The page is made from `roles` and from nothing else; a test fails when the file lags behind.
"""

from core.paths import RESOURCES
from core.vault.roles import ALLOWED, SAYS, Act, Role

PAGE = RESOURCES / "help" / "roles.md"
WHO = {
    Role.ADMIN: "runs the installation and its people, and has no say in content",
    Role.AUTHOR: "brings in documents, writes prompts and specs, runs evaluations",
    Role.REVIEWER: "reads changes with their evidence, and signs or refuses them",
    Role.AUDITOR: "reads everything, changes nothing, takes packs",
}
_INTRODUCTION = """# Roles

Each person has one or more roles; they may do what any of them allows. The roles stand on the person's card, which an administrator
countersigned. The vault asks at every change, whether it comes from the window or the command line; what is refused changes nothing.
This page is made from the program's own table.

Roles are not all: nobody reviews or approves what they wrote or signed as its author, whatever their roles and however many cards they
have had. How many people must have signed before a label may move is a matter of the vault's policy (`assay vault policy`).
"""


def markdown() -> str:
    """The page: what the roles are, then each act with who may do it."""
    lines = [_INTRODUCTION, "| role | what this person does |", "|---|---|"]
    lines += [f"| {role} | {WHO[role]} |" for role in Role]
    lines += ["", f"| act | {' | '.join(Role)} | what it is |", "|---|" + ":-:|" * len(Role) + "---|"]
    for act in Act:
        marks = " | ".join("yes" if role in ALLOWED[act] else "–" for role in Role)
        lines.append(f"| {act} | {marks} | {SAYS[act]} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(markdown(), "utf-8")
