"""Models of a user's own: against plain loops, per-neuron parameters, random numbers, threads, caching, messages."""

import subprocess
import sys
import textwrap
from pathlib import Path

import networks
import numpy as np
import own_models
import own_names
import pytest
from scipy import stats

import biosnn as bs

DT, F = 0.1, np.float32


def test_izhikevich_spikes_as_a_plain_loop_in_float32_does():
    d = np.linspace(2.0, 8.0, 12)
    net = bs.Network(dt=DT)
    n = net.population("n", 12, own_models.izhikevich(d=d, c=np.full(12, -65.0)), v=-70.0)
    net.current(n, 10.0)
    net.record(n, "v")
    net.record(n, "spikes")
    result = net.build(threads=1).run(300.0)
    v, u = np.full(12, F(-70)), np.full(12, F(-13))
    h, found, trace = F(DT), [], []
    for step in range(3000):
        new = v + h * (F(0.04) * (v * v) + F(5) * v + F(140) - u + F(10))
        u = u + h * F(0.02) * (F(0.2) * v - u)
        spiked = new >= F(30)
        v, u = np.where(spiked, F(-65), new), np.where(spiked, u + d.astype(F), u)
        found += [(step + 1, i) for i in np.flatnonzero(spiked)]
        trace.append(v)
    spikes = result.spikes["n"]
    assert len(found) > 60
    assert list(zip(np.rint(spikes.times / DT).astype(int), spikes.senders, strict=True)) == found
    np.testing.assert_allclose(result.samples["n"]["v"].values, trace, rtol=1e-5, atol=1e-4)


def test_receptors_reach_a_model_as_current():
    net = bs.Network(dt=DT)
    n = net.population("n", 1, own_models.leaky())
    net.connect(net.spike_source("s", [5.0]), n, bs.all_to_all(), weight=6.0, delay=1.0)
    net.record(n, "V")
    net.record(n, "g_e")
    found = net.build(threads=1).run(40.0).samples["n"]
    V, g = -70.0, 0.0
    for k in range(400):
        V = -70.0 + (V + 70.0) * np.exp(-DT * 10 / 200) + g * (0 - V) * DT / 200
        g = g * np.exp(-DT / 5) + (6.0 if k == 59 else 0.0)
        assert found["V"].values[k, 0] == pytest.approx(V, abs=1e-3)
        assert found["g_e"].values[k, 0] == pytest.approx(g, abs=1e-4)


def test_functions_of_math_and_numpy_are_ours():
    net = bs.Network(dt=DT)
    n = net.population("n", 1, own_models.morris_lecar())
    net.current(n, 100.0)
    net.record(n, "V")
    result = net.build(threads=1).run(300.0)
    V, w, trace, spikes = -60.0, 0.0, [], 0
    for _ in range(3000):
        new = V + DT / 20 * (100 - 2 * (V + 60) - 2.2 * (1 + np.tanh((V + 1.2) / 18)) * (V - 120) - 8 * w * (V + 84))
        w += DT * 0.04 * np.cosh((V - 2) / 60) * (0.5 * (1 + np.tanh((V - 2) / 30)) - w)
        spikes += new > 0 >= V
        V = new
        trace.append(V)
    assert spikes > 2
    assert result.rates["n"] == pytest.approx(spikes / 0.3)
    np.testing.assert_allclose(result.samples["n"]["V"].values[:, 0], trace, atol=0.05)


def run_noisy(parts, seed=1):
    net = bs.Network(dt=DT, seed=seed)
    n = net.population("n", 2000, own_models.noisy(rate=100.0))
    net.record(n, "v")
    net.record(n, "last")
    return networks.serial(net, parts).run(100.0)


@pytest.mark.bounds
def test_random_is_uniform_independent_and_the_same_for_any_number_of_partitions():
    one = run_noisy(1)
    v, last = one.samples["n"]["v"].values.astype(float), one.samples["n"]["last"].values
    first, second = v + last / 2, v - last / 2
    for x in (first, second):
        assert stats.kstest(x[:, ::7].ravel(), "uniform").pvalue > 1e-3
    pairs = [(first, second), (first[1:], first[:-1]), (first[:, 1:], first[:, :-1]), (first[:, 1:], second[:, :-1])]
    for a, b in pairs:
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 5 / np.sqrt(a.size)
    assert one.rates["n"] == pytest.approx(100.0, abs=3 * np.sqrt(100.0 / (2000 * 0.1)))
    assert run_noisy(3).fingerprint == one.fingerprint != run_noisy(1, seed=2).fingerprint


SCRIPT = """
from numba.core import event
import biosnn as bs

K = {k}

@bs.neuron(state=dict(v=0.0), params=dict(a=1.0))
def counter(v, I, p, dt):
    return v + K * p.a, v > 1e9

if __name__ == "__main__":
    net = bs.Network()
    n = net.population("n", 3, counter())
    net.record(n, "v")
    with event.install_recorder("numba:compile") as compiled:
        sim = net.build(threads=1)
    print(sim.run(1.0).samples["n"]["v"].values[-1, 0], not compiled.buffer)
"""


