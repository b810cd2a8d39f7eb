// The form as it was left, and the outbox: what was sent and has no answer yet. Both are kept in this browser.
{
  const LATE = 5000; // milliseconds after which it says that it waits
  const LEASE = 10_000; // in which it is left to the tab that sends it
  let restored = false;
  let last = null;
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
      const others = names.filter((name, index) => form[name] !== undefined && form[name] !== values[index]);
      restored = true;
      if (others.some((name) => name !== "prompt")) videogen.send("fill", { fill: "draft", form });
      return names.map((name) => form[name]);
    },
  };
  videogen.outbox = {
    /** Keep what Generate sends. The same form, sent again before its answer or by a double click, keeps its key. */
    put(names, [...values]) {
      const session = values.pop();
      const form = named(names, values);
      const same = (one) => JSON.stringify(one.form) === JSON.stringify(form);
      const again = last && Date.now() - last.sent < 1000 && same(last) ? last : entries().find(same);
      last = { key: again?.key ?? videogen.random(), form, sent: Date.now() };
      change([...entries().filter((one) => one.key !== last.key), last]);
      return [...values, { ...session, key: last.key }];
    },
    answered: (key) => change(entries().filter((one) => one.key !== key)),
    failed: (key) => change(entries().map((one) => (one.key === key ? { ...one, sent: 0 } : one))),
    /** Send what waits; another tab that sends it has its time. */
    flush() {
      const list = entries();
      const entry = list.find((one) => Date.now() - one.sent > LEASE);
      if (entry) entry.sent = Date.now();
      change(list);
      if (entry) videogen.send("resend", entry);
    },
    show() {
      const node = document.getElementById("outbox");
      if (node) node.hidden = !entries().some((one) => Date.now() - one.sent >= LATE);
    },
  };
  document.addEventListener("click", (event) => event.target.closest?.("#outbox-cancel") && change([]));
  window.addEventListener("storage", () => videogen.outbox.show());
}
