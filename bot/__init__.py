"""Tocsin: the incident bot that responders trust more than the systems it watches."""
