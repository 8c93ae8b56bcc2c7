// Tables of class "sortable": a filter box, and heads that sort. Without script: a plain table.
// Of a long table the first rows stand in the page; the others wait as text in a noscript behind
// it and are laid out when they are filtered for, sorted, or asked for.
(() => {
  const STEP = 200;
  const make = (tag, props) => Object.assign(document.createElement(tag), props);
  const value = (row, i) => {
    const text = row.cells[i] ? row.cells[i].textContent.trim() : "";
    const digits = /^[-+−]?[\d,]*\.?\d+/.exec(text);
    return [text, digits ? parseFloat(digits[0].replace(/,/g, "").replace("−", "-")) : NaN];
  };
  const { compare: alphabetic } = new Intl.Collator();
  const compare = ([a, x], [b, y]) =>
    !a - !b || isNaN(x) - isNaN(y) || (isNaN(x) ? alphabetic(a, b) : x - y);

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
    let box = table.closest(".table-box");
    if (!box) {
      box = make("div", { className: "table-box" });
      table.replaceWith(box);
      box.append(table);
    }
    let waiting = box.nextElementSibling;
    if (!waiting || !waiting.matches("noscript.more-rows")) waiting = null;
    const total = body.rows.length + Number(waiting ? waiting.dataset.rows : 0);
    const first = body.rows.length, cells = [...heads[heads.length - 1].cells];
    let rows = [...body.rows], most = first, words = [];
    const texts = new Map();
    const text = (row) => {
      if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
      return texts.get(row);
    };

    // all rows, those that wait included
    const every = () => {
      if (waiting) {
        const made = make("template", { innerHTML: waiting.textContent });
        rows = [...rows, ...made.content.querySelectorAll("tbody tr")];
        waiting.remove();
        waiting = null;
      }
      return rows;
    };

    const count = make("output", {});
    const more = make("button", { type: "button" });
    const below = make("p", { className: "table-more" });
    below.append(more);
    const say = (found, shown) => {
      const all = total.toLocaleString("en"), some = found.toLocaleString("en");
      count.textContent = words.length ? `${some} of ${all} rows` : `${all} rows`;
      if (shown < found) count.textContent += `, ${shown} shown`;
      more.textContent = `Show ${Math.min(STEP, found - shown).toLocaleString("en")} more rows`;
      below.hidden = shown >= found;
    };
    const show = () => {
      const found = every().filter((row) => words.every((word) => text(row).includes(word)));
      const shown = total > first ? found.slice(0, most) : found;
      body.replaceChildren(...shown);
      table.dispatchEvent(new Event("rows"));
      say(found.length, shown.length);
    };
    more.onclick = () => {
      most += STEP;
      show();
    };

    cells.forEach((th, i) => {
      if (!th.textContent.trim()) return;
      const button = make("button", { type: "button" });
      button.append(...th.childNodes);
      th.append(button);
      button.onclick = () => {
        const down = th.getAttribute("aria-sort") === "ascending";
        cells.forEach((other) => other.removeAttribute("aria-sort"));
        th.setAttribute("aria-sort", down ? "descending" : "ascending");
        const keyed = every().map((row) => [row, value(row, i)]);
        keyed.sort(([, a], [, b]) =>
          !a[0] - !b[0] || (down ? -1 : 1) * compare(a, b));
        rows = keyed.map(([row]) => row);
        show();
      };
    });

    const input = make("input", { type: "search", placeholder: "Filter rows" });
    input.setAttribute("aria-label", "Filter rows");
    input.oninput = () => {
      words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      most = first;
      show();
    };
    const bar = make("div", { className: "table-filter" });
    bar.append(input, count);
    box.before(bar);
    if (total > first) box.after(below);
    say(total, first);
    table.dataset.ready = "";
  };
  document.querySelectorAll("table.sortable").forEach(enhance);
})();
