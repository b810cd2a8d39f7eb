// The form as it was left, and the outbox: what has no answer yet.
const LEASE = 10_000; // milliseconds for which an entry is left to its tab
let restored = false;
const named = (names, values) => Object.fromEntries(names.map((name, index) => [name, values[index]]));
const entries = () => stored("outbox") ?? {};
function change(edit) {
  const kept = entries();
  edit(kept);
  store("outbox", kept);
  outbox.show();
}

Object.assign(draft, {
  keep(names, values) {
    if (restored) store("draft", named(names, values));
    changed();
  },
  restore(names, values) {
    const kept = stored("draft") ?? {};
    const form = kept.form ?? kept; // version 0.1.0 kept more
    restored = true;
    const other = (name, index) => name !== "prompt" && form[name] !== undefined && form[name] !== values[index];
    if (names.some(other)) send("fill", { fill: "draft", form });
    return names.map((name) => form[name]);
  },
});
Object.assign(outbox, {
  // The same form, sent again before its answer, keeps its key.
  put(names, values) {
    const session = values.pop();
    const form = named(names, values);
    const again = Object.values(entries()).find((one) => JSON.stringify(one.form) === JSON.stringify(form));
    const key = again?.key ?? random();
    change((kept) => (kept[key] = { key, form, sent: Date.now() }));
    return [...values, { ...session, key }];
  },
  answered: (key) => key && change((kept) => delete kept[key]),
  failed: (key) => key && change((kept) => kept[key] && (kept[key].sent = 0)),
  flush: () => change((kept) => {
    const entry = Object.values(kept).find(({ sent }) => Date.now() - sent > LEASE);
    if (!entry) return;
    entry.sent = Date.now();
    send("resend", entry);
  }),
  show() {
    const node = $("#outbox");
    if (node) node.hidden = !Object.values(entries()).some(({ sent }) => Date.now() - sent >= LATE);
  },
});
onClick("#outbox-cancel", () => (store("outbox", {}), outbox.show()));
listen("storage", outbox.show);
