#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The guest's console on standard input and output: raw while the guest runs and
# restored on every way out; input from a file, a pipe, or nothing at all.

import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time

TOP = os.path.dirname(os.path.abspath(__file__)) + "/../.."
BUILD = os.environ.get("XENEMU_BUILD", TOP + "/build")
LIMIT = 120
# Our guests are not in the way of anybody's names.
RUNTIME = tempfile.TemporaryDirectory()
os.environ.setdefault("XENEMU_RUNTIME_DIR", RUNTIME.name)
count = 0


def ok(good, name, *details):
    global count
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    if not good:
        for detail in details:
            for line in str(detail).splitlines():
                print(f"# {line}")
    sys.stdout.flush()
    return good


def command(ending, *more):
    return [f"{BUILD}/xenemu", "run", "--kernel", f"{BUILD}/guests/cli/endings.elf", "--memory",
            "16", "--machine", "qemu", "--timeout", "100", "--extra", ending, *more]


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, argv, background=False):
        self.master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self.text = b""
        self.pid = os.fork()
        if self.pid == 0:
            self.login(slave)
            if background:
                self.run_in_background(argv)
            os.execv(argv[0], argv)
        os.close(slave)

    @staticmethod
    def login(slave):
        os.setsid()
        # Opening it makes it the session's terminal.
        os.close(os.open(os.ttyname(slave), os.O_RDWR))
        for fd in range(3):
            os.dup2(slave, fd)

    @staticmethod
    def run_in_background(argv):
        """As a shell does with `&': another process group than the terminal's."""
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            os.execv(argv[0], argv)
        _, status = os.waitpid(child, os.WUNTRACED)
        os._exit(77 if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status))

    def read(self, deadline):
        ready, _, _ = select.select([self.master], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other side is closed
            data = b""
        self.text += data
        return bool(data)

    def expect(self, text):
        deadline = time.monotonic() + LIMIT
        while text not in self.text:
            if not self.read(deadline):
                return False
        return True

    def type(self, text):
        os.write(self.master, text)

    def raw(self):
        """The guest has spoken, so the mode was set before."""
        flags = termios.tcgetattr(self.master)[3]
        return not flags & (termios.ICANON | termios.ECHO | termios.ISIG)

    def finish(self):
        deadline = time.monotonic() + LIMIT
        while self.read(deadline):
            pass
        if time.monotonic() >= deadline:
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        self.restored = termios.tcgetattr(self.master) == self.before
        os.close(self.master)
        return os.waitstatus_to_exitcode(status)


def finished(term, name, statuses):
    status = term.finish()
    ok(status in statuses, f"{name}: status", status, term.text.decode(errors="replace"))
    ok(term.restored, f"{name}: terminal as before")


def test_typing():
    term = Terminal(command("echo"))
    ok(term.expect(b"ready: echo\r\n"), "typing: guest runs", term.text)
    ok(term.raw(), "typing: terminal is raw")
    # Interrupt, quit, suspend, end of file, carriage return: all the guest's.
    term.type(b"a\x03\x1c\x1a\x04\r\x7f")
    ok(term.expect(b"[61][3][1c][1a][4][d][7f]"), "typing: every key reaches the guest", term.text)
    term.type(b"Q")
    finished(term, "typing", [0])


def test_escape():
    term = Terminal(command("echo"))
    ok(term.expect(b"ready: echo\r\n") and term.raw(), "Ctrl-]: guest runs")
    term.type(b"\x1d")
    finished(term, "Ctrl-]", [0])


def test_signals():
    sanitized = "asan" in BUILD  # its own handlers report and exit
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        term = Terminal(command("idle"))
        ok(term.expect(b"ready: idle\r\n") and term.raw(), f"{sig.name}: guest runs")
        os.kill(term.pid, sig)
        finished(term, sig.name, [128 + sig])
    for sig in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS):
        term = Terminal(command("idle"))
        ok(term.expect(b"ready: idle\r\n") and term.raw(), f"{sig.name}: guest runs")
        os.kill(term.pid, sig)
        finished(term, sig.name, [-sig, 1] if sanitized else [-sig])


