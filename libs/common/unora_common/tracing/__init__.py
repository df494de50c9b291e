"""Records traces for OpenTelemetry, if a collector is configured (docs/traces.md). Without one, nothing of it is loaded."""
