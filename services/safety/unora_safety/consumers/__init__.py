"""What safety does on events of all contexts, itself among them."""
