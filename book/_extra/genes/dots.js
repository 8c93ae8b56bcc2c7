// Draws tens of thousands of dots into the pixels of a canvas: no GPU and no library is needed.
genept.dots = (canvas) => {
  const context = canvas.getContext("2d");
  let image, pixels, ratio;

  const resize = () => {
    ratio = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    if (image && image.width === width && image.height === height) return;
    canvas.width = width;
    canvas.height = height;
    image = context.createImageData(width, height);
    pixels = new Uint32Array(image.data.buffer);
  };

  // Offsets and opacity of the pixels of a disc.
  const disc = (radius) => {
    const reach = Math.ceil(radius), cells = [];
    for (let y = -reach; y <= reach; y++)
      for (let x = -reach; x <= reach; x++) {
        const cover = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x, y)));
        if (cover > 0.08) cells.push([y * image.width + x, (cover * 255) << 24]);
      }
    return { reach, cells };
  };

  const rgb = (hex) => {
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
    return (b << 16) | (g << 8) | r;
  };

  // Each group: { rows, colour (row -> packed rgb), radius in CSS pixels }; later ones on top.
  const draw = (x, y, view, groups) => {
    pixels.fill(0);
    const { width, height } = image;
    for (const { rows, colour, radius } of groups) {
      const { reach, cells } = disc(radius * ratio);
      for (const row of rows) {
        const px = Math.round((x[row] * view.scale + view.left) * ratio);
        const py = Math.round((y[row] * view.scale + view.top) * ratio);
        if (px < reach || py < reach || px >= width - reach || py >= height - reach) continue;
        const at = py * width + px, ink = colour(row);
        for (const [offset, cover] of cells) {
          const here = pixels[at + offset] >>> 24;
          if (here <= cover >>> 24) pixels[at + offset] = cover | ink;
        }
      }
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.putImageData(image, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return context;
  };

  return { resize, draw, rgb };
};
