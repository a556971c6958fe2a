"""One writer at a time: with real processes, one of them killed."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import contextmanager

import pytest

from leadscore_v6.errors import WarehouseBusy
from leadscore_v6.warehouse import lease as module
from leadscore_v6.warehouse.lease import HOLDER_FILE, LOCK_FILE, Holder, Lease, holder

HOLD = """
    import sys
    from pathlib import Path
    from leadscore_v6.warehouse.lease import Lease
    with Lease(Path(sys.argv[1]), command="hold", heartbeat_seconds=0.05):
        print("held", flush=True)
        sys.stdin.read()
"""


@contextmanager
def another_process_that_holds(home):
    """A process that holds the warehouse until its standard input is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLD), home], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def within(seconds, condition):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_a_lease_names_its_holder_while_it_is_held(tmp_path):
    assert holder(tmp_path) is None
    with Lease(tmp_path, command="leadscore run"):
        found = holder(tmp_path)
        assert (found.pid, found.command) == (os.getpid(), "leadscore run")
        assert found.host
        assert found.since <= found.heartbeat
    assert holder(tmp_path) is None
    assert not (tmp_path / HOLDER_FILE).exists()


def test_a_look_at_a_home_that_is_not_there_makes_nothing(tmp_path):
    assert holder(tmp_path / "home") is None
    assert not (tmp_path / "home").exists()


def test_the_lease_is_let_go_when_its_block_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), Lease(tmp_path):
        raise ZeroDivisionError
    assert holder(tmp_path) is None


def test_a_second_process_is_refused_with_the_holders_name(tmp_path):
    with another_process_that_holds(tmp_path) as other:
        with pytest.raises(WarehouseBusy) as caught, Lease(tmp_path, wait_seconds=0):
            pass
        for words in (f"process {other.pid}", "(hold)", "since 20", "what to do", str(tmp_path)):
            assert words in str(caught.value)
        assert caught.value.exit_code == 2


def test_a_waiting_process_tells_whom_it_waits_for_and_goes_on_when_the_other_ends(tmp_path):
    told = []
    with another_process_that_holds(tmp_path) as other:
        threading.Timer(0.4, other.stdin.close).start()
        started = time.monotonic()
        with Lease(tmp_path, wait_seconds=30, progress=told.append):
            assert time.monotonic() - started >= 0.4
            assert holder(tmp_path).pid == os.getpid()
    assert len(told) == 1
    assert f"process {other.pid}" in told[0]


def test_a_killed_holder_frees_the_warehouse_at_once_and_its_name_is_ignored(tmp_path):
    with another_process_that_holds(tmp_path) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert json.loads((tmp_path / HOLDER_FILE).read_text())["pid"] == other.pid
        assert holder(tmp_path) is None
        started = time.monotonic()
        with Lease(tmp_path, wait_seconds=0):
            assert holder(tmp_path).pid == os.getpid()
        assert time.monotonic() - started < 1


def test_a_child_of_a_killed_holder_does_not_keep_the_lock(tmp_path):
    fork = 'import os, time; os.fork() or print("forked", flush=True) or time.sleep(60); sys.stdin.read()'
    code = textwrap.dedent(HOLD.replace("sys.stdin.read()", fork))
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            assert [process.stdout.readline() for _ in range(2)] == [b"held\n", b"forked\n"]
            process.kill()
            process.wait()
            with Lease(tmp_path, wait_seconds=0):
                assert holder(tmp_path).pid == os.getpid()
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def test_the_heartbeat_goes_on_while_the_lease_is_held(tmp_path, monkeypatch):
    seconds = iter(f"2025-11-04T12:00:{second:02}Z" for second in range(60))
    monkeypatch.setattr(module, "_now", lambda: next(seconds))
    with Lease(tmp_path, heartbeat_seconds=0.01):
        assert within(5, lambda: holder(tmp_path).heartbeat > "2025-11-04T12:00:03Z")
        assert holder(tmp_path).since == "2025-11-04T12:00:00Z"
    assert not any(thread.name == "warehouse-lease" for thread in threading.enumerate())


def test_leases_of_one_process_are_one_and_end_with_the_last(tmp_path):
    first, second = Lease(tmp_path, command="first"), Lease(tmp_path / "." / "x" / "..", command="second")
    (tmp_path / "x").mkdir()
    with first:
        with second, second:
            assert holder(tmp_path).command == "first"
        assert holder(tmp_path) is not None
    assert holder(tmp_path) is None


def test_leases_of_two_homes_have_nothing_to_do_with_each_other(tmp_path):
    with another_process_that_holds(tmp_path / "a"), Lease(tmp_path / "b", wait_seconds=0):
        assert holder(tmp_path / "a").command == "hold"
        assert holder(tmp_path / "b").pid == os.getpid()


def test_threads_that_come_and_go_never_let_go_of_each_others_lease(tmp_path):
    lost = []

    def come_and_go():
        for _ in range(30):
            with Lease(tmp_path, wait_seconds=5):
                if holder(tmp_path) is None:
                    lost.append(1)

    threads = [threading.Thread(target=come_and_go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lost == []
    assert holder(tmp_path) is None


def look_for(seconds, home) -> None:
    """Have a reader's look take as long as this."""
    descriptor = os.open(home / LOCK_FILE, os.O_RDONLY | os.O_CREAT, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    threading.Timer(seconds, os.close, [descriptor]).start()


def test_readers_do_not_take_each_other_for_a_holder(tmp_path):
    look_for(0.2, tmp_path)
    assert holder(tmp_path) is None


def test_a_writer_does_not_take_a_reader_for_a_holder(tmp_path):
    look_for(0.1, tmp_path)
    with Lease(tmp_path, wait_seconds=0):
        assert holder(tmp_path).pid == os.getpid()


def test_the_name_that_a_killed_holder_left_is_not_taken_for_that_of_the_next(tmp_path):
    with another_process_that_holds(tmp_path) as killed:
        killed.kill()
        killed.wait()
        left = (tmp_path / HOLDER_FILE).read_text()
    with Lease(tmp_path, heartbeat_seconds=60):
        (tmp_path / HOLDER_FILE).write_text(left)
        assert holder(tmp_path) == Holder()


def test_a_holder_that_has_not_said_its_name_yet_is_still_a_holder(tmp_path):
    with another_process_that_holds(tmp_path) as other:
        other.send_signal(signal.SIGSTOP)
        (tmp_path / HOLDER_FILE).write_text("{ half")
        assert holder(tmp_path) == Holder()
        (tmp_path / HOLDER_FILE).unlink()
        with pytest.raises(WarehouseBusy, match="just starting"), Lease(tmp_path, wait_seconds=0):
            pass


def test_a_full_disk_does_not_keep_a_writer_from_its_work(tmp_path, monkeypatch):
    monkeypatch.setattr(module.json, "dumps", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with Lease(tmp_path):
        assert holder(tmp_path) == Holder()
    assert holder(tmp_path) is None


def test_the_lock_file_itself_is_never_removed(tmp_path):
    # Removed, two processes could each lock a file of that name.
    with Lease(tmp_path):
        inode = (tmp_path / LOCK_FILE).stat().st_ino
    with Lease(tmp_path):
        assert (tmp_path / LOCK_FILE).stat().st_ino == inode
