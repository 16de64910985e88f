"""The DVC stages, one `main` each: the only readers of params.yaml, the only writers of results."""

import sys

from dminity.core import ending

# So `python -m` calls itself while it imports the packages of the module that it is to run. What
# that imports in its turn takes seconds, and may fail or be interrupted too.
if sys.argv[0] == "-m":
    ending.install()
