"""Whether the migrations since the recorded release let that release go on: see `compared.py` and docs/rollouts.md."""
