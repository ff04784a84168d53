"""What the documentation shows is what happens."""

import importlib
import re
import runpy
import sys
from pathlib import Path

import pytest

import biosnn as bs

ROOT = Path(__file__).parents[2]


def blocks(name, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / name).read_text(), re.DOTALL)


def test_architecture_shows_the_driver_that_is_written():
    net = bs.Network()
    exc = net.population("exc", 800, bs.models.iaf_psc_exp(tau_syn_ex=5.0, tau_syn_in=10.0))
    inh = net.population("inh", 200, bs.models.iaf_psc_exp(tau_syn_ex=5.0, tau_syn_in=10.0))
    net.connect(exc, [exc, inh], bs.fixed_indegree(80), weight=16.2, delay=1.0)
    net.connect(inh, [exc, inh], bs.fixed_indegree(20), weight=-90.0, delay=1.0)
    net.poisson(exc, rate=2000.0, weight=50.0)
    (shown,) = blocks("docs/architecture.md", "python")
    assert shown.strip() == net.plan(threads=2).driver_source.strip()


def test_the_readme_network_runs_as_shown(capsys):
    (script,) = blocks("README.md", "python")
    found = {}
    exec(compile(script, "README.md", "exec"), found)
    assert found["result"].samples["exc"]["V_m"].values.shape == (1000, 10)
    assert all(5 < rate < 25 for rate in found["result"].rates.values())
    assert "def advance(" in capsys.readouterr().out


def test_every_link_in_the_documentation_leads_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#]+)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


@pytest.mark.parametrize(("script", "arguments"), [("balanced_network.py", ["50"]), ("single_neuron.py", [])])
def test_examples_run(script, arguments, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    runpy.run_path(str(ROOT / "examples" / script), run_name="__main__")
    assert capsys.readouterr().out


@pytest.fixture(scope="module")
def model_pages():
    """The module examples/model_pages.py."""
    sys.path.insert(0, str(ROOT / "examples"))
    yield importlib.import_module("model_pages")
    sys.path.remove(str(ROOT / "examples"))


@pytest.mark.parametrize("name", bs.models.MODELS)
def test_every_model_has_a_page_that_says_what_the_code_says(model_pages, name):
    page = (ROOT / "docs" / "models" / f"{name}.md").read_text()
    said, _ = page.split(model_pages.MEASURED)
    assert said + model_pages.MEASURED + "\n" == model_pages.described(bs.models.MODELS[name])
    assert (ROOT / "docs" / "models" / "pictures" / f"{name}.png").exists()


@pytest.mark.parametrize("page", ["your-own-model", "receptors", "inputs", "space", "vision", "recording", "plots"])
def test_the_code_on_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for k, script in enumerate(blocks(f"docs/{page}.md", "python")):
        path = tmp_path / f"{page.replace('-', '_')}_{k}.py"
        path.write_text(script)  # a model is read from its file
        runpy.run_path(str(path))