def test_ends():
    for ending, status in (("poweroff", 0), ("reboot", 3), ("fault", 4)):
        finished(Terminal(command(ending)), f"on a terminal: {ending}", [status])
    finished(Terminal(command("idle", "--timeout", "2")), "on a terminal: timeout", [6])
    finished(Terminal(command("idle", "--memory", "0")), "on a terminal: error", [2])


def test_background():
    finished(Terminal(command("poweroff"), background=True), "in the background", [0])


def run(name, **how):
    ran = subprocess.run(command("echo"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         timeout=LIMIT, check=False, **how)
    ok(ran.returncode == 0 and ran.stdout.endswith(b"[61][62]"), f"input from {name}",
       ran.returncode, ran.stdout, ran.stderr)
    ok(ran.stderr == b"", f"input from {name}: no message", ran.stderr)


def test_other_input():
    run("a pipe", input=b"abQ")
    with tempfile.TemporaryFile() as file:
        file.write(b"abQ")
        file.seek(0)
        run("a file", stdin=file)


def test_no_input():
    """End of input is not the end of the guest."""
    for name, how in (("/dev/null", {"stdin": subprocess.DEVNULL}),
                      ("an empty pipe", {"input": b""}),
                      ("closed", {"stdin": subprocess.DEVNULL,
                                  "preexec_fn": lambda: os.close(0)})):
        ran = subprocess.run(command("idle", "--timeout", "2"), stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, timeout=LIMIT, check=False, **how)
        ok(ran.returncode == 6, f"input {name}: guest goes on", ran.returncode, ran.stderr)


def test_no_output():
    """A reader that goes away, or was never there, does not take the guest with it."""
    ran = subprocess.run(command("poweroff"), stdin=subprocess.DEVNULL,
                         preexec_fn=lambda: os.close(1), timeout=LIMIT, check=False)
    ok(ran.returncode == 0, "output closed: guest powers off", ran.returncode)
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(command("poweroff"), stdin=subprocess.DEVNULL, stdout=writer,
                         timeout=LIMIT, check=False)
    ok(ran.returncode == 0, "output a broken pipe: guest powers off", ran.returncode)


def test_console():
    """`xenemu console` at a guest that has no terminal of its own."""
    with tempfile.TemporaryDirectory() as runtime:
        os.environ["XENEMU_RUNTIME_DIR"] = runtime
        for kind in ("pty", "unix"):
            attach = [f"{BUILD}/xenemu", "console", "attached"]
            guest = subprocess.Popen(command("echo", "--name", "attached", "--console", kind),
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE)
            told = guest.stderr.readline()
            ok(told.startswith(b"xenemu: console 0: /"), f"{kind}: its name is told", told)
            term = Terminal(attach)
            ok(term.expect(b"ready: echo\r\n") and term.raw(), f"{kind}: attached", term.text)
            term.type(b"\x03")
            ok(term.expect(b"[3]"), f"{kind}: every key reaches the guest", term.text)
            term.type(b"\x1d")
            finished(term, f"{kind}: Ctrl-]", [0])
            term = Terminal(attach)
            term.type(b"a")
            ok(term.expect(b"[61]"), f"{kind}: the guest has gone on", term.text)
            os.kill(term.pid, signal.SIGTERM)
            finished(term, f"{kind}: SIGTERM", [1])
            term = Terminal(attach)
            term.type(b"bQ")
            ok(term.expect(b"[62]"), f"{kind}: third time", term.text)
            finished(term, f"{kind}: the guest ends", [0])
            out, err = guest.communicate(timeout=LIMIT)
            ok(guest.returncode == 0 and out == b"", f"{kind}: it powers off", out, err)
    del os.environ["XENEMU_RUNTIME_DIR"]


for test in (test_typing, test_escape, test_signals, test_ends, test_background, test_other_input,
             test_no_input, test_no_output, test_console):
    test()
print(f"1..{count}")
