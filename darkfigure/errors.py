"""The errors a person may meet. Each is one line: which file, which place in it, and what to do next."""


class DarkfigureError(Exception):
    """Anything that stops a step for a reason the reader can act on."""


class SourceError(DarkfigureError):
    """A publisher's file cannot be taken.

    ``file`` is its name as given, ``place`` where in it (sheet and cell, line and column, or the
    whole file), ``problem`` what is wrong and ``remedy`` what the reader can do about it.
    """

    def __init__(self, file: str, place: str, problem: str, remedy: str) -> None:
        self.file, self.place, self.problem, self.remedy = file, place, problem, remedy
        # What a file holds is quoted, and may hold line breaks.
        super().__init__(" ".join(f"{file}: {place}: {problem}; {remedy}".split()))


class FetchError(DarkfigureError):
    """A publisher's address did not give a whole file."""


class UnknownId(DarkfigureError):
    """An id that no table of the release holds."""
