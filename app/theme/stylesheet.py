"""The one style sheet of the window, generated from the tokens for a theme and a scale.

It holds borders, radii, paddings, headers, scroll bars and focus; surfaces and texts that a palette can carry are in the palette. Widgets
ask for a variant by dynamic properties: `type`, `tone` and `strong` on labels, `kind` and `small` on buttons, `surface` on frames. There is
no `::item` rule on any view, because that would fight the delegates, and no `color` on an input without its placeholder's.
"""

from string import Template

from app.theme.tokens import css, raw_colour, tokens

_SHEET = Template(
    """
* { font-family: "$sans"; font-size: ${f_body}px; outline: 0; }
QToolTip { background: $raised; color: $text; border: 1px solid $border; padding: ${p4}px ${p8}px; font-size: ${f_small}px; }
QMainWindow, QDialog, QStackedWidget#pages { background: $window; }

QFrame[surface="window"], QWidget[surface="window"] { background: $window; }
QFrame[surface="panel"], QWidget[surface="panel"] { background: $panel; }
QFrame[surface="rail"], QWidget[surface="rail"] { background: $rail; }
QFrame[surface="sunken"], QWidget[surface="sunken"] { background: $sunken; }
QFrame[surface="desk"], QWidget[surface="desk"] { background: $desk; }
QFrame[surface="card"] { background: $panel; border: 1px solid $subtle; border-radius: ${r_card}px; }
QFrame[surface="well"] { background: $sunken; border: 1px solid $border; border-radius: ${r_control}px; }
QFrame[surface="bubble"] { background: $sunken; border: 1px solid $bubble; border-radius: ${r_card}px; }
QFrame[surface="raised"] { background: $raised; border: 1px solid $border; border-radius: ${r_card}px; }
QFrame[surface="dialog"] { background: $raised; border: 1px solid $strong; border-radius: ${r_dialog}px; }
QFrame[surface="selected"] { background: $selected; }
QFrame[surface="failed"] { background: $fail_tint; border: 0; border-bottom: 1px solid $fail_line; }
QFrame[surface="warned"] { background: $warn_tint; border: 1px solid $warn_line; border-radius: ${r_control}px; }
QFrame[surface="cautioned"] { background: $warn_tint; border: 0; border-bottom: 1px solid $warn_line; }
QFrame[surface="composer"] { background: $panel; border: 1px solid $strong; border-radius: ${r_card}px; }
QFrame[line="horizontal"] { background: $subtle; max-height: 1px; min-height: 1px; border: 0; }
QFrame[line="vertical"] { background: $subtle; max-width: 1px; min-width: 1px; border: 0; }

QLabel { background: transparent; color: $text; }
QLabel[tone="secondary"] { color: $secondary; }
QLabel[tone="tertiary"] { color: $tertiary; }
QLabel[tone="link"] { color: $link; }
QLabel[tone="pass"] { color: $pass; }
QLabel[tone="fail"] { color: $fail; }
QLabel[tone="warn"] { color: $warn; }
QLabel[tone="signed"] { color: $signed; }
QLabel[tone="unverified"] { color: $unverified; }
QLabel[type="key"] { font-size: ${f_key}px; }
QLabel[type="small"] { font-size: ${f_small}px; }
QLabel[type="question"] { font-size: ${f_question}px; }
QLabel[type="answer"] { font-size: ${f_answer}px; }
QLabel[type="heading"] { font-size: ${f_heading}px; font-weight: 600; }
QLabel[type="title"] { font-size: ${f_title}px; font-weight: 600; }
QLabel[type="verdict"] { font-size: ${f_verdict}px; font-weight: 600; }
QLabel[type="code"] { font-family: "$mono"; font-size: ${f_code}px; }
QLabel[strong="true"] { font-weight: 600; }
QLabel:disabled { color: $disabled; }

QPushButton { background: $panel; color: $text; border: 1px solid $strong; border-radius: ${r_control}px;
  padding: 0 ${p12}px; min-height: ${h_inner}px; font-weight: 500; }
QPushButton:hover, QPushButton:checked { background: $hover; }
QPushButton:pressed { background: $selected; }
QPushButton:focus { border: 2px solid $focus; padding: 0 ${p11}px; min-height: ${h_focus}px; }
QPushButton:disabled { color: $disabled; border-color: $border; background: $window; }
QPushButton[kind="primary"] { background: $accent; color: $on_accent; border: 1px solid $accent; font-weight: 600; }
QPushButton[kind="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[kind="primary"]:pressed { background: $accent_pressed; border-color: $accent_pressed; }
QPushButton[kind="primary"]:focus { border: 2px solid $ring_on_accent; }
QPushButton[kind="primary"]:disabled { background: $sunken; color: $disabled; border-color: $border; }
QPushButton[kind="quiet"] { background: transparent; border: 1px solid transparent; }
QPushButton[kind="quiet"]:hover { background: $hover; }
QPushButton[kind="quiet"]:focus { border: 2px solid $focus; }
QPushButton[kind="quiet"]:disabled { color: $disabled; }
QPushButton[kind="link"] { background: transparent; border: 1px solid transparent; color: $link; padding: 0 ${p4}px; }
QPushButton[kind="link"]:hover { text-decoration: underline; }
QPushButton[kind="link"]:focus { border: 2px solid $focus; padding: 0 3px; }
QPushButton[kind="link"]:disabled { color: $disabled; }
QPushButton[kind="row"] { background: transparent; border: 1px solid transparent; text-align: left; font-weight: 400; }
QPushButton[kind="row"]:hover { background: $hover; }
QPushButton[kind="row"]:checked { background: $selected; font-weight: 600; }
QPushButton[kind="row"]:focus { border: 2px solid $focus; }
QPushButton[small="true"] { min-height: ${h_small}px; padding: 0 ${p8}px; font-size: ${f_small}px; }
QPushButton::menu-indicator { image: none; width: 0; }
QToolButton { background: transparent; border: 1px solid transparent; border-radius: ${r_control}px; padding: ${p3}px; }
QToolButton:hover, QToolButton:checked { background: $hover; }
QToolButton:pressed { background: $selected; }
QToolButton:focus { border: 2px solid $focus; padding: ${p2}px; }

QAbstractScrollArea { border: 0; background: transparent; }
QLineEdit, QPlainTextEdit, QTextEdit, QComboBox, QSpinBox, QDoubleSpinBox { background: $panel; color: $text;
  placeholder-text-color: $tertiary; border: 1px solid $strong; border-radius: ${r_control}px;
  selection-background-color: $selection; selection-color: $selection_text; }
QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox { min-height: ${h_inner}px; padding: 0 ${p8}px; }
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus {
  border: 2px solid $focus; padding: 0 ${p7}px; min-height: ${h_focus}px; }
QPlainTextEdit, QTextEdit { padding: ${p4}px; }
QPlainTextEdit:focus, QTextEdit:focus { border: 2px solid $focus; padding: ${p3}px; }
QLineEdit[state="failed"], QPlainTextEdit[state="failed"] { border-color: $fail; }
QLineEdit:disabled, QComboBox:disabled, QPlainTextEdit:disabled, QSpinBox:disabled { background: $window; color: $disabled;
  border-color: $border; }
QLineEdit[bare="true"], QPlainTextEdit[bare="true"], QTextEdit[bare="true"], QTextBrowser[bare="true"] {
  background: transparent; border: 0; padding: 0; }
QTextEdit[well="true"], QPlainTextEdit[well="true"] { background: $sunken; border: 1px solid $border; }
QTextEdit[well="true"]:focus, QPlainTextEdit[well="true"]:focus { border: 2px solid $focus; }
QAbstractSpinBox QLineEdit { border: 0; padding: 0 ${p8}px; min-height: 0; background: transparent; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: 0; }
QComboBox::drop-down { border: 0; width: ${p24}px; }
QComboBox::down-arrow { image: none; }
QComboBox QAbstractItemView { background: $raised; color: $text; border: 1px solid $border;
  selection-background-color: $selected; selection-color: $text; }

QMenu { background: $raised; color: $text; border: 1px solid $border; padding: ${p4}px; }
QMenu::item { padding: ${p4}px ${p16}px ${p4}px ${p12}px; min-height: ${p20}px; border-radius: ${r_chip}px; }
QMenu::item:selected { background: $selected; color: $text; }
QMenu::item:disabled { color: $disabled; }
QMenu::separator { height: 1px; background: $subtle; margin: ${p4}px 0; }
QMenu::icon { padding-left: ${p8}px; }

QTableView, QListView, QTreeView { background: $panel; border: 0; gridline-color: $subtle;
  selection-background-color: $selected; selection-color: $text; }
QListView[surface="window"], QTableView[surface="window"] { background: $window; }
QScrollArea { background: transparent; border: 0; }
QWidget[plain="true"] { background: transparent; }
QListView[boxed="true"] { border: 1px solid $border; border-radius: ${r_control}px; }
QPlainTextEdit[mono="true"], QTextEdit[mono="true"] { font-family: "$mono"; font-size: ${f_code}px; }
QHeaderView { background: $window; border: 0; }
QHeaderView::section { background: $window; color: $secondary; border: 0; border-bottom: 1px solid $strong;
  padding: 0 ${p8}px; min-height: ${h_header}px; font-size: ${f_small}px; font-weight: 500; }
QTableCornerButton::section { background: $window; border: 0; border-bottom: 1px solid $strong; }

QScrollBar:vertical { background: transparent; width: ${bar}px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: ${bar}px; margin: 0; }
QScrollBar::handle { background: $border; border-radius: ${bar_r}px; margin: 2px; }
QScrollBar::handle:vertical { min-height: ${p32}px; }
QScrollBar::handle:horizontal { min-width: ${p32}px; }
QScrollBar::handle:hover { background: $strong; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QSplitter::handle { background: $border; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }
QSplitter::handle:hover { background: $focus; }

QRadioButton, QCheckBox { spacing: ${p8}px; background: transparent; color: $text; padding: 1px; border: 2px solid transparent;
  border-radius: ${r_chip}px; }
QRadioButton:focus, QCheckBox:focus { border: 2px solid $focus; }
QCheckBox::indicator { width: ${p12}px; height: ${p12}px; border: 1px solid $strong; border-radius: 3px; background: $panel; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; }
QRadioButton:disabled, QCheckBox:disabled { color: $disabled; }
QRadioButton::indicator { width: ${p12}px; height: ${p12}px; border: 1px solid $strong; border-radius: ${p7}px; background: $panel; }
QRadioButton::indicator:checked { border: ${p4}px solid $accent; width: ${p6}px; height: ${p6}px; }
"""
)


