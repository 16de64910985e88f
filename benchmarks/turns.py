"""Programs that do the same work in turn, so that a busy machine slows all of them alike."""

import subprocess

ROUNDS = 20
# In a turn each does its work so many times: what was asleep is awake for most of them.
CHUNK = 8
LOOP = f"""
for _ in sys.stdin:
    start = time.perf_counter()
    for _ in range({CHUNK}):
        work()
    print((time.perf_counter() - start) * 1000 / {CHUNK}, flush=True)
"""


def started(python: str, program: str, *arguments: object) -> "subprocess.Popen[str]":
    """A contender, once it has done its work three times.

    Args:
        python: the interpreter that runs it.
        program: what defines `work`, and imports sys and time.
        *arguments: its command line.
    """
    process = subprocess.Popen(
        [python, "-c", program + LOOP, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    for _ in range(3):
        turn(process)
    return process


def turn(process: "subprocess.Popen[str]") -> float:
    """Let a contender do its work once; milliseconds."""
    assert process.stdin
    assert process.stdout
    process.stdin.write("\n")
    process.stdin.flush()
    for line in process.stdout:
        try:
            return float(line)
        except ValueError:
            continue  # what a library prints
    raise RuntimeError(f"a contender ended: {process.wait()}")


def interleaved(contenders: dict[str, "subprocess.Popen[str]"]) -> dict[str, list[float]]:
    """Milliseconds of each contender, in turn."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, process in contenders.items():
            times[name].append(turn(process))
    for process in contenders.values():
        process.communicate()
    return times
