"""Estimates of what was never reported: pure functions over arrays and small tables.

Each module is a method and is imported by its name; what ``result`` describes comes back, an ``Estimate``, or a
``Refused`` is raised. ``reporting`` and ``intervals`` are what the pipeline estimates by.
"""
