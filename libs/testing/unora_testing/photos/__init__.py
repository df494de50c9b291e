"""The people of the demo and of the tests."""
