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
