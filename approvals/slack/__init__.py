"""Buttons in Slack: a press is checked, stored and answered at once; what it means is worked out after."""
