"""Animates an uploaded picture: estimated depth, camera motion, weather and light."""