def stylesheet(theme: str, scale: float, sans: str, mono: str) -> str:
    """The style sheet of `theme` with all lengths and fonts at `scale`."""
    table = tokens()

    def colour(name: str) -> str:
        return css(raw_colour(theme, name))

    def px(length: float) -> int:
        return round(length * scale)

    control = px(table.size["control"])
    values: dict[str, object] = {
        "sans": sans,
        "mono": mono,
        "window": colour("surface.window"),
        "rail": colour("surface.rail"),
        "panel": colour("surface.panel"),
        "raised": colour("surface.raised"),
        "sunken": colour("surface.sunken"),
        "hover": colour("surface.hover"),
        "selected": colour("surface.selected"),
        "bubble": colour("border.default" if theme == "high_contrast" else "surface.sunken"),
        "desk": colour("surface.desk"),
        "text": colour("text.primary"),
        "secondary": colour("text.secondary"),
        "tertiary": colour("text.tertiary"),
        "disabled": colour("text.disabled"),
        "on_accent": colour("text.on_accent"),
        "link": colour("text.link"),
        "subtle": colour("border.subtle"),
        "border": colour("border.default"),
        "strong": colour("border.strong"),
        "focus": colour("border.focus"),
        "ring_on_accent": colour("text.primary"),
        "accent": colour("accent.base"),
        "accent_hover": colour("accent.hover"),
        "accent_pressed": colour("accent.pressed"),
        "selection": colour("accent.base"),
        "selection_text": colour("text.on_accent"),
        "fail_tint": colour("fail.tint"),
        "fail_line": colour("fail.line"),
        "warn_tint": colour("warn.tint"),
        "warn_line": colour("warn.line"),
        "h_inner": control - 2,
        "h_focus": control - 4,
        "h_small": px(table.size["control_small"]) - 2,
        "h_header": px(table.size["header_row"]) - 1,
        "bar": px(10),
        "bar_r": px(3),
    }
    values.update({name: colour(f"{name}.fg") for name in ("pass", "fail", "warn", "signed", "unverified")})
    values.update({f"f_{use}": px(row[0]) for use, row in table.type["scale"].items()})
    values.update({f"p{length}": px(length) for length in (2, 3, 4, 6, 7, 8, 11, 12, 16, 20, 24, 32)})
    values.update({f"r_{name}": px(length) for name, length in table.radius.items()})
    return _SHEET.substitute(values)
