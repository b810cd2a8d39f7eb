"""The life of a job at a provider, in a child process: sent once, followed to its end, its result fetched."""


def test_a_job_is_sent_once_and_its_result_is_fetched(studio, run):
    messages = run(studio.engine())
    assert messages[-1].t == "done", messages[-1]
    assert studio.served.posts() == 1
    artifact = messages[-1].artifact
    assert (artifact.width, artifact.height, artifact.fps, artifact.num_frames) == (64, 64, 8, 8)
    sent = studio.served.asked("POST")[0].json
    assert sent["model"] == "studio/cat-1"
    assert sent["input"] == {
        "text": "a cat", "width": 64, "height": 64, "fps": 8, "seconds": 1, "seed": 7, "style": "plain"
    }  # fmt: skip
    reports = [message for message in messages if message.t == "progress"]
    stages = list(dict.fromkeys(report.stage for report in reports))
    assert stages[:4] == ["sending", "waiting", "rendering", "downloading"]
    assert "Waiting at Studio, 2 before it" in [report.message for report in reports]
    costs = [message.cost for message in messages if message.t == "spent"]
    assert [(cost.amount, cost.estimated) for cost in costs] == [(0.5, True), (0.25, False)]
