"""What can go wrong while a model is loaded, each with a message that says what to do."""

import errno
import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

torch = pytest.importorskip("torch", reason="diffusers is not installed; `make test-diffusers` runs this")

from diffusers import DiffusionPipeline  # noqa: E402
from huggingface_hub import constants, hf_api  # noqa: E402

from videogen.engines.base import RenderFailed  # noqa: E402
from videogen.engines.diffusers.engine import create  # noqa: E402
from videogen.engines.spec import EngineSpec  # noqa: E402

HUB_NAME = "somebody/a-model"


@pytest.fixture
def load(recorder, tmp_path, monkeypatch):
    """Renders with an engine whose model cannot be loaded, and returns the failure."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))

    def fail(model, **options):
        from videogen.engines.base import RenderRequest

        engine = create(EngineSpec(id="mine", kind="diffusers", model=str(model), options={"device": "cpu"} | options))
        with pytest.raises(RenderFailed) as caught:
            engine.render(engine.normalise(RenderRequest(type=engine.traits.kind, prompt="a sea")), recorder())
        return caught.value

    return fail


@pytest.fixture
def hub(monkeypatch):
    """A hub that answers every request with one error: `hub("RepoNotFound")`."""
    servers = []

    def start(error, status=404):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("X-Error-Code", error)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", address)
        template = address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(hf_api.api, "endpoint", address)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_model_that_the_hub_does_not_have(load, hub):
    hub("RepoNotFound")
    end = load(HUB_NAME)
    assert end.code == "model_missing"
    assert str(end).startswith("There is no model somebody/a-model on the hub, or it is private.")


def test_a_revision_that_the_model_does_not_have(load, hub):
    hub("RevisionNotFound")
    end = load(HUB_NAME, revision="v9")
    assert end.code == "model_missing"
    assert str(end).startswith("somebody/a-model has no revision v9. Correct the engine's revision")


def test_a_model_whose_terms_were_not_accepted(load, hub):
    hub("GatedRepo", 403)
    assert "is only for those who have accepted its terms" in str(load(HUB_NAME))


def test_a_model_that_is_not_here_and_no_network(load, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    end = load(HUB_NAME)
    assert (end.code, end.retryable) == ("model_missing", True)
    assert "is not on this machine, and the hub cannot be reached" in str(end)


def test_a_folder_that_is_no_pipeline(load, tmp_path):
    (tmp_path / "weights").mkdir()
    end = load(tmp_path / "weights")
    assert end.code == "model_missing"
    assert "The folder weights is no pipeline: it has no model_index.json." in str(end)


def test_a_class_that_this_diffusers_does_not_know(load, model_folder, tmp_path):
    """That of a pipeline, or of one of its parts. Of a model of the hub, it is known only when it was downloaded."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "FuturePipeline", "_diffusers_version": "9.0"}))
    newer = shutil.copytree(model_folder("wan"), tmp_path / "newer")
    index = json.loads((newer / "model_index.json").read_text())
    (newer / "model_index.json").write_text(json.dumps(index | {"transformer": ["diffusers", "FutureTransformer"]}))
    for model, name in ((folder, "FuturePipeline"), (newer, "FutureTransformer")):
        end = load(model)
        assert str(end).startswith(f"The class {name} of {model.name} is unknown to diffusers 0.")
        assert str(end).endswith("Run: pip install --upgrade diffusers")
        assert end.code == "package_missing"


def test_a_folder_whose_weights_are_broken(load, model_folder, tmp_path):
    folder = shutil.copytree(model_folder("wan"), tmp_path / "model")
    (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"half")
    end = load(folder)
    assert end.code == "model_broken"
    assert str(end).startswith("model could not be loaded (")
    assert str(end).endswith("Check that its files are complete.")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_a_model_that_does_not_fit_into_memory(load, model_folder, monkeypatch, error):
    def fail(**_):
        raise error

    monkeypatch.setattr(DiffusionPipeline, "from_pretrained", fail)
    end = load(model_folder("wan"))
    assert end.code == "out_of_memory"
    assert 'There is not enough memory to load tiny-wan on cpu. Set offload = "model" (or "group")' in str(end)


def test_a_package_that_a_model_needs(load, model_folder, monkeypatch):
    def fail(**_):
        raise ImportError("requires sentencepiece", name="sentencepiece")

    monkeypatch.setattr(DiffusionPipeline, "from_pretrained", fail)
    end = load(model_folder("wan"))
    assert str(end).endswith("needs sentencepiece, which is not installed. Run: pip install sentencepiece")


def test_a_full_disk_while_a_model_is_downloaded(load, model_folder, monkeypatch):
    def fail(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(DiffusionPipeline, "from_pretrained", fail)
    end = load(model_folder("wan"))
    assert end.retryable
    assert "The disk is full: tiny-wan could not be downloaded." in str(end)


@pytest.mark.parametrize("device", ["cuda", "cuda:3", "mps"])
def test_a_device_that_this_machine_does_not_have(load, model_folder, monkeypatch, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    end = load(model_folder("wan"), device=device)
    assert end.code == "device_missing"
    assert 'Set device = "auto" or "cpu".' in str(end)
