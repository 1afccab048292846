"""Nodes as processes, for tests over real sockets: started in a folder, asked, ended."""

import signal
import subprocess
import sys
from pathlib import Path

from darkfigure.repository.node import settings as node_settings
from darkfigure.repository.node.tokens import issue

COMMAND = (sys.executable, "-m", "darkfigure.repository.node.serve")


class Process:
    """A node in a process of its own. What it printed is in its folder when it has ended."""

    def __init__(self, folder: Path, area: str = "FIN", host: str = "127.0.0.1", **settings: object) -> None:
        self.folder, self.area = folder, area
        if not (folder / "node.toml").exists():
            node_settings.make(folder, area)
        with (folder / "node.toml").open("a") as file:
            file.writelines(f"{name} = {value!r}\n" for name, value in settings.items())
        self.errors = (folder / "errors.txt").open("a")
        self.process = subprocess.Popen(
            [*COMMAND, str(folder), "--host", host, "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        assert self.process.stdout
        self.line = self.process.stdout.readline().strip()
        self.address = self.line.partition(" ")[2]

    def token(self, *scopes: str) -> str:
        return issue(self.area, node_settings.read_key(self.folder), "centre", scopes, 600)

    def end(self, by: int = signal.SIGTERM) -> tuple[int, str]:
        """Its exit code and all that it printed."""
        self.process.send_signal(by)
        assert self.process.stdout
        printed = self.process.stdout.read()
        code = self.process.wait(timeout=20)
        self.errors.close()
        return code, self.line + "\n" + printed + (self.folder / "errors.txt").read_text()
