"""What the system says is heard over a real bus, made for the test, with the network barrier up."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bridge import system_watch

CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>custom</type><listen>unix:path={bus}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>"""
LISTENER = """
import os, sys
from core import egress
egress.raise_barrier("unix")
from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusUnixFileDescriptor, QDBusVirtualObject
from app.bridge.system_watch import LOGIND, MANAGER, PATH, SystemWatch

app = QCoreApplication([])
heard = []

class Logind(QDBusVirtualObject):
    def introspect(self, path):
        return ""

    def handleMessage(self, message, connection):
        heard.append(message.member() + " " + message.arguments()[3])
        connection.send(message.createReply(QDBusUnixFileDescriptor(ends[0])))
        os.close(ends[0])
        return True

ends = os.pipe()
fake = QDBusConnection.connectToBus(os.environ["DBUS_SYSTEM_BUS_ADDRESS"], "fake")
fake.registerService(LOGIND)
logind = Logind()
fake.registerVirtualObject(PATH, logind)
watch = SystemWatch()
watch.sleeping.connect(lambda: heard.append("sleeping"))
watch.session_locked.connect(lambda: heard.append("locked"))
watch.start()
heard.append(",".join(watch.hears))
watch.hold_sleep()

def say(path, interface, name, *arguments):
    signal = QDBusMessage.createSignal(path, interface, name)
    signal.setArguments(list(arguments))
    fake.send(signal)

def held():
    try:
        os.write(ends[1], b"x")
        return "held"
    except BrokenPipeError:
        return "released"

def speak():
    say(PATH, MANAGER, "PrepareForSleep", False)
    say(PATH, MANAGER, "PrepareForSleep", True)
    say(PATH + "/session/_32", "org.freedesktop.login1.Session", "Lock")
    say(PATH + "/session/_37", "org.freedesktop.login1.Session", "Lock")
    say("/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver", "ActiveChanged", True)
    arrived()

def arrived():
    QTimer.singleShot(300, end if heard.count("locked") > 1 else arrived)

def end():
    heard.append(held())
    watch.let_sleep()
    heard.append(held())
    print(" | ".join(heard))
    app.quit()

QTimer.singleShot(100, speak)
app.exec()
"""


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    """A bus of the test's own."""
    daemon = shutil.which("dbus-daemon")
    if daemon is None or system_watch.QtDBus is None:
        pytest.skip("this system has no D-Bus")
    (tmp_path / "bus.conf").write_text(CONFIGURATION.format(bus=tmp_path / "bus"), encoding="utf-8")
    started = subprocess.Popen(
        [daemon, f"--config-file={tmp_path / 'bus.conf'}", "--nofork", "--print-address"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert started.stdout is not None
    yield started.stdout.readline().strip()
    started.terminate()
    started.wait(120)
    started.stdout.close()


def test_sleep_and_locks_are_heard_and_sleep_waits(bus: str) -> None:
    environment = {
        **os.environ,
        "DBUS_SYSTEM_BUS_ADDRESS": bus,
        "DBUS_SESSION_BUS_ADDRESS": bus,
        "XDG_SESSION_ID": "2",
    }
    ended = subprocess.run(
        [sys.executable, "-c", LISTENER], env=environment, capture_output=True, text=True, timeout=300
    )
    assert ended.stdout.strip() == "sleep,session | Inhibit delay | sleeping | locked | locked | held | released", (
        ended.stderr
    )


def test_without_a_bus_nothing_is_heard(tmp_path: Path) -> None:
    environment = {
        key: value for key, value in os.environ.items() if key not in ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
    }
    environment["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={tmp_path / 'none'}"
    script = "from PySide6.QtCore import QCoreApplication\nfrom app.bridge.system_watch import SystemWatch\napp = QCoreApplication([])\nwatch = SystemWatch()\nwatch.start()\nwatch.hold_sleep()\nwatch.let_sleep()\nprint(watch.hears)"  # noqa: E501
    ended = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=300)
    assert ended.stdout.strip() == "()", ended.stderr
