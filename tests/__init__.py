"""The tests, in the rooms of `src/dminity`."""
