"""The learner's side: where lessons are (`shelf`), a folder of one's own (`folder`, `updating`, `merging`), what was
earned in it (`progress`), and working there (`desk`, `watching`).
"""
