"""The layers. Each is a pure function of the frame state and a row band."""
