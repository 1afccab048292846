"""Finding the tables of an IC3 report among the words of its pages: by their heads, block by block, row by row.

What is neither a row nor a note is refused: a label that lost its figure, or a figure its label, stands there so. Not
here: what the figures mean (``fbi_ic3``).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

from darkfigure.errors import SourceError
from darkfigure.sources.pdf import Document, Line, Page, Word
from darkfigure.sources.returns import TOTAL

#: As IC3 spelt them in its reports since 2015; within one report the spelling varies ('Re-Shipping', 'TDos').
TYPES = (
    "419/Overpayment", "Advanced Fee", "Auction", "BEC", "BEC/EAC", "Botnet", "Business Email Compromise", "Charity",
    "Civil Matter", "Computer Intrusion", "Confidence Fraud/Romance", "Confidence/Romance", "Corporate Data Breach",
    "Credit Card Fraud", "Credit Card/Check Fraud", "Crimes Against Children", "Criminal Forums", "Data Breach",
    "Denial of Service", "Denial of Service/TDoS", "Employment", "Extortion", "Gambling", "Government Impersonation",
    "Hacktivist", "Harassment/Stalking", "Harassment/Threats of Violence", "Health Care Related", "Identity Theft",
    "Investment", "IPR/Copyright and Counterfeit", "Lottery/Sweepstakes", "Lottery/Sweepstakes/Inheritance", "Malware",
    "Malware/Scareware", "Malware/Scareware/Virus", "Misrepresentation", "No Lead Value", "Non-Payment/Non-Delivery",
    "Other", "Overpayment", "Personal Data Breach", "Phishing", "Phishing/Spoofing",
    "Phishing/Vishing/Smishing/Pharming", "Ransomware", "Re-shipping", "Real Estate", "Real Estate/Rental", "SIM Swap",
    "Spoofing", "Tech Support", "Tech/Customer Support", "Terrorism", "Terrorism/Threats of Violence",
    "Threats of Violence", "Virus", "Cryptocurrency", "Cryptocurrency Wallet", "Social Media", "Virtual Currency",
)  # fmt: skip
STATES = (
    "Alabama", "Alaska", "American Samoa", "Arizona", "Arkansas", "California", "Colorado", "Connecticut", "Delaware",
    "District of Columbia", "Florida", "Georgia", "Guam", "Hawaii", "Idaho", "Illinois", "Indiana", "Iowa", "Kansas",
    "Kentucky", "Louisiana", "Maine", "Maryland", "Massachusetts", "Michigan", "Minnesota", "Mississippi", "Missouri",
    "Montana", "Nebraska", "Nevada", "New Hampshire", "New Jersey", "New Mexico", "New York", "North Carolina",
    "North Dakota", "Northern Mariana Islands", "Ohio", "Oklahoma", "Oregon", "Pennsylvania", "Puerto Rico",
    "Rhode Island", "South Carolina", "South Dakota", "Tennessee", "Texas", "U.S. Minor Outlying Islands",
    "United States Minor Outlying Islands", "Utah", "Vermont", "Virgin Islands", "Virgin Islands, U.S.", "Virginia",
    "Washington", "West Virginia", "Wisconsin", "Wyoming",
)  # fmt: skip

AMEND = "look at the page; if the publisher changed the table, amend the parser"
#: What the text of a page with a table matches, in whichever order its words are drawn.
PLACED = r"(?i)\b(type|rank|range|group)"
#: An age group as printed, or an age that is over a bound.
AGE = re.compile(
    r"Under (?P<under>\d\d)|(?P<low>\d\d) ?[-–] ?(?P<high>\d\d)|(?:Over (?=\d\d$)|(?=\d\d\+))(?P<over>\d\d)\+?"
)

_HEADS = re.compile(
    r"(?:(?P<types>Crime Type)|(?P<states>Rank State)|(?P<ages>Age (?:Range|Group))"
    r"|(?:(?:Total|Victim|Complaint|Number of) )?(?P<value>Victims?|Complaints?|Counts?|Loss(?:es)?|Subjects?"
    r"|20\d\d))\b",
    re.IGNORECASE,
)
_VALUE = re.compile(r"[*†]*\$?\d[\d,.]*[*†]*|N/?A|[-–—]")
#: By subjects, by what was paid with, by countries, as rates: not complaints and losses of all who complained.
_OUT_OF_SCOPE = re.compile(r"subject|destination|crypto|virtual|countr|call cent|100,000|100k", re.IGNORECASE)
_FOOTNOTE = re.compile(
    r"\s*(\[note \d+\]|\(\d{1,2}\)|\d\)|[*†‡¹²³⁴-⁹]+)$|(?<=[A-Za-z.])\d{1,2}$|^(\[note|\d+\])$", re.IGNORECASE
)
_ARROWS = re.compile(r"[▲△▼▽↑↓⬆⬇]+")  # the trend beside a figure
_NOTE = re.compile(r"[*†‡(•]|(Note|Notes|Source|Sources|Please|Accessibility)\b|\d{1,2}[.)]?\s+[A-Za-z]")


def clean(text: str) -> str:
    """A label or a head without marks of footnotes."""
    text = " ".join(text.split())
    while (shorter := _FOOTNOTE.sub("", text)) != text:
        text = shorter
    return text.strip()


def key(label: str) -> tuple[str, ...]:
    """What the spellings of a label have in common: 'IPR/Copyright/Counterfeit', 'IPR/Copyright and Counterfeit'."""
    return tuple(word for word in re.findall(r"[a-z0-9]+", clean(label).casefold()) if word not in {"of", "and"})


SPELLING = {"types": {key(label): label for label in TYPES}, "states": {key(label): label for label in STATES}}


@dataclass
class Row:
    """A row: its label as printed, and what stands under each head."""

    label: str
    values: dict[str, str]
    descriptor: bool = False  # the row tells a means, such as social media, and no type of crime


@dataclass
class Block:
    """One of the blocks that stand side by side: where it begins, and the middle of each of its columns."""

    left: float
    middles: dict[str, float] = field(default_factory=dict)


@dataclass
class Table:
    """A table of 'types', 'states' or 'ages'. Of the lines of its title, the last is next to the heads."""

    kind: str
    page: Page
    blocks: list[Block]
    file: str
    title: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"page {self.page.number}, '{self.title[-1] if self.title else self.kind}'"

    @property
    def heads(self) -> list[str]:
        return list(self.blocks[0].middles)

    @property
    def compares_years(self) -> bool:
        return self.heads[0].isdigit()

    @property
    def in_scope(self) -> bool:
        return not _OUT_OF_SCOPE.search(" ".join([*self.title, *self.heads]))

    @property
    def age(self) -> str:
        return "Over 60" if re.search(r"(?i)over 60|60\+", " ".join(self.title)) else TOTAL

    def measure(self, head: str) -> str:
        """What a column counts; of a year's column the title says it."""
        said = next((line for line in reversed(self.title) if re.search(r"(?i)count|loss|complaints", line)), "")
        return "amount_lost" if "loss" in (said if head.isdigit() else head).casefold() else "complaints"

    def knows(self, label: str) -> bool:
        """Whether it is the label of a row, as far as known."""
        if self.kind == "ages":
            return bool(AGE.fullmatch(clean(label)))
        return key(re.sub(r"^\d{1,2}\.? ", "", label) if self.kind == "states" else label) in SPELLING[self.kind]

    def refusal(self, problem: str) -> SourceError:
        return SourceError(self.file, self.place, problem, AMEND)


