"""What is kept of a run: spikes, samples of state variables, statistics; and the files they are written to."""

from biosnn.recording.metrics import MetricsCsv
from biosnn.recording.pictures import RasterPng, RatesPng, TracesPng
from biosnn.recording.results import PopulationStatistics, Result, Samples, Spikes
from biosnn.recording.sample_files import SamplesCsv, SamplesJsonl, SamplesNpy
from biosnn.recording.sinks import About, Sampled, Sink
from biosnn.recording.sonata_files import SamplesH5, SpikesH5
from biosnn.recording.spike_files import SpikesCsv, SpikesJsonl, SpikesNpz

__all__ = [
    "About",
    "MetricsCsv",
    "PopulationStatistics",
    "RasterPng",
    "RatesPng",
    "Result",
    "Sampled",
    "Samples",
    "SamplesCsv",
    "SamplesH5",
    "SamplesJsonl",
    "SamplesNpy",
    "Sink",
    "Spikes",
    "SpikesCsv",
    "SpikesH5",
    "SpikesJsonl",
    "SpikesNpz",
    "TracesPng",
]
