"""Files at https and s3 addresses, and asking again for them."""
