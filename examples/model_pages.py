"""A page for each neuron model: its equations, parameters and variables, a figure, and how far it is from NEST.

    python examples/model_pages.py            # all of them: docs/models/*.md and docs/models/pictures/*.png
    python examples/model_pages.py hh_psc_alpha

The traces of NEST 3.10.0 are those of tests/data/nest_neurons.npz: a current step, and a train of spikes through an
excitatory and an inhibitory synapse, dt 0.1 ms. Needs Matplotlib: pip install "biosnn[plot]".
"""

import inspect
import json
import sys
from pathlib import Path

import numpy as np

import biosnn as bs
from biosnn.models import MODELS

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "models"
MEASURED = "## Figure"  # what follows on a page is measured; what stands before it is in the code
DT, FINER = 0.1, (0.05, 0.025, 0.0125)  # ms; the last is what the others are compared with

with np.load(ROOT / "tests" / "data" / "nest_neurons.npz") as found:
    NEST = {key: found[key] for key in found.files}
PROTOCOL = json.loads(str(NEST["protocol"]))
# For models that NEST does not have, or has no trace of here: what happens to the two neurons.
OTHERS = {
    "step_amplitude_pA": 500.0, "w_exc": 40.0, "w_inh": -40.0, "receptors": None, "set_params": {}, "initial": {},
}  # fmt: skip
SOURCE_HZ = 40.0


def main() -> None:
    """Write the pages that were asked for, and the table of all."""
    asked = sys.argv[1:] or list(MODELS)
    (PAGES / "pictures").mkdir(parents=True, exist_ok=True)
    for name in asked:
        (PAGES / f"{name}.md").write_text(described(MODELS[name]) + measured(name))
        print(PAGES / f"{name}.md")
    if len(asked) == len(MODELS):
        (PAGES / "README.md").write_text(overview())


def described(model) -> str:
    """The part of a page that is in the code."""
    neuron = model()
    lines = [f"# {model.name}", "", inspect.cleandoc(model.__doc__)]
    if neuron.parameters:
        lines += ["", "## Parameters", "", "| name | default | unit | |", "|---|---|---|---|"]
    lines += [f"| `{n}` | {p.default:g} | {p.unit} | {p.meaning} |" for n, p in neuron.parameters.items()]
    lines += [f"| `{n}` | {value} | | true or false, for a whole population |" for n, value in model.choices.items()]
    if neuron.recordable():
        lines += ["", "## Variables", "", "To be recorded, and set when a population is made:", ""]
        lines += [", ".join(f"`{n}` ({unit or 'a number'})" for n, unit in neuron.settable().items()) + "."]
    if model.sums:
        lines += ["", "To be recorded:", ""]
        lines += [", ".join(f"`{n}` ({s.unit})" for n, s in model.sums.items()) + "."]
    if neuron.receptors:
        lines += ["", "## Receptors", "", "| name | kinetics | weights |", "|---|---|---|"]
        lines += [f"| `{r.name}` | `{r.kind}` | {r.unit} |" for r in neuron.receptors]
        lines += ["", "[Others](../receptors.md) may take their place."]
    return "\n".join([*lines, "", MEASURED, ""])


def measured(name: str) -> str:
    """The figure of a model, and its errors."""
    cases = cases_of(name)
    runs = {case: simulate(name, PROTOCOL["cases"][case] if case else OTHERS, DT) for case in cases or [None]}
    draw(name, runs)
    lines = ["", f"![{name}](pictures/{name}.png)", "", *WHAT_IS_SHOWN.get(MODELS[name].accepts, SHOWN)]
    if cases:
        lines += ["", "## Against NEST 3.10.0, dt 0.1 ms", "", *TABLE_HEAD]
        lines += [row for case in cases for row in against_nest(case, runs[case])]
        lines += ["", "V_m is compared where neither has spiked within the two steps before or the step after."]
    if not MODELS[name]().is_exact and MODELS[name].potentials:
        lines += ["", "## Error against dt", "", *error_against_dt(name, cases)]
    return "\n".join([*lines, ""])


SHOWN = (
    "Drawn by `python examples/model_pages.py`: a current step, and two trains of spikes, through an excitatory and an",
    "inhibitory synapse.",
)
WHAT_IS_SHOWN = {
    (): (f"Drawn by `python examples/model_pages.py`: two sources of {SOURCE_HZ:g} Hz.",),
    ("spikes",): ("Drawn by `python examples/model_pages.py`: a neuron without input, and one that two trains reach.",),
}
TABLE_HEAD = (
    "| case | protocol | spikes, ours | NEST's | largest shift, ms | largest difference of V_m, mV |",
    "|---|---|---|---|---|---|",
)


def overview() -> str:
    """All models, and the table of all comparisons."""
    lines = ["# Neuron models", "", "Written by `python examples/model_pages.py`.", "", "| model | |", "|---|---|"]
    for name, model in MODELS.items():
        lines.append(f"| [{name}]({name}.md) | {inspect.cleandoc(model.__doc__).splitlines()[0]} |")
    lines += [
        "",
        "Your own: [how to write a model](../your-own-model.md). Receptors: [which there are](../receptors.md).",
    ]
    lines += ["", "## Against NEST 3.10.0, dt 0.1 ms", "", *TABLE_HEAD]
    for name in MODELS:
        for case in cases_of(name):
            lines += against_nest(case, simulate(name, PROTOCOL["cases"][case], DT))
    return "\n".join([*lines, ""])


def cases_of(name: str) -> list[str]:
    """The cases that NEST's traces have of a model."""
    return [case for case, of in PROTOCOL["cases"].items() if of["nest_model"] == name]


