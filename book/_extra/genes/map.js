// The gene map: pan and zoom by mouse, touch and keyboard, a card for the chosen gene.
(async () => {
  const { make } = genept;
  const page = document.querySelector(".gene-map");
  const $ = (name) => page.querySelector(`.${name}`);
  const canvas = $("map-canvas"), tip = $("map-tip"), state = $("map-state");
  let genes;
  try {
    genes = await genept.genes();
  } catch (error) {
    state.textContent = `The map cannot be drawn: ${error.message}.`;
    return;
  }
  const n = genes.symbol.length;
  const x = Float32Array.from(genes.x), y = Float32Array.from(genes.y, (v) => 9999 - v);
  const every = Uint32Array.from({ length: n }, (_, i) => i);
  const dots = genept.dots(canvas);
  const view = { scale: 1, left: 0, top: 0 };
  const hidden = new Set();
  let chosen = -1, near = [], group = -1, hover = -1, rows = every, least = 1, colours, dim, queued;

  const paint = () => {
    const style = getComputedStyle(page);
    const read = (name) => style.getPropertyValue(name).trim();
    colours = genes.classes.map((_, i) => dots.rgb(read(`--class-${i}`)));
    dim = dots.rgb(read("--class-dim"));
    view.ink = read("--pst-color-text-base");
    view.paper = read("--card");
    view.quiet = read("--pst-color-text-muted");
    draw();
  };

  const whole = () => {
    const side = Math.min(canvas.clientWidth, canvas.clientHeight) - 16;
    least = side / 9999;
    Object.assign(view, { scale: least, left: (canvas.clientWidth - side) / 2,
      top: (canvas.clientHeight - side) / 2 });
    draw();
  };

  const at = (row) => [x[row] * view.scale + view.left, y[row] * view.scale + view.top];
  const zoom = () => view.scale / least;
  const radius = () => Math.min(5, 1.05 + 0.55 * Math.log2(Math.max(1, zoom())));

  const zoomBy = (factor, cx = canvas.clientWidth / 2, cy = canvas.clientHeight / 2) => {
    const next = Math.min(Math.max(view.scale * factor, least * 0.8), least * 400);
    const real = next / view.scale;
    view.left = cx - (cx - view.left) * real;
    view.top = cy - (cy - view.top) * real;
    view.scale = next;
    draw();
  };

  const panBy = (dx, dy) => {
    view.left += dx;
    view.top += dy;
    draw();
  };

  const draw = () => {
    queued ||= requestAnimationFrame(() => {
      queued = 0;
      render();
      canvas.dataset.drawn = Number(canvas.dataset.drawn || 0) + 1;
    });
  };

  const label = (context, text, px, py, bold) => {
    context.font = `${bold ? 600 : 400} ${bold ? 13 : 11.5}px system-ui, sans-serif`;
    context.lineWidth = 3.5;
    context.strokeStyle = view.paper;
    context.fillStyle = view.ink;
    context.strokeText(text, px, py);
    context.fillText(text, px, py);
  };

  const render = () => {
    dots.resize();
    const faded = group >= 0, size = radius();
    const groups = [{ rows, radius: size, colour: (i) => (faded ? dim : colours[genes.class[i]]) }];
    if (faded)
      groups.push({ rows: rows.filter((i) => genes.group[i].includes(group)), radius: size + 1,
        colour: (i) => colours[genes.class[i]] });
    const context = dots.draw(x, y, view, groups);
    context.lineJoin = "round";
    context.textBaseline = "middle";
    const wide = canvas.clientWidth, high = canvas.clientHeight, taken = [];
    const free = (px, py, width) => {
      const box = [px - 2, py - 8, px + width + 2, py + 8];
      if (box[0] < 0 || box[1] < 0 || box[2] > wide || box[3] > high) return false;
      if (taken.some((t) => t[0] < box[2] && t[2] > box[0] && t[1] < box[3] && t[3] > box[1]))
        return false;
      taken.push(box);
      return true;
    };
    if (chosen >= 0) {
      const [cx, cy] = at(chosen);
      context.strokeStyle = view.ink;
      context.lineWidth = 1;
      for (const row of near) {
        const [nx, ny] = at(row);
        context.beginPath();
        context.moveTo(cx, cy);
        context.lineTo(nx, ny);
        context.globalAlpha = 0.35;
        context.stroke();
        context.globalAlpha = 1;
        context.beginPath();
        context.arc(nx, ny, size + 2, 0, 7);
        context.stroke();
      }
      context.lineWidth = 2.5;
      context.beginPath();
      context.arc(cx, cy, size + 5, 0, 7);
      context.stroke();
      for (const row of [chosen, ...near]) {
        const [px, py] = at(row), bold = row === chosen;
        if (free(px + size + 8, py, 8 * genes.symbol[row].length))
          label(context, genes.symbol[row], px + size + 8, py, bold);
      }
    }
    const inside = zoom() > 6 ? inView() : [];
    if (inside.length && inside.length < 260)
      for (const row of inside) {
        const [px, py] = at(row);
        if (free(px + size + 3, py, 7 * genes.symbol[row].length))
          label(context, genes.symbol[row], px + size + 3, py, false);
      }
    else if (zoom() < 12 && !faded && chosen < 0 && !hidden.size)
      for (const [name, gx, gy] of genes.labels) {
        context.font = "600 13px system-ui, sans-serif";
        const width = context.measureText(name).width;
        const px = gx * view.scale + view.left - width / 2;
        const py = (9999 - gy) * view.scale + view.top;
        if (free(px, py, width)) label(context, name, px, py, true);
      }
    if (hover >= 0) {
      const [px, py] = at(hover);
      context.lineWidth = 1.5;
      context.strokeStyle = view.ink;
      context.beginPath();
      context.arc(px, py, size + 3, 0, 7);
      context.stroke();
    }
    if (document.activeElement === canvas && canvas.matches(":focus-visible")) {
      context.strokeStyle = view.ink;
      context.lineWidth = 1;
      context.beginPath();
      for (const [dx, dy] of [[9, 0], [0, 9]]) {
        context.moveTo(wide / 2 - dx, high / 2 - dy);
        context.lineTo(wide / 2 + dx, high / 2 + dy);
      }
      context.stroke();
    }
    if ($("map-table").open) listLater();
  };

  const inView = () => rows.filter((row) => {
    const [px, py] = at(row);
    return px > 0 && py > 0 && px < canvas.clientWidth && py < canvas.clientHeight;
  });

  const nearestTo = (px, py, reach) => {
    const gx = (px - view.left) / view.scale, gy = (py - view.top) / view.scale;
    let best = -1, least2 = (reach / view.scale) ** 2;
    for (const row of rows) {
      const d = (x[row] - gx) ** 2 + (y[row] - gy) ** 2;
      if (d < least2) [best, least2] = [row, d];
    }
    return best;
  };

  // --- the card of a gene -----------------------------------------------------------------
  let texts, cosines;

  const button = (row, text = genes.symbol[row]) => {
    const one = make("button", { type: "button", className: "gene", textContent: text });
    one.onclick = () => choose(row, true);
    return one;
  };

  const choose = async (row, move) => {
    chosen = row;
    near = [];
    search.value = genes.symbol[row];
    draw();
    history.replaceState(null, "", `#${encodeURIComponent(genes.symbol[row])}`);
    [texts, cosines] = await Promise.all([
      texts || genept.json("texts"), cosines || genept.load("neighbours")]);
    if (chosen !== row) return;
    const ids = new Uint16Array(cosines, row * 20, 10);
    const values = new Uint16Array(cosines, n * 20 + row * 20, 10);
    near = [...ids];
    if (move) {
      // so close that its nearest genes fill the middle of the map
      const reach = near.map((one) => Math.hypot(x[one] - x[row], y[one] - y[row])).sort(
        (a, b) => a - b)[6];
      const side = 0.35 * Math.min(canvas.clientWidth, canvas.clientHeight);
      const scale = Math.min(Math.max(side / Math.max(reach, 1), least * 4), least * 60);
      Object.assign(view, { scale, left: canvas.clientWidth / 2 - x[row] * scale,
        top: canvas.clientHeight / 2 - y[row] * scale });
    }
    state.textContent = `${genes.symbol[row]}, ${genes.name[row]}, is chosen.`;
    const inside = $("gene-card").contains(document.activeElement);
    $("gene-card").replaceChildren(...genept.card(genes, {
      row, near, values, group, text: texts.texts[texts.index[row]], button,
      show: (id) => {
        group = id;
        draw();
      },
    }));
    $("gene-card").hidden = false;
    // below the map or above the screen: its beginning comes into view, and half of the screen
    // stays the map's
    const { top } = $("gene-card").getBoundingClientRect();
    if (top > 0.6 * innerHeight || top < 0) scrollBy({ top: top - 0.5 * innerHeight });
    if (inside) {  // a gene of the card was chosen: whoever reads by keyboard goes on in the new one
      const head = $("gene-card").querySelector("h2");
      head.tabIndex = -1;
      head.focus({ preventScroll: true });
    }
    draw();
  };

  // --- classes, table ----------------------------------------------------------------------
  const counts = genes.classes.map(() => 0);
  genes.class.forEach((i) => counts[i]++);
  $("map-legend").append(...genes.classes.map((name, i) => {
    const one = make("button", { type: "button", "aria-pressed": "true" },
      make("span", { className: `swatch class-${i}`, "aria-hidden": "true" }),
      `${name} (${counts[i].toLocaleString("en")})`);
    one.onclick = () => {
      if (!hidden.delete(i)) hidden.add(i);
      one.setAttribute("aria-pressed", String(!hidden.has(i)));
      rows = hidden.size ? every.filter((row) => !hidden.has(genes.class[row])) : every;
      draw();
    };
    return one;
  }));

  const most = 100;
  let listing;
  const listLater = () => {
    clearTimeout(listing);
    listing = setTimeout(list, 150);
  };
  const list = () => {
    const inside = inView(), [cx, cy] = [canvas.clientWidth / 2, canvas.clientHeight / 2];
    const far = new Map([...inside].map((row) => {
      const [px, py] = at(row);
      return [row, Math.hypot(px - cx, py - cy)];
    }));
    const shown = [...inside].sort((a, b) => far.get(a) - far.get(b)).slice(0, most);
    $("map-count").textContent = `${inside.length.toLocaleString("en")} genes in view` +
      (inside.length > most ? `; the ${most} nearest to the middle:` : ":");
    $("map-rows").replaceChildren(...shown.map((row) => make("tr", {},
      make("th", { scope: "row" }, button(row)),
      make("td", { textContent: genes.name[row] }),
      make("td", { textContent: genes.classes[genes.class[row]] }))));
  };
  $("map-table").ontoggle = () => $("map-table").open && list();

  // --- mouse, touch, keyboard --------------------------------------------------------------
  const fingers = new Map();
  let moved = 0;
  const where = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, where(event));
    if (fingers.size === 1) moved = 0;
  };
  canvas.onpointermove = (event) => {
    const here = where(event), before = fingers.get(event.pointerId);
    if (!before) return point(event.pointerType === "mouse" ? here : null);
    const [dx, dy] = [here[0] - before[0], here[1] - before[1]];
    const other = [...fingers].find(([id]) => id !== event.pointerId);
    fingers.set(event.pointerId, here);
    moved += Math.abs(dx) + Math.abs(dy);
    if (!other) return panBy(dx, dy);
    const [ox, oy] = other[1];
    const grown = Math.hypot(here[0] - ox, here[1] - oy) /
      Math.max(1, Math.hypot(before[0] - ox, before[1] - oy));
    zoomBy(grown, (here[0] + ox) / 2, (here[1] + oy) / 2);
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    const tapped = fingers.size === 1 && moved < 8 && event.type === "pointerup";
    fingers.delete(event.pointerId);
    if (!tapped) return;
    const row = nearestTo(...where(event), event.pointerType === "mouse" ? 14 : 26);
    if (row >= 0) choose(row, false);
  };
  canvas.onpointerleave = () => point(null);
  const point = (here) => {
    const row = here ? nearestTo(...here, 12) : -1;
    if (row === hover) return;
    hover = row;
    tip.hidden = row < 0;
    canvas.style.cursor = row < 0 ? "" : "pointer";
    if (row >= 0) {
      const [px, py] = at(row);
      tip.replaceChildren(make("b", { textContent: genes.symbol[row] }), ` ${genes.name[row]}`);
      tip.style.left = `${Math.min(px + 14, canvas.clientWidth - tip.offsetWidth - 6)}px`;
      tip.style.top = `${Math.min(py + 14, canvas.clientHeight - tip.offsetHeight - 6)}px`;
    }
    draw();
  };
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoomBy(Math.exp(-Math.max(-120, Math.min(120, event.deltaY)) / 300), ...where(event));
  }, { passive: false });
  const keys = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
  canvas.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (keys[event.key]) panBy(...keys[event.key]);
    else if (event.key === "+" || event.key === "=") zoomBy(1.5);
    else if (event.key === "-") zoomBy(1 / 1.5);
    else if (event.key === "0") whole();
    else if (event.key === "Enter") {
      const row = nearestTo(canvas.clientWidth / 2, canvas.clientHeight / 2, 1e6);
      if (row >= 0) choose(row, false);
    } else return;
    event.preventDefault();
  };
  canvas.onfocus = canvas.onblur = draw;
  $("map-in").onclick = () => zoomBy(1.6);
  $("map-out").onclick = () => zoomBy(1 / 1.6);
  $("map-whole").onclick = () => {
    group = chosen = -1;
    near = [];
    whole();
  };
  const search = page.querySelector("input");
  genept.box(search, $("gene-list"), genes, (row) => choose(row, true));

  new ResizeObserver(() => (zoom() <= 1.001 || !view.left ? whole() : draw())).observe(canvas);
  new MutationObserver(paint).observe(document.documentElement,
    { attributes: true, attributeFilter: ["data-theme"] });
  whole();
  paint();
  if (genes.note) $("map-note").textContent = genes.note;
  const fromAddress = () => {
    let name = location.hash.slice(1);
    try {
      name = decodeURIComponent(name);
    } catch {} // a stray % is a part of the name
    if (!name) return;
    const [found] = genept.names.match(genes, [name]);
    if (found.row >= 0) {
      if (found.row !== chosen) choose(found.row, true);
    } else {
      search.value = name;
      const several = found.candidates.map((row) => genes.symbol[row]).join(", ");
      state.textContent = several ? `${name} stands for several genes: ${several}.` :
        `No gene is called ${name}.`;
    }
  };
  addEventListener("hashchange", fromAddress);
  fromAddress();
  state.textContent ||= `${n.toLocaleString("en")} genes are drawn.`;
  page.dataset.ready = "";
})();
