"""Floor 2: domain in; Block Kit, mrkdwn, HTML and Markdown out. Pure."""