def test_a_model_in_a_file_is_cached_between_processes_and_never_stale(tmp_path):
    def run(k):
        (tmp_path / "script.py").write_text(SCRIPT.format(k=k))
        done = subprocess.run([sys.executable, tmp_path / "script.py"], capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert run(2.0)[0] == "20.0"
    assert run(2.0) == ["20.0", "True"]
    assert run(3.0)[0] == "30.0"


def refused(body, state="v=0.0"):
    """The message for a model of this body, which stands in a file, and the file's lines."""
    text = f"import numpy as np\nimport biosnn as bs\n\n@bs.neuron(state=dict({state}), params=dict(a=1.0))\n"
    text += "def m(v, I, p, dt):\n" + textwrap.indent(textwrap.dedent(body), "    ")
    return text


@pytest.mark.parametrize(
    ("body", "line", "why"),
    [
        ("return v + p.b, v > 1", 6, "no parameter 'b'; known: a"),
        ("x = v\nx = [v]\nreturn x, v > 1", 7, "List has no place"),
        ("while v > 1:\n    v -= 1\nreturn v, v > 1", 6, "While has no place"),
        ("return v + missing, v > 1", 6, "'missing' is not defined"),
        ("return np.linalg.norm(v), v > 1", 6, "cannot be called in a model; known: exp"),
        ("for k in range(3):\n    v = random()\nreturn v, v > 1", 7, "stands in no loop"),
        ("return v", 6, "a model returns (v, spiked): 2 values"),
        ("x = 'a'\nreturn v, v > 1", 6, "'a' is no number"),
        ("y = min(v, dt, p)\nreturn y, v > 1", 6, ""),  # only the compiler knows
    ],
)
def test_mistakes_are_reported_with_the_line_of_the_user_s_file(tmp_path, body, line, why):
    text = refused(body)
    path = tmp_path / f"mine_{abs(hash(body))}.py"
    path.write_text(text)
    names = {"__name__": path.stem, "__file__": str(path)}

    def build():
        exec(compile(text, str(path), "exec"), names)
        net = bs.Network()
        net.population("n", 2, names["m"]())
        net.build(threads=1)

    with pytest.raises(bs.DescriptionError) as caught:
        build()
    said = str(caught.value)
    assert said.startswith("model 'm': ")
    assert why in said
    assert f"{path}, line {line}: {text.splitlines()[line - 1].strip()}" in said
    assert "\n" not in said


def test_arguments_and_names_are_checked():
    with pytest.raises(bs.DescriptionError, match=r"arguments must be \(v, I, p, dt\)"):

        @bs.neuron(state=dict(v=0.0))
        def m(v, I, dt):
            return v, v > 1

    for state, params in (({}, {}), ({"I": 1.0}, {}), ({"v": 1.0}, {"dt": 1.0}), ({"v": 0.0}, {"v": 0.0})):
        with pytest.raises(bs.DescriptionError):
            bs.neuron(state=state, params=params)(own_models.parabola)
    with pytest.raises(bs.UnknownNameError, match="unknown parameter 'e'"):
        own_models.izhikevich(e=1.0)
    names = {}
    with pytest.raises(bs.DescriptionError, match="define it in a file or a notebook"):
        exec("import biosnn as bs\n@bs.neuron(state=dict(v=0.0))\ndef m(v, I, p, dt):\n    return v, v > 1", names)


def test_the_driver_shows_the_user_s_text():
    net = bs.Network()
    net.population("n", 4, own_models.izhikevich())
    source = networks.drawn(net).driver_source
    assert "return f32(0.04) * v_ ** 2 + f32(5.0) * v_ + f32(140.0)" in source
    assert source.count("def own_izhikevich(") == 1
    assert Path(own_models.__file__).stem not in source


def after_a_millisecond(*models):
    """The first state of each model after ten steps, in one network."""
    net = bs.Network(dt=DT)
    for k, model in enumerate(models):
        neurons = net.population(f"n{k}", 2, model)
        net.record(neurons, model.potentials[0])
    samples = net.build(threads=1).run(1.0).samples
    return [samples[f"n{k}"][model.potentials[0]].values[-1, 0] for k, model in enumerate(models)]


def test_names_that_the_driver_uses_too_mean_what_the_user_says():
    found = after_a_millisecond(
        own_models.collect(), own_models.named_alike(), bs.models.izhikevich(), own_models.izhikevich()
    )
    assert found[:2] == [10.0, 2.0**10 * 3.0**10]
    assert found[2] == pytest.approx(found[3], rel=1e-5)


def test_every_name_means_what_the_user_says_beside_currents_that_have_arrays_of_the_same_names():
    net = bs.Network(dt=DT)
    initial = {"held": 10.0, "_i": 60.0}
    busy = net.population("busy", 3, own_names.busy(spiked=30.0, _drive=np.array([40.0, 41.0, 42.0])), **initial)
    net.current(busy, 100.0, start=0.1)
    net.current(busy, bs.sinusoidal(0.0, 1.0, 0.0))
    net.current(busy, bs.noise(0.0, 0.0))
    names = [*own_names.busy.membrane, *(s.name for s in own_names.busy.states)]
    for state in own_names.busy.states:
        net.record(busy, state.name)
    found = net.build(threads=1).run(2 * DT).samples["busy"]
    assert len(names) == 14
    for name, expected in {
        "held": [10 + 2 * 1 + 100], "noise": [2 + 2 * 2], "wave": [3 + 2 * 30], "sections": [5 + 2 * 5],
        "change_value": [4 + 2 * 40, 4 + 2 * 41, 4 + 2 * 42], "_i": [60 + 2 * 6], "τ": [9], "μ": [12],
    }.items():  # fmt: skip
        np.testing.assert_array_equal(found[name].values[1], np.resize(expected, 3), err_msg=name)


def test_models_and_functions_whose_names_run_into_each_other_stay_apart():
    models = (own_names.a, own_names.a_b, own_names.own, own_names.own_constants, own_names.a_2)
    assert after_a_millisecond(*(m() for m in models)) == [31.0, 30.0, 115.0, 1070.0, 11.0]


def test_receptors_whose_names_run_into_each_other_stay_apart():
    def sampled(*names):
        net = bs.Network(dt=DT)
        bank = [bs.receptors.exp(name, 2.0 + k, -10.0 * k) for k, name in enumerate(names)]
        n = net.population("n", 1, bs.models.iaf_cond_exp(receptors=bank), V_m=-60.0, **{f"g_{names[1]}": 20.0})
        net.record(n, "V_m")
        return net.build(threads=1).run(5.0).samples["n"]["V_m"].values

    np.testing.assert_array_equal(sampled("x", "x_end", "x_middle"), sampled("p", "q", "r"))


def test_two_models_of_one_name_do_not_meet_in_a_network():
    first, second = own_models.collect(), own_models.another_collect()
    with pytest.raises(bs.DescriptionError, match="another model of this network is called 'collect', too"):
        after_a_millisecond(first, second)


def test_a_receptor_is_not_named_like_something_of_the_membrane():
    for kind, call in {
        "variable 'g_e'": lambda: own_models.named_like_a_conductance(receptors=[bs.receptors.exp("e", 2.0, 0.0)]),
        "constant 'decay_s'": lambda: after_a_millisecond(bs.models.glif_psc(receptors=[bs.receptors.exp("s", 2.0)])),
    }.items():
        with pytest.raises(bs.DescriptionError, match=f"has a {kind}, as the membrane has"):
            call()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (own_names.wrong_log, "'log10' cannot be called"),
        (own_names.wrong_exp, "'expm1' cannot be called"),
        (own_names.default, "scaled takes arguments by position, without defaults"),
        (own_names.without_value, "'x' does not have a value in all cases"),
        (own_names.without_value_to_add_to, "'x' does not have a value in all cases"),
        (own_names.without_turns, "'x' does not have a value in all cases"),
        (own_names.calls_itself, "recursive is called by itself"),
    ],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_what_would_silently_be_something_else_is_refused(make, message):
    with pytest.raises(bs.DescriptionError, match=message):
        make()


