"""A person's own picture as a moving shot: depth by guess, a camera that moves, weather and light over it."""
