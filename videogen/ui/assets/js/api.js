// How the page's scripts ask the API, as this browser's session.
(() => {
  function base() {
    const path = document.querySelector('meta[name="videogen-api"]')?.content ?? "api/v1";
    return `${videogen.root()}/${path}`;
  }

  async function words(answer) {
    const problem = await answer.json().catch(() => null);
    return problem?.detail ? videogen.problem(problem) : videogen.say("notice.no_server");
  }

  videogen.api = {
    /** The answer's JSON. Throws an Error whose message is for people; its `status` is 0 where nothing answered. */
    async ask(method, path, body) {
      const token = videogen.session.early() ?? (await videogen.session.token());
      const headers = { Authorization: `Bearer ${token}` };
      const options = { method, headers, cache: "no-store" };
      if (body !== undefined) {
        headers["Content-Type"] = "application/json";
        options.body = JSON.stringify(body);
      }
      const answer = await fetch(base() + path, options).catch(() => null);
      if (answer?.ok) return answer.json();
      const message = answer === null ? videogen.say("notice.no_server") : await words(answer);
      throw Object.assign(new Error(message), { status: answer?.status ?? 0 });
    },
  };
})();
