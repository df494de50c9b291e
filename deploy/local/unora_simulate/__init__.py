"""`make simulate`: grows a database of members day by day, to see what each table costs, and which stop growing."""
