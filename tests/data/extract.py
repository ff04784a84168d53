"""Cut the NEST traces that the tests need out of the reference data: python extract.py nest_neurons.json
nest_neurons.npz OUT.npz

NEST wrote float64; kept are float32 arrays (2^-24 relative, hundred times finer than the tolerance of the tests), and
no synaptic currents where they are zero throughout. What was done to each neuron goes in as JSON beside the traces.
"""

import json
import sys

import numpy as np

CASES = (
    "iaf_psc_exp", "iaf_psc_exp_pd14", "iaf_psc_delta", "iaf_psc_alpha", "iaf_cond_exp", "iaf_cond_alpha",
    "aeif_cond_exp", "hh_psc_alpha",
    "izhikevich", "izhikevich_published", "mat2_psc_exp", "glif_psc_lif", "glif_psc_r_asc_a",
)  # fmt: skip
VARIABLES = ("V_m", "I_syn_ex", "I_syn_in", "U_m", "g_ex", "g_in", "w", "Act_m", "Inact_h", "Act_n")
PROTOCOLS = ("step", "syn")
GENERAL = ("nest", "T_ms", "step_on_ms", "step_off_ms", "delay_ms", "exc_spikes_ms", "inh_spikes_ms")
OF_A_CASE = ("nest_model", "set_params", "step_amplitude_pA", "w_exc", "w_inh", "receptors")


def main(description: str, traces: str, out: str) -> None:
    with open(description) as file:
        said = json.load(file)
    protocol = {key: said[key] for key in GENERAL}
    protocol["cases"] = {
        case: {key: said["cases"][case][key] for key in OF_A_CASE}
        | {"initial": {v: x for v, x in said["cases"][case]["initial_status"].items() if v in VARIABLES}}
        for case in CASES
    }
    arrays = {"protocol": np.array(json.dumps(protocol))}
    with np.load(traces) as found:
        for case in CASES:
            for how in PROTOCOLS:
                for name in ("times", "spikes", *VARIABLES):
                    key = f"{case}/{how}/dt0.1/{name}"
                    if key not in found or (name.startswith(("I_syn", "g_")) and not found[key].any()):
                        continue
                    if name in ("times", "spikes"):  # as steps, in integers
                        arrays[f"{case}/{how}/{name}"] = np.rint(found[key] / 0.1).astype(np.int16)
                    else:
                        arrays[f"{case}/{how}/{name}"] = found[key].astype(np.float32)
    np.savez_compressed(out, **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
