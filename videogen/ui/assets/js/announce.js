// Progress for those who hear it: a word at each quarter, not at each frame. What has ended, the status says itself.
(() => {
  let said = "";

  videogen.announce = (job) => {
    const quarter = job?.status === "processing" ? Math.floor(job.progress / 25) * 25 : 0;
    const key = quarter > 0 ? `${job.id} ${quarter}` : "";
    if (key === said) return;
    said = key;
    videogen.text("job-said", key ? videogen.say("job.said", { percent: quarter }) : "");
  };
})();
