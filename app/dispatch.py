"""`assay`: the window for `assay app`, the command line for everything else. Neither loads what only the other needs.

A frozen program has no Python beside it, so it starts its child processes as `assay --worker REQUESTS REPLIES MODULE`
(`core.workers.pipes.command`); such a process imports nothing before its sandbox stands that `core.workers.child` doesn't.
"""

import sys

USAGE = "Usage: assay app [VAULT | PACK]\n\n  Open the window, at a vault's folder or a pack if one is given."


def main() -> None:
    """The installed command."""
    if sys.argv[1:2] == ["--worker"] and getattr(sys, "frozen", False):
        from core.workers.child import main as worker

        worker(sys.argv[2:])
    if sys.argv[1:2] == ["app"]:
        if {"-h", "--help"} & set(sys.argv[2:]):
            print(USAGE)
            return
        from app.__main__ import main as window

        sys.exit(window(sys.argv[2:]))
    from core.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    main()
