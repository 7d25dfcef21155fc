"""`python -m` runs the command line."""

from .cli import main

main()
