"""The branch's own HTTP: the local API of its applications, and the ground on which pages for people stand.

Nothing here is imported while `[panel] listen` is empty: it costs no memory then.
"""
