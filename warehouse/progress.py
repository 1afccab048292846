"""Telling whoever waits how far a run is. Silent unless someone listens: the command line does, Dagster does not."""

from collections.abc import Callable
from dataclasses import dataclass, field

from warehouse.intake import IntakeReport


@dataclass
class Progress:
    """What a run tells as it goes: ``say`` gets each step with its result, ``failures`` keeps what went wrong."""

    say: Callable[[str, str], None] = lambda step, result: None
    failures: list[str] = field(default_factory=list)

    def took(self, source_id: str, report: IntakeReport, seconds: float) -> None:
        """The intake of a source has ended."""
        counts = {"taken": report.taken, "there already": report.known, "refused": len(report.refusals)}
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        self.say(f"intake {source_id}", f"{told or 'nothing offered'} in {seconds:.1f} s")
        for refusal in report.refusals:
            self.failed(refusal)

    def made(self, what: str, result: str, seconds: float) -> None:
        """A table or a release is there."""
        self.say(what, f"{result} in {seconds:.1f} s")

    def failed(self, line: str) -> None:
        """Something went wrong that the reader must see again at the end."""
        if line not in self.failures:
            self.failures.append(line)
            self.say("FAILED", line)