def test_indices_are_numbers_and_functions_are_told_by_what_they_are():
    net = bs.Network(dt=DT)
    n = net.population("n", 50, own_names.fine())
    for name in ("v", "u", "r"):
        net.record(n, name)
    found = net.build(threads=1).run(2 * DT).samples["n"]
    assert found["v"].values[:, 0].tolist() == [7.0, 7.0 + 6 * 1.5**2 + 6]
    assert found["u"].values[:, 0].tolist() == [1.5, 1.5]
    assert stats.kstest(found["r"].values.ravel(), "uniform").pvalue > 1e-3


@pytest.mark.parametrize(
    ("state", "params", "message"),
    [
        ({"v": 1.0}, {"receptors": 1.0}, "'receptors' cannot name a variable"),
        ({"spikes": 1.0}, None, "'spikes' cannot name a variable"),
        ({"v": 1.0}, {"lambda": 1.0}, "'lambda' cannot name a variable"),
        (1.0, None, "state must be a dict"),
        ({"v": 1.0}, [1.0], "params must be a dict"),
        ({1: 1.0}, None, "state must be a dict"),
    ],
)
def test_states_and_parameters_have_names(state, params, message):
    def m(v, I, p, dt):
        return v, False

    with pytest.raises(bs.DescriptionError, match=message):
        bs.neuron(state=state, params=params)(m)


def test_a_model_is_made_of_a_function():
    with pytest.raises(bs.DescriptionError, match="a model is made of a function, got 3"):
        bs.neuron(state={"v": 1.0})(3)
