// The form as it was left, and the outbox: what has no answer yet.
const LEASE = 10_000; // milliseconds for which an entry is left to its tab
let restored = false;
const named = (names, values) => Object.fromEntries(names.map((name, index) => [name, values[index]]));
const entries = () => stored("outbox") ?? [];
const change = (list) => (store("outbox", list), videogen.outbox.show());

videogen.draft = {
  keep: (names, values) => void (restored && store("draft", named(names, values))),
  restore(names, values) {
    // The second is the place of version 0.1.0.
    const form = stored("draft") ?? JSON.parse(localStorage.getItem("videogen.draft"))?.form ?? {};
    restored = true;
    const other = (name, index) => name !== "prompt" && form[name] !== undefined && form[name] !== values[index];
    if (names.some(other)) send("fill", { fill: "draft", form });
    return names.map((name) => form[name]);
  },
};
videogen.outbox = {
  // The same form, sent again before its answer, keeps its key.
  put(names, values) {
    const session = values.pop();
    const form = named(names, values);
    const again = entries().find((one) => JSON.stringify(one.form) === JSON.stringify(form));
    const key = again?.key ?? videogen.random();
    change([...entries().filter((one) => one.key !== key), { key, form, sent: Date.now() }]);
    return [...values, { ...session, key }];
  },
  answered: (key) => key && change(entries().filter((one) => one.key !== key)),
  failed: (key) => key && change(entries().map((one) => (one.key === key ? { ...one, sent: 0 } : one))),
  flush() {
    const list = entries();
    const entry = list.find((one) => Date.now() - one.sent > LEASE);
    if (entry) entry.sent = Date.now();
    change(list);
    if (entry) send("resend", entry);
  },
  show() {
    const node = $("#outbox");
    if (node) node.hidden = !entries().some((one) => Date.now() - one.sent >= LATE);
  },
};
onClick("#outbox-cancel", () => change([]));
listen("storage", videogen.outbox.show);
