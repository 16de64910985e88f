"""The one kind of failure that a user can mend.

Each part defines its own errors beside the code that raises them, so that a new message in one
part does not make DVC rerun the others.
"""


class DminityError(Exception):
    """Bad input: the message is one line that names the offender and the mend."""
