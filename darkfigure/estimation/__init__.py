"""Estimates of what was never reported: pure functions over arrays and small tables, nothing of where they are stored."""
