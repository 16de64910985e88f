"""What several tests and benchmarks need: servers, projects, rooms, trainings."""
