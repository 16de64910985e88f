"""The HTTP service: photos in, JSON out; knows `runtime/` and what lies below it."""
