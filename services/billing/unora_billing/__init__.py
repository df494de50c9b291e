"""The billing context: plans, payments, credits, and what protects a payment for a recovery."""
