// A search box for genes: type any name, choose with arrows and Enter, by mouse or by touch.
genept.box = (input, list, genes, choose) => {
  const { make } = genept;
  let hits = [], at = -1;

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    at = -1;
  };

  const pick = (row) => {
    input.value = genes.symbol[row];
    close();
    choose(row);
  };

  const mark = (next) => {
    at = hits.length ? (next + hits.length) % hits.length : -1;
    [...list.children].forEach((item, i) =>
      item.setAttribute("aria-selected", String(i === at)));
    if (at < 0) return;
    input.setAttribute("aria-activedescendant", list.children[at].id);
    list.children[at].scrollIntoView({ block: "nearest" });
  };

  const show = () => {
    hits = genept.find(genes, input.value);
    list.replaceChildren(...hits.map(({ row, why }, i) => {
      const item = make("li", { id: `${list.id}-${i}`, role: "option", "aria-selected": "false" },
        make("b", { textContent: genes.symbol[row] }),
        ` ${genes.name[row]}`, make("small", { textContent: why ? ` (${why})` : "" }));
      item.onpointerdown = (event) => event.preventDefault();
      item.onclick = () => pick(row);
      return item;
    }));
    if (!hits.length && input.value.trim())
      list.append(make("li", { className: "none", role: "option", "aria-disabled": "true",
        "aria-selected": "false", textContent: "No gene has this name." }));
    list.hidden = !list.children.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    at = -1;
  };

  input.oninput = show;
  input.onfocus = () => input.value && show();
  input.onblur = close;
  input.onkeydown = (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) show();
      mark(at + (event.key === "ArrowDown" ? 1 : at < 0 ? 0 : -1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!hits.length || list.hidden) show();
      if (hits.length) pick(hits[Math.max(at, 0)].row);
    } else if (event.key === "Escape") {
      close();
    }
  };
};
