"""darkfigure: comparable cybercrime statistics, with an honest interval round what was never reported.

This package is the domain library: how figures are read, harmonised and estimated.
It never imports Dagster, and knows nothing of where or when it is run.
"""

__version__ = "0.1.0"
