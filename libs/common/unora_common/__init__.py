"""What every Unora service needs, and nothing that only one needs."""
