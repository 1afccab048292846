"""darkfigure: comparable cybercrime statistics, with an honest interval round what was never reported.

This package is the domain library: how figures are read, harmonised and estimated.
It never imports Dagster, and knows nothing of where or when it is run.
"""

import warnings

__version__ = "0.1.0"

# Where PySpark is installed, pandera loads its pandas API, which warns of every pandas since 3. Nobody here uses it.
warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
