"""The demo `vision`: what it is shown, receptive fields against formulas, and tuning against what is built in."""

import json

import numpy as np
import pytest
from astropy.stats import circcorrcoef
from command_line import run

import biosnn as bs
from biosnn.demos.movies import gratings
from biosnn.demos.vision import N_FRAMES, ORIENTATIONS, PERIOD, PIXEL, SHAPE, preferred, vision
from biosnn.runners import cli

SHOWN = 20.0 * N_FRAMES  # ms, of each grating
VISION = ["--demo", "vision", "--n", "500", "--warmup", "0"]


def simulated(**arguments):
    net = vision(**arguments)
    net.record(net.populations["on"])
    net.record(net.populations["exc"])
    return net, net.build(threads=1)


@pytest.fixture(scope="module")
def network():
    return simulated()


@pytest.fixture(scope="module")
def tuning(network):
    return spikes_by_grating(network[1])


def spikes_by_grating(sim):
    """Spikes of each ON cell, and of each excitatory cell, while each of the gratings is shown once."""
    result = sim.run(SHOWN * len(ORIENTATIONS))
    return {name: result.spike_counts(name, bin_ms=SHOWN) for name in ("on", "exc")}


def mean_vector(responses):
    """1 - circular variance, and the preferred orientation (degrees)."""
    z = responses @ np.exp(2j * np.radians(ORIENTATIONS)) / responses.sum(1)
    return np.abs(z), np.degrees(np.angle(z)) / 2 % 180


def test_cells_fire_for_the_orientation_that_they_are_made_to_prefer(network, tuning):
    made = preferred(network[0].populations["exc"].positions, seed=1)
    fire = tuning["exc"].sum(1) >= 5
    assert fire.mean() > 0.9
    _, found = mean_vector(tuning["exc"][fire])
    assert circcorrcoef(2 * np.radians(found), 2 * np.radians(made[fire])) > 0.95
    assert np.median(np.abs((found - made[fire] + 90) % 180 - 90)) < 6.0


def test_tuning_is_made_in_the_cortex_as_sharp_as_receptive_fields_say_by_inhibition(network, tuning):
    sim = network[1]
    frames = gratings(ORIENTATIONS, SHAPE, PERIOD, N_FRAMES).reshape(-1, SHAPE[0] * SHAPE[1])
    drive = sum(sim.weights(x, "exc").T @ (sim.weights("retina", x).T @ frames.T) for x in ("on", "off"))
    swing = np.abs(np.fft.rfft(drive.reshape(len(drive), len(ORIENTATIONS), N_FRAMES), axis=2)[:, :, 1])
    without = spikes_by_grating(simulated(inhibition=0.0)[1])["exc"]
    fire = tuning["exc"].sum(1) >= 5
    on, cells, linear, released = (
        np.median(mean_vector(x)[0]) for x in (tuning["on"], tuning["exc"][fire], swing, without)
    )
    assert on < 0.15
    assert 0.6 < linear < 0.9
    assert abs(cells - linear) < 0.1
    assert released < cells - 0.2


def test_a_grating_has_the_orientation_and_the_speed_that_are_asked_for():
    frames = gratings([30.0], (48, 64), 8.0, 10)
    spectrum = np.abs(np.fft.fftn(frames - frames.mean(), (10, 480, 640), axes=(0, 1, 2)))
    k, row, column = np.unravel_index(np.argmax(spectrum), spectrum.shape)
    up, right = -np.fft.fftfreq(480)[row], np.fft.fftfreq(640)[column]
    assert np.hypot(up, right) == pytest.approx(1 / 8.0, rel=0.02)
    assert np.degrees(np.arctan2(up, right)) % 180 == pytest.approx(30.0 + 90.0, abs=2.0)  # across the bars
    assert k in (1, 9)  # one period in all frames
    assert frames.min() >= 0.0
    assert frames.max() <= 1.0


