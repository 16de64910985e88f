"""The DVC stages, one `main` each: the only readers of params.yaml, the only writers of results."""

import gc
import sys

from dminity.core import ending

# So `python -m` calls itself while it imports the packages of the module that it is to run. What
# that imports in its turn takes seconds, and may fail or be interrupted too.
if sys.argv[0] == "-m":
    ending.install()
    # What imports make is there to stay. To look for garbage among it, again and again while it
    # grows, takes a sixth of their time; `core.stage.run` begins with that.
    gc.disable()
