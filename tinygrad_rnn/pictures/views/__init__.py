"""The views: each makes a positioned figure of one scene."""
