"""docker-compose.yml on a container engine, and the journey on it: `make compose-test`."""
