"""Spark as others run it, in processes of this machine on loopback: a standalone cluster, and a server of Spark Connect.

Not here: a session of either (``darkfigure.records.spark_engine``).
"""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import pyspark

HOME = Path(pyspark.__file__).parent
HOST = "127.0.0.1"
BRIEF = "-XX:TieredStopAtLevel=1"
#: Seconds in which a process must be ready: six Java machines may start at once on two processors.
READY = 120


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[str]:
    """A master with so many workers of one core each, all of them registered: its address."""
    port, page = free_port(), free_port()
    url = f"spark://{HOST}:{port}"
    master = ["org.apache.spark.deploy.master.Master", "--host", HOST, "--port", f"{port}", "--webui-port", f"{page}"]
    worker = ["org.apache.spark.deploy.worker.Worker", "--host", HOST, "--cores", "1", "--memory", "512m"]
    with ExitStack() as stack:
        process = stack.enter_context(started("spark-class", folder / "master", *master))
        wait(lambda: alive(page) == 0, process, folder / "master")
        for n in range(workers):
            own = folder / f"worker{n}"
            process = stack.enter_context(started("spark-class", own, *worker, "--webui-port", "0", url))
        wait(lambda: alive(page) == workers, process, own)
        yield url


@contextmanager
def connect_server(folder: Path, master: str = "local[2]") -> Iterator[str]:
    """A server of Spark Connect whose driver works at ``master``: its address."""
    port = free_port()
    settings = {
        "spark.connect.grpc.binding.address": HOST,
        "spark.connect.grpc.binding.port": f"{port}",
        "spark.driver.defaultJavaOptions": BRIEF,
        "spark.ui.enabled": "false",
    }
    options = [word for key, value in settings.items() for word in ("--conf", f"{key}={value}")]
    server = "org.apache.spark.sql.connect.service.SparkConnectServer"
    with started("spark-submit", folder / "connect", "--master", master, *options, "--class", server) as process:
        wait(lambda: answers(port), process, folder / "connect")
        yield f"sc://{HOST}:{port}"


@contextmanager
def started(program: str, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of Spark's in a folder of its own, with all that it starts: none of them is left."""
    folder.mkdir(parents=True)
    given = {
        "SPARK_HOME": f"{HOME}",
        "SPARK_LOCAL_IP": HOST,
        "SPARK_DAEMON_MEMORY": "256m" if program == "spark-class" else "1g",  # a server's driver is in it
        "SPARK_DAEMON_JAVA_OPTS": BRIEF,
        "SPARK_WORKER_DIR": f"{folder}",
        "SPARK_LOCAL_DIRS": f"{folder}",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [HOME / "bin" / program, *arguments],
            cwd=folder,
            env={**os.environ, **given},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # executors are in the group of their worker
        process.wait()


def wait(ready, process: subprocess.Popen[bytes], folder: Path) -> None:
    """Until ``ready`` says so; with the process's log where it ends before, or takes too long."""
    end = time.monotonic() + READY
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError((folder / "log").read_text(errors="replace")[-2000:])
        time.sleep(0.2)


def alive(page: int) -> int | None:
    """The workers that a master has; None while it does not answer."""
    try:
        with urlopen(f"http://{HOST}:{page}/json/", timeout=5) as answer:
            return sum(worker["state"] == "ALIVE" for worker in json.load(answer)["workers"])
    except OSError:
        return None


def answers(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
