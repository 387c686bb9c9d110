"""The role matrix as the vault keeps it, readable: each act in one sentence, and who may do it."""

from PySide6.QtWidgets import QFrame

from app.theme.look import look
from app.widgets.basic import column, label, line, row
from app.widgets.table import Cell, Column, Table
from core.vault.matrix import WHO
from core.vault.roles import ALLOWED, SAYS, Act, Role

WORDS = {Role.ADMIN: "Administrator", Role.AUTHOR: "Author", Role.REVIEWER: "Reviewer", Role.AUDITOR: "Auditor"}
NOT_ASKED = frozenset({Act.SIGN_IN_FAILED, Act.REFUSAL})
"""What the vault logs by itself: nobody does it."""


def act_words(act: str) -> str:
    """An act as a few words."""
    return act.replace("-", " ").capitalize()


def _may(role: Role):
    def show(act: Act) -> Cell:
        may = role in ALLOWED[act]
        says = f"{WORDS[role]}: {'may' if may else 'may not'}"
        return (
            Cell("Yes", "check", icon_tone="pass.fg", spoken=says)
            if may
            else Cell("–", tone="text.tertiary", spoken=says)
        )

    return show


class RoleMatrix(QFrame):
    """What each role is, then every act with who may do it."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "panel")
        self.setAccessibleName("Roles")
        head = column(space=4, margins=(24, 16, 24, 14))
        for role in Role:
            name = label(WORDS[role], strong=True)
            name.setFixedWidth(look().px(110))
            pair = row(name, space=8)
            pair.addWidget(label(f"{WHO[role][0].upper()}{WHO[role][1:]}.", tone="secondary", wrap=True), 1)
            head.addLayout(pair)
        head.addSpacing(look().px(4))
        head.addWidget(
            label(
                "A person may do what any of their roles allows. Nobody reviews or approves what they wrote, whatever their roles.",
                tone="secondary",
                wrap=True,
            )
        )
        self.table = Table(
            (
                Column(
                    "Act", lambda act: Cell(act_words(act), strong=True, spoken=f"{act_words(act)}: {SAYS[act]}"), 170
                ),
                Column("What it is", lambda act: Cell(SAYS[act], tone="text.secondary"), spare=1),
                *(Column(WORDS[role], _may(role), 104) for role in Role),
            ),
            "Who may do what",
            height=32,
        )
        self.table.show_rows([act for act in Act if act not in NOT_ASKED])
        layout = column(space=0)
        layout.addLayout(head)
        layout.addWidget(line())
        layout.addWidget(self.table, 1)
        self.setLayout(layout)
