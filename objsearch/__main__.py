"""`python -m objsearch`: the command line."""

from objsearch.apps.cli import main

if __name__ == "__main__":
    main()
