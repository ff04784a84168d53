"""Receptors to give a model in place of its own: kinetics, reversal potentials, and the usual sets of them.

    neuron = bs.models.aeif_cond_exp(receptors=[bs.receptors.AMPA(), bs.receptors.GABA_A(tau=8.0)])
    neuron = bs.models.iaf_cond_exp(receptors=bs.receptors.ei_ampa_nmda_gabaa())
    net.connect(a, b, rule, weight=2.0, receptor="NMDA")

Sources of the presets: Destexhe, Mainen & Sejnowski 1998 in Methods in Neuronal Modeling, ch. 1 (AMPA, NMDA, GABA_A);
Otis, De Koninck & Mody 1993, J. Physiol. 463:391 (GABA_B, one exponential for rise and decay each).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from biosnn import _validate
from biosnn.distributions import as_values, extremes
from biosnn.errors import DescriptionError
from biosnn.models.kinetics import SHORTEST_TAU, Parameter, Receptor, Value

__all__ = [
    "AMPA",
    "GABA_A",
    "GABA_B",
    "MODES",
    "NMDA",
    "alpha",
    "dual_exp",
    "ei_ampa_nmda_gabaa",
    "ei_ampa_nmda_gabaa_gabab",
    "exc_only",
    "exp",
]


@dataclass(frozen=True)
class GivenReceptor:
    """A receptor with the values of its parameters."""

    receptor: Receptor
    values: Mapping[str, Value]


def exp(name: str, tau: Any = 2.0, E_rev: Any = None, *, Mg: Any = None, compartment: int = 0) -> GivenReceptor:
    """A conductance (nS; without E_rev a current, pA) that jumps by the weight w: w exp(-t/tau), tau in ms.

    `E_rev`: reversal potential, mV. `Mg`: concentration (mM) of the magnesium that blocks it at low potentials (see
    `NMDA`). `compartment` in which it lies: 0 is the soma, 1 the dendrite, 2 the axon initial segment. Numbers, or
    distributions and arrays of one value per neuron. Raises DescriptionError for a tau that is too short, and for Mg
    without E_rev.
    """
    return _make("exp", name, {"tau": tau}, E_rev, Mg, compartment)


def alpha(name: str, tau: Any = 2.0, E_rev: Any = None, *, Mg: Any = None, compartment: int = 0) -> GivenReceptor:
    """A conductance or current that follows w e t/tau exp(-t/tau): it peaks with the weight w at tau (ms).

    All else as in `exp`.
    """
    return _make("alpha", name, {"tau": tau}, E_rev, Mg, compartment)


def dual_exp(
    name: str,
    tau_rise: Any = 1.0,
    tau_decay: Any = 5.0,
    E_rev: Any = None,
    *,
    Mg: Any = None,
    compartment: int = 0,
) -> GivenReceptor:
    """A conductance or current w (exp(-t/tau_decay) - exp(-t/tau_rise)), scaled to peak with the weight w; taus in ms.

    All else as in `exp`.
    """
    return _make("dual_exp", name, {"tau_rise": tau_rise, "tau_decay": tau_decay}, E_rev, Mg, compartment)


def AMPA(tau: Any = 2.0, E_rev: Any = 0.0, compartment: int = 0) -> GivenReceptor:
    """Fast excitation: a conductance (nS) that decays with tau (ms); E_rev in mV, `compartment` as in `exp`."""
    return exp("AMPA", tau, E_rev, compartment=compartment)


def NMDA(
    tau_rise: Any = 2.0,
    tau_decay: Any = 100.0,
    E_rev: Any = 0.0,
    Mg: Any = 1.0,
    ratio: Any = None,
    compartment: int = 0,
) -> GivenReceptor:
    """Slow excitation, a dual_exp conductance (nS; taus in ms, E_rev in mV), blocked below about -20 mV by magnesium:

        it counts with 1 / (1 + Mg / 3.57 exp(-0.062 V)),        Mg in mM, V in mV, at the start of the step

    Source: Jahr & Stevens 1990, J. Neurosci. 10:3178. With `ratio`, that fraction of what arrives at AMPA opens NMDA
    as well, as both lie in one synapse; AMPA then has to be among the receptors.
    """
    found = dual_exp("NMDA", tau_rise, tau_decay, E_rev, Mg=Mg, compartment=compartment)
    if ratio is None:
        return found
    name, rule = "NMDA_ratio", Parameter(0.0, "", "NMDA's share of what arrives at AMPA", at_least=0)
    receptor = replace(found.receptor, partner=("AMPA", name), parameters={**found.receptor.parameters, name: rule})
    return GivenReceptor(receptor, {**found.values, name: as_values("NMDA", "ratio", ratio, None, "", at_least=0)})


def GABA_A(tau: Any = 5.0, E_rev: Any = -80.0, compartment: int = 0) -> GivenReceptor:
    """Fast inhibition: a conductance (nS) that decays with tau (ms); E_rev in mV, `compartment` as in `exp`."""
    return exp("GABA_A", tau, E_rev, compartment=compartment)


def GABA_B(tau_rise: Any = 45.0, tau_decay: Any = 150.0, E_rev: Any = -95.0, compartment: int = 0) -> GivenReceptor:
    """Slow inhibition through potassium channels: a dual_exp conductance (nS), its taus in ms; E_rev in mV."""
    return dual_exp("GABA_B", tau_rise, tau_decay, E_rev, compartment=compartment)


def exc_only() -> list[GivenReceptor]:
    """AMPA alone."""
    return [AMPA()]


def ei_ampa_nmda_gabaa() -> list[GivenReceptor]:
    """AMPA, NMDA with a tenth of what arrives at AMPA, GABA_A."""
    return [AMPA(), NMDA(ratio=0.1), GABA_A()]


def ei_ampa_nmda_gabaa_gabab() -> list[GivenReceptor]:
    """The same, and GABA_B, which synapses reach by its name."""
    return [*ei_ampa_nmda_gabaa(), GABA_B()]


# By the names of --receptor-mode.
MODES: dict[str, Callable[[], list[GivenReceptor]]] = {
    f.__name__: f for f in (exc_only, ei_ampa_nmda_gabaa, ei_ampa_nmda_gabaa_gabab)
}


def as_receptors(owner: str, given: Any, n_compartments: int) -> list[GivenReceptor]:
    """A list of receptors with different names, each in a compartment that is there."""
    found = list(given) if isinstance(given, (list, tuple)) else [given]
    for g in found:
        if not isinstance(g, GivenReceptor):
            raise DescriptionError(
                f"{owner}: receptors must be of biosnn.receptors, such as AMPA(), got {_validate.shown(g)}"
            )
        if g.receptor.compartment >= n_compartments:
            raise DescriptionError(
                f"{owner}: receptor {g.receptor.name!r} lies in compartment {g.receptor.compartment}, but the model "
                f"has {n_compartments}"
            )
    names = [g.receptor.name for g in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DescriptionError(f"{owner}: there are two receptors {twice!r}; give each a name of its own")
    for g in found:
        if g.receptor.partner is not None and g.receptor.partner[0] not in names:
            raise DescriptionError(
                f"{owner}: receptor {g.receptor.name!r} takes a share of {g.receptor.partner[0]!r}, which is not there"
            )
    return found


def own(
    name: str,
    kind: str,
    tau: str,
    default: float,
    reversal: tuple[str, float] | None = None,
    *,
    what: str,
    where: str = "",
    compartment: int = 0,
) -> Receptor:
    """A receptor of a model of NEST's: `tau` and `reversal` are the model's own names of its parameters.

    `what` it is and `where` say what the parameters mean; receptors of all places share the reversal potential.
    """
    parameters = {tau: Parameter(default, "ms", f"time constant of {what}{where}", above=SHORTEST_TAU)}
    if reversal is not None:
        parameters[reversal[0]] = Parameter(reversal[1], "mV", f"reversal potential of {what}")
    E_rev = reversal[0] if reversal else None
    return Receptor(name, kind, (tau,), E_rev, compartment=compartment, parameters=parameters)


def _make(kind: str, name: str, tau: Mapping[str, Any], E_rev: Any, Mg: Any, compartment: int) -> GivenReceptor:
    owner = f"receptor {_validate.shown(name)}"
    if not isinstance(name, str) or not name.isidentifier():
        raise DescriptionError(f"{owner}: the name must be an identifier, such as 'AMPA'")
    if Mg is not None and E_rev is None:
        raise DescriptionError(f"{owner}: magnesium blocks conductances; give it a reversal potential E_rev (mV)")
    compartment = _validate.count(owner, "compartment", compartment)
    rules = {t: Parameter(0.0, "ms", "time constant", above=SHORTEST_TAU) for t in tau}
    rules |= {"E_rev": Parameter(0.0, "mV", "reversal potential")} if E_rev is not None else {}
    rules |= {"Mg": Parameter(0.0, "mM", "magnesium", at_least=0)} if Mg is not None else {}
    given = {**tau, "E_rev": E_rev, "Mg": Mg}
    values = {
        f"{name}_{key}": as_values(owner, key, given[key], None, rule.unit, above=rule.above, at_least=rule.at_least)
        for key, rule in rules.items()
    }
    for key, rule in rules.items():
        _validate.check_size(owner, key, extremes(values[f"{name}_{key}"]), rule.unit)
    receptor = Receptor(
        name,
        kind,
        tuple(f"{name}_{t}" for t in tau),
        f"{name}_E_rev" if E_rev is not None else None,
        f"{name}_Mg" if Mg is not None else None,
        compartment=compartment,
        parameters={f"{name}_{key}": rule for key, rule in rules.items()},
    )
    return GivenReceptor(receptor, values)
