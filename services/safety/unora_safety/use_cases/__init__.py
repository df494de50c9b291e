"""Transactions and reads that servicers, consumers and jobs share."""
