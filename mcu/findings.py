"""What `mixdown doctor` finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    "It runs, but less well."
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """advice: what to do about it, '' if nothing is to be done."""

    subject: str
    verdict: Verdict
    what: str
    advice: str = ""

    def text(self) -> str:
        return f"{self.what}. {self.advice}" if self.advice else self.what

    def as_json(self) -> dict[str, Any]:
        return {"subject": self.subject, "verdict": self.verdict, "what": self.what, "advice": self.advice}
