"""Mixdown: a conference server that mixes (an MCU). The layers are documented in docs/architecture.md."""

__version__ = "0.1.0"
