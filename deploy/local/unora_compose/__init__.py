"""docker-compose.yml on a container engine, and the journey on it: `python -m unora_compose`, or `make compose-test`."""
