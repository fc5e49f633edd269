// Reduces a PNG to at most `most` colours: flat surfaces and letters lose nothing one can see, and three quarters
// of the size. Answers {width, height, palette: [r, g, b, …], pixels: base64 of one index per pixel}.
async ([source, most]) => {
  const image = new Image();
  image.src = `data:image/png;base64,${source}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const drawing = canvas.getContext("2d", { willReadFrequently: true });
  drawing.drawImage(image, 0, 0);
  const { data, width, height } = drawing.getImageData(0, 0, canvas.width, canvas.height);

  const counts = new Map();
  for (let at = 0; at < data.length; at += 4) {
    const colour = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const parts = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];
  const apart = (a, b) => 3 * (a[0] - b[0]) ** 2 + 4 * (a[1] - b[1]) ** 2 + 2 * (a[2] - b[2]) ** 2;

  // The commonest are surfaces and stay what they are. Of the rest, one that is hardly different from a chosen one
  // waits until there is room to spare.
  const common = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([colour]) => colour);
  const chosen = common.splice(0, 16).map(parts);
  for (const least of [900, 300, 120, 40, 0]) {
    for (const colour of common) {
      if (chosen.length === most) break;
      const rgb = parts(colour);
      if (chosen.every((other) => apart(rgb, other) > least)) chosen.push(rgb);
    }
  }
  const nearest = new Map();
  for (const colour of counts.keys()) {
    const rgb = parts(colour);
    let best = 0;
    for (let i = 1; i < chosen.length; i++) if (apart(rgb, chosen[i]) < apart(rgb, chosen[best])) best = i;
    nearest.set(colour, best);
  }
  const pixels = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < pixels.length; i++, at += 4) {
    pixels[i] = nearest.get((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
  }
  let text = "";
  for (let i = 0; i < pixels.length; i += 8192) text += String.fromCharCode(...pixels.subarray(i, i + 8192));
  return { width, height, palette: chosen.flat(), pixels: btoa(text) };
}
