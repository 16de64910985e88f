"""The page that finds amenities in a visitor's own browser, as a folder of static files."""
