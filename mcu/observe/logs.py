"""Structured logs: `>` sent, `<` received, `-` life cycle, `x` dropped; nothing per packet above debug."""

from __future__ import annotations

import logging
import sys

import structlog


def configure(style: str = "auto", level: str = "info") -> None:
    """style: console, json, or auto (console on a terminal). The libraries' own loggers go the same way."""
    pretty = style == "console" or (style == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # plain: the default prints every frame's local variables, and with them tokens and the admin secret
    final: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if pretty
        else structlog.processors.JSONRenderer()
    )
    traceback: list[structlog.typing.Processor] = [] if pretty else [structlog.processors.format_exc_info]
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, *traceback, final],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *traceback, final],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
