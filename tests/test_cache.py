"""The cache can be damaged, foreign, unwritable or full: then code is compiled anew, and nothing else happens."""

import functools
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import numba
import numpy as np
import pytest

from biosnn import _cache
from biosnn._numba import kernel
from biosnn.runners import cli

SCRIPT = """
import biosnn as bs

@bs.neuron(state=dict(ψ=0.0), params=dict(τ=10.0))
def φ(ψ, I, p, dt):
    ψ = ψ + dt * (I - ψ) / p.τ
    spiked = ψ > 1.0
    return (0.0 if spiked else ψ), spiked

net = bs.Network(seed=1)
n = net.population("n", 20, φ(τ=bs.uniform(5.0, 15.0)))
net.current(n, 1.5)
sim = net.build(threads=1)
print(sim.run(100.0).fingerprint)
"""
KERNEL = """
from biosnn._numba import kernel

@kernel
def half(x):
    return x / 2

print(half(3))
"""
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def run(script, folder, **environment):
    """What a script prints, and what it says on stderr, in a process whose cache is in a folder."""
    path = Path(folder).parent / "script.py"
    path.write_text(script, encoding="utf-8")
    environment = os.environ | {"BIOSNN_CACHE_DIR": str(folder)} | environment
    done = subprocess.run([sys.executable, path], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A cache, and what the script prints that filled it, in a locale that knows no Greek."""
    folder = tmp_path_factory.mktemp("filled") / "cache"
    return folder, run(SCRIPT, folder, **ASCII)[0]


def test_drivers_are_written_in_utf_8_whatever_the_locale(filled):
    (driver,) = (path for path in filled[0].rglob("*.py") if "driver" in path.name)
    assert "own_φ" in driver.read_text(encoding="utf-8")


def truncated(path, _other):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path, _other):
    path.write_bytes(b"")


def flipped(path, _other):
    content = bytearray(path.read_bytes())
    content[-len(content) // 3] ^= 1
    path.write_bytes(content)


def noise(path, _other):
    path.write_bytes(np.random.default_rng(1).bytes(path.stat().st_size))


def swapped(path, other):
    path.write_bytes(other.read_bytes())


def a_folder(path, _other):
    path.unlink()
    path.mkdir()


def a_pipe(path, _other):
    path.unlink()
    os.mkfifo(path)


def unreadable(path, _other):
    path.chmod(0)


DAMAGES = (truncated, empty, flipped, noise, swapped, a_folder, a_pipe, unreadable)


@pytest.mark.parametrize("turn", [0, 3])
def test_whatever_happens_to_its_files_the_next_run_gives_the_same_spikes(filled, turn):
    folder, expected = filled
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(files) >= 5
    for k, path in enumerate(files):
        DAMAGES[(k + turn) % len(DAMAGES)](path, files[k - 1])
    assert run(SCRIPT, folder)[0] == expected


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty cache for this process alone."""
    monkeypatch.setenv("BIOSNN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(_cache, "folder", functools.cache(_cache.folder.__wrapped__))
    return tmp_path


def test_no_byte_may_be_wrong_and_none_may_be_missing(place):
    data = np.random.default_rng(2).bytes(60)
    _cache.save("name", data)
    assert _cache.load("name") == data
    (path,) = place.rglob("name*")
    sealed = path.read_bytes()
    for k in range(len(sealed)):
        path.write_bytes(sealed[:k])
        assert _cache.load("name") is None
        path.write_bytes(sealed[:k] + bytes([sealed[k] ^ 1 << k % 8]) + sealed[k + 1 :])
        assert _cache.load("name") is None
    path.write_bytes(sealed)
    assert _cache.load("name") == data
    path.rename(path.with_name("other" + path.name.removeprefix("name")))
    assert _cache.load("other") is None


def test_what_is_sealed_but_not_compiled_code_is_compiled_anew_and_replaced(place):
    def compiled():
        dispatcher = kernel(twice)
        assert dispatcher(21) == 42
        return sum(dispatcher.stats.cache_hits.values())

    assert [compiled(), compiled()] == [0, 1]
    (path,) = place.rglob("*twice*")
    _cache.save(path.name.removesuffix(_cache.SUFFIX), b"not a pickle")
    assert [compiled(), compiled()] == [0, 1]


def twice(x):
    return 2 * x


@pytest.mark.usefixtures("place")
def test_code_with_and_without_bounds_checks_is_told_apart(monkeypatch):
    inside = np.arange(4)[:2]  # what stands at 3 is there, but not in the view
    for _ in range(2):  # compiled, then loaded
        monkeypatch.setattr(numba.config, "BOUNDSCHECK", None)
        assert kernel(take)(inside, 3) == 3
        monkeypatch.setattr(numba.config, "BOUNDSCHECK", 1)
        with pytest.raises(IndexError):
            kernel(take)(inside, 3)


def take(x, i):
    return x[i]


@pytest.mark.parametrize("where", ["a file", "/dev/full", "no room"])
def test_where_nothing_can_be_kept_one_line_says_so_and_nothing_is_left_behind(where, tmp_path):
    (tmp_path / "tmp").mkdir()
    (tmp_path / "a file").touch()
    folder = {"/dev/full": "/dev/full", "a file": tmp_path / "a file", "no room": tmp_path / "cache"}[where]
    (tmp_path / "script.py").write_text(KERNEL)

    def no_room():
        if where == "no room":
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # as on a full disk, what is begun is not ended

    environment = os.environ | {"BIOSNN_CACHE_DIR": str(folder), "TMPDIR": str(tmp_path / "tmp")}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"], env=environment, preexec_fn=no_room, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.stdout == "1.5\n", done.stderr
    assert re.fullmatch(r"compiled code is not kept .*\n", done.stderr)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name not in ("a file", "script.py")]


def test_who_has_no_home_has_no_cache(monkeypatch):
    monkeypatch.delenv("BIOSNN_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert _cache.folder.__wrapped__() is None


def folders(place):
    """Folders, and what looks like some, of the age in days that their names end with."""
    aged = [place / f"cpython-39-{'0' * 14}{age}" for age in (29, 31, 99)]
    theirs = [place / "cpython-notes-99", place / f"data-{'0' * 14}99", place / f"cpython-39-{'1' * 14}99"]
    for path in [*aged, *theirs[:2], place / "elsewhere-99"]:
        path.mkdir()
        (path / "content").write_bytes(bytes(2**20))
    theirs[2].symlink_to(place / "elsewhere-99")
    for path in [*aged, *theirs]:
        long_ago = time.time() - 86400 * int(path.name[-2:])
        os.utime(path, (long_ago, long_ago))
    return aged, theirs


def test_folders_of_other_versions_go_after_a_month_without_use(place):
    (young, *old), theirs = folders(place)
    _cache.save("name", b"")
    assert [path.exists() for path in (young, *old, *theirs)] == [True, False, False, True, True, True]
    assert (theirs[2] / "content").exists()


def test_what_nobody_has_used_for_a_month_goes(place, monkeypatch):
    for name in ("used", "not used"):
        _cache.save(name, b"data")
        _cache.show(f"{name}.py", "text")
    folder = _cache.folder()
    (folder / "a folder").mkdir()
    long_ago = time.time() - 31 * 86400
    for path in folder.iterdir():
        os.utime(path, (long_ago, long_ago))
    assert _cache.load("used") == b"data"
    _cache.show("used.py", "text")
    monkeypatch.setattr(_cache, "_tidy", functools.cache(_cache._tidy.__wrapped__))  # as in the next process
    _cache.save("new", b"")
    left = {"used.code", "used.py", "new.code", "a folder"}
    assert {path.name for path in folder.iterdir()} == left
    assert place == folder.parent


def test_a_folder_in_use_does_not_grow_old(place, monkeypatch):
    _cache.save("name", b"")
    path = _cache.folder()
    os.utime(path, (0, 0))
    monkeypatch.setattr(_cache, "folder", functools.cache(_cache.folder.__wrapped__))
    assert _cache.load("name") == b""
    assert time.time() - path.stat().st_mtime < 1000
    assert path.parent == place


def test_clearing_the_cache_says_what_it_freed_and_leaves_alone_what_is_not_ours(place, capsys):
    aged, theirs = folders(place)
    assert cli.main(["--clear-cache"]) == 0
    assert capsys.readouterr().out == f"freed 3.0 MiB: 3 folder(s) of compiled code in {place}\n"
    assert [path.exists() for path in (*aged, *theirs)] == [False] * 3 + [True] * 3
    assert cli.main(["--clear-cache"]) == 0
    assert capsys.readouterr().out.startswith("freed 0.0 MiB: 0 folder(s)")
