"""Whole models at work: a character model, its training, its files. The tour and the command line are made of these."""
