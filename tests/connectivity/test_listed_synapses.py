"""Listed synapses: sparse matrices, index arrays and dense weights come out as they went in."""

import networks
import numpy as np
import pytest
import scipy.sparse

import biosnn as bs


@pytest.mark.parametrize("form", ["csr_matrix", "csc_matrix", "coo_array", "csr_array", "lil_matrix"])
def test_sparse_matrix_comes_out_as_it_went_in(form):
    matrix = scipy.sparse.random(40, 30, 0.2, random_state=1)
    matrix.data = np.random.default_rng(1).normal(0.0, 50.0, matrix.nnz)
    net = bs.Network()
    a, b = networks.cells(net, "a", 40), networks.cells(net, "b", 30)
    net.connect(a, b, getattr(scipy.sparse, form)(matrix))
    sim = networks.drawn(net)
    out = sim.weights("a", "b")
    assert out.shape == (40, 30)
    assert out.nnz == matrix.nnz
    unit = np.abs(matrix.data).max() / 32767  # of 16 bits; weights are rounded by half of it
    np.testing.assert_allclose(out.toarray(), matrix.toarray(), rtol=0, atol=unit / 2 * 1.0001)


def test_sparse_matrix_between_parts_of_populations_stands_at_their_indices():
    matrix = scipy.sparse.csr_matrix([[1.0, 0.0], [2.0, 3.0], [0.0, 4.0]])
    net = bs.Network()
    a = networks.cells(net, "a", 6)
    net.connect(a[[5, 0, 2]], a[[4, 1]], matrix)
    expected = np.zeros((6, 6))
    expected[np.ix_([5, 0, 2], [4, 1])] = matrix.toarray()
    np.testing.assert_allclose(networks.drawn(net).weights("a", "a").toarray(), expected, rtol=1e-3)


def test_delays_of_a_sparse_matrix_may_be_an_array_or_a_matrix_of_its_shape():
    matrix = scipy.sparse.random(20, 30, 0.2, random_state=2, format="csr")
    delays = matrix.copy()
    delays.data = np.random.default_rng(1).integers(1, 50, matrix.nnz) * 0.1
    for form in (delays, delays.tocsc(), delays.data, scipy.sparse.csr_array(delays)):
        s = networks.connected(matrix, 20, 30, weight=None, delay=form)
        np.testing.assert_allclose(s.delays, delays.toarray()[s.sources, s.targets])
        np.testing.assert_allclose(s.weights, matrix.toarray()[s.sources, s.targets], atol=1e-4)


def test_delays_of_a_sparse_matrix_may_list_its_entries_in_another_order():
    weights = scipy.sparse.csr_matrix((np.array([1.0, 2.0]), np.array([1, 0]), np.array([0, 2])), shape=(1, 2))
    delays = scipy.sparse.csr_matrix([[0.3, 0.7]])
    s = networks.connected(weights, 1, 2, weight=None, delay=delays)
    np.testing.assert_allclose(s.weights, [2.0, 1.0], rtol=1e-3)
    np.testing.assert_allclose(s.delays, [0.3, 0.7])


FORMATS = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
REPEATED = [0, 1, 0, 0], [2, 1, 2, 2]  # one pair three times, around another


def listed(matrix, **how):
    """Its synapses (source, target, weight, delay), in order."""
    s = networks.connected(matrix, 2, 3, weight=None, **how)
    return sorted(zip(s.sources.tolist(), s.targets.tolist(), s.weights.round(2), s.delays.round(3), strict=True))


# The same entries in three formats: where their weights 1 to 4 stand, and how.
STANDING = {
    "coo": ([0, 1, 2, 3], (REPEATED,)),
    "csr": ([0, 2, 3, 1], ([2, 2, 2, 1], [0, 3, 4])),
    "csc": ([1, 0, 2, 3], ([1, 0, 0, 0], [0, 0, 1, 4])),
}


@pytest.mark.parametrize("kind", ["matrix", "array"])
@pytest.mark.parametrize("form", STANDING)
def test_entries_of_a_pair_are_synapses_where_each_has_its_own_delay(form, kind):
    order, where = STANDING[form]
    made = getattr(scipy.sparse, f"{form}_{kind}")
    weights = made((np.array([1.0, 2.0, 3.0, 4.0])[order], *where), (2, 3))
    delays = made((np.array([0.5, 0.2, 1.0, 0.3])[order], *where), (2, 3))
    expected = [(0, 2, 1.0, 0.5), (0, 2, 3.0, 1.0), (0, 2, 4.0, 0.3), (1, 1, 2.0, 0.2)]
    assert listed(weights, delay=delays) == expected
    assert listed(weights, delay=delays.data) == expected


