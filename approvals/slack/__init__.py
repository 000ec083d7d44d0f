"""What a press of a button in Slack means for an approval.

`meaning` finds whose account pressed and what they meant, and makes the window for the form and the reason that a
button alone does not give; `interactions` decides as any other door does, by `requests.decide`. Who pressed is found by
the Slack id of a contact, and judged like everybody else. The signature, the stored presses and the answers are
`notifications.slack`, which calls `interactions.INTERACTIONS` by the port `notifications.ports.InteractionHandler`.
"""
