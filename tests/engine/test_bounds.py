"""With NUMBA_BOUNDSCHECK=1, what reaches outside of an array is heard of: in each kind of kernel, at either end."""

import os
import subprocess
import sys
from pathlib import Path


def checked(script, folder):
    """What a script of oracle/ prints in a process that checks bounds."""
    environment = os.environ | {"NUMBA_BOUNDSCHECK": "1", "BIOSNN_CACHE_DIR": str(folder)}
    script = Path(__file__).parents[1] / "oracle" / script
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_access_outside_of_an_array_is_lost(tmp_path):
    assert checked("broken_kernels.py", tmp_path) == ""
