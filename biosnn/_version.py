"""The one place where the version stands: setuptools, the parser and `biosnn.__version__` read it here."""

__version__ = "0.1.0"
