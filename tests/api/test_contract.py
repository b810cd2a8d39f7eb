import pytest

from tests.api.conftest import ENGINES, SECRET
from tests.support.api import API
from videogen.core.errors import UNKNOWN_ROUTE
from videogen.core.version import __version__

METHODS = {"get", "post", "put", "patch", "delete"}


def test_the_engines_are_listed_with_capabilities_and_settings(http):
    items = http.get(f"{API}/engines").raise_for_status().json()["items"]
    assert [item["id"] for item in items] == list(ENGINES)
    assert [item["default"] for item in items] == [True] + [False] * (len(ENGINES) - 1)
    for item in items:
        assert item["available"] is True
        assert item["reason"] is None
        assert item["title"]
        assert {"width", "height", "durationSeconds", "fps", "seed"} <= item["settingsSchema"]["properties"].keys()
        expected = {"types", "negativePrompt", "imageInput", "lastFrame", "lastFrameAlone", "exactProgress", "resume"}
        assert expected <= item["capabilities"].keys()
    slow = items[ENGINES.index("slow")]
    assert slow["settingsSchema"]["properties"]["delayMs"]["maximum"] == 10_000
    assert items[ENGINES.index("steady")]["capabilities"]["resume"] is True


def test_the_poster_of_a_preset_is_public_and_no_other_file_is_served(http):
    (preset,) = next(item for item in http.get(f"{API}/engines").json()["items"] if item["id"] == "looks")["presets"]
    response = http.get(preset["posterUrl"])
    assert (response.status_code, response.headers["content-type"]) == (200, "image/webp")
    assert "max-age" in response.headers["cache-control"]
    for path in ("looks/presets/other", "nobody/presets/kite", "looks/presets/..%2f..%2fkite"):
        assert http.get(f"{API}/engines/{path}/poster.webp").status_code == 404


def test_health_and_readiness_are_reported(http):
    for path, status in (("/healthz", "ok"), ("/readyz", "ready")):
        response = http.get(path)
        assert (response.status_code, response.json()["status"]) == (200, status)
        assert response.headers["cache-control"] == "no-store"


def test_the_health_response_identifies_the_server_without_secrets(http, app):
    health = http.get("/healthz").json()
    assert (health["name"], health["version"]) == ("videogen", __version__)
    stored = app.data_dir / "secret.key"
    secret = stored.read_text() if stored.exists() else SECRET
    assert health["instance"]
    assert health["keepsData"] is True
    assert health["instance"] not in secret


@pytest.mark.parametrize("path", [f"{API}/nothing/here", "/nothing", "/nothing/here", "/docs/nothing"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path_is_a_problem_and_not_the_page(http, method, path):
    if path == "/docs/nothing" and method != "GET":
        return
    response = http.request(method, path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert response.json()["type"] == UNKNOWN_ROUTE
    assert path in response.json()["detail"]
    assert response.headers["content-type"] == "application/problem+json"


@pytest.fixture(scope="module")
def openapi(app, finished):
    return finished.session.http.get("/openapi.json").raise_for_status().json()


def _operations(openapi):
    for path, item in openapi["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method.upper()} {path}", item[method]


def test_openapi_describes_every_call_of_the_contract(openapi):
    assert {
        f"POST {API}/sessions",
        f"POST {API}/generations",
        f"GET {API}/generations",
        f"GET {API}/generations/{{generation_id}}",
        f"PATCH {API}/generations/{{generation_id}}",
        f"DELETE {API}/generations/{{generation_id}}",
        f"POST {API}/generations/{{generation_id}}/cancel",
        f"POST {API}/generations/{{generation_id}}/retry",
        f"POST {API}/generations/{{generation_id}}/shots/{{number}}",
        f"GET {API}/generations/{{generation_id}}/events",
        f"GET {API}/projects/{{project_id}}/events",
        f"GET {API}/events",
        f"GET {API}/engines",
        f"GET {API}/engines/{{engine_id}}/presets/{{preset_id}}/poster.webp",
        f"POST {API}/files",
        f"GET {API}/files/{{file_id}}",
        "GET /media/{file_id}",
        "GET /healthz",
        "GET /readyz",
    } <= {name for name, _ in _operations(openapi)}


def test_operation_ids_are_unique(openapi):
    names = [operation["operationId"] for _, operation in _operations(openapi)]
    assert len(names) == len(set(names))


def test_the_server_logs_no_warnings(app, finished, openapi):
    assert "Warning" not in app.log


def test_every_reference_in_openapi_can_be_resolved(openapi):
    def references(value):
        if isinstance(value, dict):
            yield from [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            for child in value.values():
                yield from references(child)
        elif isinstance(value, list):
            for child in value:
                yield from references(child)

    all_references = set(references(openapi))
    assert all_references
    for reference in all_references:
        place = openapi
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
    assert openapi["openapi"].startswith("3.")


def test_every_documented_error_is_a_problem(openapi):
    wrong = []
    for name, operation in _operations(openapi):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                schema = response.get("content", {}).get("application/problem+json", {}).get("schema", {})
                if schema != {"$ref": "#/components/schemas/Problem"}:
                    wrong.append(f"{name} {status}: {response.get('content')}")
                if "application/json" in response.get("content", {}):
                    wrong.append(f"{name} {status}: is not application/json")
    assert wrong == []


@pytest.mark.parametrize(
    ("call", "statuses"),
    [
        (f"POST {API}/generations", {"200", "201", "401", "403", "409", "422", "429"}),
        (f"GET {API}/generations", {"200", "401", "422"}),
        (f"GET {API}/generations/{{generation_id}}", {"200", "401", "404"}),
        (f"PATCH {API}/generations/{{generation_id}}", {"200", "401", "403", "404", "422"}),
        (f"POST {API}/generations/{{generation_id}}/cancel", {"200", "202", "401", "403", "404"}),
        (f"POST {API}/generations/{{generation_id}}/retry", {"201", "401", "403", "404", "409", "429"}),
        (f"POST {API}/generations/{{generation_id}}/shots/{{number}}", {"201", "401", "403", "404", "422", "429"}),
        (f"DELETE {API}/generations/{{generation_id}}", {"204", "401", "403", "404", "409"}),
        (f"GET {API}/generations/{{generation_id}}/events", {"200", "204", "401", "404"}),
        ("GET /media/{file_id}", {"200", "206", "404"}),
    ],
)
def test_the_possible_statuses_of_a_call_are_documented(openapi, call, statuses):
    assert statuses <= dict(_operations(openapi))[call]["responses"].keys()


def test_event_streams_are_documented_as_event_streams(openapi):
    content = dict(_operations(openapi))[f"GET {API}/events"]["responses"]["200"]["content"]
    assert list(content) == ["text/event-stream"]


def test_without_a_token_or_a_list_in_the_settings_there_is_no_operators_api_and_no_page(http):
    http.headers["Authorization"] = "Bearer the-token-of-the-operator"
    answers = [http.get(f"{API}/admin/overview"), http.get(f"{API}/admin/audit"), http.post(f"{API}/admin/pause")]
    for answer in (*answers, http.get("/admin"), http.post("/admin/sign-in", data={"token": "x"})):
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:videogen:unknown-route")
