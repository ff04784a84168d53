"""Random networks, by a seed, against the oracle; benchmarks/fuzz.py runs thousands of them, of many more kinds."""

import fuzzing
import fuzzing_names
import numpy as np
import pytest
import travel

import biosnn as bs

pytestmark = pytest.mark.bounds


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", fuzzing.FEW, ids=lambda kind: f"{'+'.join(kind.models)}-{travel.named(kind.way)}")
def test_random_networks_do_what_was_asked_for_and_spike_as_the_oracle(kind, seed):
    fuzzing.check(seed, kind)


def test_parameters_of_nobody_one_by_one_plan_and_run_in_silence():
    net = bs.Network()
    net.population("nobody", 0, bs.models.iaf_psc_exp(tau_m=[], C_m=[]))
    net.population("some", 3, bs.models.iaf_psc_exp(tau_m=[5.0, 10.0, 20.0]), V_m=-60.0)
    net.record(net.populations["some"], "V_m")
    found = net.build(threads=1).run(1.0).samples["some"]["V_m"].values[-1]
    np.testing.assert_allclose(found, -70.0 + 10.0 * np.exp(-1.0 / np.array([5.0, 10.0, 20.0])), rtol=1e-6)


@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_called_like_something_else_in_a_model_means_itself(seed, tmp_path):
    fuzzing_names.check(seed, tmp_path)
