"""What servicers, consumers and jobs of billing share: payments and their steps, fulfilment, subscriptions."""
