"""Tests run side by side, a process a core: threads of linear algebra would be in each other's way.

This is read before numpy is. New processes with `clean_environment` have theirs.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
