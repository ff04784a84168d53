"""Whose the figures are that plots make: in a script the axes' alone, in a notebook pyplot's, which shows them."""

import subprocess
import sys

import pytest

pytest.importorskip("matplotlib", reason="plots need the plot extra")

PLAN = """
import gc, os, sys, weakref
os.environ["MPLBACKEND"] = "agg"
import biosnn as bs
net = bs.Network()
net.population("a", 10, bs.models.iaf_psc_exp())
plot = net.plan().plot
"""
SCRIPT = """
figures = weakref.WeakSet()
for _ in range(10):
    figures.add(plot.memory().figure)
gc.collect()
assert not figures
assert "matplotlib.pyplot" not in sys.modules
"""
WITH_PYPLOT = """
from matplotlib import pyplot as plt
ax = plot.memory()
assert plt.get_fignums() == [1] and ax is plt.gca()
given = plt.figure().subplots()
assert plot.memory(ax=given) is given and plt.get_fignums() == [1, 2]
"""
PROMPT = """
ax = plot.memory()
from matplotlib import pyplot as plt
print("shown" if ax.figure is plt.gcf() and plt.get_fignums() == [1] else "lost")
"""


@pytest.mark.parametrize("script", [SCRIPT, WITH_PYPLOT], ids=["script", "pyplot"])
def test_figures_of_scripts_are_pyplots_where_it_was_imported_and_else_nobodys(script):
    subprocess.run([sys.executable, "-W", "error", "-c", PLAN + script], check=True)


def test_at_a_prompt_figures_are_pyplots():
    typed = PLAN + PROMPT
    found = subprocess.run([sys.executable, "-i", "-q"], input=typed, text=True, capture_output=True, check=True)
    assert "shown" in found.stdout
