"""The services of reveal, one file each."""
