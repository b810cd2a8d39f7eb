// After a break Gradio would handle nothing until a reload: here a stream just ends, a call is refused.
const ask = window.fetch;
let line = new AbortController();
network.hangUp = () => (line.abort(), (line = new AbortController()));
const problem = (words = $("#problem")?.dataset.late) => $("#problem") && ($("#problem").textContent = words);

async function call(target, options) {
  const { data, event_data: event } = JSON.parse(options.body);
  const key = event?.key ?? data?.at(-1)?.key;
  const late = () => (key ? outbox.show() : (event?.do || event?.fill) && problem());
  const timer = setTimeout(late, LATE);
  try {
    const answer = await ask(target, { ...options, signal: line.signal });
    if (answer.status < 502) { // else it is a proxy's
      problem(answer.ok ? "" : (await answer.clone().json()).detail ?? "");
      network.refused = answer.status === 429;
      outbox.answered(key);
      return answer;
    }
  } catch {}
  finally {
    clearTimeout(timer);
  }
  outbox.failed(key);
  late();
  return Response.json({ error: "" }, { status: 504 });
}

async function stream(request) { // passes only whole messages on
  const { signal } = line;
  const answer = await ask(request, { signal: AbortSignal.any([request.signal, signal]) }).catch(() => null);
  const start = async (out) => {
    const pass = (text) => out.enqueue(new TextEncoder().encode(text));
    try {
      if (!answer.ok) throw answer;
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = "", part; !(part = await reader.read()).done; ) {
        const messages = (rest + part.value).split("\n\n");
        rest = messages.pop();
        for (const one of messages) pass(`${one}\n\n`);
      }
    } catch {}
    if (request.signal.aborted) return;
    pass('data: {"msg":"close_stream"}\n\n');
    out.close();
    if (!signal.aborted) network.ended();
  };
  return new Response(new ReadableStream({ start }));
}

window.fetch = (target, options) => {
  const path = new URL(target.url ?? target, location.href).pathname;
  if (path.endsWith("/gradio_api/queue/data")) return stream(target);
  return /\/gradio_api\/(run\/\w+|queue\/join)$/.test(path) ? call(target, options) : ask(target, options);
};
