"""Record-level returns: incidents and complaints, reduced to figures on DuckDB or on Spark by one set of expressions.

Needs the extra ``records`` (and ``spark`` for the other engine). Not here: where files of records lie in a deployment
and what runs them (``assets.records``).
"""
