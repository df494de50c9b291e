"""What the images are made of: the parts of others, their licences, lists of them for machines, and known faults."""
