"""The contract over REST, as an app calls it: a channel for stubs that speaks HTTP and JSON to the gateway."""
