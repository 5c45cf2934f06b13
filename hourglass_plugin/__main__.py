"""``python -m hourglass_plugin``: the command ``hourglass``."""
from .cli.main import main

if __name__ == '__main__':
    main()
