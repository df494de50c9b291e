"""An example of a notifier (ID-17): a service beside Unora that makes push messages of events."""
