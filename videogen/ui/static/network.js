// Gradio's calls of the server. Once its stream breaks or a call fails, it handles no event until it has reloaded the
// page. Here such a stream ends as a finished one does, and such a call is one that was refused: the page goes on.
{
  const LATE = 5000; // milliseconds after which a click without an answer says so
  const ask = window.fetch;
  const calls = new Set();
  const problem = (words) => {
    const node = document.getElementById("problem");
    if (node) node.hidden = !(node.textContent = words ?? node.dataset.late);
  };

  /** Call a handler. `key` names what the outbox keeps until it is answered. */
  async function call(target, options) {
    const { data, event_data: event } = JSON.parse(options.body);
    const key = event?.key ?? data?.at(-1)?.key;
    const late = () => (key ? videogen.outbox.show() : (event?.do || event?.fill) && problem());
    const timer = setTimeout(late, LATE);
    const controller = new AbortController();
    calls.add(controller);
    try {
      const answer = await ask(target, { ...options, signal: controller.signal });
      // All above are a proxy's, while the server is away.
      if (answer.status < 502) {
        problem(answer.ok ? "" : (await answer.clone().json()).detail ?? "");
        videogen.refused = answer.status === 429;
        if (key) videogen.outbox.answered(key);
        return answer;
      }
    } catch {} // The server cannot be reached.
    finally {
      clearTimeout(timer);
      calls.delete(controller);
    }
    if (key) videogen.outbox.failed(key);
    late();
    return Response.json({ error: "" }, { status: 504 });
  }

  /** Open the page's stream. Only whole messages are passed on, and its end is always Gradio's own. */
  async function stream(request) {
    const controller = new AbortController();
    videogen.hangUp = () => [controller, ...calls].forEach((one) => one.abort());
    const signal = AbortSignal.any([request.signal, controller.signal]);
    const answer = await ask(request, { signal }).catch(() => null);
    const start = async (out) => {
      let rest = "";
      try {
        if (!answer.ok) throw answer;
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        for (let part = await reader.read(); !part.done; part = await reader.read()) {
          const end = (rest += part.value).lastIndexOf("\n\n") + 2;
          if (end > 1) out.enqueue(new TextEncoder().encode(rest.slice(0, end)));
          if (end > 1) rest = rest.slice(end);
        }
      } catch {} // It broke, was refused, or was hung up.
      if (request.signal.aborted) return;
      out.enqueue(new TextEncoder().encode('data: {"msg":"close_stream"}\n\n'));
      out.close();
      if (!controller.signal.aborted) videogen.ended();
    };
    return new Response(new ReadableStream({ start }));
  }

  window.fetch = (target, options) => {
    const path = new URL(target.url ?? target, location.href).pathname;
    if (path.endsWith("/gradio_api/queue/data")) return stream(target);
    return /\/gradio_api\/(run\/\w+|queue\/join)$/.test(path) ? call(target, options) : ask(target, options);
  };
}
