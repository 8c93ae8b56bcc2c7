// Tables of class "sortable": a filter box, and heads that sort. Without script: a plain table.
(() => {
  const make = (tag, props) => Object.assign(document.createElement(tag), props);
  const value = (row, i) => {
    const text = row.cells[i] ? row.cells[i].textContent.trim() : "";
    const digits = /^[-+−]?[\d,]*\.?\d+/.exec(text);
    return [text, digits ? parseFloat(digits[0].replace(/,/g, "").replace("−", "-")) : NaN];
  };
  const compare = ([a, x], [b, y]) =>
    !a - !b || isNaN(x) - isNaN(y) || (isNaN(x) ? a.localeCompare(b) : x - y);

  const unspan = (body) => {
    for (let r = 0; r < body.rows.length; r++)
      [...body.rows[r].cells].forEach((cell, i) => {
        const span = cell.rowSpan;
        cell.rowSpan = 1;
        for (let k = 1; k < span; k++)
          body.rows[r + k].insertBefore(cell.cloneNode(true), body.rows[r + k].cells[i]);
      });
  };

  const enhance = (table) => {
    const body = table.tBodies[0];
    const heads = table.tHead && [...table.tHead.rows];
    if (!body || !heads || !heads.length) return;
    unspan(body);
    const rows = [...body.rows];
    const cells = [...heads[heads.length - 1].cells];
    cells.forEach((th, i) => {
      if (!th.textContent.trim()) return;
      const button = make("button", { type: "button" });
      button.append(...th.childNodes);
      th.append(button);
      button.onclick = () => {
        const down = th.getAttribute("aria-sort") === "ascending";
        cells.forEach((other) => other.removeAttribute("aria-sort"));
        th.setAttribute("aria-sort", down ? "descending" : "ascending");
        const keyed = rows.map((row) => [row, value(row, i)]);
        keyed.sort(([, a], [, b]) =>
          !a[0] - !b[0] || (down ? -1 : 1) * compare(a, b));
        body.append(...keyed.map(([row]) => row));
      };
    });

    let box = table.closest(".table-box");
    if (!box) {
      box = make("div", { className: "table-box" });
      table.replaceWith(box);
      box.append(table);
    }
    const count = make("output", { textContent: `${rows.length} rows` });
    const input = make("input", { type: "search", placeholder: "Filter rows" });
    input.setAttribute("aria-label", "Filter rows");
    input.oninput = () => {
      const words = input.value.toLowerCase().split(/\s+/);
      let shown = 0;
      rows.forEach((row) => {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        shown += !row.hidden;
      });
      count.textContent = `${shown} of ${rows.length} rows`;
    };
    const bar = make("div", { className: "table-filter" });
    bar.append(input, count);
    box.before(bar);
    table.dataset.ready = "";
  };
  document.querySelectorAll("table.sortable").forEach(enhance);
})();
