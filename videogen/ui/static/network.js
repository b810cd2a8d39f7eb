// Gradio calls the server through `fetch`. Where its stream breaks, it would handle no event until it has reloaded the
// page. Here a broken stream ends as a finished one does, and a call that fails is one that was refused: the page goes on.
{
  const ANSWER = 5000; // milliseconds after which a click without an answer says so
  const ask = window.fetch;
  const calls = new Set();
  const plain = (body, status, type) => new Response(body, { status, headers: { "Content-Type": type } });
  const problem = (text) => {
    const node = document.getElementById("problem");
    if (node) node.hidden = !(node.textContent = text ?? "");
  };

  /** A call of a handler. `key` marks what the outbox keeps until it is answered. */
  async function call(target, options) {
    const { data, event_data } = JSON.parse(options.body);
    const key = event_data?.key ?? data?.at(-1)?.key;
    const late = () => (key ? videogen.outbox.show() : problem(document.getElementById("problem")?.dataset.late));
    const timer = setTimeout(late, ANSWER);
    const controller = new AbortController();
    calls.add(controller);
    try {
      const answer = await ask(target, { ...options, signal: controller.signal });
      // Above are a proxy's own answers, while the server is away.
      if (answer.status < 502) {
        problem(answer.ok ? "" : (await answer.clone().json()).detail);
        if (key) videogen.outbox.answered(key);
        return answer;
      }
    } catch {
      // The server cannot be reached.
    } finally {
      clearTimeout(timer);
      calls.delete(controller);
    }
    if (key) videogen.outbox.failed(key);
    else late();
    return plain('{"error":""}', 504, "application/json");
  }

  /** The page's stream: whole messages only, and its end is always Gradio's own. */
  async function stream(request) {
    const controller = new AbortController();
    const signal = AbortSignal.any([request.signal, controller.signal]);
    videogen.hangUp = () => [controller, ...calls].forEach((one) => one.abort());
    const answer = await ask(request, { signal }).catch(() => null);
    const start = async (out) => {
      let rest = "";
      try {
        if (!answer.ok) throw answer;
        for (const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader(); ; ) {
          const { value, done } = await reader.read();
          if (done) break;
          const end = (rest += value).lastIndexOf("\n\n") + 2;
          if (end < 2) continue;
          out.enqueue(new TextEncoder().encode(rest.slice(0, end)));
          rest = rest.slice(end);
        }
      } catch {
        // Broken, refused, or hung up.
      }
      if (request.signal.aborted) return;
      out.enqueue(new TextEncoder().encode('data: {"msg":"close_stream"}\n\n'));
      out.close();
      videogen.ended(controller.signal.aborted);
    };
    return plain(new ReadableStream({ start }), 200, "text/event-stream");
  }

  window.fetch = (target, options) => {
    const path = new URL(target.url ?? target, location.href).pathname;
    if (path.endsWith("/gradio_api/queue/data")) return stream(target);
    return /\/gradio_api\/(run\/\w+|queue\/join)$/.test(path) ? call(target, options) : ask(target, options);
  };
}
