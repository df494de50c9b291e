"""What an operator sees Unora by: the rules of deploy/observe, and the dashboards, which are made here."""
