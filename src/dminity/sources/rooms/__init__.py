"""Rendered rooms: the demo's photos, and the exact box of every amenity in them.

scene: what is in a room and how its camera sees it. layout: what stands where. furniture, fixtures:
how each thing is built, from the parts in designs. solids: meshes, camera and painter. backdrop:
floor, walls, sky and shadows.
"""
