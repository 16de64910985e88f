"""From figures to a decision: experiments read, compared, and told. Knows no network."""
