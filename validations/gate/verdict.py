"""What the gate answers. Not here: how it is found out."""

from dataclasses import dataclass, field
from typing import Any

from validations.waivers import Waiver


@dataclass(frozen=True)
class Finding:
    """What one expectation found, in a line: that it failed or could not be checked. ``waiver``: why it may pass."""

    suite: str
    expectation: str
    text: str
    waiver: Waiver | None = None

    def as_dict(self) -> dict[str, Any]:
        """All of it, in what JSON knows."""
        found = {"suite": self.suite, "expectation": self.expectation, "text": self.text}
        return found | ({"waiver": self.waiver.as_dict()} if self.waiver else {})


@dataclass
class Verdict:
    """What the gate found. ``unneeded``: a line for each row of a waiver that lets nothing pass any more."""

    evaluated: int = 0
    failed: list[Finding] = field(default_factory=list)
    raised: list[Finding] = field(default_factory=list)
    waived: list[Finding] = field(default_factory=list)
    unneeded: list[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether the candidate may become a release: nothing failed, and all could be checked."""
        return not (self.failed or self.raised)

    def lines(self) -> list[str]:
        """Why the gate is shut, a line for each expectation."""
        return [finding.text for finding in (*self.failed, *self.raised)]

    def add(self, other: "Verdict") -> None:
        """Add what was found of another suite."""
        self.evaluated += other.evaluated
        for name in ("failed", "raised", "waived", "unneeded"):
            getattr(self, name).extend(getattr(other, name))

    def as_dict(self) -> dict[str, Any]:
        """All of it, in what JSON knows; the same for the same candidate."""
        found = {name: [each.as_dict() for each in getattr(self, name)] for name in ("failed", "raised", "waived")}
        return {"open": self.is_open, "evaluated": self.evaluated, **found, "unneeded_waivers": [*self.unneeded]}
