"""Where the program changes a vault: every public function of core that goes through `Vault.write`, or another of its doors, read off the code."""

import ast
import re
from pathlib import Path

DOORS = frozenset({"write", "_change", "unasked", "new_slot_for", "record"})
"""Names of what opens a change, called with an act."""
_ACT = re.compile(r"\b[Aa]ct\b")
CORE = Path(__file__).resolve().parents[2] / "core"


def found() -> set[str]:
    """`package.module:function` or `package.module:Class.method`, for each public one that opens a change, itself or by private helpers."""
    return {name for path in sorted(CORE.rglob("*.py")) for name in _in_module(path)}


def _in_module(path: Path) -> list[str]:
    text = path.read_text("utf-8")
    if not _ACT.search(text):  # most files: nothing that names an act stands in them
        return []
    functions = _functions(ast.parse(text))
    opening = {name for name, node in functions.items() if _opens(node)}
    if not opening:
        return []
    calls = {name: _called(node) for name, node in functions.items()}
    module = ".".join(path.relative_to(CORE.parent).with_suffix("").parts)
    public = [name for name in functions if not any(part.startswith("_") for part in name.split("."))]
    return [f"{module}:{name}" for name in public if _reaches(name, calls, opening)]


def _functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    own = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            own |= {f"{node.name}.{inner.name}": inner for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return own


def _reaches(name: str, calls: dict[str, set[str]], opening: set[str]) -> bool:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        here = waiting.pop()
        if here in opening:
            return True
        if here not in seen:
            seen.add(here)
            waiting += [other for other in calls if other.split(".")[-1] in calls[here]]
    return False


def _called(node: ast.AST) -> set[str]:
    """The names of what a function calls on itself or in its module; other objects' methods are their own operations."""
    names = set()
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            names.add(call.func.id)
        elif isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            holder = call.func.value
            if isinstance(holder, ast.Name) and holder.id in ("self", "cls"):
                names.add(call.func.attr)
    return names


def _opens(node: ast.FunctionDef) -> bool:
    return any(isinstance(call, ast.Call) and _name(call) in DOORS and _with_act(call) for call in ast.walk(node))


def _name(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _with_act(call: ast.Call) -> bool:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return any(isinstance(node, ast.Name) and node.id in ("Act", "act") for value in given for node in ast.walk(value))
