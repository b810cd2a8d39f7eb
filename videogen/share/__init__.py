"""The edge for people who were sent a link: plain pages without Gradio, their media, their events, oEmbed."""
