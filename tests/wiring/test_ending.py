"""What nobody can end keeps no process alive."""

import os
import subprocess
import sys

import pytest

HANGS = """
import asyncio, sys, threading
from bot.wiring import serving

async def close():
    pass

async def never():
    await asyncio.Event().wait()

async def main():
    serving.AT_LAST = 0.2
    asyncio.create_task(asyncio.to_thread(threading.Event().wait))  # a name server that is silent, say
    await asyncio.sleep(0)
    with serving.ending_at_last():
        await {how}()
    print("all done", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize(("how", "status"), [("close", os.EX_OK), ("never", os.EX_SOFTWARE)])
def test_a_process_that_was_told_to_stop_ends_whatever_hangs(how: str, status: int) -> None:
    """With 0 if everything was closed: then only a thread of the library's is left."""
    asked = [sys.executable, "-c", HANGS.format(how=how)]
    ended = subprocess.run(asked, check=False, capture_output=True, text=True, timeout=30)
    assert ended.returncode == status, ended.stderr
    assert ("all done" in ended.stdout) == (how == "close")
    assert ("not everything could be closed in time" in ended.stdout) == (how == "never")
