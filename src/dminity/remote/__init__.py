"""Files at https and s3 addresses, and retries."""
