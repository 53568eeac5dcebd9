"""`python -m bed`."""

from bed import signals

signals.end_at_once("bed")

from bed.cli import main  # noqa: E402  until it is read, there is nothing to remove

main()
