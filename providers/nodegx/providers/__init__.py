"""Puts compiled projects into clouds and looks after them there: a package a provider."""
