"""`python -m faaskit`, for a folder with faaskit/ in which nothing is installed."""

import sys

from faaskit.cli import main

sys.exit(main())
