"""What is told of a run while it goes on."""

import io
import re
import sys

import networks
import pytest

from biosnn.engine.running import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def sim():
    built = networks.recurrent().build(threads=1)
    built.run(1.0)
    return built


def test_a_terminal_has_a_bar_with_steps_time_and_pace(sim, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    sim.run(200.0)
    last = terminal.getvalue().split("\r")[-1]
    assert "200/200 ms" in last
    assert "step 2,000, real-time factor " in last
    assert re.search(r"[\d,]+ spikes/s", last)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    sim.run(200.0, progress=False)
    assert terminal.getvalue() == ""


def test_elsewhere_a_line_now_and_then_if_it_is_asked_for(sim, monkeypatch, capsys):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    sim.run(200.0)
    assert capsys.readouterr().err == ""
    sim.run(200.0, progress=True)
    *_, last = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"200 of 200 ms \(step 2,000\), real-time factor [\d.e-]+, [\d,]+ spikes/s, 0 s left", last), (
        last
    )
    monkeypatch.setattr(sys, "stderr", None)  # as with `2>&-`
    sim.run(200.0, progress=True)


def test_the_time_that_is_left_is_what_the_pace_so_far_needs(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    lines = progress.Lines(10_000, 0.1)
    now[0] = 9.0
    lines.report(1000, 500)  # too early
    now[0] = 12.0
    lines.report(2000, 6000)
    assert capsys.readouterr().err == ("200 of 1000 ms (step 2,000), real-time factor 60, 500 spikes/s, 48 s left\n")


def test_a_notebook_has_a_widget(sim, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    shown = []

    class Widget:
        n = 0.0

        def __init__(self, **how):
            shown.append(how["total"])

        def set_postfix_str(self, text, refresh):
            shown.append(text)

        def update(self, n):
            self.n += n

        def close(self):
            shown.append(self.n)

    monkeypatch.setattr("tqdm.auto.tqdm", Widget)
    sim.run(100.0)
    assert shown[0] == 100.0
    assert shown[-1] == pytest.approx(100.0)
    assert "spikes/s" in shown[-2]
