// What is wider than its room scrolls: reached by keyboard, named, and with a hint while there
// is more to see. Also names the side column and the search box, which the theme leaves outside all
// landmarks.
(() => {
  const boxes = [...document.querySelectorAll(
    ".table-box, .pst-scrollable-table-container, div.highlight pre, .image-box")];
  const names = new Map();
  const name = (box) => {
    const caption = box.querySelector("caption, .caption-text");
    const section = box.closest("section");
    const heading = section && section.querySelector("h1, h2, h3, h4");
    const text = caption || heading;
    let label = text ? text.textContent.replace(/#$/, "").trim() : "Page";
    const kind = box.tagName === "PRE" ? "Code" : box.matches(".image-box") ? "Figure" : "Table";
    if (!caption) label = `${kind}: ${label}`;
    names.set(label, (names.get(label) || 0) + 1);
    return names.get(label) > 1 ? `${label} (${names.get(label)})` : label;
  };
  const look = (box) => {
    const more = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
    if (more && !box.dataset.scrolls) {
      box.dataset.scrolls = "";
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      if (!box.ariaLabel || box.ariaLabel === "Table") box.setAttribute("aria-label", name(box));
    }
    const left = box.scrollWidth - box.clientWidth - box.scrollLeft;
    box.classList.toggle("more", left > 8);
    const hint = box.nextElementSibling;
    if (hint && hint.matches(".scroll-hint")) {
      hint.style.display = more ? "block" : "none";
      hint.classList.toggle("done", left <= 8);
    }
  };
  const watch = new ResizeObserver((entries) => entries.forEach(({ target }) => look(target)));
  for (const box of boxes) {
    watch.observe(box);
    box.addEventListener("scroll", () => look(box), { passive: true });
  }
  // A short option or name in code does not break at its hyphens.
  for (const word of document.querySelectorAll(".bd-article :not(pre) > code .pre"))
    if (word.textContent.length < 20) word.style.whiteSpace = "nowrap";
  // On a phone a row of a table of words becomes a card, whose cells say what they are.
  const phone = matchMedia("(max-width: 599px)");
  const roles = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TD: "cell" };
  const label = (table) => {
    const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    const names = heads.map((head) => head.textContent.trim());
    heads.forEach((head) => head.setAttribute("role", "columnheader"));
    const parts = () => {
      for (const part of [table, ...table.querySelectorAll("thead, tbody, tr, td")])
        part.setAttribute("role", roles[part.tagName]);
      for (const row of table.tBodies[0].rows)
        for (const cell of row.cells) cell.dataset.label = names[cell.cellIndex] || "";
    };
    parts();
    table.addEventListener("rows", parts);  // others are shown, see sortable.js
    table.dataset.labelled = "";
  };
  const cards = () => {
    if (!phone.matches) return;
    for (const table of document.querySelectorAll("table.table:not(.key-facts)"))
      if (table.tHead && table.tHead.rows[0].cells.length > 2) table.classList.add("cards");
    document.querySelectorAll("table.cards:not([data-labelled])").forEach(label);
  };
  cards();
  phone.addEventListener("change", cards);
  const side = document.querySelector(".bd-sidebar-primary");
  if (side && !side.hasAttribute("role")) {
    side.setAttribute("role", "complementary");
    side.setAttribute("aria-label", "The book");
  }
  const search = document.querySelector(".search-button__wrapper");
  if (search) {
    search.setAttribute("role", "search");
    search.setAttribute("aria-label", "Search the book");
  }
})();
