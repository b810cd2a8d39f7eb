"""The routes of public links: plain pages without Gradio, their media, their events, oEmbed."""
