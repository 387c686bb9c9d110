"""`assay`: the window for `assay app`, the command line for everything else. Neither loads what only the other needs."""

import sys


def main() -> None:
    """The installed command."""
    if sys.argv[1:2] == ["app"]:
        from app.__main__ import main as window

        sys.exit(window(sys.argv[2:]))
    from core.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    main()
