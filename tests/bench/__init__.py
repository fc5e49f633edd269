"""`make bench`: the bot's speed as ratios to floors measured in the same run, so that machines compare."""
