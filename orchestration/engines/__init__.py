"""Engines host the flow: they deliver events, perform commands and keep what happened. A run keeps its engine."""