def test_on_cells_sum_the_retina_by_a_difference_of_gaussians(network):
    sim = network[1]
    centre = 20 * 40 + 20
    for name, sign in (("on", 1.0), ("off", -1.0)):
        found = np.asarray(sim.weights("retina", name)[:, [centre]].todense()).reshape(SHAPE)
        for row, column in np.ndindex(SHAPE):
            d = PIXEL * np.hypot(row - 20, column - 20)
            expected = 500.0 * np.exp(-(d**2) / (2 * 55.0**2)) * (d <= 137.5)
            expected -= 500.0 / 9 * np.exp(-(d**2) / (2 * 165.0**2)) * (d <= 412.5)
            assert found[row, column] == pytest.approx(sign * expected, abs=0.1)


def test_a_receptive_field_is_a_row_of_on_cells_beside_one_of_off_cells(network):
    net, sim = network
    exc = net.populations["exc"]
    made = preferred(exc.positions, seed=1)
    some = np.arange(0, len(exc), 7)
    on, off = (np.asarray(sim.weights(x, "exc")[:, some].todense()).T.reshape(-1, *SHAPE) for x in ("on", "off"))
    assert (on >= 0).all()
    assert (off >= 0).all()
    assert not ((on > 0) & (off > 0)).any()
    assert on.sum((1, 2)) + off.sum((1, 2)) == pytest.approx(np.full(some.size, 6000.0), rel=1e-3)
    spectrum = np.abs(np.fft.fft2(on - off, (160, 160)))[:, :, :81]
    row, column = np.divmod(spectrum.reshape(some.size, -1).argmax(1), 81)
    up, right = -np.fft.fftfreq(160)[row], column / 160
    bars = np.degrees(np.arctan2(up, right)) - 90
    assert np.percentile(np.abs((bars - made[some] + 90) % 180 - 90), 90) < 10.0


def test_spikes_are_the_same_for_any_number_of_threads(tmp_path):
    one, two = (run(tmp_path / k, *VISION, "--threads", k, "--duration", "150", "--mode", "fast") for k in "12")
    assert one["spikes_sha256"] == two["spikes_sha256"]
    assert one["n_neurons"] == 3 * 1600 + 500
    assert all(rate > 0 for rate in one["rates_hz"].values())


