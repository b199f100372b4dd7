"""Run the emulator for as long as standard input stays open, then end it and everything that it started.

Usage: python emulator.py PORT LOG. The tests hold the other end of standard input: however a test process ends, the pipe closes, and no emulator or
function process is left over. Temporary files live in one directory, which is removed at the end. If the emulator ends by itself, because another process
took its port, so does this program, with status 1.
"""

import os
import select
import signal
import subprocess
import sys
import tempfile

# Seconds between two looks at whether the emulator still runs.
LOOK_INTERVAL = 0.2


def main():
    port, log = sys.argv[1:3]
    with tempfile.TemporaryDirectory(prefix="secrets-responder-", ignore_cleanup_errors=True) as temporary:
        # A clean environment: functions inherit it, and must not see this machine's AWS settings or proxies.
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": temporary,
            "TMPDIR": temporary,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": port,
            "MINISTACK_REGION": "us-east-1",
            # For `LookupEvents`.
            "CLOUDTRAIL_RECORDING": "1",
        }
        with open(log, "wb") as output:
            emulator = subprocess.Popen(
                [sys.executable, "-m", "ministack"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=temporary,
                start_new_session=True,
            )
        # Ctrl-C reaches the whole terminal group: the tests end, the pipe closes, and the lines below run.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: end(emulator))
        while emulator.poll() is None:
            readable, _, _ = select.select([sys.stdin], [], [], LOOK_INTERVAL)
            if readable and not os.read(sys.stdin.fileno(), 4096):
                end(emulator)
                return 0
        end(emulator)
        return 1


def end(emulator):
    """Kill the emulator's process group: the emulator and its functions."""
    try:
        os.killpg(emulator.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    emulator.wait()


if __name__ == "__main__":
    sys.exit(main())
