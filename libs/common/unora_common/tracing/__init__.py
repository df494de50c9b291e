"""Traces for OpenTelemetry, if a collector is configured (docs/traces.md). Without one, its SDK is not loaded."""
