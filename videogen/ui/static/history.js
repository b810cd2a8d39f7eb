// Keys on an entry of the history: arrows go to its neighbours, F2 opens it, Delete deletes it, Escape ends the selection.
document.addEventListener("keydown", (event) => {
  if (event.repeat && event.key === "Delete") return;
  const entry = event.target.closest?.("#history .card")?.parentElement;
  if (event.key === "Escape" && document.querySelector("#pick-end") && !document.querySelector("dialog[open]")) {
    document.querySelector("#pick-end").click();
  }
  if (!entry || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = [...entry.parentElement.children];
  const columns = all.filter((one) => one.offsetTop === all[0].offsetTop).length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
  if (step) all[all.indexOf(entry) + step]?.querySelector(".card").focus();
  else if (event.key === "F2") entry.querySelector("[data-do=entry]").click();
  else if (event.key === "Delete") videogen.send("act", { do: "trash", ...entry.dataset });
  else return;
  event.preventDefault();
}, true); // before the page's own keys, of which Delete is about the stage
