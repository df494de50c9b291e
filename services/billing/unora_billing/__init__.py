"""The billing context: plans, subscriptions, payments, credits, and the protection of paid recoveries."""
