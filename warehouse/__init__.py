"""Where the figures rest: reference tables (csv), the SQL of every derived table, the build and the releases.

The code here opens, rebuilds and promotes databases. What a table means is in its SQL and its contract.
"""

from pathlib import Path

ROOT = Path(__file__).parent
REFERENCE = ROOT / "reference"
SQL = ROOT / "sql"
MACROS = ROOT / "macros"
FIGURES = ROOT / "figures"
