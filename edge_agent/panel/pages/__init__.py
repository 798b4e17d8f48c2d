"""Pages for the people of the branch: what waits for them, orders, machines, the audit chain, and people.

Rendered here, from journal rows and twins; the browser gets text, one style sheet and one small module.
"""