def test_given_frames_drive_the_part_of_the_field_that_is_bright(tmp_path):
    image = np.zeros((32, 48), np.float32)
    image[:16, 24:] = 1.0  # on top, to the right
    np.save(tmp_path / "corner.npy", image)
    shown = ["--frames", str(tmp_path / "corner.npy")]
    summary = run(tmp_path / "run", *VISION, *shown, "--threads", "1", "--duration", "300", "--spikes", "npz")
    assert summary["n_neurons"] == 3 * 32 * 48 + 500
    assert json.loads((tmp_path / "run" / "run_config.json").read_text())["frames"] == str(tmp_path / "corner.npy")
    spikes = np.load(tmp_path / "run" / "spikes.npz")
    names = spikes["populations"].tolist()
    counts = {}
    for name, shape in (("retina", (32, 48)), ("on", (32, 48)), ("exc", (20, 20))):
        senders = spikes["neuron"][spikes["population"] == names.index(name)]
        counts[name] = np.bincount(senders, minlength=shape[0] * shape[1]).reshape(shape)
    assert counts["retina"][:16, 24:].sum() == counts["retina"].sum()
    assert abs(counts["retina"].sum() - 30.0 * 16 * 24) < 5 * np.sqrt(30.0 * 16 * 24)  # 100 Hz for 300 ms
    for name in ("on", "exc"):
        height, width = (side // 2 for side in counts[name].shape)
        bright = counts[name][:height, width:].sum()
        assert bright > 5 * (counts[name].sum() - bright)


def test_frames_are_shown_one_after_the_other_again_and_again(tmp_path):
    flash = np.zeros((5, 24, 24))
    flash[0] = 1.0
    np.save(tmp_path / "flash.npy", flash)
    net = vision(n=500, frames=tmp_path / "flash.npy", every=10.0)
    net.record(net.populations["retina"])
    times = net.build(threads=1).run(200.0).spikes["retina"].times
    counts = np.bincount((times // 10.0).astype(int), minlength=20)
    assert np.flatnonzero(counts).tolist() == [0, 5, 10, 15, 20]  # 20: the spikes of its first step, at 200 ms
    assert (np.abs(counts[0:20:5] - 576.0) < 5 * 24.0).all()  # 24 x 24 pixels, 100 Hz, 10 ms


def broken(path, kind):
    whole = np.full((2, 30, 30), 0.5)
    if kind == "no array":
        path.write_text("0.5 0.5\n")
    elif kind == "empty":
        path.touch()
    elif kind == "cut off":
        np.save(path, whole)
        path.write_bytes(path.read_bytes()[:-1000])
    elif kind == "objects":
        np.save(path, np.array([None, {}], object), allow_pickle=True)
    elif kind == "header":
        np.save(path, whole)
        path.write_bytes(path.read_bytes().replace(b"(2, 30, 30)", b"(2, 30, 30 "))
    elif kind == "folder":
        path.mkdir()
    elif kind != "not there":
        frames = {
            "text": np.array([["a"] * 30] * 30), "complex": whole + 1j, "NaN": np.where(whole > 0, np.nan, 0),
            "infinite": np.full((30, 30), np.inf), "axes": whole[0, 0], "more axes": whole[..., None],
            "none": whole[:0], "negative": -whole, "bright": 510 * whole, "small": whole[:, :10],
            "wide": np.zeros((30, 99)),
        }  # fmt: skip
        np.save(path, frames[kind])


@pytest.mark.parametrize(
    ("kind", "fragments"),
    [
        ("not there", ["cannot read frames", "No such file", "np.save"]),
        ("folder", ["cannot read frames", "Is a directory"]),
        ("no array", ["no .npy file"]),
        ("empty", ["no .npy file"]),
        ("cut off", ["no .npy file"]),
        ("objects", ["no .npy file"]),
        ("header", ["no .npy file"]),
        ("text", ["frames must be an array of numbers"]),
        ("complex", ["frames must be an array of numbers"]),
        ("NaN", ["frames must be finite", "got nan", "index 0, 0, 0"]),
        ("infinite", ["frames must be finite", "got inf"]),
        ("axes", ["[T, H, W]", "got (30,)"]),
        ("more axes", ["[T, H, W]", "got (2, 30, 30, 1)"]),
        ("none", ["[T, H, W]", "got (0, 30, 30)"]),
        ("negative", ["frames must be at least 0", "got -0.5"]),
        ("bright", ["frames must hold values from 0 to 1", "got 255", "divide"]),
        ("small", ["24 to 64 pixels", "got 10 x 30", "crop"]),
        ("wide", ["24 to 64 pixels", "got 30 x 99"]),
    ],
)
def test_a_file_that_holds_no_frames_gets_one_line_and_exit_code_2(kind, fragments, tmp_path, capsys):
    broken(tmp_path / "it.npy", kind)
    assert cli.main([*VISION, "--frames", str(tmp_path / "it.npy"), "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("biosnn: error: vision: ")
    assert error.count("\n") == 1
    assert all(fragment in error for fragment in fragments), error
    assert not (tmp_path / "run").exists()


def test_a_file_of_too_many_frames_is_refused_by_its_header(tmp_path, capsys):
    np.lib.format.open_memmap(tmp_path / "it.npy", "w+", np.float32, (5000, 64, 64)).flush()
    assert cli.main([*VISION, "--frames", str(tmp_path / "it.npy")]) == 2
    error = capsys.readouterr().err
    assert "at most 16,777,216 values, got 20,480,000" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        ({"n": 1000}, ["5 k^2", "got 1000", "980 and 1125"]),
        ({"n": 20}, ["n must be at least 500"]),
        ({"every": 0.05}, ["every must be a multiple of dt"]),
        ({"frames": [[0.5] * 30]}, ["24 to 64 pixels", "1 x 30"]),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, fragments):
    with pytest.raises(bs.DescriptionError) as error:
        vision(**arguments)
    assert all(fragment in str(error.value) for fragment in fragments), error.value
