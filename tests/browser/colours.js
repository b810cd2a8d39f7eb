// How light, from 0 to 1, some texts are and what they stand on.
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const solid = (node) => {
    const colour = getComputedStyle(node).backgroundColor;
    if (!/, 0\)$|transparent/.test(colour) || node.parentElement === null) return colour;
    return solid(node.parentElement);
  };
  const on = (selector) => {
    const node = document.querySelector(selector);
    return { text: light(getComputedStyle(node).color), ground: light(solid(node)) };
  };
  return { page: on("body"), prompt: on("#prompt textarea"), status: on("#job-status"), button: on("#generate") };
}