def tables_of(document: Document, file: str) -> Iterator[Table]:
    """Every table under known heads, with its rows. Raises SourceError where something in one is not understood."""
    for page in document.pages:
        lines = document.lines(page)
        found = [(number, table) for number, line in enumerate(lines) if (table := _headed(line, page, file))]
        ends = [number for number, _ in found[1:]]
        above = 0
        for (number, table), end in zip_longest(found, ends):
            table.title = [line.text for line in lines[above:number][-3:] if not re.search(r"\d,\d|\$\d", line.text)]
            above = number + 1
            _read_rows(table, lines[above:end], titles=0 if end is None else 3)
            yield table


def _headed(line: Line, page: Page, file: str) -> Table | None:
    """The table that a line of heads opens; None where it is no such line."""
    text, starts = "", {}
    for word, raised in zip(line.words, line.raised, strict=True):
        if not raised and clean(word.text):
            text += " " if text else ""
            starts[len(text)] = word
            text += clean(word.text)
    heads = list(_HEADS.finditer(text))
    labels = [head for head in heads if not head["value"]]
    only_heads = not _HEADS.sub("", text).strip()
    if not labels or len(labels) == len(heads) or not labels[0][0][0].isupper():
        return None
    if not only_heads and (labels[0].start() > 0 or len(starts) > 16 or _OUT_OF_SCOPE.search(text)):
        return None
    blocks: list[Block] = []
    for head in heads:
        words = [word for start, word in starts.items() if head.start() <= start < head.end()]
        if not head["value"]:
            blocks.append(Block(words[0].x0))
        elif not blocks or head[0] in blocks[-1].middles:
            blocks.append(Block(0))  # a figure's head where a label's belongs: refused below
        else:
            blocks[-1].middles[head[0]] = (words[0].x0 + words[-1].x1) / 2
    kinds = {head.lastgroup for head in labels}
    if not only_heads or len(kinds) > 1 or any(block.middles.keys() != blocks[0].middles.keys() for block in blocks):
        raise SourceError(file, f"page {page.number}", f"the heads '{text}' are not understood", AMEND)
    for block, previous in zip(blocks[1:], blocks, strict=False):
        # Labels may begin a little to the left of their head.
        block.left -= min(12, (block.left - max(previous.middles.values())) / 4)
    blocks[0].left = float("-inf")
    return Table(str(labels[0].lastgroup), page, blocks, file)


