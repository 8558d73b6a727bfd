"""`python -m bot` and the `tocsin` command."""

import sys


def main() -> None:
    """Run the command line."""
    from bot.cli import run

    sys.exit(run())


if __name__ == "__main__":
    main()