def simulate(name: str, of: dict, dt: float):
    """Two neurons: the first is given the current step, the second the two trains of spikes."""
    net = bs.Network(dt=dt)
    given = {k: v for k, v in of["set_params"].items() if k not in of["initial"]}
    model = MODELS[name](**given, **({"rate": SOURCE_HZ} if name == "poisson" else {}))
    neurons = net.population("step, syn", 2, model, **of["initial"])
    if "currents" in MODELS[name].accepts:
        on, off = PROTOCOL["step_on_ms"] + DT, PROTOCOL["step_off_ms"] + DT
        net.current(neurons[0], of["step_amplitude_pA"], start=on, stop=off)
    if "spikes" in MODELS[name].accepts:
        trains = net.spike_source("trains", [PROTOCOL["exc_spikes_ms"], PROTOCOL["inh_spikes_ms"]])
        for k, weight in enumerate((of["w_exc"], of["w_inh"])):
            port = f"port{of['receptors'][k]}" if of["receptors"] else None
            how = {"weight": weight, "delay": PROTOCOL["delay_ms"], "receptor": port}
            net.connect(trains[k], neurons[1], bs.all_to_all(), **how)
    net.record(neurons, "spikes", name="n")
    for variable in model.recordable():
        net.record(neurons, variable, name="n", every=DT)
    return net.build(threads=1).run(PROTOCOL["T_ms"], progress=False)


def spikes_of(run, k: int) -> np.ndarray:
    """Spike times of one of the two neurons, ms."""
    found = run.spikes["n"]
    return found.times[found.senders == k]


def against_nest(case: str, run) -> list[str]:
    """The rows of the table for one case."""
    rows = []
    for k, protocol in enumerate(("step", "syn")):
        steps, theirs = NEST[f"{case}/{protocol}/times"], NEST[f"{case}/{protocol}/spikes"]
        ours = np.rint(spikes_of(run, k) / DT).astype(int)
        ours = ours[ours <= steps[-1]]
        near = np.zeros(int(steps[-1]) + 4, bool)
        for s in (*ours, *theirs):
            near[max(int(s) - 1, 0) : int(s) + 3] = True
        V = run.samples["n"]["V_m"].values[: steps.size, k]
        difference = np.abs(V - NEST[f"{case}/{protocol}/V_m"])[~near[steps]].max()
        same = ours.size == theirs.size
        shift = f"{DT * np.abs(ours - theirs).max(initial=0):.1f}" if same else "-"
        rows.append(f"| {case} | {protocol} | {ours.size} | {theirs.size} | {shift} | {difference:.1e} |")
    return rows


def error_against_dt(name: str, cases: list[str]) -> list[str]:
    """A table: how far the model is, at each dt, from itself at the finest."""
    of = PROTOCOL["cases"][cases[0]] if cases else OTHERS
    runs = {dt: simulate(name, of, dt) for dt in (DT, *FINER)}
    finest = runs[FINER[-1]]
    potential = MODELS[name]().potentials[0]
    rows = [
        f"The same neurons at a finer dt, compared with {FINER[-1]:g} ms: the largest difference of {potential} until",
        "1 ms before the first spike, and of the times of spikes.", "",
        "| dt, ms | before the first spike, mV | spike times, ms | spikes |", "|---|---|---|---|",
    ]  # fmt: skip
    for dt in (DT, *FINER[:-1]):
        worst, shift, counts = 0.0, 0.0, []
        for k in range(2):
            exact, ours = spikes_of(finest, k), spikes_of(runs[dt], k)
            until = int((min([*exact[:1], *ours[:1], PROTOCOL["T_ms"]]) - 1.0) / DT)
            V = [r.samples["n"][potential].values[:until, k] for r in (runs[dt], finest)]
            worst = max(worst, float(np.abs(V[0] - V[1]).max(initial=0.0)))
            both = min(exact.size, ours.size)
            shift = max(shift, float(np.abs(exact[:both] - ours[:both]).max(initial=0.0)))
            counts.append(f"{ours.size} ({exact.size})")
        rows.append(f"| {dt:g} | {worst:.1e} | {shift:.3f} | {', '.join(counts)} |")
    return rows


def draw(name: str, runs: dict) -> None:
    """V over time for both protocols, NEST's beside ours."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    case, run = next(iter(runs.items()))
    neuron = MODELS[name]()
    potential = next((v for v in neuron.potentials if v in neuron.recordable()), None)
    figure, axes = plt.subplots(2, 1, figsize=(8, 4.2), sharex=True, layout="constrained")
    for k, (axis, protocol) in enumerate(zip(axes, ("step", "syn"), strict=True)):
        if case is not None:
            times, V = NEST[f"{case}/{protocol}/times"] * DT, NEST[f"{case}/{protocol}/V_m"]
            axis.plot(times, V, color="0.7", lw=3, label="NEST")
        if potential is not None:
            samples = run.samples["n"][potential]
            axis.plot(samples.times, samples.values[:, k], color="C0", lw=0.9, label="BioSNN")
        if potential is None:
            axis.set(xlim=(0.0, PROTOCOL["T_ms"]), yticks=[])
        height, times = 0.5 if potential is None else 1.04, spikes_of(run, k)
        across = {"transform": axis.get_xaxis_transform(), "clip_on": False}
        axis.plot(times, np.full(times.size, height), "|", color="C3", **across)
        axis.set_ylabel(f"{potential} (mV)" if potential else "spikes")
    if potential is not None:
        axes[0].legend(frameon=False, loc="upper right", fontsize=8)
    axes[1].set_xlabel("time (ms)")
    figure.savefig(PAGES / "pictures" / f"{name}.png", dpi=80)
    plt.close(figure)


if __name__ == "__main__":
    main()
