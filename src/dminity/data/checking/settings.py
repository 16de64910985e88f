"""What `dminity check` takes for the same photo."""

from typing import Annotated

from pydantic import Field

from dminity.core.parameters import Section


class CheckSettings(Section):
    """The section `check` of params.yaml."""

    near_bits: Annotated[int, Field(ge=0, le=64)]
