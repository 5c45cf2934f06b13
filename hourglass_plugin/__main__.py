"""``python -m hourglass_plugin``: the command ``hourglass``."""
import sys

from .cli.main import main

if __name__ == '__main__':
    sys.argv[0] = 'hourglass'  # in messages
    main()
