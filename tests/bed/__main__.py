"""`python -m bed`."""

from bed.cli import main

main()
