"""Descriptions of thousands of populations and connections: how planning and describing grow, and how they print."""

import sys
import tracemalloc

import networks

import biosnn as bs


def chain(n):
    """n populations, each connected to the next, driven and recorded."""
    net = bs.Network()
    populations = [networks.cells(net, f"p{k}", 4, t_ref=1.04 + k % 7) for k in range(n)]
    for k, population in enumerate(populations):
        net.connect(population, populations[k - 1], bs.one_to_one(), weight=0.5 + k, delay=1.04)
        net.poisson(population, rate=10.0, weight=1.0)
        net.current(population, 1.0, start=0.1 * (k % 5))
        net.record(population, "V_m")
    return net


def calls(function, *arguments):
    """Python functions, and turns of generators, that a call goes through."""
    n = 0

    def count(_frame, event, _argument):
        nonlocal n
        n += event == "call"

    sys.setprofile(count)
    try:
        function(*arguments)
    finally:
        sys.setprofile(None)
    return n


def test_twice_as_many_populations_and_connections_take_twice_as_many_calls_to_describe_and_to_plan():
    def plan(net):
        net.plan(threads=1)

    small, large = chain(150), chain(300)
    plan(small)  # what is found once for all
    assert calls(chain, 300) < 2.2 * calls(chain, 150)
    assert calls(plan, large) < 2.2 * calls(plan, small)


def test_connections_that_share_distributions_share_what_planning_makes_of_them():
    net = bs.Network()
    a = networks.cells(net, "a", 10)
    for k in range(300):
        net.connect(
            a, a, bs.fixed_indegree(2), weight=bs.normal(30.0, 3.0), delay=bs.uniform(0.5, 5.0), name=f"number {k}"
        )
    tracemalloc.start()
    try:
        plan = net.plan(threads=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20e6  # 300 tables of 65,536 numbers take 157 MB
    assert plan.delays.tolist() == list(range(5, 51))


def test_the_plan_of_thousands_of_populations_prints_in_a_page_and_its_totals_are_those_of_all():
    net = chain(3000)
    everyone = [net.populations[f"p{k}"] for k in range(3000)]
    net.connect(everyone, everyone[0], bs.fixed_indegree(2), weight=1.0, delay=0.1)
    plan = net.plan(threads=1)
    text = str(plan)
    lines = text.splitlines()
    assert len(lines) < 66
    assert max(map(len, lines)) < 300
    (total,) = [line for line in lines if "total, host" in line]
    assert total.endswith(f" {plan.bytes / 2**20:.1f} MiB")
    (notes,) = [line for line in lines if "t_ref rounded" in line]
    assert notes == (
        "  note: population 'p0': t_ref rounded to whole steps, by 0.04 ms at most; "
        "the like of 2,999 others ('p1', 'p2', 'p3', ...)"
    )
    for part in ("populations", "projections", "recorders"):
        rows = sorted((r for r in plan.rows if r.section == part), key=lambda r: (r.minor, -r.bytes))
        sizes = [r.bytes for r in rows]  # those shown, and the others
        (others,) = [line for line in lines if line.startswith(f"    {len(sizes) - 8:,} others")]
        number, unit = others.split()[-2:]
        assert float(number.replace(",", "")) == round(sum(sizes[8:]) / {"KiB": 2**10, "MiB": 2**20}[unit], 1)


def test_a_group_of_thousands_of_populations_and_a_model_of_arrays_print_on_one_line():
    net = chain(100)
    group = sum((net.populations[f"p{k}"] for k in range(1, 100)), net.populations["p0"][:2])
    assert repr(group).startswith("p0[0:2] + p1[0:4] + p2[0:4]")
    assert repr(group).endswith(" + 90 more parts")
    drawn = net.population("drawn", 900, bs.models.iaf_psc_exp(I_e=[0.5] * 900))
    assert len(repr(drawn)) < 200
    assert "\n" not in repr(drawn)
