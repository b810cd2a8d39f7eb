// Files: what is dropped or pasted goes to the form's one upload button; a zip to import goes straight to its link.
let zip = null;
for (const kind of ["dragover", "drop", "paste"]) {
  document.addEventListener(kind, (event) => {
    const { files, types } = event.dataTransfer ?? event.clipboardData;
    const input = document.querySelector("#files input[type=file]");
    if (!input || !types.includes("Files") || (kind === "paste" && types.includes("text/plain"))) return;
    event.preventDefault();
    if (kind === "dragover") return;
    input.files = files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}
addEventListener("change", (event) => {
  const [file] = event.target.files ?? [];
  const act = event.target.id === "import-file" ? "import" : "too-large";
  if (!file || (act === "too-large" && file.size <= videogen.signals.most_bytes)) return;
  event.stopImmediatePropagation();
  zip = file;
  videogen.send("act", { do: act, name: file.name, size: file.size });
  if (act === "too-large") event.target.value = "";
}, true);
videogen.on("import_to", async (url) => {
  if (!url || !zip) return;
  const answer = await fetch(url, { method: "POST", body: zip }).then((one) => one.json()).catch(() => null);
  videogen.send("act", { do: "imported", answer });
  document.getElementById("import-file").value = ""; // or the same file could not be chosen again
});
videogen.on("download", (url) => url && Object.assign(document.createElement("a"), { href: url, download: "" }).click());
