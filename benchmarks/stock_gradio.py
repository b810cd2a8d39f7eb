"""A stock Gradio app, as its guides write one: a prompt, a generator that renders for six seconds, a video."""

import tempfile
import time
from collections.abc import Iterator

import av
import gradio as gr
import numpy as np


def render(prompt: str) -> Iterator[tuple[str, str | None]]:
    """Say how far it is, then give the video. What it prints shows whether it has begun, and ended."""
    print(f"begins {prompt}", flush=True)
    path = f"{tempfile.mkdtemp()}/video.mp4"
    with av.open(path, "w") as file:
        stream = file.add_stream("h264", rate=10, width=512, height=288, pix_fmt="yuv420p")
        for step in range(40):
            time.sleep(0.15)
            yield f"Step {step} of 40", None
            picture = np.full((288, 512, 3), step * 6, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        file.mux(stream.encode())
    print(f"ends {prompt}", flush=True)
    yield "Done", path


with gr.Blocks() as demo:
    text = gr.Textbox(label="Prompt", elem_id="prompt")
    generate, stop = gr.Button("Generate", elem_id="generate"), gr.Button("Stop", elem_id="cancel")
    status, video = gr.Textbox(label="Status", elem_id="status"), gr.Video(elem_id="result-video")
    run = generate.click(render, text, [status, video])
    stop.click(None, cancels=run)

if __name__ == "__main__":
    demo.launch()
