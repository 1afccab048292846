"""Estimates of what was never reported: pure functions over arrays and small tables."""
