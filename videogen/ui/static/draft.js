// The form as it was left, and the outbox: what was sent and has no answer yet. Both are kept in this browser.
{
  const ANSWER = 5000;
  const LEASE = 10_000; // milliseconds in which an entry is left to the tab that sends it
  let restored = false;
  const named = (names, values) => Object.fromEntries(names.map((name, index) => [name, values[index]]));
  const entries = () => videogen.stored("outbox") ?? [];
  const change = (list) => {
    videogen.store("outbox", list);
    videogen.outbox.show();
  };

  videogen.draft = {
    keep: (names, values) => void (restored && videogen.store("draft", named(names, values))),
    /** The values that were kept; what depends on them, Python changes. */
    restore(names, values) {
      const form = videogen.stored("draft") ?? {};
      const other = names.filter((name, index) => form[name] !== undefined && form[name] !== values[index]);
      restored = true;
      if (other.some((name) => name !== "prompt")) videogen.send("fill", { fill: "draft", form });
      return names.map((name) => form[name]);
    },
  };
  videogen.outbox = {
    /** Called with what Generate sends. The same form, sent again, is the same request: it keeps its key. */
    put(names, [...values]) {
      const session = values.pop();
      const form = named(names, values);
      const list = entries();
      let entry = list.find((one) => JSON.stringify(one.form) === JSON.stringify(form));
      if (!entry) list.push((entry = { key: videogen.random(), form }));
      entry.sent = Date.now();
      change(list);
      return [...values, { ...session, key: entry.key }];
    },
    answered: (key) => change(entries().filter((one) => one.key !== key)),
    failed: (key) => change(entries().map((one) => (one.key === key ? { ...one, sent: 0 } : one))),
    /** Send what waits; another tab that sends it has its time. */
    flush() {
      const list = entries();
      const entry = list.find((one) => Date.now() - one.sent > LEASE);
      if (entry) {
        entry.sent = Date.now();
        change(list);
        videogen.send("resend", entry);
      }
      videogen.outbox.show();
    },
    show() {
      const node = document.getElementById("outbox");
      if (node) node.hidden = !entries().some((one) => Date.now() - one.sent >= ANSWER);
    },
  };
  document.addEventListener("click", (event) => event.target.closest?.("#outbox-cancel") && change([]));
  window.addEventListener("storage", () => videogen.outbox.show());
}
