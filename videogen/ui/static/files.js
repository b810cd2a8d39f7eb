// What is dropped or pasted goes to the upload button; a zip to import straight to its link.
let zip = null;
listen("dragover|drop|paste", (event) => {
  const { files, types } = event.dataTransfer ?? event.clipboardData;
  const input = $("#files input[type=file]");
  if (!input || !types.includes("Files") || (event.type === "paste" && types.includes("text/plain"))) return;
  event.preventDefault();
  if (event.type === "dragover") return;
  input.files = files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
});
listen("change", (event) => {
  const [file] = event.target.files ?? [];
  const imports = event.target.id === "import-file";
  if (!file || (!imports && file.size <= signals.most_bytes)) return;
  event.stopImmediatePropagation();
  zip = file;
  act(imports ? "import" : "too-large", { name: file.name, size: file.size });
  event.target.value = "";
}, true);
on("import_to", async (url) => {
  if (!url || !zip) return;
  const answer = await fetch(url, { method: "POST", body: zip }).then((one) => one.json()).catch(() => null);
  act("imported", { answer });
});
on("download", (href) => href && Object.assign(document.createElement("a"), { href, download: "" }).click());