def test_entries_of_a_pair_are_added_up_where_it_has_one_delay():
    weights = scipy.sparse.coo_array(([1.0, 2.0, 3.0, 4.0], REPEATED), (2, 3))
    delays = scipy.sparse.coo_array(([0.2, 0.5], ([1, 0], [1, 2])), (2, 3))
    assert listed(weights, delay=delays) == [(0, 2, 8.0, 0.5), (1, 1, 2.0, 0.2)]
    assert listed(weights, delay=0.7) == [(0, 2, 8.0, 0.7), (1, 1, 2.0, 0.7)]
    for other in (scipy.sparse.coo_array(([1.0] * 3, ([0, 0, 1], [2, 2, 1])), (2, 3)), delays[:, ::-1], delays[:1]):
        with pytest.raises(bs.DescriptionError, match="matrix of delays must"):
            listed(weights, delay=other)


@pytest.mark.parametrize("kind", ["matrix", "array"])
@pytest.mark.parametrize("form", FORMATS)
def test_delays_stand_beside_the_entries_of_every_format(form, kind):
    def made(values):
        return getattr(scipy.sparse, f"{form}_{kind}")(np.array(values))

    weights, delays = made([[0.0, 1.0, 2.0], [3.0, 0.0, 4.0]]), made([[0.0, 0.1, 0.2], [0.3, 0.0, 0.4]])
    expected = [(0, 1, 1.0, 0.1), (0, 2, 2.0, 0.2), (1, 0, 3.0, 0.3), (1, 2, 4.0, 0.4)]
    assert listed(weights, delay=delays) == expected
    assert listed(weights, delay=delays.tocoo().data) == expected
    assert listed(weights, delay=1.0) == [(*entry[:3], 1.0) for entry in expected]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, bool])
def test_small_integers_are_added_up_without_overflow(dtype):
    weights = scipy.sparse.coo_array(
        (np.full(300, 1 if dtype is bool else 100, dtype), np.zeros((2, 300), int)), (2, 3)
    )
    assert listed(weights) == [(0, 0, 300.0 if dtype is bool else 30000.0, 1.0)]


def test_index_arrays_make_exactly_these_synapses():
    sources, targets = np.array([4, 0, 4, 2, 4, 4]), np.array([1, 1, 3, 0, 1, 1])  # a triple pair, no order
    weights, delays = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    s = networks.connected((sources, targets), 5, 4, weight=weights, delay=delays)
    found = sorted(zip(s.sources.tolist(), s.targets.tolist(), s.weights.round(2), s.delays.round(3), strict=True))
    assert found == sorted(zip(sources.tolist(), targets.tolist(), weights, delays, strict=True))


def test_weights_between_repeated_pairs_are_summed():
    net = bs.Network()
    a = networks.cells(net, "a", 3)
    net.connect(a, a, ([0, 0, 1], [2, 2, 1]), weight=[1.0, 2.0, -4.0])
    expected = [[0, 0, 3], [0, -4, 0], [0, 0, 0]]
    np.testing.assert_allclose(networks.drawn(net).weights("a", "a").toarray(), expected, atol=1e-3)


def test_dense_weights_and_delays_of_all_to_all_go_to_their_pairs():
    rng = np.random.default_rng(3)
    weights, delays = rng.normal(0.0, 10.0, (7, 9)), rng.integers(1, 30, (7, 9)) * 0.1
    s = networks.connected(bs.all_to_all(), 7, 9, weight=weights, delay=delays)
    np.testing.assert_allclose(s.weights, weights[s.sources, s.targets], atol=1e-3)
    np.testing.assert_allclose(s.delays, delays[s.sources, s.targets])
    s = networks.connected_to_itself(bs.all_to_all(allow_autapses=False), 7, weight=weights[:, :7])
    assert len(s) == 42
    np.testing.assert_allclose(s.weights, weights[s.sources, s.targets], atol=1e-3)


def test_delays_of_listed_synapses_are_rounded_to_the_nearest_step():
    s = networks.connected(([0, 1, 2], [0, 0, 0]), 3, 1, delay=[0.12, 0.26, 1.04])
    np.testing.assert_allclose(s.delays, [0.1, 0.3, 1.0])


def test_more_delays_than_sixteen_bits_can_number_stay_apart():
    k = np.arange(70_000)
    s = networks.connected((k % 30, k % 20), weight=1.0, delay=(k + 1) * 0.1)
    assert len(s) == k.size
    np.testing.assert_array_equal(np.sort(np.rint(s.delays / 0.1)), k + 1)
