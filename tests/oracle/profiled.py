"""Networks whose activity is set, to be profiled; and what profile.json has to look like."""

import numpy as np

import biosnn as bs


def firing(activity, n=2000, out_degree=50, delays=20, every=None):
    """Neurons that fire at random, so many of them in each step, and send weak synapses of many delays.

    Of two activities, and recorded or not, the driver is the same.
    """
    net = bs.Network(dt=1.0, seed=1)
    cell = bs.models.iaf_psc_delta(E_L=0.0, V_reset=0.0, V_th=1.0, t_ref=0.0, C_m=1.0, tau_m=10.0)
    p = net.population("p", n, cell)
    delay = bs.uniform(0.5, delays + 0.5).clipped(max=float(delays))
    net.connect(p, p, bs.fixed_outdegree(out_degree), weight=bs.normal(0.0, 1e-3), delay=delay)
    net.poisson(p, rate=-np.log1p(-activity) * 1e3, weight=2.0)
    if every is not None:
        net.record(p, "V_m", every=every)
    return net


NUMBER, TEXT = (int, float), str
PHASE = {
    "name": TEXT, "about": TEXT, "seconds": NUMBER, "share": NUMBER, "seconds_of_threads": [NUMBER], "calls": int,
    "events": NUMBER, "bytes": NUMBER, "events_per_s": (int, float, type(None)),
    "bytes_per_s": (int, float, type(None)), "limit": (str, type(None)), "share_of_limit": (int, float, type(None)),
}  # fmt: skip
SUMMARY = {
    "steps": int, "dt_ms": NUMBER, "start_ms": NUMBER, "threads": [TEXT], "wall_s": NUMBER, "phases": [PHASE],
    "limits": {"threads": int, "copy_bytes_per_s": NUMBER, "scatter_events_per_s": NUMBER},
    "functions": [{"name": TEXT, "calls": int, "own_s": NUMBER, "total_s": NUMBER}], "advice": [TEXT],
}  # fmt: skip
FILE = {"traceEvents": [dict], "displayTimeUnit": TEXT, "biosnn": SUMMARY}
# Of Chrome's format: what an event of each kind must have. A complete one (X) has a duration, metadata (M) arguments.
EVENTS = {
    "X": {"name": TEXT, "cat": TEXT, "ph": TEXT, "pid": int, "tid": int, "ts": NUMBER, "dur": NUMBER},
    "M": {"name": TEXT, "ph": TEXT, "pid": int, "tid": int, "args": dict},
}


def fits(found, schema, where="file"):
    """Fail where something is missing, is there besides, or is of another type."""
    if isinstance(schema, dict):
        assert set(found) == set(schema), where
        for key, inner in schema.items():
            fits(found[key], inner, f"{where}.{key}")
    elif isinstance(schema, list):
        assert isinstance(found, list), where
        for k, item in enumerate(found):
            fits(item, schema[0], f"{where}[{k}]")
    else:
        assert isinstance(found, schema), where
        assert not isinstance(found, bool), where


def check(file):
    """Fail for what is no profile, or what a viewer of traces would not read."""
    fits(file, FILE)
    assert file["displayTimeUnit"] in ("ms", "ns")
    rows, ends = {}, {}
    for event in file["traceEvents"]:
        needed = EVENTS[event["ph"]]
        fits({key: event.get(key) for key in needed}, needed, str(event))
        assert set(event) <= {*needed, "args"}
        if event["ph"] == "M" and event["name"] == "thread_name":
            rows[event["tid"]] = event["args"]["name"]
    assert list(rows.values()) == ["Python", *file["biosnn"]["threads"]]
    for event in (e for e in file["traceEvents"] if e["ph"] == "X"):
        assert event["ts"] >= 0
        assert event["dur"] >= 0
        assert event["tid"] in rows
        if event["cat"] == "driver":  # one after the other, without overlap
            assert event["ts"] >= ends.get(event["tid"], 0) - 1e-3
            ends[event["tid"]] = event["ts"] + event["dur"]
    assert set(ends) == set(rows) - {0}