def _read_rows(table: Table, lines: list[Line], titles: int) -> None:
    """The rows of each block. The last ``titles`` lines may be the title of the table below."""
    noted: list[float] = []
    for index, block in enumerate(table.blocks):
        right = table.blocks[index + 1].left if index + 1 < len(table.blocks) else float("inf")
        reader = _Reader(table, list(block.middles.items()))
        for number, line in enumerate(lines):
            pairs = zip(line.words, line.raised, strict=True)
            inside = [
                (w, raised) for w, raised in pairs if block.left <= w.x0 < right and not _ARROWS.fullmatch(w.text)
            ]
            if inside and not reader.read(inside, beside_note=any(abs(line.y - y) < 3 for y in noted)):
                noted.append(line.y)
            if number >= len(lines) - titles:
                reader.waiting = ""
        reader.end()
        table.rows += reader.rows
    if not table.rows:
        raise table.refusal("heads without a row below them")


class _Reader:
    """The lines of one block, from top to bottom, as rows."""

    def __init__(self, table: Table, columns: list[tuple[str, float]]) -> None:
        self.table, self.columns = table, columns
        self.rows: list[Row] = []
        self.waiting = ""  # a text without a figure: the beginning of a label that wraps
        self.lone = ""  # a figure without a label: the number of the page, if nothing follows
        self.noting = self.describing = False

    def read(self, inside: list[tuple[Word, bool]], *, beside_note: bool) -> bool:
        """Take one more line; whether it is part of the table, and no note."""
        words = [word for word, raised in inside if not raised]
        text = " ".join(word.text for word in words)
        label, values = _split(words, len(self.columns))
        known = self.table.knows(_wrapped(self.waiting, label))
        noting = self.noting or beside_note
        self._unread(self.lone)
        if values and (known or (not noting and label and len(values) == len(self.columns))):
            return self._row(label, values, known)
        if values and not label and not noting and len(values) == len(self.columns):
            if self.waiting:
                return self._row(label, values, known)
            self.lone = text
            return True
        if re.match(r"descriptor", text, re.IGNORECASE):
            self.describing = True
            return True
        if self.rows and not self.waiting and self._continues(self.rows[-1].label, text):
            self.rows[-1].label = _wrapped(self.rows[-1].label, text)
            return True
        if noting or inside[0][1] or len(words) > 6 or (_NOTE.match(text) and not self.table.knows(text)):
            self._unread(self.waiting)
            self.noting, self.waiting = True, ""
            return False
        self.waiting = _wrapped(self.waiting, text)
        return True

    def _continues(self, label: str, text: str) -> bool:
        return self.table.knows(_wrapped(label, text)) and (label.endswith("/") or not self.table.knows(label))

    def _row(self, label: str, values: list[Word], known: bool) -> bool:
        if label and not known:
            self._unread(self.waiting)
        cells = {head: "" for head, _ in self.columns}
        for (head, _), value in zip(self.columns, values, strict=False):
            if len(values) < len(self.columns):  # some cells are blank
                middle = (value.x0 + value.x1) / 2
                head, _ = min(self.columns, key=lambda column: abs(column[1] - middle))
            cells[head] = value.text
        self.rows.append(Row(_wrapped(self.waiting, label), cells, self.describing))
        self.waiting, self.noting = "", False
        return True

    def _unread(self, text: str) -> None:
        if text:
            raise self.table.refusal(f"'{text}' is neither a row nor a note")

    def end(self) -> None:
        self._unread(self.waiting)
        self._unread("" if self.lone.isdigit() else self.lone)


def _wrapped(first: str, second: str) -> str:
    """A label of two lines as one."""
    return first + second if first.endswith("/") else f"{first} {second}".strip()


def _split(words: list[Word], columns: int) -> tuple[str, list[Word]]:
    """The label of a line, and the figures at its end, as many as there are columns at the most."""
    words = list(words)
    for index in range(len(words) - 1, 0, -1):  # '$ 12' and '** $12' are one figure each
        if re.fullmatch(r"[*†$]+", words[index - 1].text) and re.match(r"[$\d]", words[index].text):
            sign, number = words[index - 1], words.pop(index)
            words[index - 1] = sign._replace(text=sign.text + number.text, x1=number.x1)
    count = 0
    while count < min(columns, len(words)) and _VALUE.fullmatch(words[-1 - count].text):
        count += 1
    place = len(words) - count
    return " ".join(word.text for word in words[:place]), words[place:]
