// Adds up the layout shifts that no click or key caused (as CLS counts them), and records what moved.
window.benchShifted = 0;
window.benchMoved = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.benchShifted += entry.value;
    const named = ({ node }) => node?.id || node?.className || node?.nodeName || "?";
    window.benchMoved.push(`${entry.value.toFixed(4)} at ${Math.round(entry.startTime)} ms: ${entry.sources.map(named).join(", ")}`);
  }
}).observe({ type: "layout-shift", buffered: true });
