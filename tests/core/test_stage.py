"""How a stage starts."""

import sys

from tests.helpers import processes
from tests.helpers.programs import ENVIRONMENT

# As `python -m` runs a stage.
PROGRAM = """
import gc, sys
sys.argv = ["-m"]
import dminity.stages
assert not gc.isenabled()
from dminity.core.stage import run
run(lambda: print(gc.isenabled(), gc.get_freeze_count() > len(gc.get_objects())))
"""


def test_garbage_is_looked_for_when_a_stage_begins_and_not_among_what_it_imported() -> None:
    done = processes.run([sys.executable, "-c", PROGRAM], environment=ENVIRONMENT)
    assert (done.stdout, done.stderr) == ("True True\n", "")
