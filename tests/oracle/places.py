"""Networks in space that several test files use: two populations, and where they stand."""

import biosnn as bs

SQUARE = bs.random_positions((1000.0, 1000.0))
TORUS = bs.random_positions((1000.0, 800.0), edge_wrap=True)
CUBE = bs.random_positions((400.0, 400.0, 400.0))


def placed(net, name, positions, n):
    return net.population(name, n, bs.models.iaf_psc_delta(), positions=positions)


def pair(source, target, n_source=600, n_target=800, seed=1):
    """A network of two populations at these positions."""
    net = bs.Network(seed=seed)
    return net, placed(net, "a", source, n_source), placed(net, "b", target, n_target)
