"""`python -m edgechat`."""

from edgechat.cli.main import main

if __name__ == "__main__":
    main()
